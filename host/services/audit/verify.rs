//! Finds out whether records were changed, and which is the first.

use std::fmt;
use std::path::Path;
use std::str::FromStr;

use serde::Serialize;

use crate::services::audit::error::AuditError;
use crate::services::audit::hash::Hash;
use crate::services::audit::key::PublicKey;
use crate::services::audit::record::{Record, numbered};
use crate::services::audit::store::{Head, Link, open_to_read, unusable};

/// A chain that is whole.
#[derive(Debug, Clone, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Verified {
    /// How many records there are, which is the number of the newest.
    pub records: u64,
    /// The hash of the newest.
    pub head: Hash,
    /// The key that has signed it.
    pub key: PublicKey,
}

/// A record that somebody has noted down, as in `12:` and its hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Noted {
    seq: u64,
    hash: Hash,
}

/// What is wrong with a chain: of its records the first that is.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Fault {
    /// A record is not what it was when it was recorded.
    #[error("record {seq} was edited")]
    Edited {
        /// Its number.
        seq: u64,
    },
    /// A record is not the one that the next one follows, although it is whole.
    #[error("record {seq} is another than the one that record {} follows: it was replaced", .seq + 1)]
    Replaced {
        /// Its number.
        seq: u64,
    },
    /// A record is gone.
    #[error("record {seq} was removed")]
    Removed {
        /// Its number.
        seq: u64,
    },
    /// A record stands where another should.
    #[error("record {is} stands in the place of record {seq}: the order was changed")]
    OutOfOrder {
        /// The place.
        seq: u64,
        /// The number it was recorded with.
        is: u64,
    },
    /// The newest records are gone.
    #[error("the records after {last} were cut off; there were {signed}")]
    CutOff {
        /// The newest that is left.
        last: u64,
        /// The newest that was signed.
        signed: u64,
    },
    /// There are records that were never signed.
    #[error("the records after {signed} were added by somebody else")]
    Added {
        /// The newest that was signed.
        signed: u64,
    },
    /// The head is gone.
    #[error("the signed head is missing")]
    HeadMissing,
    /// The head speaks of another record than the newest.
    #[error("record {seq} is another than the one that was signed: it was replaced")]
    OtherHead {
        /// The number of the newest.
        seq: u64,
    },
    /// The signature was not made for this head.
    #[error("the signature of the head is wrong")]
    WrongSignature,
    /// The head was signed by another key.
    #[error("the head was signed by another key, {found}; expected was {expected}")]
    OtherKey {
        /// The key that has signed it.
        found: PublicKey,
        /// The key that should have.
        expected: PublicKey,
    },
    /// A record that was noted down is not there.
    #[error(
        "record {seq}, which was noted down, is not there; the chain ends at {last}: it was \
             set back to an earlier state"
    )]
    SetBack {
        /// The number that was noted down.
        seq: u64,
        /// The newest.
        last: u64,
    },
    /// A record that was noted down is another.
    #[error("record {seq} is another than the one that was noted down: the chain was made anew")]
    NotAsNoted {
        /// Its number.
        seq: u64,
    },
}

/// How far the number is looked for that a record has had: that of the newest may have
/// been edited as well, and there would be no end to it.
const NUMBERS_MAX: u64 = 1_000_000;

