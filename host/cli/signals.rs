//! Signals: the first asks the host to end, the second ends it.

use std::future::Future;

use tokio::sync::watch;

/// The end that a signal asks for. Clones wait for the same one.
#[derive(Debug, Clone)]
pub(crate) struct End {
    asked: watch::Receiver<bool>,
}

impl End {
    /// Listens for SIGINT and SIGTERM (elsewhere: Ctrl-C) from now on. A second
    /// signal leaves the process at once, with code 130.
    pub(crate) fn on_signal() -> super::Result<Self> {
        let mut signals =
            Signals::listen().map_err(|error| format!("cannot listen for signals: {error}"))?;
        let (ask, asked) = watch::channel(false);
        tokio::spawn(async move {
            signals.next().await;
            tracing::info!("ending; a second signal leaves at once");
            // Nobody waits any more: the process is about to leave.
            let _ = ask.send(true);
            signals.next().await;
            exthost::library::leave(130);
        });
        Ok(End { asked })
    }

    /// Resolves when the end was asked for.
    pub(crate) fn asked(&self) -> impl Future<Output = ()> + Send + use<> {
        let mut asked = self.asked.clone();
        async move {
            // The sender lives until the process ends.
            let _ = asked.wait_for(|asked| *asked).await;
        }
    }
}

/// Asks for everything to be read anew: SIGHUP, where there is such.
#[derive(Debug)]
pub(crate) struct Hangup {
    #[cfg(unix)]
    signal: tokio::signal::unix::Signal,
}

impl Hangup {
    /// Listens from now on.
    pub(crate) fn listen() -> super::Result<Self> {
        #[cfg(unix)]
        {
            use tokio::signal::unix::{SignalKind, signal};
            let signal = signal(SignalKind::hangup());
            let signal = signal.map_err(|error| format!("cannot listen for SIGHUP: {error}"))?;
            Ok(Hangup { signal })
        }
        #[cfg(not(unix))]
        Ok(Hangup {})
    }

    /// Waits for the next one.
    pub(crate) async fn next(&mut self) {
        #[cfg(unix)]
        if self.signal.recv().await.is_some() {
            return;
        }
        std::future::pending().await
    }
}

#[cfg(unix)]
struct Signals {
    interrupt: tokio::signal::unix::Signal,
    terminate: tokio::signal::unix::Signal,
}

#[cfg(unix)]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        use tokio::signal::unix::{SignalKind, signal};
        Ok(Signals {
            interrupt: signal(SignalKind::interrupt())?,
            terminate: signal(SignalKind::terminate())?,
        })
    }

    async fn next(&mut self) {
        tokio::select! {
            _ = self.interrupt.recv() => {}
            _ = self.terminate.recv() => {}
        }
    }
}

#[cfg(not(unix))]
struct Signals;

#[cfg(not(unix))]
impl Signals {
    fn listen() -> std::io::Result<Self> {
        Ok(Signals)
    }

    async fn next(&mut self) {
        // Without a handler for Ctrl-C the system ends the process by itself.
        let _ = tokio::signal::ctrl_c().await;
    }
}
