//! The table that the host hands to `init`, and the service tables behind it.

use std::ffi::c_void;
use std::sync::{Mutex, OnceLock, PoisonError};

use abi::audit::AuditTable;
use abi::broadcast::BroadcastTable;
use abi::cache::CacheTable;
use abi::config::ConfigTable;
use abi::db::DbTable;
use abi::events::EventsTable;
use abi::kv::KvTable;
use abi::log::LogTable;
use abi::routes::RoutesTable;
use abi::tasks::TasksTable;
use abi::webhooks::WebhooksTable;
use abi::{Status, Str};
use exthost_abi as abi;

use super::fence;
use crate::cause::Cause;
use crate::state::SharedStates;
use crate::{Error, Result};

/// Every host table this image was given, newest last.
///
/// A loaded plugin's image has its own copy, with one entry; plugins embedded
/// in an application share one.
static HOSTS: Mutex<Vec<&'static Host>> = Mutex::new(Vec::new());

/// The host, as one generation of a plugin sees it; lives until the process
/// ends, as the table it wraps does.
pub(crate) struct Host {
    services: &'static abi::Services,
    log: Option<&'static LogTable>,
    config: Option<&'static ConfigTable>,
    routes: Option<&'static RoutesTable>,
    tasks: Option<&'static TasksTable>,
    db: Option<&'static DbTable>,
    webhooks: Option<&'static WebhooksTable>,
    events: Option<&'static EventsTable>,
    broadcast: Option<&'static BroadcastTable>,
    kv: Option<&'static KvTable>,
    cache: Option<&'static CacheTable>,
    audit: Option<&'static AuditTable>,
    states: SharedStates,
    /// What was declared where there is no `config/1` to tell.
    pub(super) defaults: OnceLock<String>,
}

impl Host {
    /// Takes the table that `init` was handed.
    ///
    /// # Safety
    /// `services` is null or points to a host's table that stays valid until the
    /// process ends.
    pub(super) unsafe fn adopt(services: *const abi::Services) -> Option<&'static Host> {
        // SAFETY: the caller's contract.
        let services = unsafe { services.as_ref::<'static>() }?;
        if services.abi != abi::door::ABI {
            return None;
        }
        fence::install();
        let host = Host {
            services,
            // SAFETY: the type is the one that this id stands for.
            log: unsafe { table(services, abi::log::ID) },
            // SAFETY: as above.
            config: unsafe { table(services, abi::config::ID) },
            // SAFETY: as above.
            routes: unsafe { table(services, abi::routes::ID) },
            // SAFETY: as above.
            tasks: unsafe { table(services, abi::tasks::ID) },
            // SAFETY: as above.
            db: unsafe { table(services, abi::db::ID) },
            // SAFETY: as above.
            webhooks: unsafe { table(services, abi::webhooks::ID) },
            // SAFETY: as above.
            events: unsafe { table(services, abi::events::ID) },
            // SAFETY: as above.
            broadcast: unsafe { table(services, abi::broadcast::ID) },
            // SAFETY: as above.
            kv: unsafe { table(services, abi::kv::ID) },
            // SAFETY: as above.
            cache: unsafe { table(services, abi::cache::ID) },
            // SAFETY: as above.
            audit: unsafe { table(services, abi::audit::ID) },
            states: SharedStates::default(),
            defaults: OnceLock::new(),
        };
        let host: &'static Host = Box::leak(Box::new(host));
        HOSTS
            .lock()
            .unwrap_or_else(PoisonError::into_inner)
            .push(host);
        Some(host)
    }

