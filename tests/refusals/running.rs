//! Files that are refused once some of their code has run: what loading, `init`
//! and `start` see.

use super::elf::Library;
use super::zoo::{Zoo, compile};
use crate::support::rust_plugin;

/// Deadlines for those that do not return, and for no others.
const CONFIG: &str = "\
[plugins]
directories = [\"plugins\"]

[plugin.init-timeout.limits]
init_deadline_ms = 2000

[plugin.start-timeout.limits]
init_deadline_ms = 2000
drain_timeout_ms = 100
";

/// Adds all of them.
pub(crate) fn add(zoo: &mut Zoo) {
    zoo.configure(CONFIG);
    doors(zoo);
    images(zoo);
    layouts(zoo);
    hooks(zoo);
}

/// Doors that this host does not open.
fn doors(zoo: &mut Zoo) {
    const ABI: usize = 0;
    const FLAGS: usize = 4;
    let sound = zoo.sound.clone();
    let door = |at, value: u32| {
        sound
            .clone()
            .with_data("exthost_plugin", at, &value.to_ne_bytes())
    };
    let says = ["ABI 2", "speaks ABI 1", "rebuild the plugin"];
    zoo.library("door-abi.so", door(ABI, 2), "door-abi", &says);
    let says = ["0x80000000", "knows none", "upgrade the host"];
    zoo.library("door-flags.so", door(FLAGS, 1 << 31), "door-flags", &says);
    let library = compile(&["-DNO_INIT"]).unwrap();
    zoo.library(
        "no-init.so",
        library,
        "no-init",
        &["init is null", "export a function"],
    );
}

/// Files of which something else is in memory.
fn images(zoo: &mut Zoo) {
    let library = compile(&["-DUNDEFINED"]).unwrap();
    zoo.library(
        "undefined.so",
        library,
        "dlopen",
        &["nobody_has_this", "build it"],
    );

    let library = zoo.sound.clone().told("meta-changed");
    let says = ["in memory", "in the file", "build it without"];
    zoo.library("meta-changed.so", library, "meta-changed", &says);

    // The linker finds symbols by a hash of their name, which is still the other
    // name's.
    let library = compile(&["-Dexthost_plugin=exthost_plugim"]).unwrap();
    let library = library.renamed("\0exthost_plugim\0", "\0exthost_plugin\0");
    zoo.library(
        "unhashed.so",
        library,
        "symbol-missing",
        &["`exthost_plugin`", "its file does; build it"],
    );

    // Of a symbol that is unique in the process, the linker gives everyone the
    // one that it met first.
    const INFO: usize = 4;
    const UNIQUE_OBJECT: u8 = 10 << 4 | 1;
    let unique = zoo
        .sound
        .clone()
        .with_entry("exthost_plugin", INFO, &[UNIQUE_OBJECT]);
    let first = unique.clone().with("name", "door-first");
    zoo.place(zoo.plugins().join("door-first.so"), first);
    let says = ["already loaded", "restart the host"];
    zoo.library("door-second.so", unique, "stale-image", &says);
}

/// Layouts that are damaged, or of other tables than this host's.
fn layouts(zoo: &mut Zoo) {
    let library = compile(&["-DLAYOUTS"]).unwrap();
    let library = library.with("sdk", "rust/1.0.0");
    zoo.library(
        "layouts.so",
        library,
        "layouts-unreadable",
        &["layouts cannot be read", "unaltered"],
    );

    let library = Library::read(&rust_plugin("marked-rust"));
    let library = library.renamed("logwrite;ctx,cause", "logwrote;ctx,cause");
    let says = ["table log/1", "wrote", "unaltered exthost-abi"];
    zoo.as_it_is("layout-differs.so", library, "layout-differs", &says);
}

/// Hooks that fail, panic or do not return.
fn hooks(zoo: &mut Zoo) {
    for (code, says) in [
        ("init-failed", ["init failed", "asked to fail in init"]),
        ("init-panicked", ["init panicked", "panicked"]),
        ("init-timeout", ["init did not return", "2000 ms"]),
        ("start-failed", ["start failed", "internal"]),
        ("start-panicked", ["start panicked", "panicked"]),
        ("start-timeout", ["start did not return", "2000 ms"]),
    ] {
        let library = zoo.sound.clone().told(code);
        zoo.library(&format!("{code}.so"), library, code, &says);
    }
}
