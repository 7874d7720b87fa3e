//! The life of one generation: `Loaded` becomes `Initialised`, `Serving`,
//! `Draining`, `Retired`. Each stage consumes the one before.

use std::sync::Arc;
use std::sync::atomic::AtomicU64;
use std::thread;
use std::time::{Duration, SystemTime};

use exthost_abi::Status;
use tokio::sync::oneshot;

use crate::ffi::{self, Door, Hooks};
use crate::inspect::Meta;
use crate::library::Loaded;
use crate::services::PluginServices;
use crate::services::context::{Phase, PluginContext};
use crate::services::error::ServiceError;
use crate::services::routes::RouteTable;

/// A plugin whose `init` has succeeded; what it registered is not active yet.
#[derive(Debug)]
pub struct Initialised {
    generation: Generation,
}

/// One load of a plugin, as those see it who call it.
#[derive(Debug)]
pub struct Generation {
    /// What it says of itself.
    pub meta: Meta,
    /// The file it came from.
    pub file: std::path::PathBuf,
    /// The content hash of the file.
    pub hash: blake3::Hash,
    /// Its routes.
    pub routes: RouteTable,
    /// Its services.
    pub services: &'static PluginServices,
    /// When `init` succeeded.
    pub since: SystemTime,
    /// Requests handed to it.
    pub requests: AtomicU64,
    hooks: Arc<Hooks>,
}

impl Generation {
    /// Who it is towards the services.
    pub fn context(&self) -> &Arc<PluginContext> {
        &self.services.context
    }
}

impl Initialised {
    /// Runs `init` on a thread of its own, with the deadline of the limits.
    ///
    /// # Errors
    /// [`InitError`]. A late success is ignored, and the instance leaked.
    pub async fn init(
        loaded: Loaded,
        services: &'static PluginServices,
    ) -> Result<Self, InitError> {
        let door = loaded.door();
        let made = timed(
            services,
            "init",
            services.context.limits.init_deadline,
            move || enter(door, services),
        )
        .await;
        let hooks = match made {
            Ok(hooks) => hooks,
            Err(error) => {
                give_up(&services.context);
                return Err(error);
            }
        };
        services.context.enter(Phase::Initialised);
        let inspected = loaded.verified().inspected();
        Ok(Initialised {
            generation: Generation {
                meta: inspected.meta().clone(),
                file: inspected.path().to_owned(),
                hash: inspected.hash(),
                routes: services.routes.take(),
                services,
                since: SystemTime::now(),
                requests: AtomicU64::new(0),
                hooks: Arc::new(hooks),
            },
        })
    }

    /// Runs `start`; then the routes are ready to be served.
    ///
    /// # Errors
    /// [`InitError`]; the instance is then retired.
    pub async fn start(self) -> Result<Serving, InitError> {
        let generation = Arc::new(self.generation);
        let hooks = generation.hooks.clone();
        let context = generation.context().clone();
        let deadline = context.limits.init_deadline;
        let started = timed(generation.services, "start", deadline, move || {
            hooks.start()
        })
        .await;
        let serving = Serving { generation };
        if let Err(error) = started {
            serving.drain().retire(context.limits.drain_timeout).await;
            return Err(error);
        }
        context.enter(Phase::Serving);
        Ok(serving)
    }

    /// The generation.
    pub fn generation(&self) -> &Generation {
        &self.generation
    }
}

/// A generation that takes calls.
#[derive(Debug)]
pub struct Serving {
    generation: Arc<Generation>,
}

impl Serving {
    /// The generation, for those who call it.
    pub fn generation(&self) -> &Arc<Generation> {
        &self.generation
    }

    /// Lets events come to it, and takes those over that wait for the generation
    /// before.
    pub fn listen(&self) {
        let services = self.generation.services;
        services.events.activate(&services.mailbox);
    }

    /// Refuses further calls and events. Calls in flight go on, and events that
    /// wait are heard.
    pub fn drain(self) -> Draining {
        let services = self.generation.services;
        services.events.withdraw(&services.mailbox);
        let context = self.generation.context();
        context.calls.close();
        context.enter(Phase::Draining);
        Draining {
            generation: self.generation,
        }
    }
}

/// A generation that finishes what it has begun.
#[derive(Debug)]
pub struct Draining {
    generation: Arc<Generation>,
}

impl Draining {
    /// Waits for calls in flight, runs `stop`, then cancels and waits for tasks,
    /// all within `timeout`; destroys the instance if nothing is left of it.
    pub async fn retire(self, timeout: Duration) -> Retired {
        let generation = self.generation;
        let context = generation.context();
        // Calls get the greater part: they are what clients wait for.
        let (calls, rest) = (timeout * 6 / 10, timeout * 2 / 10);
        let mailbox = &generation.services.mailbox;
        let idle = async { tokio::join!(context.calls.idle(), mailbox.idle()) };
        let _ = tokio::time::timeout(calls, idle).await;
        let calls_left = context.calls.in_flight();

        let (hooks, stopping) = (generation.hooks.clone(), context.clone());
        let stopped = timed(generation.services, "stop", rest, move || {
            hooks.stop(&stopping);
            Ok(())
        });
        let stopped = stopped.await;

        context.enter(Phase::Stopped);
        context.work.close();
        let events_left = mailbox.close();
        // Calls again: streams and waiting clients end with the phase above.
        let idle = async { tokio::join!(context.calls.idle(), context.work.idle()) };
        let _ = tokio::time::timeout(rest, idle).await;
        let tasks_left = generation.services.causes.tasks_of(context);
        let destroyed = destroy(&generation, rest).await;
        let retired = Retired {
            generation: context.generation,
            abandoned: !destroyed,
        };
        if events_left > 0 {
            tracing::warn!(
                plugin = %context.name,
                generation = context.generation,
                dropped = events_left,
                "events waited for a plugin that has ended"
            );
        }
        if let Err(error) = stopped {
            let fault = ServiceError::new(Status::TIMEOUT, error.code(), error.to_string());
            context.fault("stop", None, &fault);
        }
        if !destroyed {
            tracing::warn!(
                plugin = %context.name,
                generation = context.generation,
                calls_left,
                tasks_left = tasks_left.join(", "),
                "abandoned: it overstayed the drain timeout of {} ms, so its instance is leaked",
                timeout.as_millis()
            );
        }
        retired
    }
}

