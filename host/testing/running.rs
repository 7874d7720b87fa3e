//! The threads and the data of a host in a test, and the end of both.

use std::future::Future;
use std::pin::Pin;
use std::task::{Context, Poll};
use std::thread::{self, JoinHandle};
use std::time::Duration;

use tempfile::TempDir;
use tokio::runtime::{Builder, Handle, Runtime};
use tokio::sync::oneshot;

use crate::host::Host;
use crate::testing::PATIENCE;

/// How long blocking code may overstay the end of the host.
const GRACE: Duration = Duration::from_millis(200);

/// A runtime of the host's own, and the directory of its data.
///
/// A test's runtime may be anything; what a host leaves there would hold up its end
/// or end too soon.
#[derive(Debug)]
pub(super) struct Running {
    threads: Threads,
    directory: TempDir,
}

impl Running {
    pub(super) fn new() -> Self {
        let runtime = Builder::new_multi_thread()
            .worker_threads(2)
            .thread_name("test-host")
            .enable_all()
            .build();
        let runtime = runtime.unwrap_or_else(|error| panic!("no runtime for the host: {error}"));
        Running {
            threads: Threads {
                handle: runtime.handle().clone(),
                runtime: Some(runtime),
            },
            directory: tempfile::tempdir()
                .unwrap_or_else(|error| panic!("no directory for the host's data: {error}")),
        }
    }

    pub(super) fn directory(&self) -> &TempDir {
        &self.directory
    }

    pub(super) fn runtime(&self) -> &Handle {
        &self.threads.handle
    }

    /// Runs `work` on the host's runtime; it ends when nobody waits for it.
    pub(super) async fn run<T: Send + 'static>(
        &self,
        work: impl Future<Output = T> + Send + 'static,
    ) -> T {
        Attached(self.threads.handle.spawn(work)).await
    }

    /// Ends `host` and all that is here.
    pub(super) async fn end(self, host: Host, deadline: Duration) {
        let (done, ended) = oneshot::channel();
        self.close(host, deadline, done);
        // The thread has panicked, and said so, or it is done.
        let _ = ended.await;
    }

    /// [`end`](Self::end) where nothing can be awaited.
    pub(super) fn end_here(self, host: Host, deadline: Duration) {
        let (done, _) = oneshot::channel();
        // As above.
        let _ = self.close(host, deadline, done).join();
    }

    /// On a thread of its own, for no runtime may be dropped where another runs.
    fn close(
        mut self,
        host: Host,
        deadline: Duration,
        done: oneshot::Sender<()>,
    ) -> JoinHandle<()> {
        thread::spawn(move || {
            if let Some(runtime) = self.threads.runtime.take() {
                runtime.block_on(host.shutdown(deadline));
                runtime.shutdown_timeout(GRACE);
            }
            drop(self.directory);
            // Nobody need wait.
            let _ = done.send(());
        })
    }
}

/// The runtime, which may be dropped anywhere.
#[derive(Debug)]
struct Threads {
    handle: Handle,
    /// Nothing once it has ended.
    runtime: Option<Runtime>,
}

impl Drop for Threads {
    fn drop(&mut self) {
        if let Some(runtime) = self.runtime.take() {
            runtime.shutdown_background();
        }
    }
}

/// Waits for `what`, and fails the test when it does not come.
pub(super) async fn patiently<T>(runtime: &Handle, what: &str, work: impl Future<Output = T>) -> T {
    let came = within(runtime, work).await;
    came.unwrap_or_else(|| panic!("{what} did not come within {} s", PATIENCE.as_secs()))
}

/// Waits for `work` as long as a test waits for anything.
pub(super) async fn within<T>(runtime: &Handle, work: impl Future<Output = T>) -> Option<T> {
    // The test's own runtime may have no timers.
    let patience = {
        let _entered = runtime.enter();
        tokio::time::sleep(PATIENCE)
    };
    tokio::select! {
        value = work => Some(value),
        () = patience => None,
    }
}

/// A task that ends with whoever waits for it.
struct Attached<T>(tokio::task::JoinHandle<T>);

impl<T> Future for Attached<T> {
    type Output = T;

    fn poll(mut self: Pin<&mut Self>, cx: &mut Context<'_>) -> Poll<T> {
        let ended = std::task::ready!(Pin::new(&mut self.0).poll(cx));
        Poll::Ready(ended.unwrap_or_else(|error| match error.try_into_panic() {
            Ok(panic) => std::panic::resume_unwind(panic),
            Err(error) => panic!("the host has ended: {error}"),
        }))
    }
}

impl<T> Drop for Attached<T> {
    fn drop(&mut self) {
        self.0.abort();
    }
}
