//! Does each sample do what its author would believe of it, through the real host,
//! from outside?

/// Does what is sent to an extension come back to every client, once and in order?
mod echo;
/// Do the filters of a plugin decide for the host and for other plugins?
mod filters;
/// Are clients and operators told what happens, when it happens?
mod telling;

use serde_json::Value;

use super::support::client::Response;
use super::support::server::Server;

const JSON: &[(&str, &str)] = &[("content-type", "application/json")];

fn post(server: &Server, path: &str, body: &Value) -> Response {
    server.request("POST", path, JSON, body.to_string().as_bytes())
}

fn reload(server: &Server, plugin: &str) {
    let path = format!("/api/host/plugins/{plugin}/reload");
    let reloaded = server.request("POST", &path, &[], b"");
    assert_eq!(reloaded.status, 200, "{reloaded:?}");
}
