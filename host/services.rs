//! What a plugin can use, without a word of how it crosses the boundary.
//!
//! Each service is a file of its own, in plain Rust: it knows neither the ABI's
//! tables nor axum nor instances, and a callback is a closure that
//! [`ffi`](crate::ffi) built. [`ServicesCore`] makes one [`PluginServices`] for
//! each generation of a plugin.

pub(crate) mod actor;
pub mod audit;
pub mod broadcast;
pub(crate) mod cache;
pub(crate) mod cause;
pub(crate) mod context;
pub(crate) mod db;
pub(crate) mod error;
pub(crate) mod events;
pub(crate) mod exchange;
mod host_events;
pub(crate) mod ids;
pub(crate) mod kv;
pub(crate) mod log;
pub(crate) mod metrics;
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
use tracing::Level;

use crate::clock::Clock;
use crate::services::actor::Actor;
use crate::services::audit::Audit;
use crate::services::broadcast::Broadcast;
use crate::services::cache::{Cache, Caches};
use crate::services::cause::Causes;
use crate::services::context::PluginContext;
use crate::services::db::{By, Databases, Db};
use crate::services::error::ServiceError;
use crate::services::events::{Emitter, Events, Mailbox};
use crate::services::kv::Kv;
use crate::services::log::Line;
use crate::services::op::Ops;
use crate::services::options::Options;
use crate::services::pool::Pool;
use crate::services::relay::Destinations;
use crate::services::routes::StagedRoutes;
use crate::services::tasks::Tasks;
use crate::services::webhooks::{OutboxMessage, Webhooks};

/// What all plugins of a host share.
#[derive(Debug)]
pub(crate) struct ServicesCore {
    runtime: Handle,
    clock: Clock,
    databases: Arc<Databases>,
    caches: Arc<Caches>,
    events: Arc<Events>,
    webhooks: Arc<Webhooks>,
    audit: Arc<Audit>,
    broadcast: Arc<Broadcast>,
    /// What runs beside the plugins.
    background: [AbortHandle; 4],
}

impl ServicesCore {
    /// Makes the services of a host on the current runtime, and starts the
    /// watchdog over inline code.
    ///
    /// # Panics
    /// Outside a tokio runtime.
    pub(crate) fn new(
        clock: Clock,
        databases: Databases,
        webhooks: Arc<Webhooks>,
        audit: Arc<Audit>,
        events: Arc<Events>,
        broadcast: Arc<Broadcast>,
    ) -> Self {
        watchdog::start(overstayed);
        let databases = Arc::new(databases);
        let to = Destinations {
            webhooks: webhooks.clone(),
            audit: audit.clone(),
        };
        let relay = tokio::spawn(relay::run(databases.clone(), to));
        let listening = events.clone();
        webhooks.on_end(move |ended| host_events::webhook_ended(&listening, ended));
        let ticks = tokio::spawn(host_events::tick(events.clone()));
        let sweep = tokio::spawn(kv::sweep(databases.clone(), clock.clone()));
        let waking = tokio::spawn(broadcast.clone().wake_clients());
        ServicesCore {
            runtime: Handle::current(),
            clock,
            databases,
            caches: Arc::default(),
            events,
            webhooks,
            audit,
            broadcast,
            background: [relay, ticks, sweep, waking].map(|task| task.abort_handle()),
        }
    }

    /// The events, for the host and its application.
    pub(crate) fn events(&self) -> &Arc<Events> {
        &self.events
    }

    /// The databases, for operators.
    pub(crate) fn databases(&self) -> &Arc<Databases> {
        &self.databases
    }

    /// The caches, for operators.
    pub(crate) fn caches(&self) -> &Arc<Caches> {
        &self.caches
    }

    /// The messages to the endpoints, for operators.
    pub(crate) fn webhooks(&self) -> &Arc<Webhooks> {
        &self.webhooks
    }

    /// Who did what, for operators.
    pub(crate) fn audit(&self) -> &Arc<Audit> {
        &self.audit
    }

    /// Records what an operator did with the host itself, to `target_id` of the kind
    /// `target_kind`. The deed is done; where it cannot be recorded, the log says so.
    pub(crate) async fn audit_operator(
        &self,
        actor: &Actor,
        action: &str,
        target_kind: &str,
        target_id: &str,
        detail: Value,
    ) {
        let target = (target_kind, target_id);
        self.audit.operator(actor, "", action, target, detail).await;
    }

    /// The messages to connected clients.
    pub(crate) fn broadcast(&self) -> &Arc<Broadcast> {
        &self.broadcast
    }

