//! A request, borrowed from the host for the time of one call.

use abi::Str;
use abi::routes::Request;
use exthost_abi as abi;

use super::host::Host;
use crate::actor::{Actor, ActorKind};
use crate::cause::Cause;
use crate::state::States;

/// Longest chain of actors on behalf of actors that is followed.
const ACTORS_MAX: usize = 8;

/// A request as extractors and layers see it: everything is borrowed from the
/// host, nothing is copied or decoded before it is asked for.
#[derive(Clone, Copy)]
pub struct Parts<'a> {
    raw: &'a Request,
    cause: Cause,
    states: &'a States,
}

impl<'a> Parts<'a> {
    /// # Safety
    /// All that `raw` points to must be readable for `'a`.
    pub(super) unsafe fn from_raw(raw: &'a Request, cause: Cause, states: &'a States) -> Self {
        Parts { raw, cause, states }
    }

    /// The HTTP method in capitals.
    pub fn method(&self) -> &'a str {
        self.text(self.raw.method)
    }

    /// The path after the mount as the client sent it, without a leading slash.
    pub fn path(&self) -> &'a str {
        self.text(self.raw.path)
    }

    /// The query as the client sent it, without `?`.
    pub fn query(&self) -> &'a str {
        self.text(self.raw.query)
    }

    /// Where the plugin is mounted: `/api/ext/<name>`.
    pub fn mount(&self) -> &'a str {
        self.text(self.raw.mount)
    }

    /// The values captured by the pattern with their names, in order, decoded.
    pub fn params(&self) -> impl Iterator<Item = (&'a str, &'a str)> + use<'a> {
        let parts = *self;
        self.list(self.raw.params, self.raw.params_len)
            .iter()
            .map(move |param| (parts.text(param.name), parts.text(param.value)))
    }

    /// The headers in the order received, names in lower case.
    pub fn headers(&self) -> impl Iterator<Item = (&'a str, &'a [u8])> + use<'a> {
        let parts = *self;
        self.list(self.raw.headers, self.raw.headers_len)
            .iter()
            .map(move |header| {
                // SAFETY: readable for `'a`, by the contract of `from_raw`.
                let value = unsafe { header.value.as_slice() };
                (parts.text(header.name), value.unwrap_or_default())
            })
    }

    /// The first value of the header `name`, if it is UTF-8.
    pub fn header(&self, name: &str) -> Option<&'a str> {
        let (_, value) = self
            .headers()
            .find(|(other, _)| other.eq_ignore_ascii_case(name))?;
        std::str::from_utf8(value).ok()
    }

    /// The whole body; empty where the handler streams it.
    pub fn body(&self) -> &'a [u8] {
        // SAFETY: readable for `'a`, by the contract of `from_raw`.
        unsafe { self.raw.body.as_slice() }.unwrap_or_default()
    }

    /// The client's address, `ip:port`; empty when unknown.
    pub fn peer(&self) -> &'a str {
        self.text(self.raw.peer)
    }

    /// The request's id in logs and error bodies.
    pub fn request_id(&self) -> &'a str {
        self.text(self.raw.request_id)
    }

    /// Who is asking.
    pub fn actor(&self) -> Actor {
        self.actor_at(self.raw.actor, ACTORS_MAX)
            .unwrap_or_default()
    }

    pub(crate) fn host(&self) -> &'static Host {
        self.cause.host
    }

    /// The id to answer.
    pub(crate) fn id(&self) -> u64 {
        self.cause.id
    }

    pub(crate) fn states(&self) -> &'a States {
        self.states
    }

    fn actor_at(&self, actor: *const abi::routes::Actor, depth: usize) -> Option<Actor> {
        let depth = depth.checked_sub(1)?;
        // SAFETY: null or readable for `'a`, by the contract of `from_raw`.
        let actor = unsafe { actor.as_ref() }?;
        let scopes = self.list(actor.scopes, actor.scopes_len);
        Some(Actor {
            kind: ActorKind::from_raw(actor.kind),
            id: self.text(actor.id).to_owned(),
            name: self.text(actor.name).to_owned(),
            scopes: scopes
                .iter()
                .map(|scope| self.text(*scope).to_owned())
                .collect(),
            on_behalf_of: self.actor_at(actor.on_behalf_of, depth).map(Box::new),
        })
    }

    /// Follows a text of the request; one that is malformed counts as empty.
    fn text(&self, text: Str) -> &'a str {
        // SAFETY: readable for `'a`, by the contract of `from_raw`.
        unsafe { text.as_str() }.unwrap_or_default()
    }

    fn list<T>(&self, ptr: *const T, len: usize) -> &'a [T] {
        // SAFETY: readable for `'a`, by the contract of `from_raw`.
        unsafe { abi::data::slice(ptr, len) }.unwrap_or_default()
    }
}

impl std::fmt::Debug for Parts<'_> {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Parts")
            .field("method", &self.method())
            .field("path", &self.path())
            .field("request_id", &self.request_id())
            .finish_non_exhaustive()
    }
}
