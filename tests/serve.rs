//! Does `exthost serve` serve what `exthost.toml` says, to whom it says, and does
//! a wrong word in it change nothing and name its place?

/// Do the commands that ask a running host find it by its configuration?
mod found;

use serde_json::{Value, json};

use super::support::client::Response;
use super::support::process::Running;
use super::support::server::eventually;
use super::support::site::{Site, text};
use super::support::{HELLO_C, c_plugin, shared_c_plugin};

fn ask(running: &Running, path: &str, token: &str) -> Response {
    running.get_with(path, &[("authorization", &format!("Bearer {token}"))])
}

/// The plugins that serve, each with its generation.
fn serving(running: &Running, token: &str) -> Value {
    let status = ask(running, "/api/host/plugins", token).json();
    let plugins = status["plugins"].as_array().unwrap();
    let pairs = plugins.iter().map(|plugin| {
        (
            plugin["name"].as_str().unwrap().to_owned(),
            plugin["generation"].clone(),
        )
    });
    Value::Object(pairs.collect())
}

fn codes(running: &Running, token: &str) -> Vec<String> {
    let status = ask(running, "/api/host/plugins", token).json();
    let refused = status["refused"].as_array().unwrap().iter();
    let code = |refused: &Value| refused["code"].as_str().unwrap().to_owned();
    refused.map(code).collect()
}

