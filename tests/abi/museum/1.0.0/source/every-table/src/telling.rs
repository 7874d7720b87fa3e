//! `log/1`, `config/1`, `events/1` and `broadcast/1`.

use std::sync::Mutex;

use exthost_plugin::events::{Event, Raw, Request};
use exthost_plugin::log::Level;
use exthost_plugin::prelude::*;
use serde_json::Value;

use crate::EveryTable;
use crate::call::{Awaits, Call, Waits, add};
use crate::worker::locked;

/// What observers have kept.
#[derive(Default)]
pub(crate) struct Heard {
    told: Mutex<(u32, String)>,
    logged: Mutex<String>,
}

pub(crate) fn routes(router: &mut Router) {
    let waits: [(&str, Waits); 10] = [
        ("GET config", config),
        ("POST log", log),
        ("GET logged", logged),
        ("POST emit", emit),
        ("GET told", told),
        ("POST wait/ask", ask),
        ("GET listeners", listeners),
        ("GET denied", denied),
        ("POST publish", publish),
        ("GET subscribers", subscribers),
    ];
    let awaits: [(&str, Awaits); 1] = [("POST complete/ask", |call| Box::pin(ask_async(call)))];
    add(router, &waits);
    add(router, &awaits);
}

pub(crate) fn subscribe(events: Events) -> Result<()> {
    events.on("every-table.told", on_told)?;
    events.subscribe("core.log").not_own().on(on_logged)?;
    events
        .subscribe("every-table.ask")
        .priority(1)
        .filter(on_ask_later)?;
    events
        .subscribe("every-table.ask")
        .priority(-1)
        .filter(on_ask)?;
    Ok(())
}

fn config(call: Call) -> Result<String> {
    let value: Option<Value> = call.plugin.config.at(call.value("at"))?;
    let value = value.ok_or_else(|| Error::not_found("no option stands there"))?;
    Ok(value.to_string())
}

fn log(call: Call) -> Result<String> {
    let services = Services::current().ok_or_else(|| Error::internal("called by nobody"))?;
    let level = match call.value("level") {
        "1" => Level::Error,
        "2" => Level::Warn,
        _ => Level::Info,
    };
    let enabled = services.log().enabled(level);
    let line = services.log().line(level, &*call.body);
    let line = line
        .field("word", "word")
        .field("number", -7)
        .field("half", 0.5);
    drop(line.field("nothing", None::<i64>));
    Ok(format!("enabled {}", u8::from(enabled)))
}

async fn on_logged(event: Event<Raw>, plugin: State<EveryTable>) {
    let line = String::from_utf8_lossy(&event.data.0);
    if line.contains(r#""plugin":"every-table""#) {
        *locked(&plugin.heard.logged) = line.into_owned();
    }
}

fn logged(call: Call) -> Result<String> {
    Ok(locked(&call.plugin.heard.logged).clone())
}

fn emit(call: Call) -> Result<String> {
    let (events, name) = (call.plugin.events, "every-table.told");
    match call.value("to") {
        "self" => {
            let payload: Value = serde_json::from_str(&call.body)?;
            events.emit_to("every-table", name, &payload)?;
        }
        _ => events.emit_bytes(name, "application/json", call.body.as_bytes())?,
    }
    Ok("emitted".to_owned())
}

/// Goes on from another thread; the next one waits until this one is done.
async fn on_told(event: Event<Raw>, plugin: State<EveryTable>) {
    plugin.worker.visit().await;
    let mut told = locked(&plugin.heard.told);
    told.0 += 1;
    told.1 = format!(
        "{} from {} as {}",
        String::from_utf8_lossy(&event.data.0),
        event.emitter().unwrap_or_default(),
        event.content_type()
    );
}

fn told(call: Call) -> Result<String> {
    let told = locked(&call.plugin.heard.told);
    Ok(format!("{} {}", told.0, told.1))
}

/// The first filter: vetoes, fails in two ways, or passes.
async fn on_ask(event: Event<String>) -> Result<Verdict> {
    match &*event.data {
        "worse" => panic!("asked to panic in a filter"),
        "broken" => Err(Error::internal("it is broken")),
        "bad" => Ok(Verdict::veto("bad is refused")),
        _ => Ok(Verdict::Pass),
    }
}

/// The second filter: replaces the payload, later and from another thread.
async fn on_ask_later(event: Event<String>, plugin: State<EveryTable>) -> Verdict<String> {
    plugin.worker.visit().await;
    Verdict::Replace(event.data + "!")
}

fn asked(call: &Call) -> Result<Request<'static, String>> {
    let policy = match call.value("policy") {
        "closed" => Policy::FailClosed,
        _ => Policy::FailOpen,
    };
    let payload: String = serde_json::from_str(&call.body)?;
    Ok(call
        .plugin
        .events
        .request("every-table.ask", &payload, policy))
}

fn decided(decision: Decision<String>) -> String {
    match decision {
        Decision::Passed(payload) => format!("passed \"{payload}\""),
        Decision::Vetoed { by, reason } => format!("vetoed by {by}: {reason}"),
    }
}

fn ask(call: Call) -> Result<String> {
    asked(&call)?.wait().map(decided)
}

async fn ask_async(call: Call) -> Result<String> {
    asked(&call)?.await.map(decided)
}

async fn on_nothing(_: Event<Raw>, plugin: State<EveryTable>) {
    plugin.expect(false);
}

fn listeners(call: Call) -> Result<String> {
    let events = call.plugin.events;
    let hears = |name| events.has_listeners(name).map(u8::from);
    let (told, nothing) = (hears("every-table.told")?, hears("every-table.nothing")?);
    let for_now = events.on("every-table.for-now.*", on_nothing)?;
    let subscribed = hears("every-table.for-now.one")?;
    for_now.cancel();
    let unsubscribed = hears("every-table.for-now.one")?;
    Ok(format!(
        "told {told}, nothing {nothing}, subscribed {subscribed}, unsubscribed {unsubscribed}"
    ))
}

fn denied(call: Call) -> Result<String> {
    let done = match call.value("what") {
        "event" => call.plugin.events.emit("core.host.ready", &()),
        _ => call
            .plugin
            .db
            .exec("SELECT * FROM ext_another_items")
            .wait(),
    };
    Ok(done.map_or_else(|error| error.code().to_owned(), |()| String::new()))
}

fn publish(call: Call) -> Result<String> {
    let sequence = call
        .plugin
        .broadcast
        .publish_text("news", "said", &call.body)?;
    Ok(sequence.to_string())
}

fn subscribers(call: Call) -> Result<String> {
    Ok(call.plugin.broadcast.subscriber_count("news")?.to_string())
}
