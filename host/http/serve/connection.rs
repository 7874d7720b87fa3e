//! The life of one connection, from its first request to its end.

use std::fmt::Display;
use std::net::SocketAddr;
use std::pin::pin;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::Duration;

use hyper_util::server::graceful::GracefulConnection;
use tokio::sync::{Notify, watch};
use tokio::time::timeout;

/// How far serving has come.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(super) enum Stage {
    /// Connections are kept.
    Open,
    /// Connections end as soon as they are idle.
    Closing,
    /// Connections are cut.
    Cut,
}

/// Whether a connection has asked for anything.
#[derive(Debug, Default)]
pub(super) struct FirstRequest {
    seen: AtomicBool,
    told: Notify,
}

/// How long a connection that is to end is given for its first request, which is
/// most likely on its way.
const FIRST_REQUEST_TIMEOUT: Duration = Duration::from_secs(1);

impl FirstRequest {
    /// Says that a request has come.
    pub(super) fn tell(&self) {
        if !self.seen.swap(true, Ordering::AcqRel) {
            self.told.notify_waiters();
        }
    }

    async fn wait(&self) {
        let told = self.told.notified();
        if !self.seen.load(Ordering::Acquire) {
            told.await;
        }
    }
}

/// Drives a connection to its end. One that asks for nothing within
/// `header_timeout` is dropped: until the first bytes have told the protocol,
/// hyper has no timeout of its own.
pub(super) async fn run<C: GracefulConnection<Error: Display>>(
    connection: C,
    peer: SocketAddr,
    first: &FirstRequest,
    mut stage: watch::Receiver<Stage>,
    header_timeout: Duration,
) {
    let mut connection = pin!(connection);
    let mut closing = stage.clone();
    tokio::select! {
        ended = connection.as_mut() => return told(peer, ended),
        () = first.wait() => {}
        () = tokio::time::sleep(header_timeout) => {
            tracing::debug!(%peer, "asked for nothing");
            return;
        }
        () = reached(&mut closing, Stage::Closing) => {
            tokio::select! {
                ended = connection.as_mut() => return told(peer, ended),
                _ = timeout(FIRST_REQUEST_TIMEOUT, first.wait()) => {}
            }
        }
    }
    tokio::select! {
        ended = connection.as_mut() => return told(peer, ended),
        () = reached(&mut closing, Stage::Closing) => {}
    }
    connection.as_mut().graceful_shutdown();
    tokio::select! {
        ended = connection => told(peer, ended),
        () = reached(&mut stage, Stage::Cut) => tracing::debug!(%peer, "cut"),
    }
}

async fn reached(stages: &mut watch::Receiver<Stage>, stage: Stage) {
    // The sender lives as long as the loop that serves, and beyond it nobody is
    // left to be told.
    let _ = stages.wait_for(|current| *current >= stage).await;
}

/// A connection that breaks is the client's affair.
fn told(peer: SocketAddr, ended: Result<(), impl Display>) {
    if let Err(error) = ended {
        tracing::debug!(%peer, %error, "connection ended early");
    }
}
