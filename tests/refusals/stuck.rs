//! A constructor that does not return. It keeps the dynamic linker's lock, and with
//! it whatever in the process begins a thread or ends it, so it runs in a process
//! of its own, in which nothing is done afterwards but to tell.

use std::fmt::Write;
use std::path::{Path, PathBuf};
use std::process::{Child, Command};
use std::thread;
use std::time::{Duration, Instant};

use exthost::Refusal;
use exthost::discovery::Candidate;
use exthost::inspect::inspect;
use exthost::library::{Loader, leave};
use exthost::verify::{Policy, verify};

use super::zoo::Zoo;

/// The variable that names the plugin directory to that process.
const PLUGINS: &str = "EXTHOST_TEST_STUCK";

/// What it is to load, in this order.
const FILES: [&str; 3] = ["first.so", "hangs.so", "waits.so"];

pub(crate) fn a_constructor_that_hangs() {
    let Some(zoo) = Zoo::new() else { return };
    for file in FILES {
        let library = match file {
            "hangs.so" => zoo.sound.clone().told("load-timeout"),
            _ => zoo.sound.clone(),
        };
        zoo.place(zoo.plugins().join(file), library);
    }
    let mut command = Command::new(std::env::current_exe().unwrap());
    let test = "refusals::stuck::it_loads_and_tells";
    command.args(["--ignored", "--exact", test]);
    ended(command.env(PLUGINS, zoo.plugins()).spawn().unwrap());
    let told = std::fs::read_to_string(answers(&zoo.plugins())).unwrap();
    let told: Vec<_> = told.lines().collect();
    assert_eq!(
        told,
        [
            "first.so loaded",
            "hangs.so load-timeout true its constructors did not return within 2000 ms; restart \
             the host without it",
            "waits.so loader-stuck false an earlier plugin hangs in its constructors and holds \
             the dynamic linker; no more plugins load until the host is restarted without it",
        ]
    );
    let ran = ["first.so", "hangs.so"].map(str::to_owned);
    assert_eq!(zoo.marks(), ran.into());
}

/// Waits for the end of a process, for a minute at most.
fn ended(mut child: Child) {
    let begun = Instant::now();
    loop {
        if let Some(status) = child.try_wait().unwrap() {
            assert!(status.success(), "{status}");
            return;
        }
        if begun.elapsed() > Duration::from_secs(60) {
            child.kill().unwrap();
            panic!("it did not end within 60 s");
        }
        thread::sleep(Duration::from_millis(20));
    }
}

/// Where that process tells.
fn answers(plugins: &Path) -> PathBuf {
    plugins.with_file_name("answers")
}

#[test]
#[ignore = "`a_constructor_that_hangs` runs it in a process of its own"]
fn it_loads_and_tells() {
    let Some(plugins) = std::env::var_os(PLUGINS).map(PathBuf::from) else {
        println!("skipped: {PLUGINS} is not set");
        return;
    };
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_time()
        .build()
        .unwrap();
    let loader = Loader::start(plugins.with_file_name("copies")).unwrap();
    let mut answer = String::new();
    for file in FILES {
        let path = plugins.join(file);
        let inspected = inspect(Candidate::file(&path)).unwrap();
        let verified = verify(inspected, &Policy::default()).unwrap();
        let deadline = match file {
            "hangs.so" => Duration::from_secs(2),
            _ => Duration::from_secs(60),
        };
        let loaded = runtime.block_on(loader.load(verified, deadline));
        match loaded.map_err(|why| Refusal::new(&path, why)) {
            Ok(_) => writeln!(answer, "{file} loaded").unwrap(),
            Err(refusal) => {
                let (code, ran) = (refusal.code(), refusal.code_ran());
                writeln!(answer, "{file} {code} {ran} {}", refusal.message()).unwrap();
            }
        }
    }
    std::fs::write(answers(&plugins), answer).unwrap();
    leave(0);
}
