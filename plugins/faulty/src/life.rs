//! Faults of init, start and stop, chosen by the operator's options.

use std::io::Write as _;

use exthost_plugin::prelude::*;
use serde::Deserialize;

/// What the operator may ask for.
#[derive(Debug, Clone, Default, Deserialize)]
#[serde(default)]
pub(crate) struct Options {
    init: Fault,
    start: Fault,
    stop: Fault,
    /// A file to which each step of the plugin's life appends a line.
    mark: Option<String>,
    /// What `version` answers.
    pub(crate) label: String,
}

#[derive(Debug, Clone, Copy, Default, PartialEq, Deserialize)]
#[serde(rename_all = "lowercase")]
enum Fault {
    #[default]
    Ok,
    Fail,
    Panic,
    Hang,
}

impl Options {
    /// Notes that a step was reached.
    pub(crate) fn mark(&self, step: &str) {
        let Some(path) = &self.mark else { return };
        let file = std::fs::OpenOptions::new()
            .create(true)
            .append(true)
            .open(path);
        let written = file.and_then(|mut file| writeln!(file, "{step}"));
        if let Err(error) = written {
            log::warn("cannot leave a mark").field("reason", error.to_string());
        }
    }
}

pub(crate) fn init(options: &Options) -> Result<()> {
    options.mark("init");
    commit(options.init, "init")
}

pub(crate) fn start(options: &Options) -> Result<()> {
    commit(options.start, "start")
}

pub(crate) fn stop(options: &Options) {
    log::info("stop of faulty");
    options.mark("stop");
    if let Err(error) = commit(options.stop, "stop") {
        log::error("stop cannot fail").field("reason", error.message());
    }
}

fn commit(fault: Fault, step: &str) -> Result<()> {
    match fault {
        Fault::Ok => Ok(()),
        Fault::Fail => Err(Error::internal(format!("{step} was asked to fail"))),
        Fault::Panic => panic!("{step} was asked to panic"),
        Fault::Hang => loop {
            std::thread::park();
        },
    }
}
