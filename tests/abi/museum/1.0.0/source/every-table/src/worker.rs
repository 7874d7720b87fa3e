//! A thread of the plugin's own, and a future that other threads finish.

use std::future::Future;
use std::pin::Pin;
use std::sync::mpsc::{self, Sender};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::task::{Context, Poll, Waker};
use std::thread::JoinHandle;

use exthost_plugin::Result;

/// A thread that does what it is sent, from start to stop.
#[derive(Default)]
pub(crate) struct Worker(Mutex<Option<Running>>);

struct Running {
    work: Sender<Work>,
    thread: JoinHandle<()>,
}

type Work = Box<dyn FnOnce() + Send>;

impl Worker {
    pub(crate) fn start(&self) -> Result<()> {
        let (work, sent) = mpsc::channel::<Work>();
        let run = move || sent.into_iter().for_each(|work| work());
        let thread = std::thread::Builder::new().spawn(run)?;
        *locked(&self.0) = Some(Running { work, thread });
        Ok(())
    }

    /// Has the thread do what it was sent, and waits for its end.
    pub(crate) fn stop(&self) {
        let running = locked(&self.0).take();
        if let Some(Running { work, thread }) = running {
            drop(work);
            // It may have panicked, and has ended either way.
            let _ = thread.join();
        }
    }

    /// Sends `work`, which is dropped once the thread has ended.
    pub(crate) fn send(&self, work: impl FnOnce() + Send + 'static) {
        if let Some(running) = &*locked(&self.0) {
            // The thread goes on until the sender is dropped.
            let _ = running.work.send(Box::new(work));
        }
    }

    /// Is done when the thread has come to it.
    pub(crate) fn visit(&self) -> Latch {
        let latch = Latch::default();
        let part = latch.part();
        self.send(move || drop(part));
        latch
    }
}

/// A future that is done when all its parts have been dropped, on whatever thread.
#[derive(Default)]
pub(crate) struct Latch(Arc<Mutex<Parts>>);

#[derive(Default)]
struct Parts {
    open: usize,
    waker: Option<Waker>,
}

/// A part of a latch.
pub(crate) struct Part(Arc<Mutex<Parts>>);

impl Latch {
    pub(crate) fn part(&self) -> Part {
        locked(&self.0).open += 1;
        Part(self.0.clone())
    }
}

impl Future for Latch {
    type Output = ();

    fn poll(self: Pin<&mut Self>, context: &mut Context<'_>) -> Poll<()> {
        let mut parts = locked(&self.0);
        if parts.open == 0 {
            return Poll::Ready(());
        }
        parts.waker = Some(context.waker().clone());
        Poll::Pending
    }
}

impl Drop for Part {
    fn drop(&mut self) {
        let mut parts = locked(&self.0);
        parts.open -= 1;
        let waker = parts.waker.take();
        drop(parts);
        if let Some(waker) = waker {
            waker.wake();
        }
    }
}

/// A lock whose value every holder leaves whole.
pub(crate) fn locked<T>(mutex: &Mutex<T>) -> MutexGuard<'_, T> {
    mutex.lock().unwrap_or_else(PoisonError::into_inner)
}
