//! Does a reload lose no request, and does a bad version leave the old one
//! serving?

use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::time::Duration;

use serde_json::json;

use super::support::client::Connection;
use super::support::server::{Server, eventually, options};
use super::support::{HELLO_C, c_plugin, count, root, rust_plugin};

/// Asks over and over until told to end, and counts what was answered.
fn load(server: &Server, path: &str, end: &AtomicBool, answered: &AtomicU64) {
    let mut connection = Connection::open(server.address).unwrap();
    while !end.load(Ordering::Relaxed) {
        let response = connection.request("GET", path, &[], b"");
        let response = response.unwrap_or_else(|error| panic!("{path}: lost: {error}"));
        assert_eq!(response.status, 200, "{path}: {response:?}");
        answered.fetch_add(1, Ordering::Relaxed);
    }
}

#[test]
fn a_reload_under_load_loses_no_request() {
    let plugins = [rust_plugin("hello"), rust_plugin("faulty")];
    let server = Server::start(&[&plugins[0], &plugins[1]]);
    let (end, answered) = (AtomicBool::new(false), AtomicU64::new(0));
    let reloads = count(10, 500);
    std::thread::scope(|scope| {
        for path in [
            "/api/ext/hello/hello",
            "/api/ext/hello/whoami",
            "/api/ext/faulty/sleep?ms=20",
            "/api/ext/faulty/block?ms=5",
            "/api/ext/faulty/stream?chunks=3&ms=5",
        ] {
            let (server, end, answered) = (&server, &end, &answered);
            scope.spawn(move || load(server, path, end, answered));
        }
        for _ in 0..reloads {
            for name in ["hello", "faulty"] {
                let path = format!("/api/host/plugins/{name}/reload");
                let reloaded = server.request("POST", &path, &[], b"");
                assert_eq!(reloaded.status, 200, "{reloaded:?}");
            }
            std::thread::sleep(Duration::from_millis(30));
        }
        end.store(true, Ordering::Relaxed);
    });
    let answered = answered.into_inner();
    println!("{answered} requests answered over {} reloads", 2 * reloads);
    assert!(answered > reloads as u64);
    for name in ["hello", "faulty"] {
        assert_eq!(server.plugin(name)["generation"], reloads as u64 + 1);
        eventually("the old generations are retired", || {
            server.plugin(name)["retired"] == reloads as u64
        });
        assert_eq!(server.plugin(name)["abandoned"], 0, "{name}");
    }
}

#[test]
fn a_bad_version_leaves_the_old_one_serving() {
    let hello = rust_plugin("hello");
    let server = Server::start(&[&hello]);
    let file = server.plugin_file(&hello);
    let good = std::fs::read(&file).unwrap();
    let reload = || server.request("POST", "/api/host/plugins/hello/reload", &[], b"");

    std::fs::write(&file, &good[..good.len() / 2]).unwrap();
    let refused = reload();
    assert_eq!((refused.status, &*refused.code()), (409, "truncated"));
    assert_eq!(server.refused()[0].1, "truncated");
    assert_eq!(server.get("/api/ext/hello/hello").status, 200);
    assert_eq!(server.plugin("hello")["generation"], 1);

    std::fs::write(&file, &good).unwrap();
    assert_eq!(reload().status, 200);
    assert_eq!(server.plugin("hello")["generation"], 2);
    assert!(server.refused().is_empty(), "a refusal outlived its cause");

    let unknown = server.request("POST", "/api/host/plugins/nobody/reload", &[], b"");
    assert_eq!((unknown.status, &*unknown.code()), (404, "no-such-plugin"));
}

#[test]
fn the_old_generation_answers_what_it_has_begun() {
    let faulty = rust_plugin("faulty");
    let directory = tempfile::tempdir().unwrap();
    let mark = directory.path().join("mark");
    let server = Server::start_with(&[&faulty], |builder| {
        builder.options("faulty", options(json!({"mark": mark})))
    });
    std::thread::scope(|scope| {
        let slow = scope.spawn(|| server.get("/api/ext/faulty/sleep?ms=500"));
        std::thread::sleep(Duration::from_millis(100));
        let path = "/api/host/plugins/faulty/reload";
        assert_eq!(server.request("POST", path, &[], b"").status, 200);
        // Two generations side by side: the new one answers at once.
        assert_eq!(server.get("/api/ext/faulty/items/1").status, 200);
        let marks = std::fs::read_to_string(&mark).unwrap();
        assert_eq!(marks, "init\ninit\n");
        assert_eq!(slow.join().unwrap().status, 200);
    });
    eventually("the old generation is destroyed", || {
        std::fs::read_to_string(&mark).unwrap() == "init\ninit\nstop\ndrop\n"
    });
}

