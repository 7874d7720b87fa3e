//! The key that signs the newest record.

use std::fmt;
use std::fs::{File, Metadata};
use std::io::{self, Read, Write};
use std::path::Path;
use std::str::FromStr;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ring::signature::{ED25519, Ed25519KeyPair, KeyPair, UnparsedPublicKey};
use serde::Serialize;

use crate::ownership::{Ownership, current_user};
use crate::private::give;
use crate::services::audit::error::AuditError;
use crate::services::audit::hash::{Hash, HexError, hex, unhex};

/// The file in the data directory.
pub(super) const KEY_FILE: &str = "audit.key";

/// The public half of a key, written as 64 hexadecimal digits.
#[derive(Clone, Copy, PartialEq, Eq)]
pub struct PublicKey([u8; 32]);

/// An Ed25519 key, of which only its public half is ever shown.
pub(super) struct SigningKey {
    pair: Ed25519KeyPair,
}

/// What stands before the seed in PKCS #8, which other programs read too.
const PKCS8_PREFIX: [u8; 16] = [
    0x30, 0x2e, 0x02, 0x01, 0x00, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x04, 0x22, 0x04, 0x20,
];

const PEM_BEGIN: &str = "-----BEGIN PRIVATE KEY-----";
const PEM_END: &str = "-----END PRIVATE KEY-----";

/// More than such a file has.
const FILE_BYTES_MAX: u64 = 4096;

impl SigningKey {
    /// The key in `data`, if there is one.
    ///
    /// # Errors
    /// [`AuditError::Key`], also when others than its owner can read it.
    pub(super) fn load(data: &Path) -> Result<Option<Self>, AuditError> {
        let Some((key, metadata)) = read(data)? else {
            return Ok(None);
        };
        match distrust(data, &metadata) {
            None => Ok(Some(key)),
            Some(why) => Err(unusable(data, why)),
        }
    }

    /// Makes a key in `data`, which only its owner can read.
    ///
    /// # Errors
    /// [`AuditError::Key`].
    pub(super) fn make(data: &Path) -> Result<Self, AuditError> {
        let mut seed = [0; 32];
        getrandom::fill(&mut seed).map_err(|error| unusable(data, error))?;
        let der = [&PKCS8_PREFIX[..], &seed].concat();
        let text = format!("{PEM_BEGIN}\n{}\n{PEM_END}\n", STANDARD.encode(der));
        let key = parse(&text).ok_or_else(|| unusable(data, "it cannot be made"))?;
        write(data, &text).map_err(|error| unusable(data, error))?;
        Ok(key)
    }

    pub(super) fn public(&self) -> PublicKey {
        let mut bytes = [0; 32];
        bytes.copy_from_slice(self.pair.public_key().as_ref());
        PublicKey(bytes)
    }

    /// Signs that the record `seq`, with this hash, is the newest.
    pub(super) fn sign(&self, seq: u64, hash: Hash) -> Vec<u8> {
        self.pair.sign(&statement(seq, hash)).as_ref().to_vec()
    }
}

impl PublicKey {
    pub(super) fn new(bytes: [u8; 32]) -> Self {
        PublicKey(bytes)
    }

    pub(super) fn as_bytes(&self) -> &[u8; 32] {
        &self.0
    }

    /// Reads the public half of the key in the data directory; nothing if there is
    /// none.
    ///
    /// # Errors
    /// [`AuditError::Key`].
    pub fn of(data: &Path) -> Result<Option<Self>, AuditError> {
        Ok(read(data)?.map(|(key, _)| key.public()))
    }

    /// Whether this key has signed that the record `seq`, with this hash, is the
    /// newest.
    pub(super) fn has_signed(&self, seq: u64, hash: Hash, signature: &[u8]) -> bool {
        let key = UnparsedPublicKey::new(&ED25519, &self.0);
        key.verify(&statement(seq, hash), signature).is_ok()
    }
}

/// What is signed.
fn statement(seq: u64, hash: Hash) -> Vec<u8> {
    format!("exthost-audit-head-1 {seq} {hash}").into_bytes()
}

/// The key in `data`, whoever it belongs to.
fn read(data: &Path) -> Result<Option<(SigningKey, Metadata)>, AuditError> {
    let file = match File::open(data.join(KEY_FILE)) {
        Err(error) if error.kind() == io::ErrorKind::NotFound => return Ok(None),
        file => file.map_err(|error| unusable(data, error))?,
    };
    let metadata = file.metadata().map_err(|error| unusable(data, error))?;
    let mut text = String::new();
    let read = file.take(FILE_BYTES_MAX).read_to_string(&mut text);
    read.map_err(|error| unusable(data, error))?;
    let bad = "it is no Ed25519 key in PKCS #8; put the right one back";
    let key = parse(&text).ok_or_else(|| unusable(data, bad))?;
    Ok(Some((key, metadata)))
}

