//! Does what `exthost new` makes build, pass its tests and serve, outside this
//! repository, as it is typed by whoever begins?

use std::path::{Path, PathBuf};
use std::process::{Command, Output};
use std::time::{Duration, Instant};

use tempfile::TempDir;

use super::support::process::Running;
use super::support::{count, exthost, root};

/// A folder outside the repository, with a space in its path as people have them, and
/// with one for plugins in it.
struct Place {
    directory: TempDir,
}

impl Place {
    fn new() -> Self {
        let directory = tempfile::Builder::new()
            .prefix("my place ")
            .tempdir()
            .unwrap();
        std::fs::create_dir(directory.path().join("plugins")).unwrap();
        Place { directory }
    }

    /// Lets cargo use what is here already: the crates that were downloaded for this
    /// repository, and what was built of them.
    fn frugal(self) -> Self {
        let folder = self.directory.path().join(".cargo");
        std::fs::create_dir(&folder).unwrap();
        let config = format!(
            "[build]\ntarget-dir = {:?}\n[net]\noffline = true\n",
            target()
        );
        std::fs::write(folder.join("config.toml"), config).unwrap();
        self
    }

    /// Begins a plugin; returns its folder.
    fn begin(&self, name: &str, arguments: &[&str]) -> PathBuf {
        let output = self.output(&["new", name, "--directory", "plugins"], arguments);
        let told = succeeded(&output);
        assert!(told.contains(&format!("\n  cd plugins/{name}\n")), "{told}");
        self.directory.path().join("plugins").join(name)
    }

    fn output(&self, command: &[&str], more: &[&str]) -> Output {
        let mut exthost = exthost();
        exthost.args(command).args(more);
        exthost.current_dir(self.directory.path()).output().unwrap()
    }

    /// What `exthost call` prints of an answer.
    fn call(&self, library: &Path, more: &[&str]) -> String {
        let output = self.output(&["call", library.to_str().unwrap()], more);
        succeeded(&output)
    }

    /// Serves all plugins with `exthost dev`, and returns the greeting of one.
    fn greeting(&self, name: &str) -> String {
        let running = Running::start(self.directory.path());
        let greeting = running.get(&format!("/api/ext/{name}/hello?name=Ada"));
        assert_eq!(greeting.status, 200, "{greeting:?}");
        greeting.text().to_owned()
    }

    /// The names in the folder of plugins.
    fn plugins(&self) -> Vec<String> {
        let entries = std::fs::read_dir(self.directory.path().join("plugins")).unwrap();
        let names = entries.map(|entry| entry.unwrap().file_name());
        names.map(|name| name.into_string().unwrap()).collect()
    }
}

const GREETING: &str = r#"{"message":"hello Ada"}"#;

#[test]
fn a_plugin_in_rust_is_whole() {
    let place = Place::new().frugal();
    let begun = Instant::now();
    let folder = place.begin("my-first", &[]);
    let made = begun.elapsed();
    let cargo = |arguments: &[&str]| run(cargo().args(arguments), &folder);
    cargo(&["fmt", "--check"]);
    cargo(&["build"]);
    let tests = cargo(&["test"]);
    assert!(tests.contains("test result: ok. "), "{tests}");
    assert!(!tests.contains(" 0 passed"), "{tests}");

    let library = library(&target().join("debug"), "my_first");
    is_accepted(&place, &library);
    assert_eq!(place.call(&library, &["hello?name=Ada"]), GREETING);
    let begun = Instant::now();
    assert_eq!(place.greeting("my-first"), GREETING);
    report("Rust", made, begun);

    if count(0, 1) == 1 {
        cargo(&["clippy", "--all-targets", "--", "-D", "warnings"]);
        cargo(&["build", "--release"]);
        is_accepted(
            &place,
            &self::library(&target().join("release"), "my_first"),
        );
    }
}

