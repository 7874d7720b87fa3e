//! A host of a few lines, for tests: records what a plugin does, and runs its
//! tasks and timers when told to.

use std::ffi::c_void;
use std::sync::{Mutex, MutexGuard, PoisonError};

use abi::data::{Done, Release};
use abi::log::{Field, LogTable};
use abi::routes::{BodyDone, Header, Request, Response, RouteHandle, RouteSpec, RoutesTable};
use abi::tasks::{Poll, Run, TasksTable, TimerSpec};
use abi::{Buffer, Status, Str, Version};
use exthost_abi as abi;

use super::PluginTable;
use super::host::Host;
use crate::Services;

pub(crate) mod db;
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
    /// What the database answers.
    pub(crate) db: db::Script,
    /// Calls under way, by the operation's id.
    pending: Vec<(u64, db::Pending)>,
    /// Makes a cancel come too late for them.
    pub(crate) uncancellable: bool,
    /// What `last_error` describes.
    error: Option<db::Refusal>,
    /// Withholds `db/1` and `webhooks/1`.
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
        abi::routes::ID => (&raw const ROUTES).cast(),
        abi::tasks::ID => (&raw const TASKS).cast(),
        abi::db::ID if !withholds => (&raw const db::DB).cast(),
        abi::webhooks::ID if !withholds => (&raw const webhooks::WEBHOOKS).cast(),
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

static ROUTES: RoutesTable = RoutesTable {
    add,
    respond,
    respond_error,
    respond_start: respond,
    respond_chunk,
    respond_chunk_try,
    respond_chunk_async,
    respond_end,
    respond_abort,
    body_next,
    body_next_async,
    cancelled,
    cancelled_async,
};

unsafe extern "C" fn add(
    ctx: *const c_void,
    _cause: u64,
    spec: *const RouteSpec,
    data: *mut c_void,
    handle: RouteHandle,
    _route: *mut u64,
) -> Status {
    // SAFETY: borrowed for this call.
    let pattern = text(unsafe { &*spec }.pattern);
    fake(ctx).state().routes.push((pattern, data, handle));
    Status::OK
}

unsafe extern "C" fn respond(
    ctx: *const c_void,
    request: u64,
    response: *const Response,
) -> Status {
    // SAFETY: borrowed for this call.
    let response = unsafe { &*response };
    let body = consume(&response.body);
    let line = format!("respond {request}: {} {body}", response.status);
    fake(ctx).state().seen.push(line);
    Status::OK
}

/// Reads a buffer and releases it.
fn consume(buffer: &Buffer) -> String {
    // SAFETY: the plugin's, readable until released.
    let bytes = unsafe { buffer.bytes().as_slice() }.unwrap();
    let words = match bytes.len() {
        len @ 1000.. => format!("{len} bytes"),
        _ => String::from_utf8(bytes.to_vec()).unwrap(),
    };
    if let Some(release) = buffer.release.0 {
        // SAFETY: once; the host has taken the buffer.
        unsafe { release(buffer.owner) };
    }
    words
}

unsafe extern "C" fn respond_chunk(ctx: *const c_void, _: u64, chunk: *const Buffer) -> Status {
    // SAFETY: borrowed for this call, its bytes taken.
    let line = format!("chunk {}", consume(unsafe { &*chunk }));
    fake(ctx).state().seen.push(line);
    Status::OK
}

unsafe extern "C" fn respond_error(
    ctx: *const c_void,
    request: u64,
    error: *const abi::Error,
) -> Status {
    // SAFETY: borrowed for this call.
    let error = unsafe { &*error };
    let line = format!("error {request}: {}", text(error.message));
    fake(ctx).state().seen.push(line);
    Status::OK
}

/// There is never room at once, so that the completing form is used.
unsafe extern "C" fn respond_chunk_try(_: *const c_void, _: u64, _: *const Buffer) -> Status {
    Status::BUSY
}

unsafe extern "C" fn respond_chunk_async(
    ctx: *const c_void,
    request: u64,
    chunk: *const Buffer,
    data: *mut c_void,
    done: Done,
    _op: *mut u64,
) -> Status {
    // SAFETY: the arguments are those of the blocking form.
    let status = unsafe { respond_chunk(ctx, request, chunk) };
    // SAFETY: once; sooner than a host may, which the SDK survives.
    unsafe { done.0.unwrap()(data, status, std::ptr::null()) };
    Status::OK
}

unsafe extern "C" fn respond_end(ctx: *const c_void, _: u64, _: *const Header, _: usize) -> Status {
    fake(ctx).state().seen.push("end".into());
    Status::OK
}

unsafe extern "C" fn respond_abort(ctx: *const c_void, _: u64) -> Status {
    fake(ctx).state().seen.push("abort".into());
    Status::OK
}

