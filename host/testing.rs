//! A host in a test: a plugin, its data and its clients in the process of the test.
//!
//! The plugin is the real one and so is the host: what is asked goes through the
//! same router, database and queues as in a server. There is only no network, no
//! directory to fill and nothing to build before.
//!
//! # Examples
//! A test of a plugin:
//! ```
//! # use exthost_plugin::prelude::*;
//! # #[derive(serde::Deserialize)]
//! # struct Who { name: String }
//! # struct Hello;
//! # impl Plugin for Hello {
//! #     fn init(router: &mut Router, _: &Services) -> Result<Self> {
//! #         router.get("hello", |Query(who): Query<Who>| format!("hello {}", who.name));
//! #         Ok(Hello)
//! #     }
//! # }
//! # export_plugin!(Hello);
//! use exthost::testing::TestHost;
//!
//! # /*
//! #[tokio::test]
//! # */
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { it_greets().await }
//! async fn it_greets() {
//!     let host = TestHost::of(Hello::embedded()).await;
//!     let answer = host.get("hello?name=Ada").await;
//!     assert_eq!((answer.status().as_u16(), answer.text()), (200, "hello Ada"));
//! }
//! ```
//! with `exthost`, and `tokio` for its `#[tokio::test]`, as dev-dependencies of the
//! plugin. Its `crate-type` stays `cdylib`: a test in `src/` is compiled with it.
//!
//! What a plugin does beside answering is looked at in the same way: what it tells
//! the operator's endpoints with [`TestHost::webhooks`], what it publishes with
//! [`TestHost::listen`], what its timers do with [`TestHost::advance`]; and events are
//! emitted and asked with [`Host::emit`] and [`Host::request`], for a [`TestHost`] is
//! a [`Host`]:
//! ```
//! # use std::time::Duration;
//! # use exthost_plugin::prelude::*;
//! # struct Shop;
//! # impl Plugin for Shop {
//! #     fn init(router: &mut Router, services: &Services) -> Result<Self> {
//! #         let (broadcast, webhooks) = (services.broadcast(), services.webhooks());
//! #         router.post("orders", move |Json(item): Json<String>| async move {
//! #             webhooks.fire("order.placed", &item).await?;
//! #             broadcast.publish("orders", "placed", &item).map(drop)
//! #         });
//! #         Ok(Shop)
//! #     }
//! # }
//! # export_plugin!(Shop, needs = [routes, broadcast, webhooks]);
//! # use exthost::testing::TestHost;
//! # #[tokio::main(flavor = "current_thread")]
//! # async fn main() { an_order_is_told_of().await }
//! async fn an_order_is_told_of() {
//!     let host = TestHost::of(Shop::embedded()).await;
//!     let mut page = host.listen("*/orders").await;
//!     host.webhooks().fail_next(1, 503);
//!     host.post("orders", "bread").await;
//!     assert_eq!(page.next().await.unwrap().data, "bread");
//!     assert_eq!(host.webhooks().next().await.status, 503);
//!     host.advance(Duration::from_secs(5));
//!     assert_eq!(host.webhooks().next().await.event_type, "order.placed");
//! }
//! ```

mod answer;
mod builder;
mod caller;
mod listener;
mod receiver;
mod running;
#[cfg(test)]
mod tests;
mod webhooks;

use std::ops::Deref;
use std::path::PathBuf;
use std::time::Duration;

use bytes::Bytes;
use exthost_abi::Embedded;
use http::Request;
use serde::Serialize;

use crate::auth::Actor;
use crate::clock::Clock;
use crate::error::Refusal;
use crate::host::{Host, ReloadError};
use crate::http::Direct;
use crate::name::PluginName;
use running::Running;
use webhooks::TestEndpoint;

pub use answer::{Answer, ServerEvent};
pub use builder::TestHostBuilder;
pub use caller::Caller;
pub use listener::{Listener, Published};
pub use webhooks::{Delivery, Webhooks};

/// How long a test waits for anything before it fails.
const PATIENCE: Duration = Duration::from_secs(60);

/// How long [`TestHost::end`] gives the plugins.
const END: Duration = Duration::from_secs(10);

/// How long dropping a [`TestHost`] gives the plugins.
const DROP: Duration = Duration::from_secs(2);

/// A host for the length of a test, which is a [`Host`] as well.
///
/// Whoever asks is the developer, unless it is [said](Self::acting_as) who does.
/// Paths are relative to the first plugin that was given; those that begin with
/// `/` are as they are.
///
/// # Threading
/// The host runs on threads of its own, so it does not matter on which runtime the
/// test does.
///
/// # Panics
/// Whatever goes wrong ends the test, with what went wrong.
#[derive(Debug)]
pub struct TestHost {
    host: Host,
    direct: Direct,
    /// Where the first plugin is mounted, `/api/ext/hello/`.
    mount: String,
    clock: Clock,
    /// Nothing where no plugin uses webhooks.
    endpoint: Option<TestEndpoint>,
    /// What ends with it; nothing once it has.
    running: Option<Running>,
}