/// Reads the whole chain in `file`, or in a copy of it, and checks it against `key`,
/// or the key that it names itself, and against what was noted down.
///
/// # Threading
/// Blocks on the disk, for as long as it takes to read it; a host may append to it
/// meanwhile.
///
/// # Errors
/// [`AuditError::Tampered`], and others when it cannot be read.
pub fn verify(
    file: &Path,
    key: Option<PublicKey>,
    noted: &[Noted],
) -> Result<Verified, AuditError> {
    let failed = |error: rusqlite::Error| unusable(file, &error);
    let tampered = |fault| AuditError::Tampered {
        path: file.to_owned(),
        fault,
    };
    let connection = open_to_read(file)?;
    // Records and head as of one moment.
    let moment = connection.unchecked_transaction().map_err(failed)?;
    let head = Head::of(&moment).map_err(failed)?;
    let select = format!("SELECT {} FROM records ORDER BY seq", Record::COLUMNS);
    let mut select = moment.prepare(&select).map_err(failed)?;
    let mut rows = select.query([]).map_err(failed)?;
    let mut end = Link::BEGIN;
    let is_as_noted = |at: Link| {
        let mut noted = noted.iter().filter(|noted| noted.seq == at.seq);
        noted.all(|noted| noted.hash == at.hash)
    };
    if !is_as_noted(end) {
        return Err(tampered(Fault::NotAsNoted { seq: end.seq }));
    }
    while let Some(row) = rows.next().map_err(failed)? {
        let next = end.seq + 1;
        let record = Record::read(row).map_err(|_| tampered(Fault::Edited { seq: next }))?;
        let last = head.as_ref().map_or(next, |head| head.link.seq);
        if let Some(fault) = Fault::of_record(&record, end, last) {
            return Err(tampered(fault));
        }
        end = Link {
            seq: record.seq,
            hash: record.hash,
        };
        if !is_as_noted(end) {
            return Err(tampered(Fault::NotAsNoted { seq: end.seq }));
        }
    }
    if let Some(fault) = Fault::of_head(head.as_ref(), end, key) {
        return Err(tampered(fault));
    }
    if let Some(noted) = noted.iter().find(|noted| noted.seq > end.seq) {
        return Err(tampered(Fault::SetBack {
            seq: noted.seq,
            last: end.seq,
        }));
    }
    let head = head.ok_or_else(|| tampered(Fault::HeadMissing))?;
    Ok(Verified {
        records: end.seq,
        head: end.hash,
        key: head.public_key,
    })
}

impl Fault {
    /// What is wrong with the record after `before`, in a chain of `last` records.
    fn of_record(record: &Record, before: Link, last: u64) -> Option<Self> {
        let seq = before.seq + 1;
        if record.seq != seq {
            return Some(Fault::Removed { seq });
        }
        let digest = record.digest();
        if numbered(digest.clone(), seq) != record.hash {
            let is =
                (1..=last.min(NUMBERS_MAX)).find(|is| numbered(digest.clone(), *is) == record.hash);
            return Some(match is {
                Some(is) => Fault::OutOfOrder { seq, is },
                None => Fault::Edited { seq },
            });
        }
        match record.prev == before.hash {
            true => None,
            // The first follows nothing.
            false if before.seq == 0 => Some(Fault::Replaced { seq }),
            false => Some(Fault::Replaced { seq: before.seq }),
        }
    }

    /// What is wrong with the head of a chain that ends with `last`, signed with
    /// `key`, or with the one that it names.
    pub(super) fn of_head(head: Option<&Head>, last: Link, key: Option<PublicKey>) -> Option<Self> {
        let Some(head) = head else {
            return Some(Fault::HeadMissing);
        };
        let Link { seq, hash } = head.link;
        let found = head.public_key;
        match key {
            Some(expected) if expected != found => Some(Fault::OtherKey { found, expected }),
            _ if !found.has_signed(seq, hash, &head.signature) => Some(Fault::WrongSignature),
            _ if last.seq < seq => Some(Fault::CutOff {
                last: last.seq,
                signed: seq,
            }),
            _ if last.seq > seq => Some(Fault::Added { signed: seq }),
            _ if last.hash != hash => Some(Fault::OtherHead { seq }),
            _ => None,
        }
    }
}

impl fmt::Display for Verified {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Verified { records, head, key } = self;
        write!(f, "{records} records, head {records}:{head}, key {key}")
    }
}

impl FromStr for Noted {
    type Err = String;

    fn from_str(text: &str) -> Result<Self, String> {
        let noted = text.split_once(':').and_then(|(seq, hash)| {
            Some(Noted {
                seq: seq.parse().ok()?,
                hash: hash.parse().ok()?,
            })
        });
        noted.ok_or_else(|| {
            "give the number of a record and its hash as verify prints them, as in 12:9f86..."
                .into()
        })
    }
}
