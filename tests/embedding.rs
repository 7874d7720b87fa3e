//! Do the examples do what they say, with plugins that were built elsewhere?

use std::io::Write;
use std::path::{Path, PathBuf};
use std::process::{Command, Stdio};
use std::time::SystemTime;

use tempfile::TempDir;

use super::support::process::Running;
use super::support::{root, rust_plugin};

/// A folder outside the repository, with one for plugins in it.
struct Place {
    directory: TempDir,
}

impl Place {
    fn with(plugins: &[&Path]) -> Self {
        let directory = tempfile::tempdir().unwrap();
        let folder = directory.path().join("plugins");
        std::fs::create_dir(&folder).unwrap();
        for plugin in plugins {
            std::fs::copy(plugin, folder.join(plugin.file_name().unwrap())).unwrap();
        }
        Place { directory }
    }

    /// An example that is to run here.
    fn example(&self, name: &str) -> Command {
        let mut command = Command::new(example(name));
        command.current_dir(self.directory.path()).env("PORT", "0");
        command
    }
}

#[test]
fn an_application_serves_a_plugin_that_was_built_elsewhere() {
    let place = Place::with(&[&built_elsewhere()]);
    let running = Running::of(&mut place.example("embed"));
    assert_eq!(running.get("/").text(), "the application\n");
    let answer = running.get("/api/ext/elsewhere/hello");
    assert_eq!(
        (answer.status, answer.text()),
        (200, "hello from elsewhere")
    );
    assert_eq!(running.get("/api/ext/nowhere/hello").status, 404);
    running.signal("-TERM");
    let (code, log) = running.wait();
    assert_eq!(code, Some(0), "{log}");
}

#[test]
fn an_application_says_who_asks() {
    let place = Place::with(&[&rust_plugin("hello")]);
    let running = Running::of(&mut place.example("own_auth"));
    let ask = |path: &str, headers: &[(&str, &str)]| {
        let answer = running.get_with(path, headers);
        (answer.status, answer.text().to_owned())
    };
    let whoami = |headers| ask("/api/ext/hello/whoami", headers);
    let ada = [("x-api-key", "ada-key")];
    let grace = [("cookie", "theme=dark; session=grace-session")];
    assert_eq!(whoami(&ada), (200, r#"{"message":"hello Ada"}"#.to_owned()));
    assert_eq!(
        whoami(&grace),
        (200, r#"{"message":"hello Grace"}"#.to_owned())
    );
    assert_eq!(whoami(&[]).0, 401);
    assert_eq!(whoami(&[("x-api-key", "a guess")]).0, 401);
    assert_eq!(whoami(&[("cookie", "session=a-guess")]).0, 401);
    assert_eq!(ask("/api/ext/hello/hello", &[]).0, 200);

    let plugins = |headers| ask("/api/host/plugins", headers).0;
    assert_eq!(
        [plugins(&ada), plugins(&grace), plugins(&[])],
        [200, 403, 401]
    );
}

#[test]
fn a_program_without_a_server_asks_its_plugins() {
    let place = Place::with(&[&rust_plugin("email-guard")]);
    let mut program = place.example("no_http");
    let mut program = program
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .spawn()
        .unwrap();
    let mut stdin = program.stdin.take().unwrap();
    stdin
        .write_all(b"ada@example.com\ndr@evil.example\n")
        .unwrap();
    drop(stdin);
    let output = program.wait_with_output().unwrap();
    assert!(output.status.success(), "{output:?}");
    assert_eq!(
        String::from_utf8(output.stdout).unwrap(),
        "ada@example.com is welcome\n\
         dr@evil.example is not: email-guard says dr@evil.example contains evil\n"
    );
}

const MANIFEST: &str = r#"
[package]
name = "elsewhere"
version = "0.1.0"
edition = "2024"

[lib]
crate-type = ["cdylib"]
"#;

const SOURCE: &str = r#"
#![forbid(unsafe_code)]
use exthost_plugin::prelude::*;

struct Elsewhere;

impl Plugin for Elsewhere {
    fn init(router: &mut Router, _: &Services) -> Result<Self> {
        router.get("hello", || "hello from elsewhere").public();
        Ok(Elsewhere)
    }
}

export_plugin!(Elsewhere);
"#;

/// The library of a crate outside the repository, which shares with it the SDK and
/// the crates that were downloaded, and nothing that was built.
fn built_elsewhere() -> PathBuf {
    let place = tempfile::tempdir().unwrap();
    let (folder, sdk) = (place.path(), root().join("plugin-api"));
    let manifest = format!("{MANIFEST}\n[dependencies]\nexthost-plugin = {{ path = {sdk:?} }}\n");
    std::fs::write(folder.join("Cargo.toml"), manifest).unwrap();
    std::fs::create_dir(folder.join("src")).unwrap();
    std::fs::write(folder.join("src/lib.rs"), SOURCE).unwrap();
    std::fs::copy(root().join("Cargo.lock"), folder.join("Cargo.lock")).unwrap();
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("elsewhere");
    let built = cargo()
        .args(["build", "--offline", "--target-dir"])
        .arg(&target)
        .current_dir(folder)
        .status();
    assert!(built.unwrap().success(), "the plugin did not build");
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    target
        .join("debug")
        .join(format!("{prefix}elsewhere{suffix}"))
}

/// An example's program: the one that cargo has built beside this test. Where it
/// was told to build this test alone, the example is missing or old, and built here.
fn example(name: &str) -> PathBuf {
    let own = std::env::current_exe().unwrap();
    let profile = own.parent().and_then(Path::parent).unwrap();
    let suffix = std::env::consts::EXE_SUFFIX;
    let program = profile.join("examples").join(format!("{name}{suffix}"));
    let source = root().join("examples").join(format!("{name}.rs"));
    let newest = modified(&root().join("host")).max(modified(&source));
    if program.exists() && modified(&program) >= newest {
        return program;
    }
    let mut build = cargo();
    build.args(["build", "--example", name, "--target-dir"]);
    build.arg(profile.parent().unwrap()).current_dir(root());
    if profile.ends_with("release") {
        build.arg("--release");
    }
    assert!(build.status().unwrap().success(), "{name} did not build");
    program
}

/// When a file, or the newest below a folder, was changed.
fn modified(path: &Path) -> SystemTime {
    let metadata = std::fs::metadata(path).unwrap();
    if !metadata.is_dir() {
        return metadata.modified().unwrap();
    }
    let entries = std::fs::read_dir(path).unwrap();
    let all = entries.map(|entry| modified(&entry.unwrap().path()));
    all.max().unwrap_or(SystemTime::UNIX_EPOCH)
}

fn cargo() -> Command {
    Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()))
}
