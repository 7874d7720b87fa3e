//! Secrets that webhooks are signed with.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use serde::Deserialize;

use crate::config::EndpointError;

/// What a secret begins with, so that it is known for one wherever it leaks.
const PREFIX: &str = "whsec_";

/// How many bytes make a secret.
const BYTES: std::ops::RangeInclusive<usize> = 24..=64;

/// A secret of Standard Webhooks: `whsec_` and 24 to 64 bytes in base64.
///
/// It is in no output: `Debug` tells its length.
#[derive(Clone, PartialEq, Eq, Deserialize)]
#[serde(try_from = "String")]
pub struct Secret(Vec<u8>);

impl Secret {
    /// Checks `secret`.
    ///
    /// # Errors
    /// [`EndpointError::Secret`], which tells nothing of its content.
    pub fn parse(secret: &str) -> Result<Self, EndpointError> {
        let wrong = |why: String| EndpointError::Secret { why };
        let encoded = secret
            .strip_prefix(PREFIX)
            .ok_or_else(|| wrong(format!("does not begin with {PREFIX}")))?;
        let bytes = STANDARD
            .decode(encoded)
            .map_err(|_| wrong("is not padded base64".to_owned()))?;
        match BYTES.contains(&bytes.len()) {
            true => Ok(Secret(bytes)),
            false => Err(wrong(format!("has {} bytes", bytes.len()))),
        }
    }

    /// Makes a new secret of 32 random bytes.
    ///
    /// # Errors
    /// [`EndpointError::Random`] when the system has none to give.
    pub fn generate() -> Result<Self, EndpointError> {
        let mut bytes = vec![0; 32];
        let random = rustls::crypto::ring::default_provider().secure_random;
        match random.fill(&mut bytes) {
            Ok(()) => Ok(Secret(bytes)),
            Err(_) => Err(EndpointError::Random),
        }
    }

    /// The key.
    pub(crate) fn as_bytes(&self) -> &[u8] {
        &self.0
    }

    /// The secret as it is written down, for the one who is to keep it.
    pub fn reveal(&self) -> String {
        format!("{PREFIX}{}", STANDARD.encode(&self.0))
    }
}

impl fmt::Debug for Secret {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Secret({} bytes)", self.0.len())
    }
}

impl TryFrom<String> for Secret {
    type Error = EndpointError;

    fn try_from(secret: String) -> Result<Self, EndpointError> {
        Self::parse(&secret)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn secrets() {
        let text = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";
        let secret = Secret::parse(text).unwrap();
        assert_eq!(secret.as_bytes().len(), 24);
        assert_eq!(secret.reveal(), text);
        assert_eq!(format!("{secret:?}"), "Secret(24 bytes)");
        let generated = Secret::generate().unwrap();
        assert_eq!(Secret::parse(&generated.reveal()).unwrap(), generated);
        assert_ne!(Secret::generate().unwrap(), generated);
    }

    #[test]
    fn bad_secrets_are_not_told() {
        for secret in [
            "",
            "C2FVsBQIhrscChlQIMV+b5sSYspob7oD",
            "whsec_",
            "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7o",
            "whsec_C2FVsBQIhrscChlQIMV-b5sSYspob7oD",
            "whsec_AAAA",
            &format!("{PREFIX}{}", STANDARD.encode([0; 65])),
        ] {
            let error = Secret::parse(secret).unwrap_err().to_string();
            assert!(
                !error.contains("C2FV") && !error.contains("AAAA"),
                "{error}"
            );
            assert!(error.contains("exthost webhooks test"), "{error}");
        }
    }
}
