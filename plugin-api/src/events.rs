//! Events between plugins and the host: publish, subscribe, filter.
//!
//! An event has a name, tokens joined by dots such as `note.created`, and a
//! payload, JSON unless it says otherwise. Whoever subscribed to a pattern that
//! matches, in which `*` stands for one token and a last `>` for the rest, hears
//! it: the plugin that emitted it too, unless it [says
//! otherwise](Subscribe::not_own). Names that begin with `core.` are the host's to
//! emit.
//!
//! | to | use |
//! |---|---|
//! | be told, after the fact and in order | [`Events::on`] |
//! | be asked first: let it pass, change it, or refuse | [`Events::filter`] |
//! | tell whoever listens | [`Events::emit`] |
//! | tell one plugin, which need not serve yet | [`Events::emit_to`] |
//! | ask the filters, and wait for what they decide | [`Events::request`] |
//!
//! # Handlers
//! A [`Handler`] takes an [`Event<T>`](Event) and the [`State`](crate::State) it
//! needs. An **`fn` may block**: it runs on threads of the plugin's own. An **`async
//! fn` must not**: it is polled at once on the host's runtime, and driven by it
//! until it is done. Its future is dropped when nobody waits for it any more: the
//! delivery's deadline passed, or the plugin stops.
//!
//! # Errors
//! An error or a panic of an observer is a fault, which the host logs and counts.
//! That of a filter, or a payload that it cannot read, is a failed filter; what it
//! means the one who asked has said by a [`Policy`]. So is no answer by the deadline.
//!
//! | what went wrong | answered with |
//! |---|---|
//! | a filter vetoed ([`Decision::passed`]) | 422, `vetoed` |
//! | the name or the pattern is malformed | 500, `invalid` |
//! | the name is the host's, `core.>` | 500, `denied` |
//! | the payload is larger than 1 MiB | 413 |
//! | the plugin named in `emit_to` is not there | 404 |
//! | a queue is full, or events cause each other more than 8 deep | 503 |
//! | [`wait`](Request::wait) in an `async fn` | 500, `misplaced` |

use serde::Serialize;
use serde::de::DeserializeOwned;

use crate::export::host::Host;
use crate::{Error, Result};

mod event;
mod handler;
mod request;
mod subscriber;
mod subscription;
mod verdict;

pub(crate) use event::Heard;
pub use event::{Event, FromContent, Raw};
pub use handler::{Filtering, Handler, Observing};
pub(crate) use request::Settled;
pub use request::{Decision, Policy, Request};
pub(crate) use subscriber::Subscriber;
pub use subscription::{Subscribe, Subscription};
pub(crate) use verdict::Answer;
pub use verdict::{IntoContent, Unchanged, Verdict};

/// Events between plugins and the host.
///
/// It is a reference in disguise, as [`Services`](crate::Services) is.
///
/// # Examples
/// ```
/// use exthost_plugin::events::Event;
/// use exthost_plugin::prelude::*;
/// use serde::{Deserialize, Serialize};
///
/// #[derive(Serialize, Deserialize)]
/// struct Note {
///     name: String,
/// }
///
/// struct Audit {
///     events: Events,
/// }
///
/// impl Plugin for Audit {
///     fn init(_: &mut Router, services: &Services) -> Result<Self> {
///         let events = services.events();
///         events.on("note.created", noted)?;
///         events.filter("note.validate", no_secrets)?;
///         Ok(Audit { events })
///     }
/// }
///
/// fn noted(event: Event<Note>, audit: State<Audit>) -> Result<()> {
///     log::info("a note").field("name", &*event.data.name);
///     audit.events.emit("audit.noted", &event.data)
/// }
///
/// async fn no_secrets(event: Event<Note>) -> Verdict {
///     match event.data.name.contains("secret") {
///         true => Verdict::veto("a note must hold no secrets"),
///         false => Verdict::Pass,
///     }
/// }
/// ```
#[derive(Debug, Clone, Copy)]
pub struct Events {
    host: &'static Host,
}

impl Events {
    pub(crate) fn new(host: &'static Host) -> Self {
        Events { host }
    }

