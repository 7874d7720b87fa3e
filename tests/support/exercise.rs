//! Drives a plugin that uses every table, over HTTP alone, and asserts on all it
//! answers: the plugins of `tests/plugins/every-table`, whoever built them, in
//! whatever host.

/// `db/1`, and `webhooks/1` with it.
mod data;
/// `routes/1` and `tasks/1`.
mod requests;
/// `log/1`, `config/1`, `events/1` and `broadcast/1`.
mod telling;

use std::io;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::time::Duration;

use exthost::config::ConfigFile;
use tempfile::TempDir;

use super::client::{Connection, Response};
use super::process::Running;
use super::receiver::{Receiver, SECRET};
use super::server::Server;

/// The option `greeting` of the plugin, which its default differs from.
const GREETING: &str = "good morning";

/// The two ways in which the plugins do what may take its time: by slots that block,
/// and by slots that call back.
const WAYS: [&str; 2] = ["wait", "complete"];

/// Exercises the plugin `name` of the file `library` in a host of this process.
pub(crate) fn in_process(name: &str, library: &Path) {
    let site = Site::new(name, "directories = []");
    let config = ConfigFile::read(&site.path("exthost.toml")).unwrap();
    let mut server = Server::start_with(&[library], |builder| {
        builder.development(false).config(config)
    });
    assert_eq!(server.host.status().refused, [], "{}", library.display());
    drive(name, server.address, &site.receiver);
    server.stop(Duration::from_secs(10));
    site.assert_life();
}

/// Exercises the plugin `name` of the file `library` in `binary serve`.
pub(crate) fn in_host(binary: &Path, name: &str, library: &Path) {
    let site = Site::new(name, "directories = ['plugins']");
    let plugins = site.path("plugins");
    std::fs::create_dir(&plugins).unwrap();
    std::fs::copy(library, plugins.join(library.file_name().unwrap())).unwrap();
    let running = Running::of(
        Command::new(binary)
            .args(["serve", "--strict", "--listen", "127.0.0.1:0"])
            .current_dir(site.folder.path()),
    );
    drive(name, running.address, &site.receiver);
    running.signal("-TERM");
    let (code, log) = running.wait();
    assert_eq!(code, Some(0), "{log}");
    site.assert_life();
}

/// The configuration that [`drive`] counts on, without the plugin's file: a webhook
/// to `receiver`, and the file `life` to which the plugin writes.
pub(crate) fn config(name: &str, receiver: &Receiver, life: &Path) -> String {
    format!(
        "[plugin.{name}]
options = {{ greeting = '{GREETING}', nested = {{ list = [1, 2] }}, life = '{}' }}

[[webhook]]
url = 'http://{}/hook'
events = ['item.*', 'body.*']
secret = '{SECRET}'

[webhooks]
allow = ['127.0.0.0/8']

[broadcast]
public = ['{name}/>']
",
        life.display(),
        receiver.address
    )
}

/// Drives the plugin `name` at `address`, as somebody who is not known.
pub(crate) fn drive(name: &str, address: SocketAddr, receiver: &Receiver) {
    let driven = Driven {
        name,
        address,
        receiver,
    };
    requests::drive(&driven);
    telling::drive(&driven);
    data::drive(&driven);
    driven.answers("GET", "faults", "", "0");
}

/// A folder as `exthost serve` is run in, with a receiver of webhooks.
struct Site {
    folder: TempDir,
    receiver: Receiver,
}

impl Site {
    fn new(name: &str, plugins: &str) -> Self {
        let site = Site {
            folder: tempfile::tempdir().unwrap(),
            receiver: Receiver::start(),
        };
        let config = config(name, &site.receiver, &site.path("life"));
        let config = format!("[plugins]\n{plugins}\n\n{config}");
        std::fs::write(site.path("exthost.toml"), config).unwrap();
        site
    }

    fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    /// The plugin was started, stopped and destroyed, and has nothing to complain of.
    fn assert_life(&self) {
        let life = std::fs::read_to_string(self.path("life")).unwrap();
        assert_eq!(life, "started\nstopped\ndestroyed with 0 faults\n");
    }
}

/// A plugin that is driven.
struct Driven<'a> {
    name: &'a str,
    address: SocketAddr,
    receiver: &'a Receiver,
}

impl Driven<'_> {
    fn connect(&self) -> Connection {
        Connection::open(self.address).unwrap()
    }

    fn path(&self, path: &str) -> String {
        format!("/api/ext/{}/{path}", self.name)
    }

    fn try_ask(&self, method: &str, path: &str, body: &[u8]) -> io::Result<Response> {
        self.connect().request(method, &self.path(path), &[], body)
    }

    fn ask(&self, method: &str, path: &str, body: &str) -> Response {
        let response = self.try_ask(method, path, body.as_bytes());
        response.unwrap_or_else(|error| panic!("{method} {path}: {error}"))
    }

    /// What is answered, with status 200.
    fn text(&self, method: &str, path: &str, body: &str) -> String {
        let response = self.ask(method, path, body);
        assert_eq!(response.status, 200, "{method} {path}: {response:?}");
        response.text().to_owned()
    }

    /// Asserts on what is answered, with status 200.
    fn answers(&self, method: &str, path: &str, body: &str, expected: &str) {
        let text = self.text(method, path, body);
        assert_eq!(text, expected, "{}: {method} {path}", self.name);
    }

    /// Asserts that a request fails with this status and code.
    fn fails(&self, method: &str, path: &str, body: &str, status: u16, code: &str) {
        let response = self.ask(method, path, body);
        let found = (response.status, response.code());
        assert_eq!(found, (status, code.to_owned()), "{method} {path}");
    }
}
