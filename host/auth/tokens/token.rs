//! One token, and what is kept of it.

use std::fmt;

use base64::Engine;
use base64::engine::general_purpose::URL_SAFE_NO_PAD;
use serde::{Deserialize, Serialize};

use crate::auth::TokensError;

/// What a token begins with, so that it is known for one wherever it leaks.
pub(super) const PREFIX: &str = "exthost_";

/// A new token: `exthost_` and 32 random bytes in base64 for URLs.
///
/// It is in no output: `Debug` tells nothing of it.
pub struct Token(String);

impl Token {
    /// Makes a token of what the system has to give of randomness.
    pub(super) fn generate() -> Result<Self, TokensError> {
        let mut bytes = [0; 32];
        getrandom::fill(&mut bytes).map_err(|_| TokensError::Random)?;
        Ok(Token(format!("{PREFIX}{}", URL_SAFE_NO_PAD.encode(bytes))))
    }

    /// The token as it is sent, for the one who is to keep it.
    pub fn reveal(&self) -> &str {
        &self.0
    }
}

impl fmt::Debug for Token {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Token").finish_non_exhaustive()
    }
}

/// The BLAKE3 of a token, by which it is found.
///
/// A plain hash without salt or stretching is enough, for nobody can try 2^256
/// tokens. Nor does the time of a look-up help to guess one: it depends on the hash of
/// what was sent, which tells nothing of what a better guess would be.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub(super) struct TokenHash(blake3::Hash);

impl TokenHash {
    /// The hash of a token as it was sent.
    pub(super) fn of(token: &[u8]) -> Self {
        TokenHash(blake3::hash(token))
    }
}

impl TryFrom<String> for TokenHash {
    type Error = String;

    fn try_from(hex: String) -> Result<Self, String> {
        match blake3::Hash::from_hex(&hex) {
            Ok(hash) => Ok(TokenHash(hash)),
            Err(_) => Err(format!(
                "`blake3` has {} characters and is not 64 hexadecimal digits",
                hex.chars().count()
            )),
        }
    }
}

impl From<TokenHash> for String {
    fn from(hash: TokenHash) -> String {
        hash.0.to_hex().to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_new_and_shown_to_nobody() {
        let token = Token::generate().unwrap();
        assert_eq!(token.reveal().len(), PREFIX.len() + 43);
        assert!(token.reveal().starts_with(PREFIX));
        assert_eq!(format!("{token:?}"), "Token { .. }");
        assert_ne!(token.reveal(), Token::generate().unwrap().reveal());
    }

    #[test]
    fn hashes_are_hexadecimal() {
        let hash = TokenHash::of(b"exthost_a");
        let hex = String::from(hash);
        assert_eq!(TokenHash::try_from(hex.clone()), Ok(hash));
        for bad in ["", &hex[1..], &hex.replace(&hex[..1], "g")] {
            let error = TokenHash::try_from(bad.to_owned()).unwrap_err();
            assert!(error.contains("64 hexadecimal digits"), "{error}");
        }
    }
}
