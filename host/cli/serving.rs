//! Serves a host until it is told to end, and ends it.

use std::num::NonZeroU64;
use std::time::{Duration, Instant};

use exthost::Host;
use exthost::http::{ServeOptions, serve};
use tokio::net::TcpListener;

use crate::cli::signals::End;

/// Time from the signal to the end.
pub(crate) const DRAIN_TIMEOUT: Duration = Duration::from_secs(10);

/// What SQLite may take of memory unless the configuration says otherwise.
pub(crate) const DATABASE_MEMORY: NonZeroU64 = NonZeroU64::new(1 << 30).expect("it is not 0");

/// Time that plugins have for their end at least.
const STOP_TIMEOUT: Duration = Duration::from_secs(1);

/// Serves `host` with its operators' API until `end`, then calls `ending`, answers
/// what was accepted, and stops the plugins.
pub(crate) async fn until(end: End, host: Host, listener: TcpListener, ending: impl FnOnce()) {
    let router = host.router().merge(host.admin_router());
    let asked = async {
        end.asked().await;
        ending();
        host.begin_shutdown();
        Instant::now()
    };
    let asked_at = serve(listener, router, ServeOptions::default(), asked).await;
    // Connections may have used up most of the time.
    let left = DRAIN_TIMEOUT.saturating_sub(asked_at.elapsed());
    host.shutdown(left.max(STOP_TIMEOUT)).await;
}
