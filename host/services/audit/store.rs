//! `audit.db`: the chain of records, and its signed head.

use std::fs::File;
use std::io;
use std::path::{Path, PathBuf};
use std::time::Duration;

use exthost_abi::Status;
use rusqlite::{Connection, ErrorCode, OpenFlags, OptionalExtension, Row, TransactionBehavior};

use crate::private::give;
use crate::services::audit::Pending;
use crate::services::audit::error::{AuditError, failed};
use crate::services::audit::hash::Hash;
use crate::services::audit::identity::{Identity, There};
use crate::services::audit::key::{KEY_FILE, PublicKey, SigningKey};
use crate::services::audit::verify::Fault;
use crate::services::error::ServiceError;

/// The file in the data directory.
pub(super) const FILE: &str = "audit.db";

/// The latest schema.
const VERSION: i64 = 1;

/// No code of the host changes or removes a record; the triggers are a second lock.
const TABLES: &str = "
CREATE TABLE records (
    seq INTEGER PRIMARY KEY,
    id TEXT NOT NULL UNIQUE,
    time_ms INTEGER NOT NULL,
    plugin TEXT NOT NULL,
    version TEXT NOT NULL,
    actor TEXT NOT NULL,
    request_id TEXT NOT NULL,
    action TEXT NOT NULL,
    target_kind TEXT NOT NULL,
    target_id TEXT NOT NULL,
    detail TEXT NOT NULL,
    prev BLOB NOT NULL,
    hash BLOB NOT NULL
) STRICT;
CREATE TRIGGER records_stay BEFORE DELETE ON records
BEGIN SELECT RAISE(ABORT, 'a record of the audit stays'); END;
CREATE TRIGGER records_are_final BEFORE UPDATE ON records
BEGIN SELECT RAISE(ABORT, 'a record of the audit is final'); END;

-- The newest record, signed.
CREATE TABLE head (
    one INTEGER PRIMARY KEY CHECK (one = 1),
    seq INTEGER NOT NULL,
    hash BLOB NOT NULL,
    public_key BLOB NOT NULL,
    signature BLOB NOT NULL
) STRICT;
";

/// The chain, open to grow.
#[derive(Debug)]
pub(super) struct Store {
    path: PathBuf,
    identity: Identity,
    connection: Connection,
    key: SigningKey,
    /// The newest record that this host knows of.
    last: Link,
}

/// A record of the chain, by its number and hash.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) struct Link {
    pub(super) seq: u64,
    pub(super) hash: Hash,
}

/// What is signed of the newest record.
#[derive(Debug, Clone)]
pub(super) struct Head {
    pub(super) link: Link,
    pub(super) public_key: PublicKey,
    pub(super) signature: Vec<u8>,
}

impl Store {
    /// Opens the chain in `data`, and begins one if there is none. One whose newest
    /// record is not the one that was signed is refused: what came after it would
    /// cover it up.
    pub(super) fn open(data: &Path) -> Result<Self, AuditError> {
        let path = data.join(FILE);
        let unusable = |error: rusqlite::Error| unusable(&path, &error);
        let key = match SigningKey::load(data)? {
            Some(key) => key,
            None if path.exists() => {
                return Err(AuditError::NoKey {
                    path: data.join(KEY_FILE),
                });
            }
            None => SigningKey::make(data)?,
        };
        check_log(&path)?;
        make_file(&path).map_err(|error| AuditError::File {
            path: path.clone(),
            why: error.to_string(),
        })?;
        let connection = open(&path).map_err(unusable)?;
        let identity = Identity::of(&path).map_err(|error| AuditError::File {
            path: path.clone(),
            why: error.to_string(),
        })?;
        match version(&connection).map_err(unusable)? {
            0 => make(&connection, &key).map_err(unusable)?,
            VERSION => {}
            found => {
                return Err(AuditError::SchemaNewer {
                    path,
                    found,
                    known: VERSION,
                });
            }
        }
        let last = last(&connection).map_err(unusable)?;
        let head = Head::of(&connection).map_err(unusable)?;
        match Fault::of_head(head.as_ref(), last, Some(key.public())) {
            Some(fault) => Err(AuditError::Tampered { path, fault }),
            None => Ok(Store {
                path,
                identity,
                connection,
                key,
                last,
            }),
        }
    }

    /// The number of the newest record.
    pub(super) fn seq(&self) -> u64 {
        self.last.seq
    }

