//! `routes/1` and `tasks/1`.

use std::future::poll_fn;
use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex};
use std::task::Poll;
use std::time::Duration;

use exthost_plugin::prelude::*;
use exthost_plugin::tasks::Task;
use exthost_plugin::{Needs, sleep};

use crate::call::{Awaits, Call, Waits, add};
use crate::worker::{Latch, locked};
use crate::{Count, EveryTable};

pub(crate) fn routes(router: &mut Router) {
    let waits: [(&str, Waits); 5] = [
        ("GET host", host),
        ("GET left", left),
        ("GET twice", twice),
        ("GET refused", refused),
        ("GET given-up", given_up),
    ];
    let awaits: [(&str, Awaits); 2] = [
        ("GET later", |call| Box::pin(later(call))),
        ("GET tasks", |call| Box::pin(tasks(call))),
    ];
    add(router, &waits);
    add(router, &awaits);
    router.any("wait/echo/{first}/{*rest}", echo).public();
    router
        .any("complete/echo/{first}/{*rest}", echo_async)
        .public();
    router
        .post("wait/upload", upload)
        .public()
        .body_limit(1 << 20);
    router
        .post("complete/upload", upload_async)
        .public()
        .body_limit(1 << 20);
    router.get("wait/download", download).public();
    router.get("complete/download", download_async).public();
    router.get("wait/leave", leave).public();
    router.get("complete/leave", leave_async).public();
    router.get("broken", broken).public();
    router.get("guarded", host as Waits).scopes(["every.thing"]);
    let silent: Awaits = |_| Box::pin(std::future::pending());
    let silent = router.get("silent", silent).public();
    silent.deadline(Duration::from_millis(200));
}

fn host(call: Call) -> Result<String> {
    Ok(call.plugin.api.clone())
}

/// What was asked, as text.
struct Asked(Response);

impl FromRequest for Asked {
    fn needs(needs: &mut Needs) {
        needs.whole_body();
    }

    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        let mut text = format!(
            "method: {}\npath: {}\nquery: {}\nmount: {}\n",
            parts.method(),
            parts.path(),
            parts.query(),
            parts.mount()
        );
        for (name, value) in parts.params() {
            text += &format!("{name}: {value}\n");
        }
        if let Some(say) = parts.header("x-say") {
            text += &format!("x-say: {say}\n");
        }
        let actor = match parts.actor().is_anonymous() {
            true => "anonymous",
            false => "?",
        };
        let known = !parts.peer().is_empty() && !parts.request_id().is_empty();
        let body = String::from_utf8_lossy(parts.body());
        text += &format!("actor: {actor}\nknown: {}\nbody: {body}\n", u8::from(known));
        let response = Response::new(text).with_status(StatusCode::CREATED);
        Ok(Asked(response.with_header("x-echo", "every")))
    }
}

fn echo(asked: Asked) -> Response {
    asked.0
}

async fn echo_async(asked: Asked) -> Response {
    asked.0
}

fn upload(mut body: BodyStream) -> Result<String> {
    let mut digest = Digest::new();
    while let Some(chunk) = body.next_blocking()? {
        digest.add(&chunk);
    }
    Ok(digest.text())
}

async fn upload_async(mut body: BodyStream) -> Result<String> {
    let mut digest = Digest::new();
    while let Some(chunk) = body.next().await? {
        digest.add(&chunk);
    }
    Ok(digest.text())
}

/// Length and FNV-1a hash of a body.
struct Digest(u64, u64);

impl Digest {
    fn new() -> Self {
        Digest(0, 0xcbf2_9ce4_8422_2325)
    }

    fn add(&mut self, chunk: &[u8]) {
        self.0 += chunk.len() as u64;
        for byte in chunk {
            self.1 = (self.1 ^ u64::from(*byte)).wrapping_mul(0x0100_0000_01b3);
        }
    }

    fn text(&self) -> String {
        format!("{} bytes, fnv1a {:016x}", self.0, self.1)
    }
}

fn chunks(call: &Call) -> impl Iterator<Item = String> + Send + use<> {
    let chunks = call.value("chunks").parse().unwrap_or(0);
    (0..chunks).map(|chunk: u32| format!("chunk {chunk}\n"))
}

