//! Refusals that depend on when, or on what was loaded before, each with the host
//! that gives it.

use std::fs::File;
use std::path::Path;
use std::process::Command;
use std::sync::Arc;
use std::sync::atomic::{AtomicBool, Ordering};
use std::thread::{self, JoinHandle};
use std::time::{Duration, Instant};

use exthost::config::PluginConfig;
use exthost::{Host, Refusal};
use serde_json::Value;

use super::zoo::{Zoo, compile};
use super::{agreed, stuck};
use crate::support::exthost;
use crate::support::process::Running;
use crate::support::server::{Server, eventually};

/// What gives the refusals of some codes.
pub(crate) struct Case {
    pub(crate) codes: &'static [&'static str],
    pub(crate) run: fn(),
}

/// All of them.
pub(crate) const CASES: &[Case] = &[
    case(&["changed"], a_file_that_is_written_while_it_is_read),
    case(&["disabled"], a_plugin_that_is_not_wanted),
    case(&["host-ending"], a_host_that_ends),
    case(&["image"], a_host_without_room),
    case(
        &["lock-malformed", "lock-unreadable", "lock-untrusted"],
        agreed::a_lock_that_cannot_be_used,
    ),
    case(
        &["not-pinned", "pin-differs"],
        agreed::a_file_that_was_not_agreed_to,
    ),
    case(
        &["foreign-owner", "writable-by-others"],
        agreed::a_file_that_others_can_write,
    ),
    case(
        &["load-timeout", "loader-stuck"],
        stuck::a_constructor_that_hangs,
    ),
    case(&["restart-only"], a_second_generation_that_would_share),
    case(&["stop-timeout"], a_stop_that_hangs),
];

const fn case(codes: &'static [&'static str], run: fn()) -> Case {
    Case { codes, run }
}

/// The size goes up and down until somebody has read while it did.
fn a_file_that_is_written_while_it_is_read() {
    let Some(zoo) = Zoo::new() else { return };
    let path = zoo.place(zoo.plugins().join("changing.so"), zoo.sound.clone());
    let _writing = Writing::start(&path);
    let changed = |refused: Vec<Refusal>| {
        let mut refused = refused.into_iter();
        refused.find(|refused| refused.code() == "changed")
    };
    let says = ["was written to while it was read", "rename them into place"];
    let examine = || Host::builder().directory(zoo.plugins()).examine();
    told(&until(|| changed(examine().unwrap().refused)), &says);
    let server = Server::start(&[]);
    let install = || server.block_on(server.host.install(&path));
    told(
        &until(|| changed(install().err().into_iter().collect())),
        &says,
    );
    assert!(zoo.marks().is_empty());
}

/// Changes the size of a file, up and down, until it is dropped.
struct Writing {
    over: Arc<AtomicBool>,
    thread: Option<JoinHandle<()>>,
}

impl Writing {
    fn start(path: &Path) -> Self {
        const SIZE: u64 = 32 * 1024 * 1024;
        let file = File::options().write(true).open(path).unwrap();
        // What is left is no plugin at any size.
        file.set_len(512).unwrap();
        let over: Arc<AtomicBool> = Arc::default();
        let ended = over.clone();
        let thread = thread::spawn(move || {
            while !ended.load(Ordering::Relaxed) {
                file.set_len(SIZE / 2).unwrap();
                file.set_len(SIZE).unwrap();
            }
        });
        let thread = Some(thread);
        Writing { over, thread }
    }
}

impl Drop for Writing {
    fn drop(&mut self) {
        self.over.store(true, Ordering::Relaxed);
        // A write that failed leaves the file as it is, which a test notices.
        let _ = self.thread.take().map(JoinHandle::join);
    }
}

fn a_plugin_that_is_not_wanted() {
    let Some(zoo) = Zoo::new() else { return };
    let path = zoo.place(zoo.plugins().join("marked.so"), zoo.sound.clone());
    let mut unwanted = PluginConfig::default();
    unwanted.enabled = false;
    let server = Server::start_with(&[], |builder| {
        builder.directory(zoo.plugins()).plugin("marked", unwanted)
    });
    // Nobody is told that a file is refused which is not asked for.
    assert!(server.refused().is_empty());
    let refusal = server.block_on(server.host.install(&path)).unwrap_err();
    assert_eq!(refusal.code(), "disabled");
    told(&refusal, &["plugin marked", "enabled = false"]);
    assert!(zoo.marks().is_empty());
}

fn a_host_that_ends() {
    let Some(zoo) = Zoo::new() else { return };
    let path = zoo.place(zoo.plugins().join("marked.so"), zoo.sound.clone());
    let server = Server::start(&[]);
    server.host.begin_shutdown();
    let refusal = server.block_on(server.host.install(&path)).unwrap_err();
    assert_eq!(refusal.code(), "host-ending");
    told(&refusal, &["shutting down", "start it again"]);
    assert!(zoo.marks().is_empty());
}

