//! What kind of failure a call of the database met.

use crate::Error;

/// What kind of failure a call of the database met, for code that goes on
/// differently; `?` answers each with a status that fits.
///
/// # Examples
/// ```
/// use exthost_plugin::db::ErrorKind;
/// use exthost_plugin::prelude::*;
///
/// async fn add(db: Db, name: String) -> Result<StatusCode> {
///     let sql = "INSERT INTO ext_shop_items (name) VALUES (?)";
///     match db.run(sql, &name).await {
///         Ok(_) => Ok(StatusCode::CREATED),
///         // It was there already.
///         Err(error) if error.db_kind() == ErrorKind::Unique => Ok(StatusCode::OK),
///         Err(error) => Err(error),
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
#[non_exhaustive]
pub enum ErrorKind {
    /// `UNIQUE`, or a primary key, is there already: 409.
    Unique,
    /// `NOT NULL` is null: 409.
    NotNull,
    /// `CHECK` does not hold: 409.
    Check,
    /// A foreign key leads nowhere: 409.
    ForeignKey,
    /// Another constraint: a trigger, or the type of a strict table's column: 409.
    Constraint,
    /// A table outside the plugin's scope: 403.
    Denied,
    /// A value, a statement or what it returns is too large: 413.
    TooLarge,
    /// The writer, or the queue before it, was busy for as long as the call may
    /// wait: 503.
    Busy,
    /// The statement, or the transaction it is in, ran into its deadline: 504.
    Interrupted,
    /// The file has reached its quota, or the disk is full: 507.
    Full,
    /// The file is damaged, until its operator restores a backup, or the content of a
    /// virtual table is: 500.
    Corrupt,
    /// Anything else: the statement, its parameters, or no failure of a database: 500.
    Other,
}

impl Error {
    /// What kind of failure a call of the database met.
    pub fn db_kind(&self) -> ErrorKind {
        match self.code() {
            "constraint-unique" | "constraint-primary-key" => ErrorKind::Unique,
            "constraint-not-null" => ErrorKind::NotNull,
            "constraint-check" => ErrorKind::Check,
            "constraint-foreign-key" => ErrorKind::ForeignKey,
            "constraint" | "constraint-trigger" | "constraint-datatype" => ErrorKind::Constraint,
            "outside-scope" => ErrorKind::Denied,
            "too-large" | "sql-too-large" | "rows-too-large" | "out-of-memory" => {
                ErrorKind::TooLarge
            }
            "busy" => ErrorKind::Busy,
            "statement-deadline" | "transaction-deadline" | "timeout" => ErrorKind::Interrupted,
            "quota" => ErrorKind::Full,
            "corrupt" | "corrupt-virtual-table" => ErrorKind::Corrupt,
            _ => ErrorKind::Other,
        }
    }
}
