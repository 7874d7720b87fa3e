//! A file that others write while it is loaded: what was inspected is what runs.

use std::collections::BTreeMap;
use std::fs::{self, OpenOptions};
use std::io::Write;
use std::os::unix::fs::symlink;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::{AtomicBool, Ordering};
use std::time::{Duration, Instant};

use exthost::inspect::inspect_bytes;
use fastrand::Rng;

use super::super::support::server::Server;
use super::super::support::{c_plugin, count};
use super::seed;

/// Names the folder of builds to the process that loads them.
const FOLDER: &str = "EXTHOST_TEST_SWAP";

/// Loads of one process, for their images stay mapped.
const BATCH: usize = 500;

/// Longest that one process may take over its loads.
const LOADS_MAX: Duration = Duration::from_secs(600);

/// The builds: their size, of which every two have the same.
const FILLINGS: [&str; 6] = ["100", "100", "5000", "5000", "90000", "90000"];

/// Why a file that is being written may be refused; one that became a link since its
/// name was looked up is no file.
const REASONS: [&str; 7] = [
    "changed",
    "empty",
    "malformed",
    "not-a-file",
    "not-a-library",
    "truncated",
    "unreadable",
];

#[test]
fn what_was_inspected_is_what_runs() {
    let folder = tempfile::tempdir().unwrap();
    for (number, filling) in FILLINGS.iter().enumerate() {
        let version = format!("-DVERSION=\"1.0.{number}\"");
        let filling = format!("-DFILLING={filling}");
        let source = "tests/hurt/swapped.c";
        let Some(built) = c_plugin(source, folder.path(), &[&version, &filling]) else {
            return;
        };
        fs::rename(built, folder.path().join(format!("{number}.so"))).unwrap();
    }
    let mut totals: BTreeMap<String, usize> = BTreeMap::new();
    let (seed, loads) = (seed(), count(60, 10_000));
    for batch in (0..loads).step_by(BATCH) {
        let output = Command::new(std::env::current_exe().unwrap())
            .args(["--exact", "hurt::swap::child", "--ignored", "--nocapture"])
            .env(FOLDER, folder.path())
            .env("EXTHOST_TEST_LOADS", BATCH.min(loads - batch).to_string())
            .env("EXTHOST_TEST_SEED", (seed + batch as u64).to_string())
            .output()
            .unwrap();
        let said = String::from_utf8_lossy(&output.stdout);
        let complained = String::from_utf8_lossy(&output.stderr);
        assert!(
            output.status.success(),
            "{}: {said}{complained}",
            output.status
        );
        for line in said.lines() {
            if let Some((what, number)) = line.split_once(" = ") {
                *totals.entry(what.to_owned()).or_default() += number.parse::<usize>().unwrap();
            }
        }
    }
    println!("{totals:?}");
    let loaded = totals.iter().filter(|(what, _)| what.starts_with("loaded"));
    assert_eq!(loaded.map(|(_, number)| number).sum::<usize>(), loads);
}

/// The process that loads.
#[test]
#[ignore = "keeps all it loads, and is run by others"]
fn child() {
    let folder = PathBuf::from(std::env::var_os(FOLDER).expect("the folder of builds"));
    let loads: usize = std::env::var("EXTHOST_TEST_LOADS")
        .unwrap()
        .parse()
        .unwrap();
    let builds: Vec<_> = (0..FILLINGS.len())
        .map(|number| fs::read(folder.join(format!("{number}.so"))).unwrap())
        .collect();
    let versions: BTreeMap<String, String> = builds
        .iter()
        .map(|bytes| {
            let inspected = inspect_bytes("build", bytes.clone()).unwrap();
            let version = inspected.meta().version.to_string();
            (inspected.hash().to_hex().to_string(), version)
        })
        .collect();
    assert_eq!(versions.len(), builds.len(), "two builds are the same");

    let server = Server::start(&[&folder.join("0.so")]);
    let file = server.plugin_file(Path::new("0.so"));
    let end = AtomicBool::new(false);
    let mut totals: BTreeMap<String, usize> = BTreeMap::new();
    std::thread::scope(|scope| {
        let _end = End(&end);
        scope.spawn(|| {
            let mut swap = Swap::of(&builds, &file, Rng::with_seed(seed()));
            while !end.load(Ordering::Relaxed) {
                swap.once();
            }
        });
        let (begun, mut done) = (Instant::now(), 0);
        while done < loads {
            assert!(begun.elapsed() < LOADS_MAX, "{done} loads, {totals:?}");
            let outcome = match server.block_on(server.host.install(&file)) {
                Ok(_) => {
                    done += 1;
                    loaded(&server, &versions)
                }
                Err(refusal) => {
                    let code = refusal.code();
                    assert!(REASONS.contains(&code), "{code}: {refusal}");
                    // The other thread may have to get on before it can be read.
                    std::thread::yield_now();
                    code
                }
            };
            *totals.entry(outcome.to_owned()).or_default() += 1;
        }
    });
    println!();
    for (what, number) in totals {
        println!("{what} = {number}");
    }
}