    /// The host that the code on this thread works for: the one that called it,
    /// else the only one of this image. When an application embeds several
    /// plugins there is no telling which of them this is.
    pub(crate) fn current() -> Option<&'static Host> {
        if let Some(cause) = Cause::current() {
            return Some(cause.host);
        }
        match &HOSTS.lock().unwrap_or_else(PoisonError::into_inner)[..] {
            [only] => Some(*only),
            _ => None,
        }
    }

    pub(super) fn ctx(&self) -> *const c_void {
        self.services.ctx
    }

    /// The API version that the host offers.
    pub(crate) fn api(&self) -> abi::Version {
        self.services.api
    }

    pub(super) fn log(&self) -> Option<&'static LogTable> {
        self.log
    }

    pub(super) fn config(&self) -> Option<&'static ConfigTable> {
        self.config
    }

    pub(super) fn routes(&self) -> Result<&'static RoutesTable> {
        self.routes.ok_or_else(|| self.missing(abi::routes::ID))
    }

    pub(super) fn tasks(&self) -> Result<&'static TasksTable> {
        self.tasks.ok_or_else(|| self.missing(abi::tasks::ID))
    }

    pub(super) fn db(&self) -> Result<&'static DbTable> {
        self.db.ok_or_else(|| self.missing(abi::db::ID))
    }

    pub(super) fn webhooks(&self) -> Result<&'static WebhooksTable> {
        self.webhooks.ok_or_else(|| self.missing(abi::webhooks::ID))
    }

    pub(super) fn events(&self) -> Result<&'static EventsTable> {
        self.events.ok_or_else(|| self.missing(abi::events::ID))
    }

    pub(super) fn broadcast(&self) -> Result<&'static BroadcastTable> {
        let missing = || self.missing(abi::broadcast::ID);
        self.broadcast.ok_or_else(missing)
    }

    pub(super) fn kv(&self) -> Result<&'static KvTable> {
        self.kv.ok_or_else(|| self.missing(abi::kv::ID))
    }

    pub(super) fn cache(&self) -> Result<&'static CacheTable> {
        self.cache.ok_or_else(|| self.missing(abi::cache::ID))
    }

    pub(super) fn audit(&self) -> Result<&'static AuditTable> {
        self.audit.ok_or_else(|| self.missing(abi::audit::ID))
    }

    /// Whether the capability `id` was granted.
    pub(crate) fn granted(&self, id: &str) -> bool {
        // SAFETY: the table is the host's; the text outlives the call.
        let table = unsafe { (self.services.service)(self.ctx(), Str::new(id), 1) };
        !table.is_null()
    }

    /// What the plugin's handlers share.
    pub(crate) fn states(&self) -> &SharedStates {
        &self.states
    }

    /// Tells the host with what error the hook on this thread fails.
    pub(crate) fn fault(&self, error: &Error) {
        let detail = error.detail().map(ToString::to_string).unwrap_or_default();
        self.fail(error.code(), error.message(), &detail);
    }

    /// Tells the host why the hook on this thread is about to fail.
    pub(super) fn fail(&self, code: &str, message: &str, detail: &str) {
        let (code, message, detail) = (Str::new(code), Str::new(message), Str::new(detail));
        // SAFETY: the table is the host's; all texts outlive the call.
        unsafe { (self.services.fail)(self.ctx(), code, message, detail) };
    }

    /// Turns what a slot returned on this thread into a result.
    pub(super) fn check(&self, status: Status) -> Result<()> {
        if status.is_ok() {
            return Ok(());
        }
        let mut error = abi::Error {
            status,
            reserved: 0,
            code: Str::EMPTY,
            message: Str::EMPTY,
            detail: Str::EMPTY,
        };
        // SAFETY: the table is the host's; `error` is writable.
        let described = unsafe { (self.services.last_error)(self.ctx(), &raw mut error) };
        if !described.is_ok() {
            return Err(Error::from_host(status, "", status.name(), ""));
        }
        // SAFETY: the host's texts stay valid until this thread's next call.
        Err(unsafe { owned(status, &error) })
    }

    /// Why a table is not there: asked again, so that the host says it.
    fn missing(&self, id: &str) -> Error {
        // SAFETY: the table is the host's; the text outlives the call.
        unsafe { (self.services.service)(self.ctx(), Str::new(id), 1) };
        match self.check(Status::DENIED) {
            Err(error) if error.message() != Status::DENIED.name() => error,
            _ => {
                let message = format!(
                    "the capability {id}/1 was not granted; name it in export_plugin!'s `needs`"
                );
                Error::from_host(Status::DENIED, "denied", &message, "")
            }
        }
    }
}

impl std::fmt::Debug for Host {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Host")
            .field("api", &self.services.api)
            .finish_non_exhaustive()
    }
}

/// Copies an error that the host describes.
///
/// # Safety
/// The texts of `error` must be readable now.
pub(super) unsafe fn owned(status: Status, error: &abi::Error) -> Error {
    // SAFETY: the caller's contract.
    let code = unsafe { error.code.as_str() }.unwrap_or_default();
    // SAFETY: the caller's contract.
    let message = unsafe { error.message.as_str() }.unwrap_or_default();
    // SAFETY: the caller's contract.
    let detail = unsafe { error.detail.as_str() }.unwrap_or_default();
    Error::from_host(status, code, message, detail)
}

/// Asks for the first revision of a service table.
///
/// # Safety
/// `T` must be the type that `id` at revision 1 stands for.
unsafe fn table<T>(services: &abi::Services, id: &str) -> Option<&'static T> {
    // SAFETY: the table is the host's; the text outlives the call.
    let table = unsafe { (services.service)(services.ctx, Str::new(id), 1) };
    // SAFETY: null or, by the contract of `service`, the table `id`, valid until
    // the process ends; the caller says that `T` is its type.
    unsafe { table.cast::<T>().as_ref() }
}