    /// Lets the clients go and closes the databases, once no plugin uses them any more.
    pub(crate) async fn close(&self, end: Instant) {
        self.broadcast.close();
        let _ = tokio::time::timeout(FAREWELL.min(left(end)), self.broadcast.idle()).await;
        self.background.iter().for_each(AbortHandle::abort);
        // The file may be locked by somebody else, or the disk stand still.
        let ended = self.webhooks.shutdown(left(end));
        let _ = tokio::time::timeout_at((end + GRACE).into(), ended).await;
        let (databases, audit) = (self.databases.clone(), self.audit.clone());
        let closed = tokio::task::spawn_blocking(move || {
            databases.close();
            audit.close();
        });
        let _ = tokio::time::timeout_at((end + GRACE).into(), closed).await;
    }

    /// Makes the services of one generation of a plugin.
    pub(crate) fn plugin(
        &self,
        mut context: PluginContext,
        options: Map<String, Value>,
    ) -> PluginServices {
        context.clock = self.clock.clone();
        let context = Arc::new(context);
        let pool = Arc::new(Pool::new(self.runtime.clone(), &context.limits));
        let database = self.databases.of(&context.name);
        let db = Arc::new(Db::new(self.runtime.clone(), context.clone(), database));
        let limits = context.limits.cache;
        PluginServices {
            kv: Kv::new(context.clone(), db.clone()),
            db,
            cache: self.caches.of(&context.name, &self.clock, limits),
            mailbox: self.events.mailbox(context.clone(), pool.clone()),
            events: self.events.clone(),
            webhooks: self.webhooks.clone(),
            audit: self.audit.clone(),
            broadcast: self.broadcast.clone(),
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

/// How long clients that were let go may take to leave.
const FAREWELL: Duration = Duration::from_secs(1);

/// What closing the files may overstay the end by.
const GRACE: Duration = Duration::from_millis(500);

fn left(end: Instant) -> Duration {
    end.saturating_duration_since(Instant::now())
}

impl Drop for ServicesCore {
    fn drop(&mut self) {
        self.background.iter().for_each(AbortHandle::abort);
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
    pub(crate) db: Arc<Db>,
    /// Its durable keys and values.
    pub(crate) kv: Kv,
    /// Its cache, which its generations share.
    pub(crate) cache: Arc<Cache>,
    /// The host's events.
    pub events: Arc<Events>,
    /// What it hears of them.
    pub mailbox: Arc<Mailbox>,
    webhooks: Arc<Webhooks>,
    audit: Arc<Audit>,
    /// Its messages to connected clients, with those of all others.
    pub(crate) broadcast: Arc<Broadcast>,
}

impl PluginServices {
    /// Who emits, for a call whose cause is `cause`.
    pub(crate) fn emitter(&self, cause: u64) -> Emitter {
        Emitter {
            plugin: Some(self.context.clone()),
            origin: self.causes.origin(&self.context, cause),
        }
    }

    /// Writes a line of the plugin to the log, keeps it, and tells those who
    /// listen.
    pub(crate) fn log(&self, cause: u64, level: Level, message: &str, fields: Map<String, Value>) {
        let origin = self.causes.origin(&self.context, cause);
        let line = Line {
            plugin: Some(&self.context.name),
            generation: Some(self.context.generation),
            injected: false,
            request_id: origin.request_id(),
            level,
            message,
            fields,
        };
        line.write();
        if log::is_wanted(level) {
            line.keep();
            host_events::logged(&self.events, &origin, &line);
        }
    }

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

/// Counts an inline call that ran for too long and moves its route, or the handler
/// of its event, to the pool.
fn overstayed(id: u64) {
    let Some(cause) = Causes::of_process().any(id) else {
        return;
    };
    let context = cause.context();
    let pool = "; from now on it runs on the plugin's pool";
    let (what, cure) = match (cause.exchange(), cause.delivery()) {
        (Some(exchange), _) => {
            exchange.route.demoted.store(true, Ordering::Relaxed);
            (format!("route {}", exchange.route), pool)
        }
        (None, Some(delivery)) => {
            let subscription = &delivery.subscription;
            subscription.demoted.store(true, Ordering::Relaxed);
            (format!("the handler of {}", subscription.pattern), pool)
        }
        (None, None) => ("a task".to_owned(), ""),
    };
    host_events::count_overstay();
    let limit = watchdog::OVERSTAY.as_millis();
    let fault = ServiceError::new(
        Status::TIMEOUT,
        "overstayed",
        format!("{what} held a runtime worker for more than {limit} ms{cure}"),
    );
    context.fault("poll", cause.origin().request_id(), &fault);
}
