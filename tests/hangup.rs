//! Is nothing lost, and nothing taken away that may stay, when all is read anew
//! while the host serves?

use std::path::{Path, PathBuf};
use std::sync::Mutex;
use std::sync::atomic::{AtomicBool, Ordering};

use exthost::config::ConfigFile;
use serde_json::{Value, json};
use tempfile::TempDir;

use super::support::client::Connection;
use super::support::process::Running;
use super::support::receiver::{Receiver, SECRET};
use super::support::server::{Server, eventually};
use super::support::site::hang_up;
use super::support::{HELLO_C, c_plugin, count, exthost, root, rust_plugin};

/// Asks over and over until told to end; each answer has to be `status`, and goes
/// to `answered`.
fn load(
    running: &Running,
    (method, path, status): (&str, &str, u16),
    token: &str,
    end: &AtomicBool,
    mut answered: impl FnMut(&Value),
) {
    let mut connection = Connection::open(running.address).unwrap();
    let authorization = format!("Bearer {token}");
    let headers = [
        ("authorization", &*authorization),
        ("content-type", "application/json"),
    ];
    let body: &[u8] = if method == "POST" {
        b"{\"name\": \"x\"}"
    } else {
        b""
    };
    while !end.load(Ordering::Relaxed) {
        let response = connection.request(method, path, &headers, body);
        let response = response.unwrap_or_else(|error| panic!("{path}: lost: {error}"));
        assert_eq!(response.status, status, "{path}: {response:?}");
        answered(&response.json());
    }
}

fn write(folder: &TempDir, config: &str) -> PathBuf {
    let file = folder.path().join("exthost.toml");
    std::fs::write(&file, config).unwrap();
    file
}

#[test]
fn hangups_under_load_lose_no_request_and_no_webhook() {
    let folder = tempfile::tempdir().unwrap();
    let plugins = folder.path().join("plugins");
    std::fs::create_dir(&plugins).unwrap();
    for name in ["hello", "notes"] {
        let file = rust_plugin(name);
        std::fs::copy(&file, plugins.join(file.file_name().unwrap())).unwrap();
    }
    let (kept, removed) = (Receiver::start(), Receiver::start());
    let endpoint = |name: &str, receiver: &Receiver| {
        format!(
            "[[webhook]]\nname = '{name}'\nurl = 'http://{}'\nsecret = '{SECRET}'\n\
             allow = ['127.0.0.1']\n",
            receiver.address
        )
    };
    let one = endpoint("kept", &kept);
    // Other settings of requests and of databases, and an endpoint more.
    let other = format!(
        "{one}{}[limits]\nhandler_deadline_ms = 20000\ndb.statement_deadline_ms = 4000\n",
        endpoint("removed", &removed)
    );
    write(&folder, &one);
    let mut command = exthost();
    command.args(["token", "create", "app"]);
    let token = command.current_dir(folder.path()).output().unwrap();
    let token = String::from_utf8(token.stdout).unwrap();
    let running = Running::serve(folder.path(), &[]);

    let (end, created) = (AtomicBool::new(false), Mutex::new(Vec::new()));
    let hangups = count(6, 100);
    std::thread::scope(|scope| {
        let ask = |what, answered: fn(&Mutex<Vec<String>>, &Value)| {
            let (running, token, end, created) = (&running, token.trim(), &end, &created);
            scope.spawn(move || load(running, what, token, end, |it| answered(created, it)));
        };
        ask(("GET", "/api/ext/hello/hello", 200), |_, _| {});
        ask(("GET", "/api/ext/hello/whoami", 200), |_, _| {});
        ask(("GET", "/api/ext/notes/items", 200), |_, _| {});
        for _ in 0..2 {
            ask(("POST", "/api/ext/notes/items", 201), |created, note| {
                let id = note["id"].as_str().unwrap().to_owned();
                created.lock().unwrap().push(id);
            });
        }
        // A failure of this thread must end the others as well.
        let hung_up = std::panic::catch_unwind(std::panic::AssertUnwindSafe(|| {
            for number in 0..hangups {
                write(&folder, if number % 2 == 0 { &other } else { &one });
                hang_up(&running);
            }
        }));
        end.store(true, Ordering::Relaxed);
        hung_up.unwrap();
    });
    let created = created.into_inner().unwrap();
    println!("{} notes over {hangups} hangups", created.len());
    assert!(!created.is_empty());
    let told = || {
        let received = kept.received();
        let told = received.iter().map(|it| it.json()["id"].clone());
        told.filter_map(|id| Some(id.as_str()?.to_owned()))
            .collect::<std::collections::BTreeSet<_>>()
    };
    eventually("each note is told", || {
        let told = told();
        created.iter().all(|id| told.contains(id))
    });
    // The last configuration has one endpoint: what is new is not told the other.
    let before = removed.received().len();
    let mut connection = Connection::open(running.address).unwrap();
    let authorization = format!("Bearer {}", token.trim());
    let headers = [
        ("authorization", &*authorization),
        ("content-type", "application/json"),
    ];
    let path = "/api/ext/notes/items";
    let note = connection.request("POST", path, &headers, b"{\"name\": \"y\"}");
    let id = note.unwrap().json()["id"].as_str().unwrap().to_owned();
    eventually("the last note is told", || told().contains(&id));
    assert_eq!(removed.received().len(), before);
}

