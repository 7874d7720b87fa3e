//! An extension host for Rust servers: native plugins that keep loading when the
//! server is upgraded.
//!
//! A plugin is a shared library that says in its file what it is, exports one
//! frozen table of C functions, and answers requests under
//! `/api/ext/{name}/`. The contract between both sides is the crate
//! [`exthost_abi`]; plugins in Rust are written with `exthost-plugin`, those in
//! other languages with `exthost.h`. The command `exthost` is a thin user of this
//! crate.
//!
//! # Examples
//! An axum application that plugins extend:
//! ```no_run
//! # async fn run() -> Result<(), Box<dyn std::error::Error>> {
//! let host = exthost::Host::builder().directory("plugins").build().await?;
//! for refused in host.status().refused {
//!     eprintln!("{}: {}: {}", refused.file.display(), refused.code, refused.message);
//! }
//! let app = axum::Router::new()
//!     .route("/", axum::routing::get(async || "the application"))
//!     .merge(host.router());
//! let listener = tokio::net::TcpListener::bind("127.0.0.1:8080").await?;
//! axum::serve(listener, app).await?;
//! host.shutdown(std::time::Duration::from_secs(10)).await;
//! # Ok(())
//! # }
//! ```
//!
//! # From a file to a served route
//! Each step makes a value that only it can make, and consumes the one before:
//! to hold a `Verified` is the proof that its checks ran. [`Host`] takes all
//! plugins through them, and a file that fails one is a [`Refusal`].
//!
//! 1. [`discover`](discovery::discover) lists plugin directories and makes a
//!    [`Candidate`](discovery::Candidate) of each file. Names only; nothing is
//!    opened.
//! 2. [`inspect()`](inspect::inspect) reads the file into private memory, parses
//!    it, and makes an [`Inspected`](inspect::Inspected): format, machine,
//!    needed libraries, and the [`Meta`](inspect::Meta), which is data.
//! 3. [`verify()`](verify::verify) compares that with a
//!    [`Policy`](verify::Policy), without any input or output, and makes a
//!    [`Verified`](verify::Verified); [`admit`](verify::admit) settles names and
//!    order among all of them. [`Examined`] is the outcome of the steps up to here.
//! 4. [`Loader::load`](library::Loader::load) maps exactly the bytes inspected,
//!    checks the door and the layouts, and makes a [`Loaded`](library::Loaded).
//!    Here the plugin's code can run for the first time.
//! 5. [`Initialised::init`](instance::Initialised::init) runs the plugin's
//!    `init`, which makes the instance; what it registers is not active yet.
//! 6. [`Initialised::start`](instance::Initialised::start) runs `start`, once all
//!    have initialised, and makes a [`Serving`](instance::Serving), to which the
//!    [`Registry`](registry::Registry) leads requests.
//! 7. [`Serving::drain`](instance::Serving::drain) refuses further calls; those in
//!    flight go on in a [`Draining`](instance::Draining).
//! 8. [`Draining::retire`](instance::Draining::retire) waits for them, runs
//!    `stop`, ends tasks and frees the instance; a [`Retired`](instance::Retired)
//!    is left.
//!
//! A reload is steps 2 to 6 for a new generation while the old one serves, then
//! steps 7 and 8 for the old one. A failure before the switch leaves it serving.
//!
//! # What holds
//! * No code of a file runs before the file is verified: the loader takes nothing
//!   but a `Verified`, and loads the bytes it holds, not the file.
//! * No refused file keeps another from serving, unless the host is
//!   [strict](HostBuilder::strict).
//! * No plugin is called without a permit, and no instance is freed while one is
//!   out; if it overstays the drain, it is leaked and counted as abandoned.
//! * No library is ever unmapped. Images of retired generations stay, and are
//!   counted.
//! * Nothing crosses the boundary but plain data: no Rust type whose layout the
//!   compiler chooses, no panic, no reference that outlives its call.
//! * No request waits for a lock to find its plugin.
//! * No service knows the registry, axum, an instance or the ABI: what it calls
//!   is a closure.
//! * No `unsafe` outside `library` and `ffi`.
//! * No word of a plugin's panic, nor the message of its status 500, reaches a
//!   client; both are in the log under the request's id.
//!
//! What does not hold: a plugin in this process has the host's trust. A segfault,
//! an abort and a stack overflow end the process, and an endless loop keeps its
//! thread.
//!
//! # Modules, in reading order
//! 1. [`discovery`], [`inspect`](mod@inspect), [`verify`](mod@verify): bytes and
//!    rules; nothing runs.
//! 2. [`library`], [`instance`]: a plugin in memory, and its life.
//! 3. [`registry`]: name to plugin, and the status that operators see.
//! 4. `services` (one file each) and `ffi` (the functions behind each table):
//!    what a plugin can use.
//! 5. [`auth`]: who asks, and what they may. `metrics`: what is counted of all of
//!    it, as OpenMetrics.
//! 6. [`http`]: plugins under `/api/ext/{name}/`, the messages that they publish
//!    at `/api/broadcast`, the operators' API beside them.
//! 7. [`Host`] and [`HostBuilder`]: all of it together.
//! 8. [`testing`]: a host for the length of a test.
//! 9. [`config`], [`logs`], [`error`], [`name`], [`Clock`], `gate` and `private`:
//!    leaves.

pub mod auth;
mod clock;
pub mod config;
pub mod data;
pub mod discovery;
pub mod error;
mod ffi;
mod gate;
mod host;
pub mod http;
pub mod inspect;
pub mod instance;
pub mod library;
pub mod logs;
mod metrics;
pub mod name;
pub mod ownership;
pub mod pins;
mod private;
pub mod registry;
mod services;
pub mod testing;
pub mod verify;

pub use clock::Clock;
pub use config::Limits;
pub use error::Refusal;
pub use exthost_abi::Embedded;
pub use host::{
    BuildError, DataDirectory, DataError, Decision, EventError, Examined, Host, HostBuilder,
    ReconfigureError, Reconfigured, ReloadError,
};
pub use services::events::Policy;
pub use services::{audit, broadcast, webhooks};

/// The Rust of the README, compiled.
#[cfg(doctest)]
#[doc = include_str!("../README.md")]
struct Readme;

/// The Rust of the guide for authors, compiled, and its test run.
#[cfg(doctest)]
#[doc = include_str!("../docs/author.md")]
struct AuthorGuide;

/// The Rust of the guide to the audit, compiled.
#[cfg(doctest)]
#[doc = include_str!("../docs/audit.md")]
struct AuditGuide;

/// The Rust of the guide to keys and values, compiled.
#[cfg(doctest)]
#[doc = include_str!("../docs/kv.md")]
struct KvGuide;

/// The Rust of the guide to events, compiled.
#[cfg(doctest)]
#[doc = include_str!("../docs/events.md")]
struct EventsGuide;

/// The Rust of the guide for host developers, compiled.
#[cfg(doctest)]
#[doc = include_str!("../docs/host-developer.md")]
struct HostDeveloperGuide;
