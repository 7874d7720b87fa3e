//! The tests, one question a file.

#![allow(
    clippy::unwrap_used,
    clippy::print_stdout,
    reason = "a test may panic, and says what it skips"
)]

/// Does each published table still say what it said: in Rust, in C, in prose?
mod abi;
/// Does every module import only what stands below it?
mod architecture;
/// Is it on record who did what, and does a record that was touched show?
mod audit;
/// Does nobody get further than they may, whatever they send?
mod auth;
/// Does what is published reach those who may listen, in order, or are they told?
mod broadcast;
/// Does the page of the sample show in a browser what happens, as it happens?
mod browser;
/// Does `exthost call` tell what a server with the plugin would answer?
mod call;
/// Does a plugin work whatever compiler made it, of whatever language?
mod compilers;
/// Does the operator get back what was stored, whether a host serves or not?
#[cfg(unix)]
mod data;
/// Is what was acknowledged there, and what is not the plugin's out of its reach?
mod database;
/// Does `exthost dev` serve what was saved?
mod dev;
/// Does an old plugin serve in a new host, and a new one in an old host where it can?
mod directions;
/// Do the pages for people say what the code does?
mod documentation;
/// Do the examples do what they say, with plugins that were built elsewhere?
mod embedding;
/// Is each event heard once by whom it concerns, and what filters decide what holds?
mod events;
/// Does whatever goes wrong in a plugin cost no more than the request it happened
/// in?
mod faults;
/// Is nothing lost, and nothing taken away that may stay, when all is read anew?
mod hangup;
/// Does no file hurt the host: damaged, exchanged while it loads, or no file at all?
#[cfg(unix)]
mod hurt;
/// Does `exthost inspect` print the same meta of the same plugin, whatever its form?
mod inspection;
/// Does a plugin in C keep values, cache and record? Is each misuse an error code?
mod keeping;
/// Is a plugin refused whose tables are not those that were published?
mod locks;
/// Do the plugins that were built for an earlier API version still load and work?
mod museum;
/// Does what `exthost new` makes build, pass its tests and serve?
mod new;
/// With `locked = true`, is nothing loaded but what was agreed to, byte for byte?
mod pins;
/// Is each file that cannot serve refused for its own reason, before its code runs?
#[cfg(target_os = "linux")]
mod refusals;
/// Does a reload lose no request?
mod reload;
/// Do both samples answer the same, and what does the host answer for them?
mod routes;
/// Does each sample do what its author would believe of it?
mod samples;
/// Do operators see what their plugins do: numbers, lists and lines?
mod seeing;
/// Does `exthost serve` serve what its configuration says, to whom it says?
mod serve;
/// Told to end under load, does the host answer what it accepted, and stop its plugins?
mod shutdown;
/// Does a plugin in C store and tell by each slot, and is each misuse an error code?
mod storing;
/// Does a streamed body flow, both ways, from Rust and from C?
mod streaming;
/// What the tests share.
mod support;
/// Does what was committed reach the endpoint, signed, whoever was down or killed?
mod webhooks;
