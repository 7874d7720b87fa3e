//! Calls of a plugin's hooks.

use std::ffi::c_void;
use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};

use exthost_abi::{PluginTable, Services};

use crate::ffi::convert::Data;
use crate::ffi::{callback, hook};
use crate::services::context::PluginContext;
use crate::services::error::ServiceError;

/// A plugin's door: its hooks, before there is an instance.
#[derive(Clone, Copy)]
pub struct Door {
    table: PluginTable,
}

impl Door {
    /// Takes over the table that a library exports.
    ///
    /// # Safety
    /// The table must be that of a library which stays mapped for the life of
    /// the process, and its functions must keep to the ABI.
    pub unsafe fn from_raw(table: PluginTable) -> Self {
        Door { table }
    }

    /// Calls `init`, which must be called once.
    pub fn init(self, services: &'static Services) -> Result<Hooks, ServiceError> {
        let Some(init) = self.table.init.0 else {
            return Err(ServiceError::invalid("the door's init is null"));
        };
        let mut instance: *mut c_void = std::ptr::null_mut();
        // SAFETY: `from_raw` promised an `init` that keeps to the ABI; the
        // services live as long as the process, `instance` for the call.
        hook(|| unsafe { init(services, &raw mut instance) })?;
        Ok(Hooks {
            table: self.table,
            instance: Data(instance),
            started: AtomicBool::new(false),
            stopped: AtomicBool::new(false),
            destroyed: AtomicBool::new(false),
        })
    }
}

impl fmt::Debug for Door {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Door").finish_non_exhaustive()
    }
}

/// The hooks of one instance.
///
/// Each does its work once: a second call of one is ignored.
pub struct Hooks {
    table: PluginTable,
    instance: Data,
    started: AtomicBool,
    stopped: AtomicBool,
    destroyed: AtomicBool,
}

impl Hooks {
    /// Calls `start`.
    pub fn start(&self) -> Result<(), ServiceError> {
        let Some(start) = self.table.start.0 else {
            return Ok(());
        };
        if self.started.swap(true, Ordering::AcqRel) {
            return Ok(());
        }
        // SAFETY: `init` made this instance, and it is destroyed only when the
        // permit that this call holds is given back.
        hook(|| unsafe { start(self.instance.ptr()) })
    }

    /// Calls `stop`.
    pub fn stop(&self, context: &PluginContext) {
        let Some(stop) = self.table.stop.0 else {
            return;
        };
        if !self.stopped.swap(true, Ordering::AcqRel) {
            // SAFETY: as for `start`.
            callback(context, None, "stop", || unsafe {
                stop(self.instance.ptr())
            });
        }
    }

    /// Calls `destroy` if nothing of the instance is left: its gates are closed,
    /// and no call, task or completion is in flight. Otherwise the instance is
    /// leaked, and the answer is false.
    pub fn destroy(&self, context: &PluginContext) -> bool {
        let gates = [&context.calls, &context.work];
        if gates
            .iter()
            .any(|gate| !gate.is_closed() || gate.in_flight() > 0)
        {
            return false;
        }
        let Some(destroy) = self.table.destroy.0 else {
            return true;
        };
        if !self.destroyed.swap(true, Ordering::AcqRel) {
            callback(context, None, "destroy", || {
                // SAFETY: `init` made this instance; both gates are closed and
                // empty, so no hook runs and none will.
                unsafe { destroy(self.instance.ptr()) }
            });
        }
        true
    }
}

impl fmt::Debug for Hooks {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Hooks").finish_non_exhaustive()
    }
}