    /// Whether the file was moved away or removed since it was opened.
    pub(super) fn was_taken_away(&self) -> bool {
        self.identity
            .there(&self.path)
            .is_ok_and(|there| there == There::Nothing)
    }

    /// Leaves the file, wherever it is now, with all of its records: what is still in
    /// its log would be lost, for that is not moved with it.
    pub(super) fn leave(self) -> rusqlite::Result<()> {
        let checkpoint = "PRAGMA wal_checkpoint(TRUNCATE)";
        self.connection.query_row(checkpoint, [], |_| Ok(()))
    }

    /// Appends records, all or none; those that it has already are passed over. When
    /// this returns, they are on the disk.
    pub(super) fn append(&mut self, records: Vec<Pending>) -> Result<(), ServiceError> {
        let failed = |error| failed(&error);
        let is_here = matches!(self.identity.there(&self.path), Ok(There::Itself));
        let transaction = self
            .connection
            .transaction_with_behavior(TransactionBehavior::Immediate)
            .map_err(failed)?;
        let mut end = last(&transaction).map_err(failed)?;
        if !is_here || end != self.last {
            return Err(ServiceError::new(
                Status::INTERNAL,
                "audit-damaged",
                "somebody else has changed the audit; `exthost audit verify` tells more, and \
                 moving audit.db away begins it anew",
            ));
        }
        for record in records {
            if is_there(&transaction, &record.id).map_err(failed)? {
                continue;
            }
            let record = record.chained(end.seq + 1, end.hash);
            record.insert(&transaction).map_err(failed)?;
            end = Link {
                seq: record.seq,
                hash: record.hash,
            };
        }
        if end != self.last {
            sign(&transaction, &self.key, end).map_err(failed)?;
            transaction.commit().map_err(failed)?;
            self.last = end;
        }
        Ok(())
    }

    /// Lets the file have no more than these pages, as a full disk does.
    #[cfg(test)]
    pub(super) fn set_pages_max(&self, pages: u32) {
        let pragma = ("max_page_count", pages);
        self.connection
            .pragma_update(None, pragma.0, pragma.1)
            .unwrap();
    }
}

impl Head {
    /// The head that is in the file, if there is one.
    pub(super) fn of(connection: &Connection) -> rusqlite::Result<Option<Self>> {
        let select = "SELECT seq, hash, public_key, signature FROM head";
        let head = connection.query_row(select, [], |row| {
            Ok(Head {
                link: Link::read(row)?,
                public_key: PublicKey::new(*row.get::<_, Hash>(2)?.as_bytes()),
                signature: row.get(3)?,
            })
        });
        head.optional()
    }
}

impl Link {
    /// Before the first record.
    pub(super) const BEGIN: Link = Link {
        seq: 0,
        hash: Hash::ZERO,
    };

    fn read(row: &Row<'_>) -> rusqlite::Result<Self> {
        Ok(Link {
            seq: row.get::<_, i64>(0)?.cast_unsigned(),
            hash: row.get(1)?,
        })
    }
}

/// Opens the chain at `path`, or a copy of it, to be read. A host may append to it
/// meanwhile.
pub(super) fn open_to_read(path: &Path) -> Result<Connection, AuditError> {
    if !path.is_file() {
        return Err(AuditError::NoFile {
            path: path.to_owned(),
        });
    }
    let flags = OpenFlags::SQLITE_OPEN_READ_ONLY | OpenFlags::SQLITE_OPEN_NO_MUTEX;
    let open = |immutable: bool| -> rusqlite::Result<(Connection, i64)> {
        let connection = match immutable {
            false => Connection::open_with_flags(path, flags)?,
            true => {
                let uri = flags | OpenFlags::SQLITE_OPEN_URI;
                Connection::open_with_flags(as_it_is(path), uri)?
            }
        };
        connection.busy_timeout(BUSY_TIMEOUT)?;
        let version = version(&connection)?;
        Ok((connection, version))
    };
    let mut opened = open(false);
    // A copy on a medium that cannot be written: SQLite wants to lock it there.
    let cannot = [ErrorCode::CannotOpen, ErrorCode::ReadOnly];
    if let Err(error) = &opened
        && error
            .sqlite_error_code()
            .is_some_and(|code| cannot.contains(&code))
        && !wal_of(path).exists()
    {
        opened = open(true);
    }
    match opened.map_err(|error| unusable(path, &error))? {
        (connection, VERSION) => Ok(connection),
        (_, 0) => Err(AuditError::File {
            path: path.to_owned(),
            why: "it is not an audit".to_owned(),
        }),
        (_, found) => Err(AuditError::SchemaNewer {
            path: path.to_owned(),
            found,
            known: VERSION,
        }),
    }
}

