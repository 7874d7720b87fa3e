//! Bytes, as opposed to a list of numbers.

use std::fmt;

use serde::de::{self, Deserialize, Deserializer, Visitor};
use serde::ser::{Serialize, Serializer};

/// Bytes as a parameter or a column: what SQL calls a BLOB.
///
/// As a parameter it takes whatever lends bytes; out of a row it comes as
/// `Blob<Vec<u8>>`, the default. Without it, serde takes `Vec<u8>` for a list of
/// numbers, which is refused.
///
/// # Examples
/// ```
/// use exthost_plugin::db::{Blob, Db};
/// use exthost_plugin::prelude::*;
///
/// async fn copy(db: Db) -> Result<()> {
///     let icon: Option<Blob> = db.get("SELECT icon FROM ext_notes_icons", ()).await?;
///     if let Some(Blob(bytes)) = icon {
///         db.run("INSERT INTO ext_notes_old (icon) VALUES (?)", [Blob(&bytes)]).await?;
///     }
///     Ok(())
/// }
/// ```
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Blob<T = Vec<u8>>(pub T);

impl<T: AsRef<[u8]>> Serialize for Blob<T> {
    fn serialize<S: Serializer>(&self, serializer: S) -> Result<S::Ok, S::Error> {
        serializer.serialize_bytes(self.0.as_ref())
    }
}

impl<'de, T: From<Vec<u8>>> Deserialize<'de> for Blob<T> {
    fn deserialize<D: Deserializer<'de>>(deserializer: D) -> Result<Self, D::Error> {
        let bytes = deserializer.deserialize_byte_buf(Bytes)?;
        Ok(Blob(bytes.into()))
    }
}

struct Bytes;

impl Visitor<'_> for Bytes {
    type Value = Vec<u8>;

    fn expecting(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("BLOB")
    }

    fn visit_bytes<E: de::Error>(self, bytes: &[u8]) -> Result<Vec<u8>, E> {
        Ok(bytes.to_owned())
    }

    fn visit_byte_buf<E: de::Error>(self, bytes: Vec<u8>) -> Result<Vec<u8>, E> {
        Ok(bytes)
    }
}
