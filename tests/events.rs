//! Is each event heard once by whom it concerns, in order, over whatever happens to
//! plugins meanwhile? And does what the filters decide hold?

/// Is what was sent heard once, in order, whatever its plugin goes through?
mod delivery;
/// Does the host tell what becomes of itself and its plugins?
mod host;
/// Do operators reach the filters and the plugins, over HTTP and by `exthost emit`?
mod operators;
/// Does each slot do as it says, wherever it is called, and is each misuse an error
/// code?
mod slots;

use std::path::{Path, PathBuf};

use exthost::HostBuilder;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::client::Response;
use super::support::server::{Server, eventually, options};
use super::support::{EVENTS_C, c_plugin, shared_c_plugin};

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

/// A host with the C plugin, of which `option` is an option beside `journal`.
fn serve(
    journal: &Journal,
    option: Value,
    adapt: impl FnOnce(HostBuilder) -> HostBuilder,
) -> Option<Server> {
    let plugin = shared_c_plugin(EVENTS_C)?;
    Some(Server::start_with(&[&plugin], |builder| {
        adapt(builder.options("events-c", options(journal.beside(option))))
    }))
}

/// The C plugin under another name, in `directory`.
fn named(directory: &Path, name: &str) -> Option<PathBuf> {
    let definition = format!("-DNAME=\"{name}\"");
    let built = c_plugin(EVENTS_C, directory, &[&definition])?;
    let renamed = directory.join(format!("lib{name}{}", std::env::consts::DLL_SUFFIX));
    std::fs::rename(built, &renamed).unwrap();
    Some(renamed)
}

/// Lets the plugin hear something; `how` is a query of its route `subscribe`.
fn subscribe(server: &Server, plugin: &str, how: &str) -> u64 {
    let response = server.get(&format!("/api/ext/{plugin}/subscribe?{how}"));
    assert_eq!(response.status, 200, "{how}: {response:?}");
    response.json()["subscription"].as_u64().unwrap()
}

/// Asks the filters of `name` over HTTP; `query` says how.
fn ask(server: &Server, name: &str, query: &str, payload: &[u8]) -> Response {
    let path = format!("/api/host/events/{name}?{query}");
    server.request("POST", &path, JSON, payload)
}

/// Sends an event to a plugin over HTTP.
fn dispatch(server: &Server, plugin: &str, event: &str, data: impl Into<Value>) -> Response {
    let body = json!({"plugin": plugin, "event": event, "data": data.into()});
    let body = body.to_string();
    server.request("POST", "/api/host/dispatch", JSON, body.as_bytes())
}

fn reload(server: &Server, plugin: &str) {
    let path = format!("/api/host/plugins/{plugin}/reload");
    let reloaded = server.request("POST", &path, &[], b"");
    assert_eq!(reloaded.status, 200, "{reloaded:?}");
}

/// What the plugin has heard, over all its generations.
struct Journal {
    directory: TempDir,
}

impl Journal {
    fn new() -> Self {
        Journal {
            directory: tempfile::tempdir().unwrap(),
        }
    }

    /// A file beside it.
    fn file(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }

    /// Options that make the plugin write it, beside others.
    fn beside(&self, mut option: Value) -> Value {
        option["journal"] = json!(self.file("journal"));
        option
    }

    /// The events, in the order in which they were heard.
    fn events(&self) -> Vec<Value> {
        let text = std::fs::read_to_string(self.file("journal")).unwrap_or_default();
        // The last line may be half written.
        let whole = text.rfind('\n').map_or("", |end| &text[..end]);
        let parsed = whole.lines().map(serde_json::from_str);
        parsed.map(|line| line.unwrap()).collect()
    }

    /// Those of one name, by their payloads.
    fn payloads(&self, name: &str) -> Vec<Value> {
        let mut events = self.events();
        events.retain(|event| event["name"] == name);
        events
            .iter()
            .map(|event| event["payload"].clone())
            .collect()
    }

    /// Waits until a payload of `name` is as wanted.
    fn wait_for(&self, name: &str, wanted: impl Fn(&Value) -> bool) {
        eventually(name, || self.payloads(name).iter().any(&wanted));
    }
}