/// What is left of a generation: its image stays mapped.
#[derive(Debug, Clone, Copy)]
pub struct Retired {
    /// Which generation.
    pub generation: u64,
    /// Whether its instance was leaked because something still ran in it.
    pub abandoned: bool,
}

/// Why a loaded plugin does not serve.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum InitError {
    /// The hook answered with a failure.
    #[error("its {hook} failed: {reason}")]
    Failed {
        /// `init`, `start` or `stop`.
        hook: &'static str,
        /// What the plugin said.
        reason: ServiceError,
    },
    /// The hook panicked.
    #[error("its {hook} panicked: {reason}")]
    Panicked {
        /// `init`, `start` or `stop`.
        hook: &'static str,
        /// What the plugin said.
        reason: ServiceError,
    },
    /// The hook did not return in time.
    #[error("its {hook} did not return within {} ms; it was abandoned", .deadline.as_millis())]
    TimedOut {
        /// `init`, `start` or `stop`.
        hook: &'static str,
        /// The time it had.
        deadline: Duration,
    },
    /// The host is ending, and takes no more plugins.
    #[error("the host is shutting down and takes no more plugins; start it again")]
    HostEnding,
}

impl InitError {
    /// The stable code of the refusal.
    pub fn code(&self) -> &'static str {
        match self {
            InitError::HostEnding => "host-ending",
            InitError::Failed { hook: "init", .. } => "init-failed",
            InitError::Panicked { hook: "init", .. } => "init-panicked",
            InitError::TimedOut { hook: "init", .. } => "init-timeout",
            InitError::Failed { hook: "start", .. } => "start-failed",
            InitError::Panicked { hook: "start", .. } => "start-panicked",
            InitError::TimedOut { hook: "start", .. } => "start-timeout",
            InitError::Failed { .. } => "stop-failed",
            InitError::Panicked { .. } => "stop-panicked",
            InitError::TimedOut { .. } => "stop-timeout",
        }
    }
}

fn enter(door: Door, services: &'static PluginServices) -> Result<Hooks, ServiceError> {
    let entered = door.init(ffi::services_table(services));
    // Nobody destroys what has not become an instance, so what it subscribed with is
    // released here, on a thread that its code may hold up.
    entered.inspect_err(|_| {
        services.mailbox.close();
    })
}

/// Runs a hook on a thread of its own, within a deadline. The thread holds a permit, so an instance whose hook overstays is not destroyed.
async fn timed<T: Send + 'static>(
    services: &'static PluginServices,
    hook: &'static str,
    deadline: Duration,
    call: impl FnOnce() -> Result<T, ServiceError> + Send + 'static,
) -> Result<T, InitError> {
    let (reply, answer) = oneshot::channel();
    let permit = services.context.work.enter();
    let name = format!("{hook}-{}", services.context.name);
    let spawned = thread::Builder::new().name(name).spawn(move || {
        let result = call();
        drop(permit);
        let _ = reply.send(result);
    });
    let failed = |reason: ServiceError| match reason.status {
        Status::PANICKED => InitError::Panicked { hook, reason },
        _ => InitError::Failed { hook, reason },
    };
    if let Err(error) = spawned {
        return Err(failed(ServiceError::busy(format!(
            "no thread to run it: {error}"
        ))));
    }
    match tokio::time::timeout(deadline, answer).await {
        Ok(Ok(result)) => result.map_err(failed),
        Ok(Err(_)) => Err(failed(ServiceError::status(Status::INTERNAL))),
        Err(_) => Err(InitError::TimedOut { hook, deadline }),
    }
}

/// Stops everything a failed `init` may have begun.
fn give_up(context: &PluginContext) {
    context.calls.close();
    context.enter(Phase::Stopped);
    context.work.close();
}

/// Destroys the instance, if nothing is left of it, on a thread of its own and
/// within `deadline`.
async fn destroy(generation: &Arc<Generation>, deadline: Duration) -> bool {
    let owned = generation.clone();
    let destroyed = timed(generation.services, "destroy", deadline, move || {
        Ok(owned.hooks.destroy(owned.context()))
    });
    destroyed.await.unwrap_or(false)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_hook_has_a_code_for_each_end() {
        let reason = || ServiceError::busy("no thread to run it");
        let deadline = Duration::from_millis(20);
        for (hook, codes) in [
            ("init", ["init-failed", "init-panicked", "init-timeout"]),
            ("start", ["start-failed", "start-panicked", "start-timeout"]),
            ("stop", ["stop-failed", "stop-panicked", "stop-timeout"]),
        ] {
            let errors = [
                InitError::Failed {
                    hook,
                    reason: reason(),
                },
                InitError::Panicked {
                    hook,
                    reason: reason(),
                },
                InitError::TimedOut { hook, deadline },
            ];
            assert_eq!(errors.each_ref().map(InitError::code), codes);
            for error in errors {
                assert!(error.to_string().contains(hook), "{error}");
            }
        }
    }
}
