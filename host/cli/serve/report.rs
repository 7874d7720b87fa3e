//! What `exthost serve` prints of plugins.

use std::net::SocketAddr;

use exthost::registry::HostStatus;
use exthost::{BuildError, Reconfigured};

use crate::cli::output::{fail, say};

/// The plugins of a host that begins to serve at `address`.
pub(crate) fn begun(status: &HostStatus, address: SocketAddr) {
    for plugin in &status.plugins {
        let (name, version) = (&plugin.name, &plugin.version);
        say(format_args!(
            "{name} {version} serves at http://{address}/api/ext/{name}/"
        ));
    }
    for disabled in &status.disabled {
        say(format_args!(
            "{} is disabled: {}",
            disabled.name, disabled.reason
        ));
    }
    for name in &status.missing {
        say(format_args!(
            "{name} is configured, and no file of that name was found"
        ));
    }
    for refused in &status.refused {
        let (file, code, message) = (refused.file.display(), &refused.code, &refused.message);
        say(format_args!("refused  {code}  {file}: {message}"));
    }
    if status.plugins.is_empty() {
        say("no plugin serves");
    }
}

/// The files for which a host did not begin.
pub(crate) fn not_built(error: &BuildError) {
    if let BuildError::Refused { refusals } = error {
        for refusal in refusals {
            fail(refusal);
        }
    }
}

/// What reading all anew has changed.
pub(crate) fn reconfigured(outcome: &Reconfigured) {
    let changes = [
        ("loaded", &outcome.loaded),
        ("reloaded", &outcome.reloaded),
        ("retired", &outcome.retired),
    ];
    let mut told = Vec::new();
    for (what, names) in changes {
        if !names.is_empty() {
            told.push(format!("{what} {}", names.join(", ")));
        }
    }
    for refused in &outcome.refused {
        let (file, code, message) = (refused.file.display(), &refused.code, &refused.message);
        told.push(format!("refused {file}: {code}: {message}"));
    }
    match told.is_empty() {
        true => say("read all anew: nothing has changed"),
        false => say(format_args!("read all anew: {}", told.join("; "))),
    }
}