/// A process that may write no file as large as the plugin.
fn a_host_without_room() {
    let Some(zoo) = Zoo::new() else { return };
    let path = zoo.place(zoo.plugins().join("image.so"), zoo.sound.clone());
    let large = File::options().write(true).open(&path).unwrap();
    large.set_len(16 * 1024 * 1024).unwrap();
    let mut command = Command::new("sh");
    let script = "trap '' XFSZ; ulimit -f 8192; exec \"$@\"";
    let host = exthost();
    command.args(["-c", script, "sh"]).arg(host.get_program());
    let serving = serve(&mut command, &zoo, "");
    let says: &[&str] = &["private image", "File too large", "more memory or disk"];
    serving.has_refused(&[("image.so", "image", false, says)]);
    assert!(zoo.marks().is_empty());
}

fn a_second_generation_that_would_share() {
    let Some(zoo) = Zoo::new() else { return };
    let unique = compile(&["-DUNIQUE"]).unwrap().with("name", "unique");
    let path = zoo.place(zoo.plugins().join("unique.so"), unique);
    let server = Server::start_with(&[], |builder| builder.directory(zoo.plugins()));
    assert!(server.refused().is_empty());
    assert!(zoo.marks().contains("unique.so"));
    zoo.forget_marks();
    let refusal = server.block_on(server.host.install(&path)).unwrap_err();
    assert_eq!(refusal.code(), "restart-only");
    told(
        &refusal,
        &["plugin unique", "restart the host", "-fno-gnu-unique"],
    );
    let reloaded = server.request("POST", "/api/host/plugins/unique/reload", &[], b"");
    assert_eq!(reloaded.code(), "restart-only");
    assert!(zoo.marks().is_empty());
}

/// It is retired all the same, and the log tells.
fn a_stop_that_hangs() {
    let Some(zoo) = Zoo::new() else { return };
    let library = zoo.sound.clone().told("stop-timeout");
    let path = zoo.place(zoo.plugins().join("marked.so"), library);
    let limits = "[plugin.marked.limits]\ndrain_timeout_ms = 500\n";
    let serving = serve(&mut exthost(), &zoo, limits);
    serving.has_refused(&[]);
    std::fs::remove_file(path).unwrap();
    let running = serving.running;
    running.signal("-HUP");
    eventually("the log tells", || running.log().contains("stop-timeout"));
    let log = running.log();
    let line = log
        .lines()
        .find(|line| line.contains("stop-timeout"))
        .unwrap();
    assert!(
        line.contains("its stop did not return within 100 ms"),
        "{line}"
    );
}

/// Runs `exthost serve` over the zoo, with a configuration.
fn serve(command: &mut Command, zoo: &Zoo, config: &str) -> Serving {
    zoo.configure(config);
    let mut create = exthost();
    create.args(["token", "create", "reader", "--scope", "host.read"]);
    let created = create.current_dir(zoo.folder()).output().unwrap();
    assert!(created.status.success(), "{created:?}");
    let token = String::from_utf8(created.stdout).unwrap();
    command.args(["serve", "--listen", "127.0.0.1:0"]);
    command.current_dir(zoo.folder()).env("EXTHOST_LOG", "info");
    Serving {
        running: Running::of(command),
        bearer: format!("Bearer {}", token.trim()),
    }
}

/// A host as a child process, and a token to ask it with.
struct Serving {
    running: Running,
    bearer: String,
}

impl Serving {
    /// Name, code, whether code may have run, and message of each refused file.
    fn refused(&self) -> Vec<(String, String, bool, String)> {
        let headers = [("authorization", &*self.bearer)];
        let status = self.running.get_with("/api/host/plugins", &headers).json();
        let text = |value: &Value| value.as_str().unwrap().to_owned();
        let row = |refused: &Value| {
            let name = text(&refused["file"]);
            let (_, name) = name.rsplit_once('/').unwrap();
            let ran = refused["code_ran"].as_bool().unwrap();
            (
                name.to_owned(),
                text(&refused["code"]),
                ran,
                text(&refused["message"]),
            )
        };
        status["refused"]
            .as_array()
            .unwrap()
            .iter()
            .map(row)
            .collect()
    }

    /// Checks that these files were refused and no others: name, code, whether
    /// code may have run, and what the message names.
    fn has_refused(&self, expected: &[(&str, &str, bool, &[&str])]) {
        let refused = self.refused();
        assert_eq!(refused.len(), expected.len(), "{refused:?}");
        for ((name, code, ran, message), expected) in refused.iter().zip(expected) {
            assert_eq!(
                (&**name, &**code, *ran),
                (expected.0, expected.1, expected.2)
            );
            for text in expected.3 {
                assert!(message.contains(text), "{message}");
            }
        }
    }
}

/// Tries until there is something, for a minute at most.
fn until<T>(mut attempt: impl FnMut() -> Option<T>) -> T {
    let begun = Instant::now();
    loop {
        if let Some(found) = attempt() {
            return found;
        }
        assert!(begun.elapsed() < Duration::from_secs(60), "not within 60 s");
    }
}

/// Checks a refusal by which no code has run.
pub(super) fn told(refusal: &Refusal, says: &[&str]) {
    assert!(!refusal.code_ran());
    for text in says {
        assert!(refusal.message().contains(text), "{refusal}");
    }
}
