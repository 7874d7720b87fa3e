//! What a plugin can use, without a word of how it crosses the boundary.
//!
//! Each service is a file of its own, in plain Rust: it knows neither the ABI's
//! tables nor axum nor instances, and a callback is a closure that
//! [`ffi`](crate::ffi) built. [`ServicesCore`] makes one [`PluginServices`] for
//! each generation of a plugin.

pub(crate) mod actor;
pub(crate) mod cause;
pub(crate) mod context;
pub(crate) mod db;
pub(crate) mod error;
pub(crate) mod exchange;
pub(crate) mod ids;
pub(crate) mod log;
pub(crate) mod op;
pub(crate) mod options;
pub(crate) mod pool;
mod relay;
pub(crate) mod routes;
pub(crate) mod tasks;
pub(crate) mod watchdog;
pub mod webhooks;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::{Duration, Instant};

use exthost_abi::Status;
use serde_json::{Map, Value};
use tokio::runtime::Handle;
use tokio::task::AbortHandle;

use crate::services::cause::Causes;
use crate::services::context::PluginContext;
use crate::services::db::database::Databases;
use crate::services::db::{By, Db};
use crate::services::error::ServiceError;
use crate::services::op::Ops;
use crate::services::options::Options;
use crate::services::pool::Pool;
use crate::services::routes::StagedRoutes;
use crate::services::tasks::Tasks;
use crate::services::webhooks::{OutboxMessage, Webhooks};

/// What all plugins of a host share.
#[derive(Debug)]
pub(crate) struct ServicesCore {
    runtime: Handle,
    databases: Arc<Databases>,
    webhooks: Arc<Webhooks>,
    relay: AbortHandle,
}

impl ServicesCore {
    /// Makes the services of a host on the current runtime, and starts the
    /// watchdog over inline code.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(crate) fn new(databases: Databases, webhooks: Arc<Webhooks>) -> Self {
        watchdog::start(overstayed);
        let databases = Arc::new(databases);
        let relay = tokio::spawn(relay::run(databases.clone(), webhooks.clone()));
        ServicesCore {
            runtime: Handle::current(),
            databases,
            webhooks,
            relay: relay.abort_handle(),
        }
    }

    /// The messages to the endpoints, for operators.
    pub(crate) fn webhooks(&self) -> &Arc<Webhooks> {
        &self.webhooks
    }

    /// Closes the databases, once no plugin uses them any more.
    pub(crate) async fn close(&self, end: Instant) {
        self.relay.abort();
        let left = end.saturating_duration_since(Instant::now());
        // The file may be locked by somebody else, or the disk stand still.
        let ended = self.webhooks.shutdown(left);
        let _ = tokio::time::timeout_at((end + GRACE).into(), ended).await;
        let databases = self.databases.clone();
        let closed = tokio::task::spawn_blocking(move || databases.close());
        let _ = tokio::time::timeout_at((end + GRACE).into(), closed).await;
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
            db: Db::new(
                self.runtime.clone(),
                context.clone(),
                self.databases.of(&context.name),
            ),
            webhooks: self.webhooks.clone(),
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

/// What closing the files may overstay the end by.
const GRACE: Duration = Duration::from_millis(500);

impl Drop for ServicesCore {
    fn drop(&mut self) {
        self.relay.abort();
        // The services of a plugin, which stay for the life of the process, hold
        // them as well.
        self.webhooks.stop();
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
    /// Its database.
    pub(crate) db: Db,
    webhooks: Arc<Webhooks>,
}

impl PluginServices {
    /// Queues a message for the endpoints that want it, by itself or with a
    /// transaction, and returns its id.
    pub(crate) async fn fire(
        &self,
        cause: u64,
        tx: u64,
        message: OutboxMessage,
        by: By,
    ) -> Result<String, ServiceError> {
        let id = message.id.clone();
        if self.webhooks.wants(&message.plugin, &message.event_type) {
            self.db.queue(cause, tx, message, by).await?;
        } else if tx != 0 {
            self.db.check_open(tx, by).await?;
        }
        Ok(id)
    }
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
