//! Logs whether the process uses more memory than it should. On Linux, which tells.
#![forbid(unsafe_code)]

use std::time::Duration;

use exthost_plugin::prelude::*;
use serde::Deserialize;

const DEFAULTS: &str = r#"{"threshold": 512, "period_ms": 5000}"#;

const SCHEMA: &str = r#"{
    "type": "object",
    "properties": {
        "threshold": {"type": "integer", "minimum": 1},
        "period_ms": {"type": "integer", "minimum": 100}
    },
    "additionalProperties": false
}"#;

struct Memwatch;

#[derive(Deserialize)]
struct Options {
    /// What is too much, in MiB.
    threshold: u64,
    period_ms: u64,
}

impl Plugin for Memwatch {
    fn init(_: &mut Router, services: &Services) -> Result<Self> {
        services.config().declare(DEFAULTS, SCHEMA)?;
        let Options {
            threshold,
            period_ms,
        } = services.config().read()?;
        if resident_mib().is_none() {
            log::warn("this platform does not tell how much memory the process uses");
            return Ok(Memwatch);
        }
        let period = Duration::from_millis(period_ms);
        services.tasks().every(period, move || look(threshold))?;
        Ok(Memwatch)
    }
}

fn look(threshold: u64) {
    let Some(used) = resident_mib() else { return };
    let line = match used > threshold {
        true => log::warn("high"),
        false => log::info("ok"),
    };
    line.field("used", used).field("threshold", threshold);
}

/// Resident memory of the process in MiB. The file says kB, and so needs no size of a
/// page, as `statm` would.
fn resident_mib() -> Option<u64> {
    let status = std::fs::read_to_string("/proc/self/status").ok()?;
    let line = status
        .lines()
        .find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kib: u64 = line.trim().strip_suffix(" kB")?.parse().ok()?;
    Some(kib / 1024)
}

export_plugin!(Memwatch, needs = [log], wants = [config]);

#[cfg(test)]
mod tests {
    use exthost::BuildError;
    use exthost::testing::TestHost;
    use exthost_plugin::events;
    use serde_json::{Value, json};

    use super::*;

    /// Publishes the lines that other plugins log.
    struct Reader;

    impl Plugin for Reader {
        fn init(_: &mut Router, services: &Services) -> Result<Self> {
            let broadcast = services.broadcast();
            services
                .events()
                .on("core.log", move |line: events::Event<Value>| {
                    broadcast.publish("lines", "", &line.data).map(drop)
                })?;
            Ok(Reader)
        }
    }

    export_plugin!(
        Reader,
        embedded,
        name = "reader",
        needs = [events, broadcast]
    );

    /// The first line that is logged, with these options.
    async fn first_line(options: Value) -> Value {
        let host = TestHost::builder()
            .embed(Memwatch::embedded())
            .embed(Reader::embedded())
            .options("memwatch", options);
        let host = host.start().await.unwrap();
        let mut lines = host.listen("reader/lines").await;
        host.advance(Duration::from_millis(5000));
        lines.next().await.unwrap().data
    }

    #[tokio::test]
    async fn it_says_whether_too_much_is_used() {
        if resident_mib().is_none() {
            return;
        }
        let line = first_line(json!({"threshold": 1 << 30})).await;
        assert_eq!(
            (&line["level"], &line["message"]),
            (&json!("info"), &json!("ok"))
        );
        let line = first_line(json!({"threshold": 1})).await;
        assert_eq!(
            (&line["level"], &line["message"]),
            (&json!("warn"), &json!("high"))
        );
        assert_eq!(line["fields"]["threshold"], 1);
    }

    #[tokio::test]
    async fn options_that_make_no_sense_are_refused() {
        let host = TestHost::builder().embed(Memwatch::embedded());
        let host = host.options("memwatch", json!({"threshold": 0}));
        let Err(BuildError::Refused { refusals }) = host.start().await else {
            panic!("it has started");
        };
        let message = refusals[0].message();
        assert!(message.contains("/threshold"), "{message}");
    }
}
