//! The boundary between an exthost host and its plugins: frozen tables of plain
//! data and C functions, one capability a file.
//!
//! A plugin built once keeps loading in every later host of the same API major,
//! whatever compiler, language or dependency versions either side used. So a
//! published table never changes, not a field and not a meaning; growth is a new
//! table under a new id or revision, asked for by name. Authors of Rust plugins
//! use the crate `exthost-plugin`, which wraps these tables; authors in other
//! languages use `exthost.h`, which is generated from this crate.
//!
//! # Reading order
//! 1. [`meta`]: what a plugin says of itself, read from its file before any of
//!    its code can run.
//! 2. [`door`]: the one table a plugin exports, and the one it is handed.
//! 3. [`data`]: the plain data that crosses.
//! 4. One module for each service table: [`log`], [`config`], [`routes`],
//!    [`tasks`], [`events`], [`db`], [`broadcast`], [`webhooks`], [`kv`], [`cache`], [`audit`].
//! 5. [`fingerprint`] and [`layout`]: the two locks that keep the promise.
//! 6. [`embedded`]: a plugin without a file, in its host's own program.
//!
//! # What holds for every slot
//! * The first argument is `ctx` from [`door::Services`]; the second is `cause`,
//!   the id of the request, event, task or timer being served, or 0. From it the
//!   host knows the actor, the request id, the deadline and the depth of the
//!   call. A cause that has ended, or is not this plugin's, counts as 0. A slot
//!   that is addressed to such an id takes it in the place of `cause`
//!   (`respond`, `wake`), and answers [`Status::GONE`] when it has ended.
//! * It returns a [`Status`] and gives results through pointers. Any call may
//!   answer [`Status::INVALID`] for a malformed argument, [`Status::DENIED`],
//!   [`Status::STOPPED`] and [`Status::INTERNAL`]; what else, the slot says. An id that a slot stores
//!   through a pointer is never 0, is stored before anything is called because
//!   of it, and the pointer may be null.
//! * Arguments are borrowed for the call, unless the slot says otherwise.
//! * What may wait has a form that blocks, and one named `_async` that
//!   completes: when it returns [`Status::OK`] exactly one callback follows,
//!   also after cancel or stop; otherwise none does. Until then its `data`
//!   belongs to the host.
//! * A registration that is refused calls nothing, `release` neither; and no
//!   slot calls a callback itself, on the thread that called it, unless it says
//!   that it does before it returns.
//! * One tag says when it may be called: `[init]` during the plugin's `init`;
//!   `[any-thread]` from any thread, from `init` until `stop`. A hook's tag says
//!   when the host calls it: `[serving]` between `start` and the end of the
//!   drain, on any thread, several at a time.
//! * A bit or a code that the receiver does not know is refused, and so is a
//!   null callback, but for [`data::Release`].

#![allow(
    unsafe_code,
    reason = "two helpers follow foreign pointers; each proves why it may"
)]

pub mod audit;
pub mod broadcast;
pub mod cache;
pub mod config;
pub mod data;
pub mod db;
pub mod door;
pub mod embedded;
pub mod events;
pub mod fingerprint;
pub mod kv;
pub mod layout;
pub mod log;
pub mod meta;
pub mod routes;
pub mod tasks;
pub mod webhooks;

pub use data::{Buffer, Bytes, Error, Status, Str, Value, Version};
pub use door::{PluginTable, Services};
pub use embedded::Embedded;

/// The API version these tables make up. It grows by a minor for each table
/// added.
pub const API_VERSION: Version = Version {
    major: 1,
    minor: 1,
    patch: 0,
};
