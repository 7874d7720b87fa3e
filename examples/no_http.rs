//! A program without a server, whose plugins decide and are told.
//!
//! ```console
//! $ cargo build -p email-guard && mkdir -p my-plugins
//! $ cp target/debug/libemail_guard.* my-plugins/
//! $ printf 'ada@example.com\ndr@evil.example\n' | cargo run --example no_http -- my-plugins
//! ada@example.com is welcome
//! dr@evil.example is not: email-guard says dr@evil.example contains evil
//! ```

#![allow(
    clippy::print_stdout,
    clippy::print_stderr,
    reason = "it answers whoever runs it"
)]

use std::error::Error;
use std::time::Duration;

use exthost::{Decision, Host, Policy};
use serde_json::json;

#[tokio::main]
async fn main() -> Result<(), Box<dyn Error>> {
    let directory = std::env::args().nth(1);
    let directory = directory.unwrap_or_else(|| "plugins".to_owned());
    let host = Host::builder().directory(directory).build().await?;
    for refused in host.status().refused {
        eprintln!("{}: {}", refused.file.display(), refused.message);
    }

    // This thread may block: the host runs on others.
    for line in std::io::stdin().lines() {
        let email = line?;
        let asked = json!({"email": &email});
        // A plugin that fails has not said yes.
        let policy = Policy::FailClosed;
        match host.request("core.email.validate", &asked, policy).await? {
            Decision::Passed(passed) => {
                println!("{email} is welcome");
                host.emit("core.email.welcome", &passed)?;
            }
            Decision::Vetoed { by, reason } => println!("{email} is not: {by} says {reason}"),
        }
    }
    host.shutdown(Duration::from_secs(10)).await;
    Ok(())
}
