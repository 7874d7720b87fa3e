//! The panic fence: no panic crosses the boundary.
//!
//! A panic's message and place are caught by a panic hook, and told to the host
//! by the fence, which counts and logs them with the request. A loaded plugin has
//! a copy of std of its own, so the hook is the plugin's alone; a plugin embedded
//! in an application shares the application's, so the hook passes on whatever
//! panics outside a fence.

use std::any::Any;
use std::cell::RefCell;
use std::panic::{self, AssertUnwindSafe, PanicHookInfo};
use std::sync::Once;

use abi::Status;
use exthost_abi as abi;

use crate::Result;
use crate::cause::Cause;

thread_local! {
    /// What the hook saw last.
    static SEEN: RefCell<Option<Panic>> = const { RefCell::new(None) };
}

/// What is known of a panic.
#[derive(Debug)]
pub(crate) struct Panic {
    message: String,
    location: String,
}

/// Installs the panic hook, once.
pub(super) fn install() {
    static ONCE: Once = Once::new();
    ONCE.call_once(|| {
        let outside = panic::take_hook();
        panic::set_hook(Box::new(move |info| {
            // Whatever serves a cause does so inside a fence.
            match Cause::current() {
                Some(_) => Panic::describe(info).keep(),
                None => outside(info),
            }
        }));
    });
}

/// Runs the body of a hook that reports failure by status. What it returns or
/// panics with is told to the host.
pub(super) fn hook(cause: Cause, slot: &str, work: impl FnOnce() -> Result<()>) -> Status {
    match guard(cause, work) {
        Ok(Ok(())) => Status::OK,
        Ok(Err(error)) => {
            cause.host.fault(&error);
            error.as_raw()
        }
        Err(panic) => {
            panic.report(cause, slot);
            Status::PANICKED
        }
    }
}

/// Runs the body of a hook that cannot fail; a panic is told to the host and
/// answered with `closed`.
pub(super) fn run<T>(cause: Cause, slot: &str, closed: T, work: impl FnOnce() -> T) -> T {
    guard(cause, work).unwrap_or_else(|panic| {
        panic.report(cause, slot);
        closed
    })
}

/// Runs `work` and keeps a panic from leaving it.
fn guard<T>(cause: Cause, work: impl FnOnce() -> T) -> Result<T, Panic> {
    let _entered = cause.enter();
    // A panic that the plugin caught itself is none of this fence's.
    Panic::seen();
    panic::catch_unwind(AssertUnwindSafe(work)).map_err(|payload| {
        let panic = Panic::seen().unwrap_or_else(|| Panic::unseen(&*payload));
        dispose(payload);
        panic
    })
}

/// Drops a payload, whose own `drop` may panic; what that panics with is leaked
/// rather than dropped in turn.
fn dispose(payload: Box<dyn Any + Send>) {
    if let Err(second) = panic::catch_unwind(AssertUnwindSafe(|| drop(payload))) {
        std::mem::forget(second);
        Panic::seen();
    }
}

impl Panic {
    /// Leaves this for the fence around the panic. A thread that is already
    /// being torn down has no place for it.
    fn keep(self) {
        let _ = SEEN.try_with(|slot| slot.replace(Some(self)));
    }

    /// Takes what the hook left.
    fn seen() -> Option<Panic> {
        SEEN.try_with(RefCell::take).ok().flatten()
    }

    fn describe(info: &PanicHookInfo<'_>) -> Self {
        Panic {
            message: message(info.payload()),
            location: info.location().map(ToString::to_string).unwrap_or_default(),
        }
    }

    /// A panic that passed the hook by, as `resume_unwind` does.
    fn unseen(payload: &(dyn Any + Send)) -> Self {
        Panic {
            message: message(payload),
            location: String::new(),
        }
    }

    /// Tells the host that the hook on this thread failed by a panic.
    fn report(&self, cause: Cause, slot: &str) {
        let detail = serde_json::json!({"slot": slot, "location": self.location});
        let message = format!("panicked at {}: {}", self.location, self.message);
        cause.host.fail("panic", &message, &detail.to_string());
    }
}

fn message(payload: &(dyn Any + Send)) -> String {
    let text = payload.downcast_ref::<&str>().copied();
    let text = text.or_else(|| payload.downcast_ref::<String>().map(String::as_str));
    text.unwrap_or("a value that is not text").to_owned()
}
