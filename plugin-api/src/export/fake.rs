//! A host of a few lines, for tests: records what a plugin does, and runs its
//! tasks and timers when told to.

use std::ffi::c_void;
use std::sync::{Mutex, MutexGuard, PoisonError};

use abi::data::Release;
use abi::log::{Field, LogTable};
use abi::routes::{Request, RouteHandle};
use abi::tasks::{Poll, Run};
use abi::{Status, Str, Version};
use exthost_abi as abi;

use super::PluginTable;
use super::host::Host;
use crate::Services;

mod broadcast;
pub(crate) mod db;
pub(crate) mod events;
mod routes;
mod tasks;
mod webhooks;

/// The id of the one request that [`Fake::request`] makes.
pub(crate) const REQUEST: u64 = 77;

/// What a plugin did, and what it waits for.
#[derive(Default)]
pub(crate) struct State {
    /// Every answer and log line, in words.
    pub(crate) seen: Vec<String>,
    routes: Vec<(String, *mut c_void, RouteHandle)>,
    /// Tasks and timers to run, by id, with where their data lies.
    tasks: Vec<(u64, *mut c_void, Poll, Release)>,
    timers: Vec<(u64, *mut c_void, Run, Release)>,
    woken: Vec<u64>,
    ids: u64,
    /// Makes `spawn` answer `BUSY`.
    pub(crate) full: bool,
    /// Makes `cancelled` answer that the client has left.
    pub(crate) left: bool,
    /// What the database answers.
    pub(crate) db: db::Script,
    /// What it does of events.
    pub(crate) events: events::Script,
    subscriptions: Vec<events::Subscribed>,
    /// Calls under way, by the operation's id.
    pending: Vec<(u64, db::Pending)>,
    /// Makes a cancel come too late for them.
    pub(crate) uncancellable: bool,
    /// What `last_error` describes.
    error: Option<db::Refusal>,
    /// Withholds what needs a grant.
    withholds: bool,
}

// SAFETY: the pointers are the plugin's, which may be used on any thread.
unsafe impl Send for State {}

pub(crate) struct Fake {
    state: Mutex<State>,
}

impl Fake {
    /// Hosts the plugin behind `door` until the process ends.
    pub(crate) fn host(door: PluginTable) -> (&'static Fake, *mut c_void) {
        let (fake, services) = Fake::table(State::default());
        let mut instance = std::ptr::null_mut();
        // SAFETY: the table lives for ever, and `instance` is writable.
        let status = unsafe { door.init.0.unwrap()(services, &raw mut instance) };
        fake.state().seen.push(format!("init {status:?}"));
        (fake, instance)
    }

    /// Starts a plugin that [`host`](Fake::host) has initialised.
    pub(crate) fn start(&self, door: PluginTable, instance: *mut c_void) -> Status {
        // SAFETY: the instance is that of the door, and not destroyed yet.
        unsafe { door.start.0.unwrap()(instance) }
    }

    /// Destroys a plugin of which nothing runs any more.
    pub(crate) fn destroy(&self, door: PluginTable, instance: *mut c_void) {
        // SAFETY: once, by the test.
        unsafe { door.destroy.0.unwrap()(instance) };
    }

    /// The services without a plugin.
    pub(crate) fn services() -> (&'static Fake, Services) {
        let (fake, services) = Fake::table(State::default());
        // SAFETY: the table lives for ever.
        let host = unsafe { Host::adopt(services) }.unwrap();
        (fake, Services::new(host))
    }

    /// The services of a plugin that was granted no capability.
    pub(crate) fn withholding() -> Services {
        let (_, services) = Fake::table(State {
            withholds: true,
            ..State::default()
        });
        // SAFETY: the table lives for ever.
        Services::new(unsafe { Host::adopt(services) }.unwrap())
    }

