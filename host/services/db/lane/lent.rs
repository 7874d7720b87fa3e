//! A connection that is away from its lane.

use std::sync::Arc;

use crate::services::db::connection::Connection;
use crate::services::db::lane::Lane;

/// A connection taken away from its lane; goes back when dropped, with no
/// transaction open. Dropped on a thread that may block.
pub(in crate::services::db) struct Lent {
    /// Taken out by drop alone.
    connection: Option<Connection>,
    lane: Arc<Lane>,
}

impl Lent {
    pub(super) fn new(connection: Connection, lane: Arc<Lane>) -> Self {
        Lent {
            connection: Some(connection),
            lane,
        }
    }

    pub(in crate::services::db) fn connection(&self) -> &Connection {
        match &self.connection {
            Some(connection) => connection,
            None => unreachable!("it is taken out by drop alone"),
        }
    }
}

impl Drop for Lent {
    fn drop(&mut self) {
        if let Some(connection) = self.connection.take() {
            self.lane.settle(&connection);
            self.lane.give_back(connection);
        }
    }
}

impl std::fmt::Debug for Lent {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Lent").finish_non_exhaustive()
    }
}
