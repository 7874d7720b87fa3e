//! The SDK's side of the boundary: everything that a plugin exports and every
//! raw call to the host. The rest of the crate is safe Rust.
//!
//! Only `export_plugin!` uses what is public here.
#![allow(
    unsafe_code,
    reason = "the boundary; each file wraps one table and proves each operation"
)]

use std::ffi::c_void;
use std::sync::Arc;

use abi::Status;
use abi::door::{Destroy, Extension, Init, Start, Stop};
use exthost_abi as abi;

pub use abi::door::ABI;
pub use abi::fingerprint::TABLES;
pub use abi::layout::{HEADER, LibHeader};
pub use abi::meta::{build, is_plugin_name, length};
pub use abi::{Embedded, PluginTable};

pub use self::embedded::{Exported, embedded};
use self::host::Host;
use crate::cause::Cause;
use crate::router::Registered;
use crate::{Plugin, Router, Services};

pub(crate) mod audit;
mod broadcast;
pub(crate) mod buffer;
mod cache;
mod config;
pub(crate) mod db;
mod embedded;
pub(crate) mod events;
#[cfg(test)]
pub(crate) mod fake;
pub(crate) mod fence;
pub(crate) mod host;
pub(crate) mod kv;
mod log;
mod macros;
pub(crate) mod operation;
pub(crate) mod request;
mod routes;
pub(crate) mod tasks;
pub(crate) mod webhooks;

/// The lowest API version that has the tables which came with these minors.
///
/// # Panics
/// When one of them is not of this SDK.
pub const fn api(minors: &[u32]) -> &'static str {
    let (mut highest, mut at) = (0, 0);
    while at < minors.len() {
        if minors[at] > highest {
            highest = minors[at];
        }
        at += 1;
    }
    match highest {
        0 => "1.0.0",
        1 => "1.1.0",
        _ => panic!("a later API than this SDK's"),
    }
}

/// One generation of a plugin. The host keeps it, as a raw pointer, from `init`
/// to `destroy`.
struct Instance<P> {
    host: &'static Host,
    plugin: Arc<P>,
    #[expect(dead_code, reason = "kept for the host, and dropped with the instance")]
    registered: Registered,
}

impl<P> Instance<P> {
    fn cause(&self) -> Cause {
        Cause {
            host: self.host,
            id: 0,
        }
    }
}

/// The door of `P`: what `export_plugin!` exports, and what an [`Embedded`] plugin
/// hands to the host.
pub const fn door<P: Plugin>() -> PluginTable {
    PluginTable {
        abi: ABI,
        flags: 0,
        init: Init(Some(init::<P>)),
        start: Start(Some(start::<P>)),
        stop: Stop(Some(stop::<P>)),
        destroy: Destroy(Some(destroy::<P>)),
        extension: Extension(None),
    }
}

unsafe extern "C" fn init<P: Plugin>(
    services: *const abi::Services,
    instance: *mut *mut c_void,
) -> Status {
    // SAFETY: valid until the process ends, by the contract of `Init`.
    let Some(host) = (unsafe { Host::adopt(services) }) else {
        return Status::INVALID;
    };
    if instance.is_null() {
        return Status::INVALID;
    }
    let cause = Cause { host, id: 0 };
    fence::hook(cause, "init", || {
        let mut router = Router::new();
        let plugin = Arc::new(P::init(&mut router, &Services::new(host))?);
        let registered = router.register(host, Arc::clone(&plugin))?;
        let made = Box::new(Instance {
            host,
            plugin,
            registered,
        });
        // SAFETY: not null, and writable by the contract of `Init`.
        unsafe { instance.write(Box::into_raw(made).cast()) };
        Ok(())
    })
}

unsafe extern "C" fn start<P: Plugin>(instance: *mut c_void) -> Status {
    // SAFETY: `init` stored an `Instance<P>`, which is shared until `destroy`.
    let instance = unsafe { &*instance.cast::<Instance<P>>() };
    fence::hook(instance.cause(), "start", || instance.plugin.start())
}

unsafe extern "C" fn stop<P: Plugin>(instance: *mut c_void) {
    // SAFETY: `init` stored an `Instance<P>`, which is shared until `destroy`.
    let instance = unsafe { &*instance.cast::<Instance<P>>() };
    fence::run(instance.cause(), "stop", (), || instance.plugin.stop());
}

unsafe extern "C" fn destroy<P: Plugin>(instance: *mut c_void) {
    // SAFETY: `init` made it of a box; called at most once, when no hook, task or
    // completion of the instance is left.
    let instance = unsafe { Box::from_raw(instance.cast::<Instance<P>>()) };
    fence::run(instance.cause(), "destroy", (), || drop(instance));
}

#[cfg(test)]
mod tests;
