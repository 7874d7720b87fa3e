//! What a plugin can use, without a word of how it crosses the boundary.
//!
//! Each service is a file of its own, in plain Rust: it knows neither the ABI's
//! tables nor axum nor instances, and a callback is a closure that
//! [`ffi`](crate::ffi) built. [`ServicesCore`] makes one [`PluginServices`] for
//! each generation of a plugin.

pub(crate) mod actor;
pub(crate) mod cause;
pub(crate) mod context;
pub(crate) mod error;
pub(crate) mod exchange;
pub(crate) mod ids;
pub(crate) mod log;
pub(crate) mod op;
pub(crate) mod options;
pub(crate) mod pool;
pub(crate) mod routes;
pub(crate) mod tasks;
pub(crate) mod watchdog;

use std::sync::Arc;
use std::sync::atomic::Ordering;

use exthost_abi::Status;
use serde_json::{Map, Value};
use tokio::runtime::Handle;

use crate::services::cause::Causes;
use crate::services::context::PluginContext;
use crate::services::error::ServiceError;
use crate::services::op::Ops;
use crate::services::options::Options;
use crate::services::pool::Pool;
use crate::services::routes::StagedRoutes;
use crate::services::tasks::Tasks;

/// What all plugins of a host share.
#[derive(Debug)]
pub(crate) struct ServicesCore {
    runtime: Handle,
}

impl ServicesCore {
    /// Makes the services of a host on the current runtime, and starts the
    /// watchdog over inline code.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(crate) fn new() -> Self {
        watchdog::start(overstayed);
        ServicesCore {
            runtime: Handle::current(),
        }
    }

    /// Makes the services of one generation of a plugin.
    pub(crate) fn plugin(
        &self,
        context: PluginContext,
        options: Map<String, Value>,
    ) -> PluginServices {
        let context = Arc::new(context);
        let pool = Arc::new(Pool::new(self.runtime.clone(), &context.limits));
        PluginServices {
            options: Options::new(options),
            routes: StagedRoutes::default(),
            tasks: Tasks::new(self.runtime.clone(), context.clone(), pool.clone()),
            ops: Ops::new(self.runtime.clone(), context.clone()),
            pool,
            causes: Causes::of_process(),
            context,
        }
    }
}

/// The services of one generation of a plugin.
#[derive(Debug)]
pub struct PluginServices {
    /// Who calls.
    pub context: Arc<PluginContext>,
    /// What calls are made for.
    pub causes: &'static Causes,
    /// Its options.
    pub options: Options,
    /// Its routes, until they are active.
    pub routes: StagedRoutes,
    /// Its tasks and timers.
    pub tasks: Tasks,
    /// Its operations that complete.
    pub ops: Ops,
    /// Its share of blocking threads.
    pub pool: Arc<Pool>,
}

/// Counts an inline call that ran for too long and moves its route to the pool.
fn overstayed(id: u64) {
    let Some(cause) = Causes::of_process().any(id) else {
        return;
    };
    let context = cause.context();
    let route = cause.exchange().map(|exchange| &exchange.route);
    let (what, cure) = match route {
        Some(route) => {
            route.demoted.store(true, Ordering::Relaxed);
            (
                format!("route {route}"),
                "; from now on it runs on the plugin's pool",
            )
        }
        None => ("a task".to_owned(), ""),
    };
    let limit = watchdog::OVERSTAY.as_millis();
    let fault = ServiceError::new(
        Status::TIMEOUT,
        "overstayed",
        format!("{what} held a runtime worker for more than {limit} ms{cure}"),
    );
    let request = cause.exchange().map(|exchange| &*exchange.request_id);
    context.fault("poll", request, &fault);
}
