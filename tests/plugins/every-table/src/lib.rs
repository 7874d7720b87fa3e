//! A plugin in Rust that uses every table of API 1.0.
//!
//! Its twin in C, `every-table.c`, says what each route answers. What is `wait` there
//! is a plain `fn` here, and what is `complete` an `async fn`.
#![forbid(unsafe_code)]

mod call;
mod data;
mod requests;
mod telling;
mod worker;

use std::fs::OpenOptions;
use std::io::Write;
use std::sync::Arc;
use std::sync::atomic::{AtomicU32, Ordering};

use exthost_plugin::Config;
use exthost_plugin::prelude::*;
use exthost_plugin::tasks::Tasks;

use crate::call::{Call, Waits};
use crate::telling::Heard;
use crate::worker::Worker;

struct EveryTable {
    api: String,
    life: String,
    config: Config,
    tasks: Tasks,
    events: Events,
    db: Db,
    broadcast: Broadcast,
    webhooks: Webhooks,
    worker: Worker,
    heard: Heard,
    /// Clients that left a blocking stream, and one that was awaited.
    left: [Count; 2],
    faults: Count,
}

/// A number that handlers share.
type Count = Arc<AtomicU32>;

impl Plugin for EveryTable {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        let config = services.config();
        config.declare(
            r#"{"greeting":"hello","number":7,"life":""}"#,
            r#"{"type":"object","properties":{"number":{"maximum":100}}}"#,
        )?;
        let (major, minor, patch) = services.api();
        let plugin = EveryTable {
            api: format!("{major}.{minor}.{patch}"),
            life: config.at("/life")?,
            config,
            tasks: services.tasks(),
            events: services.events(),
            db: services.db(),
            broadcast: services.broadcast(),
            webhooks: services.webhooks(),
            worker: Worker::default(),
            heard: Heard::default(),
            left: Default::default(),
            faults: Count::default(),
        };
        plugin.expect(services.granted("db") && !services.granted("no-such"));
        plugin.db.migrate(data::MIGRATIONS).wait()?;
        requests::routes(router);
        telling::routes(router);
        telling::subscribe(plugin.events)?;
        data::routes(router);
        call::add(router, &[("GET faults", faults as Waits)]);
        Ok(plugin)
    }

    fn start(&self) -> Result<()> {
        self.worker.start()?;
        self.note("started")
    }

    fn stop(&self) {
        self.worker.stop();
        let noted = self.note("stopped");
        self.expect(noted.is_ok());
    }
}

impl EveryTable {
    /// Counts what the host should not have done.
    fn expect(&self, holds: bool) {
        self.faults.fetch_add(u32::from(!holds), Ordering::Relaxed);
    }

    /// Appends a line to the file of the option `life`, if there is one.
    fn note(&self, line: &str) -> Result<()> {
        if !self.life.is_empty() {
            let mut file = OpenOptions::new()
                .append(true)
                .create(true)
                .open(&self.life)?;
            file.write_all(format!("{line}\n").as_bytes())?;
        }
        Ok(())
    }
}

impl Drop for EveryTable {
    fn drop(&mut self) {
        let faults = self.faults.load(Ordering::Relaxed);
        // Whoever reads the file misses the line.
        let _ = self.note(&format!("destroyed with {faults} faults"));
    }
}

fn faults(call: Call) -> Result<String> {
    Ok(call.plugin.faults.load(Ordering::Relaxed).to_string())
}

export_plugin!(
    EveryTable,
    needs = [log, config, routes, tasks, events, db, broadcast, webhooks]
);
