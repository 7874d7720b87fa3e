//! Do operators make, use and end tokens from the command line, and does nothing but
//! the making show one?

use std::path::Path;
use std::process::Output;

use serde_json::Value;

use crate::support::process::Running;
use crate::support::server::eventually;
use crate::support::{exthost, rust_plugin};

fn run(directory: &Path, arguments: &[&str], env: &[(&str, &str)]) -> (i32, String, String) {
    let mut command = exthost();
    command.args(arguments).current_dir(directory);
    command
        .env_remove("EXTHOST_TOKEN")
        .envs(env.iter().copied());
    let Output {
        status,
        stdout,
        stderr,
    } = command.output().unwrap();
    let text = |bytes| String::from_utf8(bytes).unwrap();
    (status.code().unwrap(), text(stdout), text(stderr))
}

#[test]
fn tokens_are_made_listed_and_revoked() {
    let directory = tempfile::tempdir().unwrap();
    let run = |arguments: &str| {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        run(directory.path(), &arguments, &[])
    };
    let (code, token, told) = run("token create ci --scope host.read --expires 30d");
    assert_eq!(code, 0, "{told}");
    let token = token.strip_suffix('\n').unwrap();
    assert!(
        token.starts_with("exthost_") && token.len() == 51,
        "{token}"
    );
    assert!(
        told.starts_with("ci has host.read; it counts until 2"),
        "{told}"
    );
    assert!(!told.contains(token), "{told}");

    let (_, made, told) = run("token create admin --admin --scope notes:write --json");
    assert_eq!(told, "");
    let made: Value = serde_json::from_str(&made).unwrap();
    assert_eq!(made["scopes"].as_array().unwrap().len(), 6);
    assert_eq!(made["expires_ms"], Value::Null);
    let admin = made["token"].as_str().unwrap();

    let (_, listed, _) = run("token list");
    assert!(
        listed.contains("ci ") && listed.contains("host.metrics"),
        "{listed}"
    );
    let (_, json, _) = run("token list --json");
    let json: Value = serde_json::from_str(&json).unwrap();
    assert_eq!(
        (&json[0]["name"], &json[0]["expired"]),
        (&"ci".into(), &false.into())
    );
    let file = std::fs::read_to_string(directory.path().join("data/tokens.json")).unwrap();
    for text in [&*listed, &json.to_string(), &file] {
        for token in [token, admin] {
            assert!(!text.contains(&token["exthost_".len()..]), "{text}");
        }
    }

    for (arguments, exit, cure) in [
        ("token create ci", 1, "exthost token revoke ci"),
        ("token create a/b", 1, "letters, digits"),
        (
            "token create b --scope host.raed",
            2,
            "did you mean `host.read`?",
        ),
        ("token create b --scope a,b", 2, "as in notes:write"),
        (
            "token create b --expires soon",
            2,
            "as in 12h or 30d, or never",
        ),
        ("token revoke cj", 1, "did you mean `ci`?"),
    ] {
        let (code, stdout, stderr) = run(arguments);
        assert_eq!((code, &*stdout), (exit, ""), "{arguments}");
        assert!(stderr.contains(cure), "{arguments}: {stderr}");
    }
    assert_eq!(run("token revoke ci").1, "ci is revoked\n");
    assert_eq!(run("token revoke admin").0, 0);
    assert_eq!(run("token list").1, "no tokens\n");
}

#[test]
fn the_commands_that_ask_a_host_are_let_in_by_a_token() {
    let directory = tempfile::tempdir().unwrap();
    let plugins = directory.path().join("plugins");
    std::fs::create_dir(&plugins).unwrap();
    let hello = rust_plugin("hello");
    std::fs::copy(&hello, plugins.join(hello.file_name().unwrap())).unwrap();
    let create = |name: &str, scope: &str| {
        let arguments = ["token", "create", name, "--scope", scope];
        let (code, token, told) = run(directory.path(), &arguments, &[]);
        assert_eq!(code, 0, "{told}");
        token.trim().to_owned()
    };
    let reader = create("reader", "host.read");
    let sender = create("sender", "host.dispatch");
    let running = Running::serve(directory.path(), &[]);
    let url = format!("http://{}", running.address);
    let ask = |arguments: &str, token: &str| {
        let arguments: Vec<&str> = arguments.split(' ').collect();
        let env = [("EXTHOST_URL", &*url), ("EXTHOST_TOKEN", token)];
        let (code, stdout, stderr) = run(directory.path(), &arguments, &env);
        assert!(
            !format!("{stdout}{stderr}").contains("exthost_"),
            "{stderr}"
        );
        (code, stdout, stderr)
    };
    for (arguments, token, exit, part) in [
        ("list", &*reader, 0, "hello"),
        ("webhooks list", &reader, 0, "no endpoints"),
        ("logs", &reader, 0, ""),
        ("emit a --to hello", &sender, 0, "no subscription"),
        ("list", "", 1, "exthost token create NAME --scope SCOPE"),
        ("list", "", 1, "and the scope `host.read`"),
        ("list", &sender, 1, "requires the scope `host.read`"),
        ("list", &sender, 1, "create a token that has it"),
        ("emit a", &reader, 2, "requires the scope `host.events`"),
        ("list", "exthost_wrong", 1, "this token is not known here"),
        ("logs", "exthost_wrong", 1, "set EXTHOST_TOKEN to it"),
    ] {
        let (code, stdout, stderr) = ask(arguments, token);
        let said = stdout + &stderr;
        assert_eq!(code, exit, "{arguments}: {said}");
        assert!(said.contains(part), "{arguments}: {said}");
    }
    // Said on the command line it counts as well, and shows nowhere either.
    let named = format!("list --token {reader}");
    assert_eq!(ask(&named, "").0, 0);

    // A refusal is in the log with its place, and without what was sent.
    let log = running.log();
    assert!(log.contains("not authenticated: this token"), "{log}");
    assert!(
        log.contains("/api/host/plugins") && log.contains("127.0.0.1:"),
        "{log}"
    );
    assert!(!log.contains("exthost_"), "{log}");

    // A damaged file is told once, and changes nothing.
    let file = directory.path().join("data/tokens.json");
    let good = std::fs::read(&file).unwrap();
    std::fs::write(&file, &good[..good.len() - 4]).unwrap();
    let told = || running.log().matches("are damaged: it is cut off").count();
    eventually("the damage is told", || {
        assert_eq!(ask("list", &reader).0, 0);
        told() > 0
    });
    for _ in 0..5 {
        std::thread::sleep(std::time::Duration::from_millis(100));
        assert_eq!(ask("list", &reader).0, 0);
    }
    assert_eq!(told(), 1);
    let (code, _, stderr) = run(directory.path(), &["token", "list"], &[]);
    assert_eq!(code, 1);
    assert!(
        stderr.contains("correct the file, or remove it"),
        "{stderr}"
    );
    std::fs::write(&file, &good).unwrap();
    let revoked = run(directory.path(), &["token", "revoke", "reader"], &[]);
    assert_eq!(revoked.0, 0, "{}", revoked.2);
    eventually("it is revoked", || ask("list", &reader).0 == 1);
}