impl TestHost {
    /// A host with one plugin.
    ///
    /// # Panics
    /// When the plugin is refused, with the reason.
    pub async fn of(plugin: Embedded) -> TestHost {
        let started = TestHost::builder().embed(plugin).start().await;
        started.unwrap_or_else(|error| panic!("{}", builder::words(&error)))
    }

    /// Begins a host that is to be more than one plugin.
    pub fn builder() -> TestHostBuilder {
        TestHostBuilder::new()
    }

    /// The host itself.
    pub fn host(&self) -> &Host {
        &self.host
    }

    /// Asks for `path`.
    pub async fn get(&self, path: &str) -> Answer {
        self.developer().get(path).await
    }

    /// Sends JSON to `path`.
    pub async fn post(&self, path: &str, body: &(impl Serialize + ?Sized)) -> Answer {
        self.developer().post(path, body).await
    }

    /// Puts JSON at `path`.
    pub async fn put(&self, path: &str, body: &(impl Serialize + ?Sized)) -> Answer {
        self.developer().put(path, body).await
    }

    /// Patches `path` with JSON.
    pub async fn patch(&self, path: &str, body: &(impl Serialize + ?Sized)) -> Answer {
        self.developer().patch(path, body).await
    }

    /// Deletes `path`.
    pub async fn delete(&self, path: &str) -> Answer {
        self.developer().delete(path).await
    }

    /// Sends any request; [`path`](Self::path) makes its path absolute.
    ///
    /// # Examples
    /// ```
    /// # async fn send(host: &exthost::testing::TestHost) {
    /// let request = http::Request::post(host.path("items")).header("content-type", "text/csv");
    /// let answer = host.send(request.body("bread,1").unwrap()).await;
    /// # }
    /// ```
    pub async fn send(&self, request: Request<impl Into<Bytes>>) -> Answer {
        self.developer().send(request).await
    }

    /// The absolute form of `path`.
    pub fn path(&self, path: &str) -> String {
        match path.starts_with('/') {
            true => path.to_owned(),
            false => format!("{}{path}", self.mount),
        }
    }

    /// The same host, asked by `actor`.
    pub fn acting_as(&self, actor: Actor) -> Caller<'_> {
        Caller::new(self, Some(actor))
    }

    /// The same host, asked by somebody who does not say who they are.
    pub fn anonymous(&self) -> Caller<'_> {
        self.acting_as(Actor::default())
    }

    /// What the plugins tell the operator's endpoints. There is nothing to
    /// configure: an endpoint is there that wants all of it.
    ///
    /// # Panics
    /// When none of the plugins that the host was given needs or wants `webhooks`.
    pub fn webhooks(&self) -> Webhooks<'_> {
        let endpoint = self.endpoint.as_ref();
        let endpoint = endpoint.unwrap_or_else(|| {
            panic!("no plugin sends webhooks; write export_plugin!(.., needs = [webhooks])")
        });
        Webhooks::new(self, endpoint)
    }

    /// Listens to what is published on the channels that match `patterns`, such as
    /// `notes/>`; several are separated by commas.
    ///
    /// # Panics
    /// When they cannot be listened to.
    pub async fn listen(&self, patterns: &str) -> Listener {
        Listener::connect(self, patterns).await
    }

    /// Moves the time on that webhooks and the timers of plugins go by: what is due
    /// by then happens now. A timer that repeats fires once.
    pub fn advance(&self, by: Duration) {
        self.clock.advance(by);
    }

    /// [`Host::reload`].
    ///
    /// # Errors
    /// [`ReloadError`].
    pub async fn reload(&self, plugin: &str) -> Result<(), ReloadError> {
        let (host, plugin) = (self.host.clone(), plugin.to_owned());
        self.running()
            .run(async move { host.reload(&plugin).await })
            .await
    }

    /// [`Host::install`].
    ///
    /// # Errors
    /// [`Refusal`].
    pub async fn install(&self, file: impl Into<PathBuf>) -> Result<PluginName, Refusal> {
        let (host, file) = (self.host.clone(), file.into());
        self.running()
            .run(async move { host.install(file).await })
            .await
    }

    /// Ends the host as a server would: calls in flight finish, `stop` of each
    /// plugin has run when this returns. Dropping the host does the same, with less
    /// time for it.
    pub async fn end(mut self) {
        if let Some(running) = self.running.take() {
            running.end(self.host.clone(), END).await;
        }
    }

    fn developer(&self) -> Caller<'_> {
        Caller::new(self, None)
    }

    fn running(&self) -> &Running {
        // It is taken when the host ends, and nobody has the host after that.
        self.running.as_ref().unwrap_or_else(|| unreachable!())
    }
}

impl Deref for TestHost {
    type Target = Host;

    fn deref(&self) -> &Host {
        &self.host
    }
}

impl Drop for TestHost {
    fn drop(&mut self) {
        if let Some(running) = self.running.take() {
            running.end_here(self.host.clone(), DROP);
        }
    }
}
