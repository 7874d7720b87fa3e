//! Does a plugin in C keep values, cache and record by either form of each slot? And is
//! each misuse of them an error code?

mod rust;

use std::collections::BTreeMap;

use exthost_abi::Status;

use super::support::server::Server;
use super::support::{KEEPING_C, compiles_without_a_warning, shared_c_plugin};

const PLUGIN: &str = "/api/ext/keeping-c";

fn keeping() -> Option<Server> {
    Some(Server::start(&[&shared_c_plugin(KEEPING_C)?]))
}

/// What a route reports of its calls: name and status of each.
fn report(server: &Server, route: &str) -> Vec<(String, i64)> {
    let response = server.get(&format!("{PLUGIN}/{route}"));
    assert_eq!(response.status, 200, "{route}: {response:?}");
    let json = response.json();
    let calls = json.as_array().unwrap().iter();
    calls
        .map(|call| {
            let what = call[0].as_str().unwrap().to_owned();
            (what, call[1].as_i64().unwrap())
        })
        .collect()
}

#[test]
fn the_plugin_compiles_without_a_warning() {
    compiles_without_a_warning(KEEPING_C);
}

#[test]
fn both_forms_of_each_slot_do_the_same() {
    let Some(server) = keeping() else {
        return;
    };
    for (route, steps) in [("wait", 40), ("complete", 40), ("wait", 40), ("cache", 8)] {
        let taken = report(&server, route);
        let failed: Vec<_> = taken.iter().filter(|(_, status)| *status != 0).collect();
        assert!(failed.is_empty(), "{route}: {failed:?}");
        assert_eq!(taken.len(), steps, "{route}: {taken:?}");
    }
    let faults = server.get(&format!("{PLUGIN}/faults"));
    assert_eq!(faults.text(), "0");
}

/// What each misuse is answered with; every other one with `INVALID`.
const ANSWERED: &[(Status, &[&str])] = &[
    (
        Status::TOO_LARGE,
        &[
            "a key of 1025 bytes in get",
            "a key of 1025 bytes in write",
            "a key of 1025 bytes in add",
            "a key of 1025 bytes in expire",
            "a key of 1025 bytes in cache get",
            "a key of 1025 bytes in cache write",
            "a key of 1025 bytes in cache add",
            "a key of 1025 bytes in cache expire",
            "get of 1001 keys",
            "cache get of 1001 keys",
            "write of more than 1 MiB",
            "cache write of more than 1 MiB",
            "record of 129 bytes",
            "record of a long kind",
            "record of a long id",
            "record of more than 64 KiB",
        ],
    ),
    (
        Status::CONFLICT,
        &[
            "add to words",
            "add beyond 64 bits",
            "write beside its own transaction",
        ],
    ),
    (
        Status::GONE,
        &[
            "get in no transaction",
            "write in an ended transaction",
            "record in no transaction",
        ],
    ),
];

#[test]
fn each_misuse_is_an_error_code() {
    let Some(server) = keeping() else {
        return;
    };
    let answered: BTreeMap<&str, Status> = ANSWERED
        .iter()
        .flat_map(|(status, whats)| whats.iter().map(|what| (*what, *status)))
        .collect();
    let misused = report(&server, "misuse");
    for (what, status) in &misused {
        let expected = answered.get(what.as_str()).unwrap_or(&Status::INVALID);
        assert_eq!(*status, i64::from(expected.0), "{what}");
    }
    for what in answered.keys() {
        assert!(misused.iter().any(|(misuse, _)| misuse == what), "{what}");
    }
    assert_eq!(misused.len(), 87, "{misused:?}");
    for (what, status) in report(&server, "misuse-inline") {
        assert_eq!(status, i64::from(Status::MISPLACED.0), "{what}");
    }
    // What was refused has left nothing but what was set beside it.
    assert_eq!(server.get(&format!("{PLUGIN}/faults")).text(), "0");
    assert_eq!(
        report(&server, "wait")
            .iter()
            .filter(|(_, status)| *status != 0)
            .count(),
        0
    );
}
