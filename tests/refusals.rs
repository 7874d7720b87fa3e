//! Is each file that cannot serve refused for its own reason, and, where
//! docs/abi.md says so, before any of its code has run?

/// Files that nobody agreed to, or that others can write.
mod agreed;
/// Refusals that depend on when, or on what was loaded before.
mod apart;
/// Files that are refused for what they are.
mod bytes;
/// A library as bytes.
mod elf;
/// Files that are refused for what their operator says.
mod operator;
/// Files that are refused for what they would do here.
mod rules;
/// Files that are refused once some of their code has run.
mod running;
/// A constructor that does not return.
mod stuck;
/// A directory of files that are refused.
mod zoo;

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use exthost::inspect::running_glibc;
use exthost::{Host, Refusal};
use serde_json::Value;

use super::documentation::table_of_refusals;
use super::support::server::Server;
use super::support::{exthost, root};
use zoo::{Fixture, Zoo};

/// Codes that no file leads to, each with the reason; [`UNIT_TEST`] has them.
const NO_FILE: &[(&str, &str)] = &[
    (
        "stop-failed",
        "only a system that has no thread left for `stop` leads to it",
    ),
    (
        "stop-panicked",
        "`stop` returns nothing, and what its fence tells is counted as a fault",
    ),
];

/// A file of the host, and the test in it of the codes that no file leads to.
const UNIT_TEST: (&str, &str) = ("host/instance.rs", "each_hook_has_a_code_for_each_end");

/// Whether installing this one file is refused as it is among all of them.
fn concerns_the_file_alone(fixture: &Fixture) -> bool {
    let stage = &table_of_refusals()[fixture.code].0;
    // What a file starts after is settled among all, and a folder or a link
    // may be named by whoever names it.
    stage != "discover" && !["requires-missing", "order-cycle"].contains(&fixture.code)
}

/// A zoo of those that are refused before any of their code has run.
fn silent() -> Option<Zoo> {
    let mut zoo = Zoo::new()?;
    bytes::add(&mut zoo);
    rules::add(&mut zoo);
    Some(zoo)
}

#[test]
fn a_bad_file_is_refused_for_its_reason_before_its_code_runs() {
    let Some(zoo) = silent() else { return };
    // The one file that is no fixture, whose mark shows that they work.
    let sound = || BTreeSet::from(["marked.so".to_owned()]);

    let mut command = exthost();
    let output = command
        .arg("check")
        .arg(zoo.plugins())
        .arg("--json")
        .output();
    let output = output.unwrap();
    assert_eq!(output.status.code(), Some(1), "{output:?}");
    let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
    check(&zoo, &checked);
    assert_eq!(checked["plugins"].as_array().unwrap().len(), 1);
    assert_eq!(checked["plugins"][0]["name"], "marked");
    assert_eq!(zoo.marks(), BTreeSet::new(), "`exthost check` ran code");

    let server = Server::start_with(&[], |builder| builder.directory(zoo.plugins()));
    check_host(&zoo, &server);
    assert_eq!(zoo.marks(), sound(), "code of refused files has run");

    let alone = zoo
        .fixtures
        .iter()
        .filter(|one| concerns_the_file_alone(one));
    for fixture in alone {
        let refusal = server
            .block_on(server.host.install(&fixture.path))
            .unwrap_err();
        assert_eq!(refusal.code(), fixture.code, "{refusal}");
        fixture.check(&refusal.message());
        assert!(!refusal.code_ran(), "{refusal}");
    }
    assert_eq!(zoo.marks(), sound(), "code of refused files has run");
}

#[test]
fn what_the_operator_did_not_allow_or_put_there_is_refused_before_it_runs() {
    let Some(mut zoo) = Zoo::new() else { return };
    operator::add(&mut zoo);
    let examined = Host::builder().config(zoo.config()).examine().unwrap();
    assert!(examined.admitted.is_empty());
    assert_eq!(codes(&examined.refused), zoo.codes());

    let server = Server::start_with(&[], |builder| builder.config(zoo.config()));
    check_host(&zoo, &server);
    let ungranted = zoo.plugins().join("ungranted.so");
    let refusal = server.block_on(server.host.install(ungranted)).unwrap_err();
    assert_eq!(refusal.code(), "not-granted");
    assert_eq!(
        zoo.marks(),
        BTreeSet::new(),
        "code of refused files has run"
    );
}

