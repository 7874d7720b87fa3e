//! What operators see and learn of the data of plugins.
//!
//! [`DataDirectory`](crate::DataDirectory) works on it while no host serves; a host
//! that serves answers the same at `/api/host/data`.

pub use crate::private::make as make_directory;
pub use crate::services::db::{
    BackedUp, DatabaseStatus, Restored, SlowStatement, Stored, StoredError, StoredState, Vacuumed,
    check_target, take_out,
};
