//! Do the commands that ask a running host find it by its configuration?

use std::process::Output;

use super::super::support::exthost;
use super::super::support::site::{Site, text};

/// Runs a command in the folder of a site.
fn run(site: &Site, token: &str, url: Option<&str>, arguments: &[&str]) -> Output {
    let mut command = exthost();
    command
        .args(arguments)
        .current_dir(site.folder.path())
        .env("EXTHOST_TOKEN", token)
        .env_remove("EXTHOST_URL");
    if let Some(url) = url {
        command.env("EXTHOST_URL", url);
    }
    command.output().unwrap()
}

/// What each command is that asks a host.
const COMMANDS: [&[&str]; 5] = [
    &["list"],
    &["logs"],
    &["webhooks", "list"],
    &["data", "list"],
    &["emit", "nobody.hears"],
];

#[test]
fn the_host_is_asked_where_its_configuration_says() {
    let site = Site::new("");
    let token = site.token("operator", &["host.read", "host.events"]);
    let running = site.serve(&[]);
    site.write(&format!("listen = \"0.0.0.0:{}\"", running.address.port()));
    let away = Site::new("");
    let config = site.path("exthost.toml");
    for command in COMMANDS {
        let answered = run(&site, &token, None, command);
        assert!(answered.status.success(), "{command:?}: {answered:?}");
        let named = [command, &["--config", config.to_str().unwrap()]].concat();
        let answered = run(&away, &token, None, &named);
        assert!(answered.status.success(), "{named:?}: {answered:?}");
    }
}

#[test]
fn where_nobody_answers_it_is_told_who_has_said_so() {
    let site = Site::new("listen = \"127.0.0.1:1\"");
    let lost = |url, arguments: &[&str]| {
        let output = run(&site, "", url, arguments);
        assert!(!output.status.success(), "{arguments:?}");
        text(&output.stderr)
    };
    for command in COMMANDS {
        let by_url = [command, &["--url", "http://127.0.0.1:2"]].concat();
        let of_environment = Some("http://127.0.0.1:3");
        for (told, expected) in [
            (
                lost(None, command),
                "no host answers at http://127.0.0.1:1, as `listen` in exthost.toml says (",
            ),
            (
                lost(of_environment, &by_url),
                "no host answers at http://127.0.0.1:2, as --url says (",
            ),
            (
                lost(of_environment, command),
                "no host answers at http://127.0.0.1:3, as EXTHOST_URL says (",
            ),
        ] {
            assert!(told.contains(expected), "{command:?}: {told}");
        }
    }
    site.write("listen = 7700");
    let told = lost(None, &["list"]);
    assert!(
        told.contains("exthost.toml:1") && told.contains("--url"),
        "{told}"
    );
}
