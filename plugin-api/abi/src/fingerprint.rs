//! The first lock: a fingerprint for each table.
//!
//! A fingerprint is the first 8 bytes, in hexadecimal, of the BLAKE3 hash of the
//! table's row in `tests/abi/lock.json`, which spells out every slot, type and
//! constant the table reaches. A plugin lists those it was compiled against in
//! its meta, so the host refuses a differing one from the file alone.

/// Each table of this crate as `id/revision`, with its fingerprint.
pub const FINGERPRINTS: &[(&str, &str)] = &[
    ("plugin/1", "cea10bdbee196717"),
    ("services/1", "834731613577e470"),
    ("log/1", "379919527d880efe"),
    ("config/1", "2185f3c469c08be5"),
    ("routes/1", "3c64dfe5ec1e0c78"),
    ("tasks/1", "88e0cb89ef4737a8"),
    ("events/1", "b829466210a028aa"),
    ("db/1", "691e05c712f98b1b"),
    ("broadcast/1", "77e912b8f78a359b"),
    ("webhooks/1", "58374c7e11bc1835"),
    ("kv/1", "6fc24be41a9dee1e"),
    ("cache/1", "c052cd6485d95a79"),
    ("audit/1", "23209901976b5192"),
];

/// The meta entry `tables`: every table with its fingerprint.
pub const TABLES: &str = concat!(
    "plugin/1=cea10bdbee196717,",
    "services/1=834731613577e470,",
    "log/1=379919527d880efe,",
    "config/1=2185f3c469c08be5,",
    "routes/1=3c64dfe5ec1e0c78,",
    "tasks/1=88e0cb89ef4737a8,",
    "events/1=b829466210a028aa,",
    "db/1=691e05c712f98b1b,",
    "broadcast/1=77e912b8f78a359b,",
    "webhooks/1=58374c7e11bc1835,",
    "kv/1=6fc24be41a9dee1e,",
    "cache/1=c052cd6485d95a79,",
    "audit/1=23209901976b5192",
);
