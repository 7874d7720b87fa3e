//! Builds the plugins once, runs hosts, and speaks HTTP.

pub(crate) mod browser;
pub(crate) mod client;
pub(crate) mod compilers;
pub(crate) mod exercise;
pub(crate) mod listen;
pub(crate) mod overlay;
pub(crate) mod process;
pub(crate) mod receiver;
pub(crate) mod server;
pub(crate) mod site;

use std::io::ErrorKind;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::OnceLock;

/// The repository.
pub(crate) fn root() -> &'static Path {
    Path::new(env!("CARGO_MANIFEST_DIR"))
}

/// The `exthost` binary.
pub(crate) fn exthost() -> Command {
    Command::new(env!("CARGO_BIN_EXE_exthost"))
}

/// The library of a Rust plugin of this repository, built once.
pub(crate) fn rust_plugin(name: &str) -> PathBuf {
    static BUILT: OnceLock<PathBuf> = OnceLock::new();
    let target = BUILT.get_or_init(|| {
        let target = Path::new(env!("CARGO_TARGET_TMPDIR")).join("plugins");
        let cargo = std::env::var_os("CARGO").unwrap_or_else(|| "cargo".into());
        let status = Command::new(cargo)
            .current_dir(root())
            .arg("build")
            .args(RUST_PLUGINS.iter().flat_map(|name| ["--package", name]))
            .arg("--target-dir")
            .arg(&target)
            .status();
        assert!(status.unwrap().success(), "the plugins did not build");
        target.join("debug")
    });
    let file = format!(
        "{}{}{}",
        std::env::consts::DLL_PREFIX,
        name,
        std::env::consts::DLL_SUFFIX
    );
    target.join(file.replace('-', "_"))
}

/// The Rust plugins of this repository.
const RUST_PLUGINS: [&str; 15] = [
    "echo-extension",
    "email-guard",
    "every-table",
    "faulty",
    "hello",
    "links",
    "live",
    "marked-rust",
    "memwatch",
    "my-extension",
    "notes",
    "self-test",
    "signup",
    "ticker",
    "user-count",
];

/// Compiles a C plugin into `directory`, with further arguments; nothing, and a
/// line that says so, where there is no C compiler.
pub(crate) fn c_plugin(source: &str, directory: &Path, arguments: &[&str]) -> Option<PathBuf> {
    let source = root().join(source);
    let stem = source.file_stem().unwrap().to_str().unwrap();
    let library = directory.join(format!("lib{stem}{}", std::env::consts::DLL_SUFFIX));
    let compiler = std::env::var_os("CC").unwrap_or_else(|| "cc".into());
    let output = Command::new(compiler)
        .args([
            "-std=c11",
            "-O1",
            "-fPIC",
            "-shared",
            "-fvisibility=hidden",
            "-pthread",
            "-I",
        ])
        .arg(root().join("plugin-api/include"))
        .arg("-o")
        .arg(&library)
        .arg(&source)
        .args(arguments)
        .output();
    match output {
        Ok(output) => {
            let said = String::from_utf8_lossy(&output.stderr);
            assert!(output.status.success(), "{}: {said}", source.display());
            Some(library)
        }
        Err(error) => {
            println!("skipped: no C compiler ({error})");
            None
        }
    }
}

/// Compiles a C plugin with every compiler that is here, warnings as errors.
pub(crate) fn compiles_without_a_warning(source: &str) {
    compiles_as("c11", source);
}

/// The same as another standard of C.
pub(crate) fn compiles_as(standard: &str, source: &str) {
    let directory = tempfile::tempdir().unwrap();
    for compiler in ["gcc", "clang"] {
        let output = Command::new(compiler)
            .arg(format!("-std={standard}"))
            .args(["-Wall", "-Wextra", "-Wpedantic", "-Werror"])
            .args(["-fvisibility=hidden", "-fPIC", "-pthread", "-shared", "-I"])
            .arg(root().join("plugin-api/include"))
            .arg("-o")
            .arg(directory.path().join(compiler))
            .arg(root().join(source))
            .output();
        match output {
            Ok(output) => {
                let said = String::from_utf8_lossy(&output.stderr);
                assert!(output.status.success(), "{compiler}: {said}");
            }
            Err(error) if error.kind() == ErrorKind::NotFound => {
                println!("skipped: no {compiler}");
            }
            Err(error) => panic!("{compiler}: {error}"),
        }
    }
}

/// Where C plugins that several tests use are built.
pub(crate) fn shared_c_plugin(source: &'static str) -> Option<PathBuf> {
    static BROADCAST: OnceLock<Option<PathBuf>> = OnceLock::new();
    static EVERY_TABLE: OnceLock<Option<PathBuf>> = OnceLock::new();
    static FAULTY: OnceLock<Option<PathBuf>> = OnceLock::new();
    static HELLO: OnceLock<Option<PathBuf>> = OnceLock::new();
    static ITEMS: OnceLock<Option<PathBuf>> = OnceLock::new();
    static KEEPING: OnceLock<Option<PathBuf>> = OnceLock::new();
    static STORING: OnceLock<Option<PathBuf>> = OnceLock::new();
    static EVENTS: OnceLock<Option<PathBuf>> = OnceLock::new();
    let cell = match source {
        BROADCAST_C => &BROADCAST,
        EVERY_TABLE_C => &EVERY_TABLE,
        HELLO_C => &HELLO,
        ITEMS_C => &ITEMS,
        KEEPING_C => &KEEPING,
        FAULTY_C => &FAULTY,
        STORING_C => &STORING,
        EVENTS_C => &EVENTS,
        other => panic!("{other} is not shared"),
    };
    let built = cell.get_or_init(|| {
        let directory = Path::new(env!("CARGO_TARGET_TMPDIR")).join("c-plugins");
        std::fs::create_dir_all(&directory).unwrap();
        c_plugin(source, &directory, &[])
    });
    built.clone()
}

/// The C sample that stores and lists.
pub(crate) const ITEMS_C: &str = "plugins/items-c/items-c.c";

/// The C sample that greets.
pub(crate) const HELLO_C: &str = "plugins/hello-c/hello-c.c";

/// The C plugin that uses every table.
pub(crate) const EVERY_TABLE_C: &str = "tests/plugins/every-table.c";

/// The C plugin that misbehaves on request.
pub(crate) const FAULTY_C: &str = "tests/plugins/faulty-c.c";

/// The C plugin that publishes, rightly and wrongly.
pub(crate) const BROADCAST_C: &str = "tests/plugins/broadcast-c.c";

/// The C plugin that keeps values and records, rightly and wrongly.
pub(crate) const KEEPING_C: &str = "tests/plugins/keeping-c.c";

/// The C plugin that stores and tells, rightly and wrongly.
pub(crate) const STORING_C: &str = "tests/plugins/storing-c.c";

/// The C plugin that emits, hears and filters, rightly and wrongly.
pub(crate) const EVENTS_C: &str = "tests/plugins/events-c.c";

/// The count of a long test: a small one, or all with `EXTHOST_TEST_FULL=1`.
pub(crate) fn count(small: usize, full: usize) -> usize {
    match std::env::var_os("EXTHOST_TEST_FULL") {
        Some(_) => full,
        None => small,
    }
}
