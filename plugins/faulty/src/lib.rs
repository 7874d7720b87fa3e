//! Misbehaves on request: each way in which a plugin can fail its host is a
//! route or an option here, so that the tests can show what the host does.
#![forbid(unsafe_code)]

mod events;
mod life;
mod panics;
mod sql;
mod streams;
mod waits;

use exthost_plugin::prelude::*;
use serde::Deserialize;
use serde_json::{Value, json};

use crate::life::Options;

struct Faulty {
    options: Options,
    ticks: waits::Ticks,
}

impl Plugin for Faulty {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        let options: Options = services.config().read()?;
        life::init(&options)?;
        events::subscribe(services.events())?;
        events::routes(router);
        panics::routes(router);
        sql::routes(router);
        streams::routes(router);
        waits::routes(router);

        router
            .post("echo", |Json(value): Json<Value>| Json(value))
            .public();
        router.get("asked", asked).public();
        router.get("error", error).public();
        router.get("scoped", || "you may").scopes(["admin"]);
        router
            .get("items/{id}", |Path(id): Path<u64>| Json(json!({"id": id})))
            .public();
        router.get("log", log_line).public();
        router.get("config", config).public();
        router.get("version", version).public();
        router.get("big", big).public();
        Ok(Faulty {
            options,
            ticks: waits::Ticks::default(),
        })
    }

    fn start(&self) -> Result<()> {
        waits::start(&self.ticks)?;
        life::start(&self.options)
    }

    fn stop(&self) {
        life::stop(&self.options);
    }
}

impl Drop for Faulty {
    fn drop(&mut self) {
        log::info("drop of faulty");
        self.options.mark("drop");
    }
}

/// Who asks, and with which headers.
async fn asked(actor: Actor, headers: Headers) -> Json<Value> {
    let headers = headers.iter();
    let headers = headers.map(|(name, value)| json!([name, String::from_utf8_lossy(value)]));
    Json(json!({
        "anonymous": actor.is_anonymous(),
        "name": actor.name,
        "scopes": actor.scopes,
        "headers": headers.collect::<Vec<_>>(),
    }))
}

#[derive(Deserialize)]
struct Wanted {
    status: u16,
}

async fn error(Query(wanted): Query<Wanted>) -> Result<()> {
    Err(Error::new(
        StatusCode(wanted.status),
        "wanted",
        "an error was asked for",
    ))
}

async fn log_line(request: exthost_plugin::RequestId) {
    log::warn("a line from faulty")
        .field("request", request.0)
        .field("answer", 42);
}

async fn config() -> Result<Json<Value>> {
    let services = Services::current().ok_or_else(|| Error::internal("called by nobody"))?;
    Ok(Json(services.config().value()?))
}

async fn version(plugin: State<Faulty>) -> Json<Value> {
    Json(json!({"generation": plugin.options.label}))
}

#[derive(Deserialize)]
struct Size {
    bytes: usize,
}

async fn big(Query(size): Query<Size>) -> Vec<u8> {
    vec![b'x'; size.bytes]
}

export_plugin!(Faulty, wants = [config, db, events, log, webhooks]);
