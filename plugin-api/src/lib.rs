//! Write plugins for exthost: shared libraries that add routes, work and data to
//! a running server, in safe Rust.
//!
//! ```
//! #![forbid(unsafe_code)]
//! use exthost_plugin::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! struct Hello;
//!
//! impl Plugin for Hello {
//!     fn init(router: &mut Router, _services: &Services) -> Result<Self> {
//!         router.get("hello", hello).public();
//!         Ok(Hello)
//!     }
//! }
//!
//! #[derive(Deserialize)]
//! struct Name {
//!     name: Option<String>,
//! }
//!
//! #[derive(Serialize)]
//! struct Greeting {
//!     message: String,
//! }
//!
//! // GET /api/ext/hello/hello?name=World
//! async fn hello(Query(query): Query<Name>) -> Json<Greeting> {
//!     let name = query.name.as_deref().unwrap_or("world");
//!     Json(Greeting { message: format!("hello {name}") })
//! }
//!
//! export_plugin!(Hello);
//! # fn main() {}
//! ```
//!
//! The crate is a `cdylib` that depends on `exthost-plugin`, and on `serde` for
//! its own types; its package name is the plugin's name. Built once, it keeps
//! loading in every later host of the same API major, whatever compiler either
//! was built with.
//!
//! # A plugin's life
//! 1. **Meta.** [`export_plugin!`] writes name, version and what the plugin needs
//!    into the file as data. The host reads and checks it before any code of the
//!    plugin runs.
//! 2. **Init.** [`Plugin::init`] makes the plugin and adds routes. At a reload the
//!    old generation is still serving beside it.
//! 3. **Start.** [`Plugin::start`] begins work of the plugin's own. From here on
//!    requests arrive.
//! 4. **Drain.** No new calls; streams are ended, calls under way finish.
//! 5. **Stop.** [`Plugin::stop`] ends work of the plugin's own; tasks and timers
//!    are cancelled by the host. Then the plugin is dropped.
//!
//! # Handlers
//! A [`Handler`] is an `fn`, an `async fn` or a closure. Its arguments are
//! [extractors](FromRequest), which make something of the request; its result is
//! [a response](IntoResponse).
//!
//! | to read | take |
//! |---|---|
//! | what the pattern captured | [`Path<T>`](Path) |
//! | the query | [`Query<T>`](Query), [`RawQuery`] |
//! | the body | [`Json<T>`](Json), `String`, `Vec<u8>`, [`BodyStream`] |
//! | who is asking | [`Actor`] |
//! | headers, method, address, request id | [`Headers`], [`Method`], [`Peer`], [`RequestId`] |
//! | a value that handlers share, or the plugin | [`State<T>`](State) |
//! | whether the client has left | [`Cancelled`] |
//!
//! An **`fn` may block**: it runs on threads of the plugin's own. An **`async fn`
//! must not**: it runs on the thread that reads requests, and one that overstays
//! delays others; the host notices, and moves the route to the plugin's threads.
//! The host's runtime drives it, so futures that depend on another runtime (a
//! timer or a socket of tokio) do not work there; [`tasks`] has timers, and
//! [`blocking`] takes work that blocks off its hands.
//!
//! The future of an `async fn` is **dropped when nobody waits for it** any more:
//! the client left, or the deadline passed. What must be done to its end goes into
//! a task of its own ([`spawn`]). A plain `fn` runs to its end.
//!
//! # Errors
//! [`Error`] has a status, a code and a message, and is answered as
//! `application/problem+json`. `?` turns every other error into a 500 whose
//! message goes to the log and never to the client. An error type of your own that
//! is to be answered otherwise implements [`IntoResponse`], and the handler
//! returns it:
//!
//! ```
//! use exthost_plugin::prelude::*;
//!
//! enum Refused {
//!     Taken(String),
//! }
//!
//! impl IntoResponse for Refused {
//!     fn into_response(self) -> Response {
//!         match self {
//!             Refused::Taken(name) => Error::conflict(format!("{name} is taken")).into_response(),
//!         }
//!     }
//! }
//!
//! async fn register(name: String) -> Result<&'static str, Refused> {
//!     match &*name {
//!         "ada" => Err(Refused::Taken(name)),
//!         _ => Ok("welcome"),
//!     }
//! }
//! ```
//!
//! # Database
//! With the capability `db` a plugin has an SQLite database of its own, in which
//! its tables are named `ext_<name>_...`; see [`db`]. With `webhooks` it sends
//! messages to the endpoints of the operator, and those that a transaction fires
//! are sent if and only if it commits:
//!
//! ```
//! use exthost_plugin::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! struct Shop {
//!     db: Db,
//! }
//!
//! impl Plugin for Shop {
//!     fn init(router: &mut Router, services: &Services) -> Result<Self> {
//!         let db = services.db();
//!         db.migrate(&[(1, "CREATE TABLE ext_shop_orders (id INTEGER PRIMARY KEY, item TEXT)")])
//!             .wait()?;
//!         router.post("orders", order);
//!         router.get("orders", orders);
//!         Ok(Shop { db })
//!     }
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Order {
//!     item: String,
//! }
//!
//! async fn order(shop: State<Shop>, Json(order): Json<Order>) -> Result<StatusCode> {
//!     shop.db
//!         .transaction(async |tx| {
//!             tx.insert("ext_shop_orders", &order).await?;
//!             tx.fire("order.placed", &order).await
//!         })
//!         .await?;
//!     Ok(StatusCode::CREATED)
//! }
//!
//! fn orders(shop: State<Shop>) -> Result<Json<Vec<Order>>> {
//!     Ok(Json(shop.db.all("SELECT item FROM ext_shop_orders", ()).wait()?))
//! }
//!
//! export_plugin!(Shop, needs = [routes, db, webhooks]);
//! # fn main() {}
//! ```
//!
//! An `async fn` awaits a [call](db::Call), an `fn` waits for it with
//! [`wait`](db::Call::wait).
//!
//! # Webhooks
//! [`Webhooks::fire`] is done once the message will outlive a crash of the server;
//! it is then delivered at least once. Whom it goes to is the operator's to say:
//! endpoints, what each wants to hear of, and the secrets that sign it.
//!
//! ```
//! use exthost_plugin::prelude::*;
//! use serde::Serialize;
//!
//! #[derive(Serialize)]
//! struct Reading {
//!     degrees: f64,
//! }
//!
//! async fn report(webhooks: Webhooks, degrees: f64) -> Result<String> {
//!     let id = webhooks.fire("oven.too-hot", &Reading { degrees }).await?;
//!     Ok(format!("queued as {id}"))
//! }
//! ```
//!
//! # Events
//! With the capability `events` a plugin hears what the host and other plugins do,
//! may be asked before they do it, and tells and asks in turn; see [`events`]. A
//! handler is an `fn` or an `async fn`, as for a route; it takes an
//! [`events::Event`] and the [states](State) that it needs.
//!
//! ```
//! use exthost_plugin::events::Event;
//! use exthost_plugin::prelude::*;
//! use serde::{Deserialize, Serialize};
//!
//! struct Orders {
//!     events: Events,
//! }
//!
//! impl Plugin for Orders {
//!     fn init(router: &mut Router, services: &Services) -> Result<Self> {
//!         let events = services.events();
//!         events.on("order.placed", placed)?;
//!         events.filter("order.validate", in_stock)?;
//!         router.post("orders", order);
//!         Ok(Orders { events })
//!     }
//! }
//!
//! #[derive(Serialize, Deserialize)]
//! struct Order {
//!     item: String,
//! }
//!
//! // Told after the fact, in order.
//! async fn placed(event: Event<Order>) {
//!     log::info("an order").field("item", event.data.item);
//! }
//!
//! // Asked before; a filter may also replace what it is asked about.
//! fn in_stock(event: Event<Order>) -> Verdict {
//!     match &*event.data.item {
//!         "unicorn" => Verdict::veto("unicorns are sold out"),
//!         _ => Verdict::Pass,
//!     }
//! }
//!
//! // 422 with the reason when a filter, of whichever plugin, vetoes.
//! async fn order(orders: State<Orders>, Json(order): Json<Order>) -> Result<StatusCode> {
//!     let asked = orders.events.request("order.validate", &order, Policy::FailClosed);
//!     let order = asked.await?.passed()?;
//!     orders.events.emit("order.placed", &order)?;
//!     Ok(StatusCode::CREATED)
//! }
//!
//! export_plugin!(Orders, needs = [routes, events]);
//! # fn main() {}
//! ```
//!
//! # Keys and values, a cache, a record of who did what
//! [`Kv`] keeps values by their keys, for as long as is asked; [`Cache`] does so in memory,
//! where they may be lost. [`Audit`] appends to a record that the operator can verify. What
//! is done through a transaction ([`Tx::kv`], [`Tx::record`]) goes with it:
//!
//! ```
//! use exthost_plugin::prelude::*;
//!
//! async fn close_account(db: Db, kv: Kv, id: i64) -> Result<()> {
//!     db.transaction(async |tx| {
//!         tx.run("DELETE FROM ext_bank_accounts WHERE id = ?", id).await?;
//!         tx.kv().flush(&format!("account:{id}:")).await?;
//!         tx.record("account.closed", "account", id, &()).await
//!     })
//!     .await?;
//!     kv.add("closed", 1).await?;
//!     Ok(())
//! }
//! ```
//!
//! # Broadcast
//! With the capability `broadcast` a plugin publishes to the clients that are
//! connected at `/api/broadcast`, such as web pages; its channel `changed` is
//! `<name>/changed` there. Whoever can do without asks whether it was
//! [granted](Services::granted).
//!
//! ```
//! use exthost_plugin::prelude::*;
//!
//! struct Board {
//!     broadcast: Option<Broadcast>,
//! }
//!
//! impl Plugin for Board {
//!     fn init(router: &mut Router, services: &Services) -> Result<Self> {
//!         router.post("lines", write);
//!         let granted = services.granted("broadcast");
//!         Ok(Board { broadcast: granted.then(|| services.broadcast()) })
//!     }
//! }
//!
//! async fn write(board: State<Board>, line: String) -> Result<()> {
//!     if let Some(broadcast) = board.broadcast {
//!         broadcast.publish("changed", "written", &line)?;
//!     }
//!     Ok(())
//! }
//!
//! export_plugin!(Board, wants = [broadcast, log]);
//! # fn main() {}
//! ```
//!
//! # Panics
//! A panic costs the request it happens in, which is answered 500, or the event,
//! and is logged with its place; the plugin goes on serving. State that it left half-changed is
//! the plugin's to mend. With `panic = "abort"` it would take the server with it,
//! so the host refuses such plugins unless its operator opts in.
//!
//! # What a plugin shares with the server
//! The process. A plugin must not install signal handlers, change the working
//! directory, environment or locale, or exit; a crash, a stack overflow or an
//! endless loop is the server's as well.

mod actor;
mod answer;
mod audit;
mod body;
mod broadcast;
mod cache;
mod cause;
mod completion;
mod config;
pub mod db;
mod endpoint;
mod error;
pub mod events;
#[doc(hidden)]
pub mod export;
mod extract;
mod handler;
mod headers;
mod json;
pub mod kv;
pub mod log;
mod path;
mod plugin;
mod query;
mod response;
mod router;
mod services;
mod sse;
mod state;
mod status;
mod stream;
pub mod tasks;
mod values;
mod webhooks;

pub use actor::{Actor, ActorKind};
pub use audit::Audit;
pub use body::{BodyStream, Cancelled};
pub use broadcast::Broadcast;
pub use cache::Cache;
pub use config::Config;
pub use db::{Db, Tx};
pub use error::{Error, Result};
pub use events::{Decision, Events, Policy, Verdict};
pub use export::buffer::{Chunk, Payload};
pub use export::request::Parts;
pub use export::{Embedded, Exported};
pub use extract::{FromRequest, Method, Needs, Peer, RequestId};
pub use handler::Handler;
pub use headers::Headers;
pub use json::Json;
pub use kv::Kv;
pub use path::Path;
pub use plugin::Plugin;
pub use query::{Query, RawQuery};
pub use response::{Html, IntoResponse, Redirect, Response};
pub use router::{Layer, Route, Router};
pub use services::Services;
pub use sse::{Event, EventSender, Sse};
pub use state::State;
pub use status::StatusCode;
pub use stream::{BodySender, BodyWriter};
pub use tasks::{blocking, sleep, spawn, timeout};
pub use webhooks::{MessageId, Webhooks};

/// What nearly every plugin needs: `use exthost_plugin::prelude::*;`.
pub mod prelude {
    pub use crate::{
        Actor, Audit, BodyStream, Broadcast, Cache, Cancelled, Db, Decision, Error, Event, Events,
        Exported, FromRequest, Headers, Html, IntoResponse, Json, Kv, Layer, Method, Parts, Path,
        Peer, Plugin, Policy, Query, RawQuery, Redirect, RequestId, Response, Result, Router,
        Services, Sse, State, StatusCode, Tx, Verdict, Webhooks, export_plugin, log, sleep,
    };
}

/// The Rust of the crate's README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;