/// The C sample under another name, which requires the plugin hello.
fn needy(folder: &Path) -> Option<PathBuf> {
    let source = std::fs::read_to_string(root().join(HELLO_C)).unwrap();
    let meta = "EXTHOST_META(\"needy\", \"1.0.0\", EXTHOST_KEY(\"requires\", \"hello\")";
    let source = source.replace("EXTHOST_META(\"hello-c\", \"1.0.0\",", meta);
    assert!(source.contains(meta));
    let file = folder.join("needy.c");
    std::fs::write(&file, source).unwrap();
    c_plugin(file.to_str().unwrap(), folder, &[])
}

#[test]
fn what_is_unusable_for_now_goes_on_with_whatever_requires_it() {
    let folder = tempfile::tempdir().unwrap();
    let hello = folder.path().join("plugins/hello");
    std::fs::create_dir_all(&hello).unwrap();
    let Some(needy) = needy(folder.path()) else {
        return;
    };
    let file = hello.join("libhello.so");
    std::fs::copy(rust_plugin("hello"), &file).unwrap();
    std::fs::copy(&needy, folder.path().join("plugins/libneedy.so")).unwrap();
    write(&folder, "");
    let running = Running::serve(folder.path(), &[]);
    let statuses = || {
        let status = |name: &str| running.get(&format!("/api/ext/{name}/hello")).status;
        [status("hello"), status("needy")]
    };
    assert_eq!(statuses(), [200, 200]);

    // As a deploy that is not done leaves it.
    std::fs::write(&file, "half a libr").unwrap();
    hang_up(&running);
    assert!(running.said().contains("requires-missing"));
    assert_eq!(statuses(), [200, 200]);
    std::fs::copy(rust_plugin("hello"), &file).unwrap();
    std::fs::copy(rust_plugin("hello"), hello.join("second.so")).unwrap();
    hang_up(&running);
    assert!(running.said().contains("two-libraries"));
    assert_eq!(statuses(), [200, 200]);
    write(&folder, "[plugins]\ndirectories = ['no/such']\n");
    hang_up(&running);
    assert_eq!(statuses(), [404, 404]);

    write(&folder, "");
    std::fs::remove_file(hello.join("second.so")).unwrap();
    hang_up(&running);
    assert_eq!(statuses(), [200, 200]);
    let moved = folder.path().join("moved");
    std::fs::rename(folder.path().join("plugins"), &moved).unwrap();
    hang_up(&running);
    assert!(running.said().contains("unreadable-directory"));
    assert_eq!(statuses(), [200, 200]);
    std::fs::rename(&moved, folder.path().join("plugins")).unwrap();
    std::fs::remove_dir_all(&hello).unwrap();
    hang_up(&running);
    assert_eq!(statuses(), [404, 404]);
}

#[test]
fn what_the_application_installed_is_its_own() {
    let server = Server::start(&[]);
    let hello = rust_plugin("hello");
    let elsewhere = tempfile::tempdir().unwrap();
    let file = elsewhere.path().join("hello.so");
    std::fs::copy(&hello, &file).unwrap();
    server.block_on(server.host.install(&file)).unwrap();
    std::fs::copy(&hello, server.plugin_file(&hello)).unwrap();
    let again = || {
        let outcome = server.host.reconfigure(ConfigFile::default());
        server.block_on(outcome).unwrap()
    };
    let outcome = again();
    assert_eq!(outcome.refused[0].code, "duplicate-name");
    assert!(outcome.reloaded.is_empty() && outcome.retired.is_empty());
    std::fs::remove_file(server.plugin_file(&hello)).unwrap();
    std::fs::remove_file(&file).unwrap();
    assert_eq!(again(), exthost::Reconfigured::default());
    assert_eq!(server.plugin("hello")["generation"], 1);
    assert_eq!(server.get("/api/ext/hello/hello").status, 200);
}

#[test]
fn of_two_configurations_at_once_one_holds_whole() {
    let hello = rust_plugin("hello");
    let server = Server::start(&[&hello]);
    let folder = tempfile::tempdir().unwrap();
    let read = |name: &str, enabled: bool| {
        let file = write(
            &folder,
            &format!(
                "[plugin.hello]\nenabled = {enabled}\n[[webhook]]\nname = '{name}'\n\
                 url = 'http://127.0.0.1:1'\nsecret = '{SECRET}'\n"
            ),
        );
        ConfigFile::read(&file).unwrap()
    };
    let (on, off) = (read("on", true), read("off", false));
    for _ in 0..count(10, 100) {
        let both = [&on, &off].map(|file| {
            let (host, file) = (server.host.clone(), file.clone());
            server.spawn(async move { host.reconfigure(file).await.unwrap() })
        });
        for one in both {
            server.block_on(one).unwrap();
        }
        let endpoints = server.get("/api/host/webhooks").json();
        let serves = !server.host.status().plugins.is_empty();
        let expected = if serves { "on" } else { "off" };
        assert_eq!(endpoints["endpoints"][0]["name"], json!(expected));
    }
    server.block_on(server.host.shutdown(std::time::Duration::from_secs(5)));
    let after = server.block_on(server.host.reconfigure(on)).unwrap();
    assert_eq!(after, exthost::Reconfigured::default());
}
