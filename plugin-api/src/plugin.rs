//! The trait that a plugin implements.

use crate::{Result, Router, Services};

/// A plugin: what it offers, and its life.
///
/// One value of the type is one generation of the plugin. It is dropped when
/// nothing of that generation runs any more. Handlers reach it through
/// [`State<Self>`](crate::State).
///
/// # Threading
/// Handlers, tasks and `stop` use the value from several threads at a time.
///
/// # Panics
/// A panic in any of the functions is contained: in `init` and `start` it counts
/// as a failure, its message and place go to the host's log.
pub trait Plugin: Sized + Send + Sync + 'static {
    /// Makes the plugin and says what it offers.
    ///
    /// During a reload the generation before it is still serving, on the same
    /// data, and nothing registered here is active before `start` has returned.
    ///
    /// # Errors
    /// A failure, or 10 s without an answer, keeps the plugin (or its new
    /// generation) from starting.
    fn init(router: &mut Router, services: &Services) -> Result<Self>;

    /// Begins work of its own, after every plugin has initialised.
    ///
    /// # Errors
    /// As for `init`.
    fn start(&self) -> Result<()> {
        Ok(())
    }

    /// Ends work of its own: threads, connections. Tasks and timers of
    /// [`Services::tasks`] are cancelled by the host.
    ///
    /// Calls that overstayed the drain may be running beside it.
    fn stop(&self) {}
}