/// Ends the swapping when it is dropped, also by a panic.
struct End<'a>(&'a AtomicBool);

impl Drop for End<'_> {
    fn drop(&mut self) {
        self.0.store(true, Ordering::Relaxed);
    }
}

/// Compares the plugin that answers with the one that was inspected.
fn loaded(server: &Server, versions: &BTreeMap<String, String>) -> &'static str {
    let status = server.plugin("swapped");
    let version = status["version"].as_str().unwrap();
    let answer = server.get("/api/ext/swapped/version");
    let (code, meta) = answer.text().split_once(' ').unwrap();
    assert_eq!(meta, version, "another meta is in memory");
    match versions.get(status["hash"].as_str().unwrap()) {
        Some(built) => {
            assert_eq!((code, built.as_str()), (version, version), "a wrong image");
            "loaded"
        }
        // Half of it was overwritten when it was read: a file that was never built,
        // whole and well formed, and what was inspected runs all the same.
        None => "loaded half-written",
    }
}

/// Writes builds over each other, in every way there is.
struct Swap<'a> {
    builds: &'a [Vec<u8>],
    file: &'a Path,
    random: Rng,
}

impl<'a> Swap<'a> {
    fn of(builds: &'a [Vec<u8>], file: &'a Path, random: Rng) -> Self {
        Self {
            builds,
            file,
            random,
        }
    }

    fn once(&mut self) {
        let builds = self.builds;
        let build = &builds[self.random.usize(..builds.len())];
        match self.random.u32(..4) {
            0 => self.rename(build),
            1 => self.overwrite(build),
            2 => self.rewrite(build),
            _ => self.link(build),
        }
        // Long enough for some loads to find it at rest.
        std::thread::sleep(Duration::from_micros(self.random.u64(..5_000)));
    }

    /// As a deploy should.
    fn rename(&self, build: &[u8]) {
        let beside = self.file.with_file_name(".new");
        fs::write(&beside, build).unwrap();
        fs::rename(&beside, self.file).unwrap();
    }

    /// In place, in one go.
    fn overwrite(&self, build: &[u8]) {
        let mut file = OpenOptions::new().write(true).open(self.file).unwrap();
        file.write_all(build).unwrap();
        file.set_len(build.len() as u64).unwrap();
    }

    /// In place, from nothing, piece by piece.
    fn rewrite(&mut self, build: &[u8]) {
        let mut file = fs::File::create(self.file).unwrap();
        let size = self.random.usize(1_000..20_000);
        for piece in build.chunks(size) {
            file.write_all(piece).unwrap();
            std::thread::yield_now();
        }
    }

    /// By a link that leads elsewhere from now on.
    fn link(&mut self, build: &[u8]) {
        let number = self.random.u32(..2);
        let target = self.file.with_file_name(format!(".target-{number}"));
        fs::write(&target, build).unwrap();
        let beside = self.file.with_file_name(".link");
        symlink(&target, &beside).unwrap();
        fs::rename(&beside, self.file).unwrap();
    }
}