/// Why a host may not sign with the key in a file.
fn distrust(data: &Path, metadata: &Metadata) -> Option<String> {
    let ownership = Ownership::of(metadata)?;
    let user = match current_user()? {
        // An administrator works for whoever has the data directory.
        0 => Ownership::of(&data.metadata().ok()?)?.user,
        user => user,
    };
    let mode = ownership.mode;
    match ownership.distrust(user) {
        Some(distrust) => Some(format!("it {distrust}")),
        None if mode & 0o077 != 0 => Some(format!(
            "others can read it (mode {mode:04o}); take that away with chmod 600"
        )),
        None => None,
    }
}

fn unusable(data: &Path, why: impl ToString) -> AuditError {
    AuditError::Key {
        path: data.join(KEY_FILE),
        why: why.to_string(),
    }
}

fn parse(text: &str) -> Option<SigningKey> {
    let text = text.trim().strip_prefix(PEM_BEGIN)?;
    let text: String = text.strip_suffix(PEM_END)?.split_whitespace().collect();
    let der = STANDARD.decode(text).ok()?;
    let seed = der.strip_prefix(&PKCS8_PREFIX)?;
    let pair = Ed25519KeyPair::from_seed_unchecked(seed).ok()?;
    Some(SigningKey { pair })
}

/// Writes all of a new file or none of it.
fn write(data: &Path, text: &str) -> io::Result<()> {
    // Only its owner can read it, from the beginning.
    let mut file = tempfile::NamedTempFile::new_in(data)?;
    file.write_all(text.as_bytes())?;
    file.as_file().sync_all()?;
    give(file.path())?;
    file.persist_noclobber(data.join(KEY_FILE))?;
    #[cfg(unix)]
    File::open(data)?.sync_all()?;
    Ok(())
}

impl FromStr for PublicKey {
    type Err = HexError;

    fn from_str(text: &str) -> Result<Self, HexError> {
        unhex(text).map(PublicKey)
    }
}

impl fmt::Display for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex(&self.0))
    }
}

impl fmt::Debug for PublicKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "PublicKey({self})")
    }
}

impl Serialize for PublicKey {
    fn serialize<S: serde::Serializer>(&self, to: S) -> Result<S::Ok, S::Error> {
        to.collect_str(self)
    }
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "SigningKey({})", self.public())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_the_same_when_it_is_read_again() {
        let data = tempfile::tempdir().unwrap();
        assert!(SigningKey::load(data.path()).unwrap().is_none());
        let made = SigningKey::make(data.path()).unwrap();
        let again = SigningKey::load(data.path()).unwrap().unwrap();
        assert_eq!(made.public(), again.public());
        let hash = Hash::new([7; 32]);
        let signature = again.sign(3, hash);
        let public: PublicKey = made.public().to_string().parse().unwrap();
        assert!(public.has_signed(3, hash, &signature));
        assert!(!public.has_signed(4, hash, &signature));
        assert!(!public.has_signed(3, Hash::ZERO, &signature));
        let text = std::fs::read_to_string(data.path().join(KEY_FILE)).unwrap();
        assert!(!format!("{made:?}").contains(text.lines().nth(1).unwrap()));
        assert!(SigningKey::make(data.path()).is_err(), "it was overwritten");
    }

    #[cfg(unix)]
    #[test]
    fn a_key_that_others_can_read_or_that_is_none_is_refused() {
        use std::os::unix::fs::PermissionsExt;

        let data = tempfile::tempdir().unwrap();
        let path = data.path().join(KEY_FILE);
        SigningKey::make(data.path()).unwrap();
        let mode = std::fs::metadata(&path).unwrap().permissions().mode();
        assert_eq!(mode & 0o777, 0o600);
        let told = || SigningKey::load(data.path()).unwrap_err().to_string();
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o640)).unwrap();
        assert!(told().contains("chmod 600"), "{}", told());
        std::fs::set_permissions(&path, std::fs::Permissions::from_mode(0o600)).unwrap();
        std::fs::write(&path, format!("{PEM_BEGIN}\nAAAA\n{PEM_END}\n")).unwrap();
        assert!(told().contains("no Ed25519 key"), "{}", told());
    }
}
