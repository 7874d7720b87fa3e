//! Hands a request to a plugin's handler.

use std::ffi::c_void;

use exthost_abi::routes::{
    ACTOR_ANONYMOUS, ACTOR_PLUGIN, ACTOR_TOKEN, ACTOR_USER, Actor, Header, PathParam, Request,
    RouteHandle,
};
use exthost_abi::{Bytes, Str};

use crate::ffi::convert::Data;
use crate::ffi::hook;
use crate::services::actor::{self, ActorKind};
use crate::services::error::ServiceError;
use crate::services::routes::{Handle, Incoming};

/// The closure that calls `handle` with its `data`.
pub(super) fn handle(handle: RouteHandle, data: *mut c_void) -> Result<Handle, ServiceError> {
    let handle = handle
        .0
        .ok_or_else(|| ServiceError::invalid("handle is null"))?;
    let data = Data(data);
    Ok(Box::new(move |incoming| {
        let headers: Vec<Header> = incoming
            .headers
            .iter()
            .map(|(name, value)| Header {
                name: Str::new(name.as_str()),
                value: Bytes::new(value.as_bytes()),
            })
            .collect();
        let params: Vec<PathParam> = incoming
            .params
            .iter()
            .map(|(name, value)| PathParam {
                name: Str::new(name),
                value: Str::new(value),
            })
            .collect();
        with_actor(&incoming.exchange.actor, &mut |actor| {
            let request = request(incoming, &headers, &params, actor);
            // SAFETY: `add` promised that handler and data are valid until
            // `destroy`, which waits for this call; `request` and all that it
            // names outlive the call.
            hook(|| unsafe { handle(data.ptr(), incoming.id, &raw const request) })
        })
    }))
}

fn request(
    incoming: &Incoming<'_>,
    headers: &[Header],
    params: &[PathParam],
    actor: *const Actor,
) -> Request {
    Request {
        route: incoming.exchange.route.id,
        method: Str::new(incoming.method),
        path: Str::new(incoming.path),
        query: Str::new(incoming.query),
        mount: Str::new(incoming.mount),
        params: params.as_ptr(),
        params_len: params.len(),
        headers: headers.as_ptr(),
        headers_len: headers.len(),
        body: Bytes::new(incoming.body),
        peer: Str::new(incoming.peer),
        request_id: Str::new(&incoming.exchange.request_id),
        actor,
        deadline_ms: incoming.deadline.as_millis() as u64,
    }
}

/// Calls `call` with the ABI's form of `actor`, whose chain of
/// `on_behalf_of` lives on the stack.
fn with_actor<R>(actor: &actor::Actor, call: &mut dyn FnMut(*const Actor) -> R) -> R {
    let scopes: Vec<Str> = actor.scopes.iter().map(|scope| Str::new(scope)).collect();
    let raw = |on_behalf_of| Actor {
        kind: match actor.kind {
            ActorKind::Anonymous => ACTOR_ANONYMOUS,
            ActorKind::User => ACTOR_USER,
            ActorKind::Token => ACTOR_TOKEN,
            ActorKind::Plugin => ACTOR_PLUGIN,
        },
        reserved: 0,
        id: Str::new(&actor.id),
        name: Str::new(&actor.name),
        scopes: scopes.as_ptr(),
        scopes_len: scopes.len(),
        on_behalf_of,
    };
    match &actor.on_behalf_of {
        None => {
            let own = raw(std::ptr::null());
            call(&raw const own)
        }
        Some(other) => with_actor(other, &mut |other| {
            let own = raw(other);
            call(&raw const own)
        }),
    }
}
