//! Which core runs what: servers the first, the load generator the second.

use std::process::{Command, Stdio};

/// The core of servers.
pub(crate) const SERVER: usize = 0;

/// The core of the load generator.
pub(crate) const LOAD: usize = 1;

/// A command that runs on one core, where there is `taskset`. Without it nothing
/// is pinned, for the system call would be unsafe code.
pub(crate) fn command_on(core: usize, program: &std::path::Path) -> Command {
    if !can_pin() {
        return Command::new(program);
    }
    let mut command = Command::new("taskset");
    command.args(["-c", &core.to_string()]).arg(program);
    command
}

/// Lets this thread, and those it starts, run on one core.
pub(crate) fn stay_on(core: usize) {
    stay(&core.to_string());
}

/// Lets this thread, and those it starts, run on both cores.
pub(crate) fn stay_on_both() {
    stay(&format!("{SERVER},{LOAD}"));
}

fn stay(cores: &str) {
    if !can_pin() {
        println!("not pinned to cores: there is no taskset here");
        return;
    }
    let this = std::process::id().to_string();
    let pinned = Command::new("taskset")
        .args(["-cp", cores, &this])
        .stdout(Stdio::null())
        .status();
    if !pinned.is_ok_and(|status| status.success()) {
        println!("not pinned: this machine has no core of {cores}");
    }
}

fn can_pin() -> bool {
    let asked = Command::new("taskset")
        .arg("--version")
        .stdout(Stdio::null())
        .status();
    asked.is_ok_and(|status| status.success())
}