#[test]
fn what_shows_only_in_memory_is_refused_after_its_constructors_ran() {
    let Some(mut zoo) = Zoo::new() else { return };
    running::add(&mut zoo);
    let examined = Host::builder().config(zoo.config()).examine().unwrap();
    assert_eq!(codes(&examined.refused), BTreeMap::new());
    // All of them, and the one that is there first.
    assert_eq!(examined.admitted.len(), zoo.fixtures.len() + 1);
    assert_eq!(zoo.marks(), BTreeSet::new(), "examining ran code");

    let server = Server::start_with(&[], |builder| builder.config(zoo.config()));
    check_host(&zoo, &server);
    // The linker finds that a symbol is missing before it calls constructors,
    // but not before all that may call something.
    let expected = examined
        .admitted
        .iter()
        .map(|plugin| plugin.inspected().path());
    let expected = expected.map(|path| path.file_name().unwrap().to_str().unwrap().to_owned());
    let expected = expected.filter(|name| name != "undefined.so");
    assert_eq!(zoo.marks(), expected.collect());
}

#[test]
fn what_depends_on_the_moment_is_refused_when_it_comes() {
    std::thread::scope(|scope| {
        for case in apart::CASES {
            let named = std::thread::Builder::new().name(case.codes.join(" "));
            named.spawn_scoped(scope, case.run).unwrap();
        }
    });
}

#[test]
fn each_code_of_the_documentation_has_a_fixture() {
    let Some(mut zoo) = silent() else { return };
    operator::add(&mut zoo);
    running::add(&mut zoo);
    let mut covered: BTreeSet<_> = zoo.fixtures.iter().map(|one| one.code).collect();
    covered.extend(apart::CASES.iter().flat_map(|case| case.codes));
    let (file, test) = UNIT_TEST;
    let source = std::fs::read_to_string(root().join(file)).unwrap();
    let (_, tested) = source.split_once(&format!("fn {test}(")).unwrap();
    for (code, why) in NO_FILE {
        assert!(covered.insert(code), "{code} has a fixture, but {why}");
        assert!(
            tested.contains(&format!("{code:?}")),
            "{code} is not tested"
        );
    }
    let table = table_of_refusals();
    let mut expected: BTreeSet<_> = table.keys().map(String::as_str).collect();
    if running_glibc().is_none() {
        expected.remove("needs-glibc");
    }
    assert_eq!(covered, expected);
}

/// Checks the refused files of a host, and that each tells whether its code may
/// have run as docs/abi.md does.
fn check_host(zoo: &Zoo, server: &Server) {
    let status = server.get("/api/host/plugins").json();
    check(zoo, &status);
    let table = table_of_refusals();
    for refused in status["refused"].as_array().unwrap() {
        let (_, before) = &table[refused["code"].as_str().unwrap()];
        assert_eq!(refused["code_ran"], before == "no", "{refused}");
    }
}

/// Checks the refused files of a status: that they are the fixtures and no
/// others, each with its code and what its message names.
fn check(zoo: &Zoo, status: &Value) {
    let refused = status["refused"].as_array().unwrap();
    let text = |refused: &Value, key: &str| refused[key].as_str().unwrap().to_owned();
    let file = |refused: &Value| PathBuf::from(text(refused, "file"));
    let pair = |refused| (file(refused), text(refused, "code"));
    let found: BTreeMap<_, _> = refused.iter().map(pair).collect();
    assert_eq!(found, zoo.codes());
    for fixture in &zoo.fixtures {
        let mut refused = refused.iter();
        let refused = refused.find(|refused| file(refused) == fixture.path);
        fixture.check(&text(refused.unwrap(), "message"));
    }
}

fn codes(refused: &[Refusal]) -> BTreeMap<PathBuf, String> {
    let pair = |refusal: &Refusal| (refusal.file().to_owned(), refusal.code().to_owned());
    refused.iter().map(pair).collect()
}

#[test]
fn a_strict_host_is_not_built_when_a_file_is_refused() {
    let directory = tempfile::tempdir().unwrap();
    std::fs::write(directory.path().join("notes.txt"), "a note").unwrap();
    let runtime = tokio::runtime::Runtime::new().unwrap();
    let built = runtime.block_on(
        exthost::Host::builder()
            .directory(directory.path())
            .data(directory.path().join("data"))
            .strict(true)
            .build(),
    );
    let error = built.unwrap_err().to_string();
    assert!(error.contains("refused"), "{error}");
}
