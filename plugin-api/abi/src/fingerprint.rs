//! The first lock: a fingerprint for each table.
//!
//! A fingerprint is the first 8 bytes, in hexadecimal, of the BLAKE3 hash of the
//! table's row in `tests/abi/lock.json`, which spells out every slot, type and
//! constant the table reaches. A plugin lists those it was compiled against in
//! its meta, so the host refuses a differing one from the file alone.

/// Each table of this crate as `id/revision`, with its fingerprint.
pub const FINGERPRINTS: &[(&str, &str)] = &[];

/// The meta entry `tables`: every table with its fingerprint.
pub const TABLES: &str = "";