#[test]
fn a_file_overwritten_in_place_does_not_hurt_what_is_loaded() {
    let hello = rust_plugin("hello");
    let server = Server::start(&[&hello]);
    let file = server.plugin_file(&hello);
    std::fs::write(&file, vec![0; 100_000]).unwrap();
    for _ in 0..100 {
        assert_eq!(server.get("/api/ext/hello/hello").status, 200);
    }
}

#[test]
fn a_file_refused_once_loaded_does_not_stand_in_the_way_of_the_next() {
    let directory = tempfile::tempdir().unwrap();
    let Some(built) = c_plugin(HELLO_C, directory.path(), &[]) else {
        return;
    };
    let server = Server::start(&[&built]);
    let file = server.plugin_file(&built);
    let good = std::fs::read(&file).unwrap();
    // The door's first word is its ABI, which is looked at in memory.
    let source = directory.path().join("abi-2.c");
    let sample = root().join(HELLO_C);
    let text = format!(
        "#include \"exthost.h\"\n#undef EXTHOST_ABI\n#define EXTHOST_ABI 2u\n#include {sample:?}\n"
    );
    std::fs::write(&source, text).unwrap();
    let abi_2 = c_plugin(source.to_str().unwrap(), directory.path(), &[]).unwrap();
    let reload = || server.request("POST", "/api/host/plugins/hello-c/reload", &[], b"");
    for generation in 2..5 {
        std::fs::copy(&abi_2, &file).unwrap();
        assert_eq!(reload().code(), "door-abi");
        std::fs::write(&file, &good).unwrap();
        let reloaded = reload();
        assert_eq!(reloaded.status, 200, "{reloaded:?}");
        assert_eq!(reloaded.json()["generation"], generation);
    }
}

#[test]
fn nothing_is_installed_once_the_host_ends() {
    let hello = rust_plugin("hello");
    let server = Server::start(&[&hello]);
    server.block_on(server.host.shutdown(Duration::from_secs(2)));
    let refused = server.block_on(server.host.install(server.plugin_file(&hello)));
    assert_eq!(refused.unwrap_err().code(), "host-ending");
}

#[test]
fn a_stream_that_outlasts_the_drain_is_cut_and_its_instance_freed() {
    let faulty = rust_plugin("faulty");
    let directory = tempfile::tempdir().unwrap();
    let mark = directory.path().join("mark");
    let mut limits = exthost::Limits::default();
    limits.drain_timeout = Duration::from_millis(1500);
    let server = Server::start_with(&[&faulty], |builder| {
        let option = options(json!({"mark": mark}));
        builder.options("faulty", option).limits(limits)
    });
    let mut endless = server.connect();
    endless.begin("GET", "/api/ext/faulty/leave").unwrap();
    endless.response_head().unwrap();
    let path = "/api/host/plugins/faulty/reload";
    assert_eq!(server.request("POST", path, &[], b"").status, 200);
    while endless.chunk().is_ok() {}
    eventually("the old generation is retired", || {
        server.plugin("faulty")["retired"] == 1
    });
    assert_eq!(server.plugin("faulty")["abandoned"], 0);
    let marks = std::fs::read_to_string(&mark).unwrap();
    assert!(marks.ends_with("stop\ndrop\n"), "{marks}");
}

#[test]
fn a_refusal_at_the_start_is_forgotten_once_its_file_serves() {
    let hello = rust_plugin("hello");
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("hello.so");
    std::fs::write(&file, "not yet").unwrap();
    // Found under another spelling of the directory than it is installed by.
    let offered = directory.path().join(".");
    let server = Server::start_with(&[], |builder| builder.directory(offered));
    assert_eq!(
        server.refused(),
        [("hello.so".to_owned(), "not-a-library".to_owned())]
    );
    std::fs::copy(&hello, &file).unwrap();
    server.block_on(server.host.install(&file)).unwrap();
    assert!(server.refused().is_empty());
    assert_eq!(server.get("/api/ext/hello/hello").status, 200);
}