#[test]
fn two_plugin_files_are_served_to_whoever_has_a_token() {
    let Some(hello_c) = shared_c_plugin(HELLO_C) else {
        return;
    };
    let site = Site::new("data = 'var'\n[plugins]\ndirectories = ['plugins', 'more']\n");
    site.put("hello", "plugins");
    site.put_file(&hello_c, "more");
    let user = site.token("app", &[]);
    let operator = site.token("operator", &["host.read"]);
    let running = site.serve(&[]);
    assert_eq!(
        serving(&running, &operator),
        json!({"hello": 1, "hello-c": 1})
    );
    assert!(site.path("var/tokens.json").exists());

    let public = running.get("/api/ext/hello-c/hello?name=Ada");
    assert_eq!(public.text(), r#"{"message":"hello Ada"}"#);
    let known = ask(&running, "/api/ext/hello/whoami", &user);
    assert_eq!(known.text(), r#"{"message":"hello app"}"#);
    let unknown = running.get("/api/ext/hello/whoami");
    assert_eq!(
        (unknown.status, unknown.code()),
        (401, "unauthenticated".to_owned())
    );
    let wrong = ask(&running, "/api/ext/hello/whoami", "exthost_wrong");
    assert_eq!(wrong.status, 401);
    let near = format!(
        "{}{}",
        &user[..user.len() - 1],
        if user.ends_with('A') { 'B' } else { 'A' }
    );
    assert_eq!(ask(&running, "/api/ext/hello/whoami", &near).status, 401);
    let without_scope = ask(&running, "/api/host/plugins", &user);
    assert_eq!(
        (without_scope.status, without_scope.code()),
        (403, "missing-scope".to_owned())
    );

    // Outside development nobody is who they say they are.
    let claimed = running.get_with(
        "/api/ext/hello/whoami",
        &[("x-exthost-actor", r#"{"kind":"user","id":"u"}"#)],
    );
    assert_eq!(claimed.status, 401);

    assert!(site.run(&["token", "revoke", "app"]).status.success());
    eventually("the revoked token is refused", || {
        ask(&running, "/api/ext/hello/whoami", &user).status == 401
    });
    running.signal("-TERM");
    assert_eq!(running.wait().0, Some(0));
}

#[test]
fn what_a_plugin_is_not_granted_refuses_it_by_name() {
    let site = Site::new("[plugin.notes]\ngrants = ['routes', 'log']\n");
    site.put("notes", "plugins");
    site.put("hello", "plugins");
    let operator = site.token("operator", &["host.read"]);
    let running = site.serve(&[]);
    assert_eq!(serving(&running, &operator), json!({"hello": 1}));
    assert_eq!(codes(&running, &operator), ["not-granted"]);
    let said = running.said();
    assert!(
        said.contains("plugin notes needs db/1, it is granted routes, log; grant it"),
        "{said}"
    );
    drop(running);
    let checked = site.run(&["config", "check"]);
    assert_eq!(checked.status.code(), Some(1));
    let checked = text(&checked.stdout);
    assert!(
        checked.starts_with("ok  exthost.toml\nok  hello 1.0.0 "),
        "{checked}"
    );
    assert!(checked.contains("no  not-granted  "), "{checked}");
    let strict = site.run(&["serve", "--listen", "127.0.0.1:0", "--strict"]);
    assert_eq!(strict.status.code(), Some(1));
    assert!(text(&strict.stderr).contains("needs db/1"), "{strict:?}");
}

#[test]
fn a_wrong_word_is_told_with_its_place_and_the_nearest_right_one() {
    let site = Site::new("[plugin.hello]\nenabeld = false\n");
    for command in [&["serve"][..], &["config", "check"], &["dev"]] {
        let output = site.run(command);
        assert_eq!(output.status.code(), Some(1), "{command:?}");
        assert_eq!(
            text(&output.stderr),
            "error: exthost.toml:2:1: there is no key `enabeld`; did you mean `enabled`?\n",
            "{command:?}"
        );
    }
    site.write("[plugin.hello]\npath = 'missing.so'\n[plugin.other]\n");
    let output = site.run(&["config", "check", "--json"]);
    assert_eq!(output.status.code(), Some(1));
    let checked: Value = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(checked["missing"], json!(["other"]));
    assert_eq!(checked["refused"][0]["code"], "unreadable");
    site.write("");
    let output = site.run(&["config", "check"]);
    assert_eq!(text(&output.stdout), "ok  exthost.toml\nno plugins\n");
    assert_eq!(output.status.code(), Some(0));
}

#[test]
fn operators_choose_what_is_loaded() {
    let site = Site::new("[plugin.hello]\nenabled = false\n");
    site.put("hello", "plugins");
    site.put("notes", "plugins");
    site.put("ticker", "elsewhere/ticker");
    let operator = site.token("operator", &["host.read"]);
    let names = |config: &str, arguments: &[&str]| {
        site.write(config);
        serving(&site.serve(arguments), &operator)
    };
    let off = "[plugin.hello]\nenabled = false\n";
    assert_eq!(names(off, &[]), json!({"notes": 1}));
    assert_eq!(names("", &["--only", "hello"]), json!({"hello": 1}));
    assert_eq!(names("", &["--no-plugins"]), json!({}));
    assert_eq!(names("[plugins]\nenabled = false\n", &[]), json!({}));
    let gone = "[plugin.gone]\nenabled = false\npath = 'gone.so'\n";
    assert_eq!(names(gone, &["--strict"]), json!({"hello": 1, "notes": 1}));
    let at = "[plugin.ticker]\npath = 'elsewhere/ticker'\n[plugins]\ndirectories = []\n";
    assert_eq!(names(at, &[]), json!({"ticker": 1}));

    site.write("[plugin.hello]\npath = 'elsewhere/ticker'\n[plugin.gone]\n");
    let running = site.serve(&[]);
    let status = ask(&running, "/api/host/plugins", &operator).json();
    assert_eq!(status["missing"], json!(["gone"]));
    assert_eq!(codes(&running, &operator), ["other-name"]);
    let said = running.said();
    assert!(
        said.contains("the path of [plugin.hello] leads to plugin ticker; "),
        "{said}"
    );
}

/// Has all read anew, and waits until that is done.
fn hang_up(running: &Running, what: &str) {
    let before = running.said();
    running.signal("-HUP");
    eventually(what, || {
        running.said() != before || running.log().contains(what)
    });
}

#[test]
fn a_hangup_takes_over_what_has_changed_and_nothing_else() {
    let site = Site::new("");
    let hello = site.put("hello", "plugins");
    site.put("memwatch", "plugins");
    let operator = site.token("operator", &["host.read"]);
    let running = site.serve(&[]);
    let now = || serving(&running, &operator);
    let hang_up = |what: &str| hang_up(&running, what);
    assert_eq!(now(), json!({"hello": 1, "memwatch": 1}));

    hang_up("nothing has changed");
    assert_eq!(now(), json!({"hello": 1, "memwatch": 1}));

    site.put("notes", "plugins");
    site.write("[plugin.memwatch]\noptions = { threshold = 12345 }\n");
    hang_up("a new file and an option");
    assert_eq!(now(), json!({"hello": 1, "memwatch": 2, "notes": 1}));

    // A wrong word changes nothing.
    site.write("[plugin.memwatch]\noptoins = {}\n");
    hang_up("there is no key `optoins`");
    assert_eq!(now(), json!({"hello": 1, "memwatch": 2, "notes": 1}));

    // A bad file leaves the good generation serving, options that the plugin
    // refuses the one with the good options.
    std::fs::remove_file(&hello).unwrap();
    std::fs::write(&hello, "this is no library").unwrap();
    site.write("[plugin.memwatch]\noptions = { threshold = 'much' }\n");
    hang_up("two refusals");
    assert_eq!(now(), json!({"hello": 1, "memwatch": 2, "notes": 1}));
    assert_eq!(running.get("/api/ext/hello/hello").status, 200);
    let mut refused = codes(&running, &operator);
    refused.sort();
    assert_eq!(refused, ["init-failed", "not-a-library"]);

    // The operator's word is another matter.
    site.write("[plugin.notes]\ngrants = ['routes']\n[plugin.memwatch]\nenabled = false\n");
    std::fs::remove_file(&hello).unwrap();
    hang_up("all gone");
    assert_eq!(now(), json!({}));
    assert_eq!(running.get("/api/ext/hello/hello").status, 404);

    site.put("hello", "plugins");
    site.write("");
    hang_up("all back");
    assert_eq!(now(), json!({"hello": 2, "memwatch": 4, "notes": 2}));
    assert_eq!(codes(&running, &operator), [""; 0]);
}

/// A plugin that cannot do without hello-c.
const FOLLOWER: &str = r#"
#include "exthost.h"
EXTHOST_META("follower", "1.0.0", EXTHOST_KEY("requires", "hello-c"));
static exthost_status init(const exthost_services *services, void **instance)
{
    (void)services;
    *instance = NULL;
    return EXTHOST_OK;
}
EXTHOST_DOOR(init, NULL, NULL, NULL, NULL);
"#;

#[test]
fn what_becomes_unusable_takes_nothing_along_that_works() {
    let Some(hello_c) = shared_c_plugin(HELLO_C) else {
        return;
    };
    let site = Site::new("");
    let source = site.path("follower.c");
    std::fs::write(&source, FOLLOWER).unwrap();
    let follower = c_plugin(source.to_str().unwrap(), site.folder.path(), &[]).unwrap();
    site.put_file(&follower, "plugins");
    let hello = site.put_file(&hello_c, "plugins");
    let operator = site.token("operator", &["host.read"]);
    let running = site.serve(&[]);
    let both = json!({"follower": 1, "hello-c": 1});
    let refused = || {
        let mut codes = codes(&running, &operator);
        codes.sort();
        codes
    };
    assert_eq!(serving(&running, &operator), both);

    std::fs::remove_file(&hello).unwrap();
    std::fs::write(&hello, "this is no library").unwrap();
    hang_up(&running, "a broken file");
    assert_eq!(refused(), ["not-a-library", "requires-missing"]);
    assert_eq!(serving(&running, &operator), both);

    std::fs::rename(site.path("plugins"), site.path("away")).unwrap();
    hang_up(&running, "no directory");
    assert_eq!(refused(), ["unreadable-directory"]);
    assert_eq!(serving(&running, &operator), both);

    std::fs::rename(site.path("away"), site.path("plugins")).unwrap();
    site.put_file(&hello_c, "plugins");
    hang_up(&running, "all as before");
    assert_eq!((refused(), serving(&running, &operator)), (vec![], both));

    site.write("[plugin.hello-c]\nenabled = false\n");
    hang_up(&running, "none wanted");
    assert_eq!(refused(), ["requires-missing"]);
    assert_eq!(serving(&running, &operator), json!({}));
}