fn download(call: Call) -> Response {
    Response::streaming_blocking("text/plain", move |body| {
        chunks(&call).try_for_each(|chunk| body.send(chunk))
    })
}

async fn download_async(call: Call) -> Response {
    Response::streaming("text/plain", move |mut body| async move {
        for chunk in chunks(&call) {
            body.send(chunk).await?;
        }
        Ok(())
    })
}

fn leave(plugin: State<EveryTable>, cancelled: Cancelled) -> Response {
    let left = plugin.left[0].clone();
    Response::streaming_blocking("text/plain", move |body| {
        while !cancelled.is_cancelled() && body.send("still here\n").is_ok() {
            std::thread::sleep(Duration::from_millis(5));
        }
        left.fetch_add(1, Ordering::Relaxed);
        Ok(())
    })
}

/// Counts when it is dropped, as the future is that holds it.
struct Guard(Count);

impl Drop for Guard {
    fn drop(&mut self) {
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

async fn leave_async(plugin: State<EveryTable>, cancelled: Cancelled) -> Response {
    let guard = Guard(plugin.left[1].clone());
    Response::streaming("text/plain", move |mut body| async move {
        let _guard = guard;
        body.send("still here\n").await?;
        cancelled.await;
        Ok(())
    })
}

fn left(call: Call) -> Result<String> {
    let left = &call.plugin.left;
    let [wait, complete] = [0, 1].map(|way: usize| left[way].load(Ordering::Relaxed));
    Ok(format!("{wait} wait, {complete} complete"))
}

async fn later(call: Call) -> Result<String> {
    call.plugin.worker.visit().await;
    Ok("later".to_owned())
}

fn twice(_: Call) -> Result<String> {
    Ok("once".to_owned())
}

fn refused(_: Call) -> Result<String> {
    Err(Error::conflict("a conflict was asked for").with_code("asked-for"))
}

fn given_up(_: Call) -> Result<String> {
    panic!("asked to give up");
}

async fn broken() -> Response {
    Response::streaming("text/plain", |mut body| async move {
        body.send("a part").await?;
        Err(Error::internal("asked to break off"))
    })
}

async fn tasks(call: Call) -> Result<String> {
    let plugin = call.plugin;
    let tasks = plugin.tasks;
    let remaining = tasks.remaining()?;
    plugin.expect(remaining.is_some_and(|time| time <= Duration::from_secs(30)));
    let [polled, once, often, never] = std::array::from_fn(|_| Count::default());
    let add = |count: &Count| {
        let count = count.clone();
        move || count.fetch_add(1, Ordering::Relaxed) + 1
    };
    let latch = Latch::default();
    let moment = Duration::from_millis(1);

    let (poll, part) = (add(&polled), latch.part());
    let woken = plugin.clone();
    tasks.spawn("thrice", async move {
        poll_fn(|context| {
            if poll() == 3 {
                return Poll::Ready(());
            }
            let waker = context.waker().clone();
            woken.worker.send(move || waker.wake());
            Poll::Pending
        })
        .await;
        drop(part);
    })?;

    let (fire, part) = (add(&once), latch.part());
    tasks.after(moment, move || {
        fire();
        drop(part);
    })?;

    // Its first call waits until it is known by what to cancel it.
    let (fire, part, itself) = (add(&often), latch.part(), Arc::new(Mutex::new(None)));
    let timer = itself.clone();
    {
        let mut known = locked(&itself);
        *known = Some(tasks.every(moment, move || {
            let _part = &part;
            if let (Some(timer), 3) = (*locked(&timer), fire()) {
                Task::cancel(timer);
            }
        })?);
    }

    let (fire, part) = (add(&never), latch.part());
    let day = tasks.after(Duration::from_secs(86_400), move || {
        fire();
        drop(part);
    })?;
    day.cancel();

    let ran = tasks.blocking("block", || 1).await?;
    latch.await;
    sleep(moment).await;
    let counts = [polled, once, often, never];
    let [polled, once, often, never] = counts.map(|count: Count| count.load(Ordering::Relaxed));
    Ok(format!(
        "polled {polled}, once {once}, often {often}, ran {ran}, never {never}"
    ))
}