/// Refuses to begin a chain beside the log of one that was moved away without it:
/// SQLite would remove that, with the newest records.
fn check_log(path: &Path) -> Result<(), AuditError> {
    let wal = wal_of(path);
    let bytes = wal.metadata().map_or(0, |metadata| metadata.len());
    match path.exists() || bytes == 0 {
        true => Ok(()),
        false => Err(AuditError::File {
            path: wal,
            why: "it has the newest records of an audit.db that was moved away; move it to the \
                  side of that, under its name with -wal"
                .to_owned(),
        }),
    }
}

/// Makes the file, if it is not there, that of whoever has the data directory: what
/// SQLite puts beside it belongs to the same.
fn make_file(path: &Path) -> io::Result<()> {
    match File::create_new(path) {
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => Ok(()),
        made => made.and_then(|_| give(path)),
    }
}

/// What SQLite says of a file that cannot be used.
pub(super) fn unusable(path: &Path, error: &rusqlite::Error) -> AuditError {
    AuditError::File {
        path: path.to_owned(),
        why: error.to_string(),
    }
}

/// How long a connection waits for another process.
const BUSY_TIMEOUT: Duration = Duration::from_secs(5);

/// Opens a connection whose commits survive a power loss.
fn open(path: &Path) -> rusqlite::Result<Connection> {
    let connection = Connection::open(path)?;
    connection.busy_timeout(BUSY_TIMEOUT)?;
    connection.pragma_update(None, "journal_mode", "WAL")?;
    connection.pragma_update(None, "synchronous", "FULL")?;
    connection.pragma_update(None, "trusted_schema", false)?;
    connection.pragma_update(None, "recursive_triggers", true)?;
    Ok(connection)
}

/// Makes the tables, with a head that says that there is no record yet.
fn make(connection: &Connection, key: &SigningKey) -> rusqlite::Result<()> {
    let transaction = connection.unchecked_transaction()?;
    transaction.execute_batch(TABLES)?;
    sign(&transaction, key, Link::BEGIN)?;
    transaction.pragma_update(None, "user_version", VERSION)?;
    transaction.commit()
}

fn version(connection: &Connection) -> rusqlite::Result<i64> {
    connection.pragma_query_value(None, "user_version", |row| row.get(0))
}

fn last(connection: &Connection) -> rusqlite::Result<Link> {
    let select = "SELECT seq, hash FROM records ORDER BY seq DESC LIMIT 1";
    let last = connection.query_row(select, [], Link::read).optional()?;
    Ok(last.unwrap_or(Link::BEGIN))
}

fn is_there(connection: &Connection, id: &str) -> rusqlite::Result<bool> {
    let mut select = connection.prepare_cached("SELECT 1 FROM records WHERE id = ?1")?;
    select.exists([id])
}

fn sign(connection: &Connection, key: &SigningKey, end: Link) -> rusqlite::Result<()> {
    let signature = key.sign(end.seq, end.hash);
    let mut upsert = connection.prepare_cached(
        "INSERT INTO head (one, seq, hash, public_key, signature) VALUES (1, ?1, ?2, ?3, ?4) \
         ON CONFLICT (one) DO UPDATE SET seq = excluded.seq, hash = excluded.hash, \
         public_key = excluded.public_key, signature = excluded.signature",
    )?;
    let seq = end.seq.cast_signed();
    upsert.execute((seq, end.hash, key.public().as_bytes(), signature))?;
    Ok(())
}

/// The file as an URI of something that never changes
/// (<https://sqlite.org/uri.html>).
fn as_it_is(path: &Path) -> String {
    let path = path.to_string_lossy();
    let path = percent_encoding::utf8_percent_encode(&path, percent_encoding::NON_ALPHANUMERIC);
    format!("file:{}?immutable=1", path.to_string().replace("%2F", "/"))
}

fn wal_of(path: &Path) -> PathBuf {
    let mut wal = path.as_os_str().to_owned();
    wal.push("-wal");
    wal.into()
}