unsafe extern "C" fn body_next(_: *const c_void, _: u64, _: *mut Buffer) -> Status {
    Status::END
}

unsafe extern "C" fn body_next_async(
    _: *const c_void,
    _: u64,
    data: *mut c_void,
    done: BodyDone,
    _: *mut u64,
) -> Status {
    let null = std::ptr::null_mut();
    // SAFETY: once; sooner than a host may, which the SDK survives.
    unsafe { done.0.unwrap()(data, Status::END, std::ptr::null(), null) };
    Status::OK
}

unsafe extern "C" fn cancelled(_: *const c_void, _: u64) -> Status {
    Status::OK
}

/// Keeps the callback as if it were a timer whose firing is the client leaving.
unsafe extern "C" fn cancelled_async(
    ctx: *const c_void,
    _request: u64,
    _flags: u32,
    data: *mut c_void,
    done: Done,
    op: *mut u64,
) -> Status {
    let callback = Box::into_raw(Box::new((data, done)));
    let mut state = fake(ctx).state();
    let id = state.id();
    let (run, release) = (Run(Some(left)), Release(Some(kept)));
    state.timers.push((id, callback.cast(), run, release));
    // SAFETY: writable, by the slot's contract.
    unsafe { op.write(id) };
    Status::OK
}

unsafe extern "C" fn left(data: *mut c_void, _id: u64) {
    // SAFETY: made by `cancelled_async`, freed by `kept`.
    let (data, done) = unsafe { &*data.cast::<(*mut c_void, Done)>() };
    // SAFETY: once.
    unsafe { done.0.unwrap()(*data, Status::CANCELLED, std::ptr::null()) };
}

unsafe extern "C" fn kept(data: *mut c_void) {
    // SAFETY: made by `cancelled_async`; released once.
    drop(unsafe { Box::from_raw(data.cast::<(*mut c_void, Done)>()) });
}

static TASKS: TasksTable = TasksTable {
    spawn,
    wake,
    timer,
    blocking,
    cancel,
    remaining,
};

unsafe extern "C" fn spawn(
    ctx: *const c_void,
    _cause: u64,
    _flags: u32,
    _name: Str,
    data: *mut c_void,
    poll: Poll,
    release: Release,
    task: *mut u64,
) -> Status {
    let mut state = fake(ctx).state();
    if state.full {
        return Status::BUSY;
    }
    let id = state.id();
    state.tasks.push((id, data, poll, release));
    // SAFETY: writable, by the slot's contract.
    unsafe { task.write(id) };
    Status::OK
}

unsafe extern "C" fn wake(ctx: *const c_void, task: u64) -> Status {
    fake(ctx).state().woken.push(task);
    Status::OK
}

unsafe extern "C" fn timer(
    ctx: *const c_void,
    _cause: u64,
    _spec: *const TimerSpec,
    data: *mut c_void,
    fire: Run,
    release: Release,
    timer: *mut u64,
) -> Status {
    let mut state = fake(ctx).state();
    let id = state.id();
    state.timers.push((id, data, fire, release));
    // SAFETY: writable, by the slot's contract.
    unsafe { timer.write(id) };
    Status::OK
}

/// Runs it at once, on this thread.
unsafe extern "C" fn blocking(
    _ctx: *const c_void,
    _cause: u64,
    _flags: u32,
    _name: Str,
    data: *mut c_void,
    run: Run,
    release: Release,
    _task: *mut u64,
) -> Status {
    // SAFETY: given with this data, and not released yet.
    unsafe { run.0.unwrap()(data, 1) };
    // SAFETY: once.
    unsafe { release.0.unwrap()(data) };
    Status::OK
}

/// Releases a timer that is cancelled; the callback of an operation follows.
unsafe extern "C" fn cancel(ctx: *const c_void, id: u64) -> Status {
    let cancelled = fake(ctx).state().cancel_pending(id);
    if let Some(end) = cancelled {
        end(Err((Status::CANCELLED, "cancelled", "nobody waits for it")));
        return Status::OK;
    }
    let found = {
        let mut state = fake(ctx).state();
        let at = state.timers.iter().position(|timer| timer.0 == id);
        at.map(|at| state.timers.remove(at))
    };
    let Some((_, data, run, release)) = found else {
        return Status::GONE;
    };
    if run
        .0
        .is_some_and(|run| std::ptr::fn_addr_eq(run, left as unsafe extern "C" fn(_, _)))
    {
        // SAFETY: once, as every operation is completed.
        unsafe { left(data, id) };
    }
    // SAFETY: once.
    unsafe { release.0.unwrap()(data) };
    Status::OK
}

unsafe extern "C" fn remaining(_: *const c_void, _: u64, _: *mut u64) -> Status {
    Status::GONE
}
