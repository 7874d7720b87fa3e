//! One record of the audit, before and after it is part of the chain.

use rusqlite::{Connection, Row, params};
use serde::Serialize;
use serde_json::value::RawValue;
use sha2::{Digest, Sha256};
use uuid::Uuid;

use crate::services::actor::Actor;
use crate::services::audit::AuditEntry;
use crate::services::audit::hash::Hash;
use crate::services::db::outbox::Parcel;

/// A record that is not part of the chain yet.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct Pending {
    /// The same when it is handed over again.
    pub(super) id: String,
    pub(super) time_ms: i64,
    pub(super) plugin: String,
    pub(super) version: String,
    pub(super) actor: String,
    pub(super) request_id: String,
    pub(super) entry: AuditEntry,
}

/// A record of the chain.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Record {
    /// Its number, from 1.
    pub seq: u64,
    /// Its id, which it had before it had a number.
    pub id: String,
    /// When it was recorded, in milliseconds since 1970.
    pub time_ms: i64,
    /// The plugin that recorded it; empty for the host.
    pub plugin: String,
    /// The version of the plugin, or of the host.
    pub version: String,
    /// Who did it, as JSON.
    #[serde(serialize_with = "json")]
    pub actor: String,
    /// The request at the root of it, or empty.
    pub request_id: String,
    /// What was done.
    pub action: String,
    /// Of what kind that is to which it was done, or empty.
    pub target_kind: String,
    /// Which one of the kind, or empty.
    pub target_id: String,
    /// What else is to be known, as JSON, or empty.
    #[serde(serialize_with = "json")]
    pub detail: String,
    /// The hash of the record before; zeros before the first.
    pub prev: Hash,
    /// The hash of this one.
    pub hash: Hash,
}

impl Pending {
    /// A record of what `actor` did at `time_ms`, with an id of its own.
    pub(crate) fn new(
        time_ms: i64,
        plugin: &str,
        version: &str,
        actor: &Actor,
        request_id: &str,
        entry: AuditEntry,
    ) -> Self {
        Pending {
            id: format!("aud_{}", Uuid::now_v7().simple()),
            time_ms,
            plugin: plugin.to_owned(),
            version: version.to_owned(),
            actor: serde_json::json!(actor).to_string(),
            request_id: request_id.to_owned(),
            entry,
        }
    }

    /// The record of the chain that has the number `seq` and follows `prev`.
    pub(super) fn chained(self, seq: u64, prev: Hash) -> Record {
        let mut record = Record {
            seq,
            id: self.id,
            time_ms: self.time_ms,
            plugin: self.plugin,
            version: self.version,
            actor: self.actor,
            request_id: self.request_id,
            action: self.entry.action,
            target_kind: self.entry.target_kind,
            target_id: self.entry.target_id,
            detail: self.entry.detail,
            prev,
            hash: Hash::ZERO,
        };
        record.hash = numbered(record.digest(), seq);
        record
    }
}

impl Record {
    /// The columns that [`read`](Self::read) reads, in their order.
    pub(super) const COLUMNS: &str = "seq, id, time_ms, plugin, version, actor, request_id, \
         action, target_kind, target_id, detail, prev, hash";

    pub(super) fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Record {
            seq: row.get::<_, i64>(0)?.cast_unsigned(),
            id: row.get(1)?,
            time_ms: row.get(2)?,
            plugin: row.get(3)?,
            version: row.get(4)?,
            actor: row.get(5)?,
            request_id: row.get(6)?,
            action: row.get(7)?,
            target_kind: row.get(8)?,
            target_id: row.get(9)?,
            detail: row.get(10)?,
            prev: row.get(11)?,
            hash: row.get(12)?,
        })
    }

    pub(super) fn insert(&self, connection: &Connection) -> rusqlite::Result<()> {
        let mut insert = connection.prepare_cached(
            "INSERT INTO records (seq, id, time_ms, plugin, version, actor, request_id, action, \
             target_kind, target_id, detail, prev, hash) \
             VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9, ?10, ?11, ?12, ?13)",
        )?;
        insert.execute(params![
            self.seq.cast_signed(),
            self.id,
            self.time_ms,
            self.plugin,
            self.version,
            self.actor,
            self.request_id,
            self.action,
            self.target_kind,
            self.target_id,
            self.detail,
            self.prev,
            self.hash
        ])?;
        Ok(())
    }

    /// What [`numbered`] makes its hash of: all of it but its number, part by part.
    pub(super) fn digest(&self) -> Sha256 {
        let mut digest = Sha256::new();
        for part in [
            "exthost-audit-1".as_bytes(),
            self.prev.as_bytes(),
            self.id.as_bytes(),
            self.time_ms.to_string().as_bytes(),
            self.plugin.as_bytes(),
            self.version.as_bytes(),
            self.actor.as_bytes(),
            self.request_id.as_bytes(),
            self.action.as_bytes(),
            self.target_kind.as_bytes(),
            self.target_id.as_bytes(),
            self.detail.as_bytes(),
        ] {
            add(&mut digest, part);
        }
        digest
    }
}

/// The hash of a record with this digest, as the record `seq`. The number is the last
/// part, so that it is soon found which number a record has had.
pub(super) fn numbered(mut digest: Sha256, seq: u64) -> Hash {
    add(&mut digest, seq.to_string().as_bytes());
    Hash::new(digest.finalize().into())
}

/// Adds a part with its length, so that no two records make the same bytes.
fn add(digest: &mut Sha256, part: &[u8]) {
    digest.update((part.len() as u64).to_be_bytes());
    digest.update(part);
}

/// JSON as it is; what is none, which only somebody else can have written, as text.
fn json<S: serde::Serializer>(text: &str, to: S) -> Result<S::Ok, S::Error> {
    match serde_json::from_str::<&RawValue>(text) {
        Ok(json) => json.serialize(to),
        Err(_) if text.is_empty() => to.serialize_none(),
        Err(_) => to.serialize_str(text),
    }
}

impl Parcel for Pending {
    const TABLE: &str = "_exthost_audit";

    fn insert(&self, raw: &Connection) -> rusqlite::Result<()> {
        let entry = &self.entry;
        raw.execute(
            "INSERT INTO _exthost_audit (id, time_ms, version, actor, request_id, action, \
             target_kind, target_id, detail) VALUES (?1, ?2, ?3, ?4, ?5, ?6, ?7, ?8, ?9)",
            params![
                self.id,
                self.time_ms,
                self.version,
                self.actor,
                self.request_id,
                entry.action,
                entry.target_kind,
                entry.target_id,
                entry.detail
            ],
        )?;
        Ok(())
    }

    fn read(plugin: &str, row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Pending {
            id: row.get("id")?,
            time_ms: row.get("time_ms")?,
            plugin: plugin.to_owned(),
            version: row.get("version")?,
            actor: row.get("actor")?,
            request_id: row.get("request_id")?,
            entry: AuditEntry {
                action: row.get("action")?,
                target_kind: row.get("target_kind")?,
                target_id: row.get("target_id")?,
                detail: row.get("detail")?,
            },
        })
    }

    fn id(&self) -> &str {
        &self.id
    }

    fn size(&self) -> usize {
        self.actor.len() + self.entry.target_id.len() + self.entry.detail.len()
    }
}