    fn table(state: State) -> (&'static Fake, &'static abi::Services) {
        let fake: &'static Fake = Box::leak(Box::new(Fake {
            state: Mutex::new(state),
        }));
        let services = Box::leak(Box::new(abi::Services {
            abi: abi::door::ABI,
            flags: 0,
            ctx: std::ptr::from_ref(fake).cast(),
            api: Version {
                major: 1,
                minor: 0,
                patch: 0,
            },
            reserved: 0,
            service,
            fail,
            last_error,
        }));
        (fake, services)
    }

    pub(crate) fn state(&self) -> MutexGuard<'_, State> {
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// What was seen since the last time.
    pub(crate) fn take(&self) -> Vec<String> {
        std::mem::take(&mut self.state().seen)
    }

    /// Calls the route whose pattern is `pattern`.
    pub(crate) fn request(&self, pattern: &str, query: &str) -> Status {
        let actor = abi::routes::Actor {
            kind: abi::routes::ACTOR_ANONYMOUS,
            reserved: 0,
            id: Str::EMPTY,
            name: Str::EMPTY,
            scopes: std::ptr::null(),
            scopes_len: 0,
            on_behalf_of: std::ptr::null(),
        };
        let request = Request {
            route: 1,
            method: Str::new("GET"),
            path: Str::new(pattern),
            query: Str::new(query),
            mount: Str::new("/api/ext/fake"),
            params: std::ptr::null(),
            params_len: 0,
            headers: std::ptr::null(),
            headers_len: 0,
            body: abi::Bytes::EMPTY,
            peer: Str::EMPTY,
            request_id: Str::new("r1"),
            actor: &raw const actor,
            deadline_ms: 1000,
        };
        let (data, handle) = {
            let state = self.state();
            let route = state
                .routes
                .iter()
                .find(|(other, ..)| other == pattern)
                .unwrap();
            (route.1, route.2)
        };
        // SAFETY: the plugin registered both, and the request outlives the call.
        unsafe { handle.0.unwrap()(data, REQUEST, &raw const request) }
    }

    /// Polls every task once, as after a spawn or a wake. Returns how many are
    /// left.
    pub(crate) fn poll(&self) -> usize {
        let tasks = std::mem::take(&mut self.state().tasks);
        for (id, data, poll, release) in tasks {
            // SAFETY: spawned with this data, and not released yet.
            let ready = unsafe { poll.0.unwrap()(data, id) };
            if ready == abi::tasks::POLL_READY {
                // SAFETY: once, and it is not polled again.
                unsafe { release.0.unwrap()(data) };
            } else {
                self.state().tasks.push((id, data, poll, release));
            }
        }
        self.state().tasks.len()
    }

    /// Fires every timer once and releases it. Returns the tasks this woke.
    pub(crate) fn fire(&self) -> Vec<u64> {
        let timers = std::mem::take(&mut self.state().timers);
        for (id, data, run, release) in timers {
            // SAFETY: started with this data, and not released yet.
            unsafe { run.0.unwrap()(data, id) };
            // SAFETY: once, and it does not run again.
            unsafe { release.0.unwrap()(data) };
        }
        std::mem::take(&mut self.state().woken)
    }

    /// Releases everything, as a stop does.
    pub(crate) fn release(&self) {
        self.release_subscriptions();
        let tasks = std::mem::take(&mut self.state().tasks);
        for (_, data, _, release) in tasks {
            // SAFETY: once, and it is not polled again.
            unsafe { release.0.unwrap()(data) };
        }
        let timers = std::mem::take(&mut self.state().timers);
        for (_, data, _, release) in timers {
            // SAFETY: once, and it does not run again.
            unsafe { release.0.unwrap()(data) };
        }
    }
}

impl State {
    fn id(&mut self) -> u64 {
        self.ids += 1;
        self.ids
    }
}

fn fake(ctx: *const c_void) -> &'static Fake {
    // SAFETY: `host` made `ctx` of a fake that lives for ever.
    unsafe { &*ctx.cast::<Fake>() }
}

fn text(text: Str) -> String {
    // SAFETY: borrowed by the plugin for this call.
    unsafe { text.as_str() }.unwrap().to_owned()
}

unsafe extern "C" fn service(ctx: *const c_void, id: Str, _revision: u32) -> *const c_void {
    let withholds = fake(ctx).state().withholds;
    match &*text(id) {
        abi::log::ID => (&raw const LOG).cast(),
        abi::routes::ID => (&raw const routes::ROUTES).cast(),
        abi::tasks::ID => (&raw const tasks::TASKS).cast(),
        abi::db::ID if !withholds => (&raw const db::DB).cast(),
        abi::webhooks::ID if !withholds => (&raw const webhooks::WEBHOOKS).cast(),
        abi::events::ID if !withholds => (&raw const events::EVENTS).cast(),
        abi::broadcast::ID if !withholds => (&raw const broadcast::BROADCAST).cast(),
        _ => std::ptr::null(),
    }
}

unsafe extern "C" fn fail(ctx: *const c_void, code: Str, message: Str, _detail: Str) -> Status {
    let line = format!("fail {}: {}", text(code), text(message));
    fake(ctx).state().seen.push(line);
    Status::OK
}

unsafe extern "C" fn last_error(ctx: *const c_void, error: *mut abi::Error) -> Status {
    let Some((status, code, message)) = fake(ctx).state().error.take() else {
        return Status::NOT_FOUND;
    };
    let described = abi::Error {
        status,
        reserved: 0,
        code: Str::new(code),
        message: Str::new(message),
        detail: Str::EMPTY,
    };
    // SAFETY: writable, by the contract of `last_error`.
    unsafe { error.write(described) };
    Status::OK
}

static LOG: LogTable = LogTable { write, enabled };

unsafe extern "C" fn write(
    ctx: *const c_void,
    cause: u64,
    level: u32,
    message: Str,
    _fields: *const Field,
    _len: usize,
) -> Status {
    let line = format!("log {level} cause {cause}: {}", text(message));
    fake(ctx).state().seen.push(line);
    Status::OK
}

unsafe extern "C" fn enabled(_: *const c_void, _: u64, _: u32, _: *mut u32) -> Status {
    Status::INVALID
}