#[test]
fn a_plugin_in_c_is_whole() {
    if ["cc", "make"].map(is_here) != [true; 2] {
        return;
    }
    let place = Place::new();
    let begun = Instant::now();
    let folder = place.begin("my-first", &["--lang", "c"]);
    let made = begun.elapsed();
    let make = |arguments: &[&str]| {
        let program = format!("EXTHOST={}", env!("CARGO_BIN_EXE_exthost"));
        let mut make = Command::new("make");
        run(
            make.args(arguments).args([&program, "CFLAGS=-O1 -Werror"]),
            &folder,
        )
    };
    make(&[]);
    let library = library(&folder.join("build"), "my-first");
    is_accepted(&place, &library);
    let tests = make(&["test"]);
    assert!(tests.contains("ok  my-first 0.1.0"), "{tests}");

    let options = place.directory.path().join("options.toml");
    let text = "[plugin.my-first.options]\ngreeting = 'good \"day\"'\n";
    std::fs::write(&options, text).unwrap();
    let greeting = place.call(&library, &["hello", "--config", options.to_str().unwrap()]);
    assert_eq!(greeting, r#"{"message":"good \"day\" world"}"#);

    make(&["clean"]);
    assert!(!library.exists());
    let begun = Instant::now();
    assert_eq!(place.greeting("my-first"), GREETING);
    report("C", made, begun);
}

#[test]
fn a_plugin_in_c_that_is_wrong_fails_its_tests() {
    if ["cc", "make"].map(is_here) != [true; 2] {
        return;
    }
    let place = Place::new();
    let folder = place.begin("wrong", &["--lang", "c"]);
    let source = folder.join("wrong.c");
    let text = std::fs::read_to_string(&source).unwrap();
    let wrong = text.replace(
        "EXTHOST_STR(\"whoami\"), 0,",
        "EXTHOST_STR(\"whoami\"), EXTHOST_ROUTE_PUBLIC,",
    );
    assert_ne!(wrong, text);
    std::fs::write(&source, wrong).unwrap();
    let program = format!("EXTHOST={}", env!("CARGO_BIN_EXE_exthost"));
    let mut make = Command::new("make");
    let output = make.args(["test", &program]).current_dir(&folder).output();
    let output = output.unwrap();
    assert!(!output.status.success(), "{output:?}");
    // It was built and checked, and answered what is still right.
    let told = String::from_utf8_lossy(&output.stdout);
    assert!(told.contains("ok  wrong 0.1.0"), "{told}");
    assert!(told.contains("grep -q"), "{told}");
}

#[test]
fn what_cannot_be_made_is_told_and_leaves_nothing() {
    let place = Place::new();
    place.begin("there", &["--lang", "c"]);
    let file = place.directory.path().join("file");
    std::fs::write(&file, "").unwrap();
    for (arguments, part) in [
        (&["my_first"][..], "; try `my-first`\n"),
        (&["there"], "`plugins/there` has something in it; "),
        (&["exthost"], "`exthost` is a crate "),
        (&["a", "--lang", "zig"], "[possible values: rust, c]"),
    ] {
        let output = place.output(&["new", "--directory", "plugins"], arguments);
        failed(&output, part);
        assert_eq!(place.plugins(), ["there"]);
    }
    let output = place.output(&["new", "a", "--directory", "file"], &[]);
    failed(&output, "`file` is no folder; ");
    #[cfg(target_os = "linux")]
    {
        let output = place.output(&["new", "a", "--directory", "/proc"], &[]);
        failed(&output, "`/proc/a` cannot be made: ");
    }
}

/// Cargo as from a shell. What it has told this test of itself would make it build some
/// crates again.
fn cargo() -> Command {
    let mut cargo = Command::new(std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into()));
    for (name, _) in std::env::vars_os() {
        let own = [&b"CARGO_PKG_"[..], b"CARGO_MANIFEST_", b"OUT_DIR"];
        if own
            .iter()
            .any(|own| name.as_encoded_bytes().starts_with(own))
        {
            cargo.env_remove(name);
        }
    }
    cargo
}

/// Where this test was built, with most of what a plugin's tests are built from.
fn target() -> &'static Path {
    let target = Path::new(env!("CARGO_TARGET_TMPDIR")).parent();
    target.unwrap_or(root())
}

fn library(folder: &Path, name: &str) -> PathBuf {
    let (prefix, suffix) = (std::env::consts::DLL_PREFIX, std::env::consts::DLL_SUFFIX);
    folder.join(format!("{prefix}{name}{suffix}"))
}

/// Checks that `exthost check` admits a library, alone in a directory.
fn is_accepted(place: &Place, library: &Path) {
    let directory = tempfile::tempdir().unwrap();
    std::fs::copy(library, directory.path().join(library.file_name().unwrap())).unwrap();
    let output = place.output(&["check", directory.path().to_str().unwrap()], &[]);
    let told = succeeded(&output);
    assert!(told.starts_with("ok  my-first 0.1.0 ("), "{told}");
}

fn is_here(program: &str) -> bool {
    let here = Command::new(program).arg("--version").output().is_ok();
    if !here {
        println!("skipped: no {program}");
    }
    here
}

/// Runs a command in `folder`, and returns what it printed.
fn run(command: &mut Command, folder: &Path) -> String {
    succeeded(&command.current_dir(folder).output().unwrap())
}

fn succeeded(output: &Output) -> String {
    let printed = String::from_utf8_lossy(&output.stdout).into_owned();
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(output.status.success(), "{printed}\n{told}");
    printed
}

fn failed(output: &Output, part: &str) {
    let told = String::from_utf8_lossy(&output.stderr);
    assert!(!output.status.success(), "{output:?}");
    assert!(told.contains(part), "{told}");
}

/// Tells how long it took from nothing to a served route, beside the compiler.
fn report(language: &str, made: Duration, served_since: Instant) {
    let (made, served) = (made.as_millis(), served_since.elapsed().as_millis());
    println!("{language}: made in {made} ms, served by `exthost dev` after {served} ms");
}