    /// Calls `handler` after each event whose name matches `pattern`, in order.
    ///
    /// What is subscribed in [`init`](crate::Plugin::init) becomes active when the
    /// plugin serves.
    ///
    /// # Errors
    /// When the pattern is malformed, at the plugin's limit of subscriptions, and
    /// when the handler takes a state that is not there; during `init` that is
    /// known only at its end, and fails it.
    pub fn on<M>(
        &self,
        pattern: &str,
        handler: impl Handler<Observing, M>,
    ) -> Result<Subscription> {
        self.subscribe(pattern).on(handler)
    }

    /// Asks `handler` before each event that is [requested](Events::request) and
    /// whose name matches `pattern`.
    ///
    /// # Errors
    /// As for [`on`](Events::on).
    pub fn filter<M>(
        &self,
        pattern: &str,
        handler: impl Handler<Filtering, M>,
    ) -> Result<Subscription> {
        self.subscribe(pattern).filter(handler)
    }

    /// A subscription to `pattern` with options, which begins with
    /// [`on`](Subscribe::on) or [`filter`](Subscribe::filter).
    pub fn subscribe<'a>(&self, pattern: &'a str) -> Subscribe<'a> {
        Subscribe::new(self.host, pattern)
    }

    /// Emits an event with a JSON payload, 1 MiB at most; returns once it is queued,
    /// and never waits for who hears it.
    ///
    /// An observer whose queue is full misses it, and is told
    /// [how many](Event::lost) it has lost.
    ///
    /// # Errors
    /// As the [module](crate::events) says.
    pub fn emit(&self, name: &str, payload: &(impl Serialize + ?Sized)) -> Result<()> {
        self.host.emit(name, "", &serde_json::to_vec(payload)?)
    }

    /// Emits an event whose payload is of another media type; see
    /// [`emit`](Events::emit).
    ///
    /// # Errors
    /// As for `emit`.
    pub fn emit_bytes(&self, name: &str, content_type: &str, payload: &[u8]) -> Result<()> {
        self.host.emit(name, content_type, payload)
    }

    /// Emits an event to one plugin, which hears it exactly once, as soon as it
    /// serves.
    ///
    /// # Errors
    /// 404 when there is no such plugin, 503 when too much waits for it; else as for
    /// [`emit`](Events::emit).
    pub fn emit_to(
        &self,
        plugin: &str,
        name: &str,
        payload: &(impl Serialize + ?Sized),
    ) -> Result<()> {
        self.host
            .emit_to(plugin, name, &serde_json::to_vec(payload)?)
    }

    /// Asks every filter, then tells the observers; done with what the filters made
    /// of the payload, or with the veto.
    ///
    /// # Errors
    /// As the [module](crate::events) says. A veto is a [`Decision`], and becomes an
    /// error by [`Decision::passed`].
    ///
    /// # Examples
    /// ```
    /// use exthost_plugin::events::Policy;
    /// use exthost_plugin::prelude::*;
    /// use serde::{Deserialize, Serialize};
    ///
    /// #[derive(Serialize, Deserialize)]
    /// struct Signup {
    ///     email: String,
    /// }
    ///
    /// /// 422 with the reason when a filter vetoes it.
    /// async fn sign_up(events: State<Events>, Json(signup): Json<Signup>) -> Result<StatusCode> {
    ///     let asked = events.request("signup.validate", &signup, Policy::FailClosed);
    ///     let Signup { email } = asked.await?.passed()?;
    ///     log::info("signed up").field("email", email);
    ///     Ok(StatusCode::CREATED)
    /// }
    /// ```
    pub fn request<'a, T>(&self, name: &'a str, payload: &T, policy: Policy) -> Request<'a, T>
    where
        T: Serialize + DeserializeOwned + Send + 'static,
    {
        let payload = serde_json::to_vec(payload).map_err(Error::from);
        Request::new(self.host, name, payload, policy)
    }

    /// Whether anybody would hear an event of this name, so that its payload need
    /// not be built.
    ///
    /// # Errors
    /// When the name is malformed.
    pub fn has_listeners(&self, name: &str) -> Result<bool> {
        self.host.has_listeners(name)
    }
}

#[cfg(test)]
mod tests;
