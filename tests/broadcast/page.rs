//! Does the client for web pages hear everything, also when it is cut off?

use std::io::{BufRead, BufReader};
use std::net::{Shutdown, SocketAddr, TcpListener, TcpStream};
use std::process::{Child, ChildStdout, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread;

use exthost::auth::{TokenFile, Tokens};
use serde_json::{Value, json};

use super::super::support::server::Server;
use super::{publish, with_settings};

/// Passes connections on to the host, unless it is cut.
struct Relay {
    address: SocketAddr,
    line: Arc<Mutex<Line>>,
}

#[derive(Default)]
struct Line {
    is_cut: bool,
    /// Both ends of each connection.
    open: Vec<TcpStream>,
}

impl Relay {
    fn start(host: SocketAddr) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").unwrap();
        let address = listener.local_addr().unwrap();
        let line: Arc<Mutex<Line>> = Arc::default();
        let shared = line.clone();
        thread::spawn(move || {
            for page in listener.incoming().flatten() {
                let mut line = shared.lock().unwrap();
                if line.is_cut {
                    continue;
                }
                let host = TcpStream::connect(host).unwrap();
                let ends = [&page, &host].map(|end| end.try_clone().unwrap());
                line.open.extend(ends);
                pass(page.try_clone().unwrap(), host.try_clone().unwrap());
                pass(host, page);
            }
        });
        Relay { address, line }
    }

    /// Cuts all connections, for the time of `meanwhile`.
    fn cut(&self, meanwhile: impl FnOnce()) {
        self.line.lock().unwrap().is_cut = true;
        for end in self.line.lock().unwrap().open.drain(..) {
            let _ = end.shutdown(Shutdown::Both);
        }
        meanwhile();
        self.line.lock().unwrap().is_cut = false;
    }
}

fn pass(mut from: TcpStream, mut to: TcpStream) {
    thread::spawn(move || {
        let _ = std::io::copy(&mut from, &mut to);
        let _ = to.shutdown(Shutdown::Both);
    });
}

/// A page in Node.js, which tells what its client hears in lines of JSON.
struct Page {
    child: Child,
    lines: BufReader<ChildStdout>,
}

/// What runs in each page first.
const BEGIN: &str = r#"
const [folder, url] = process.argv.slice(1);
const { Broadcast } = await import(`${folder}/client.mjs`);
const tell = (...what) => console.log(JSON.stringify(what));
const live = new Broadcast({ channels: ["host/>"], url, token: globalThis.token });
"#;

/// What runs in a page that listens until its input ends.
const LISTENING: &str = r#"
live.on("host/ticks", (message) => tell("message", message.data));
const off = live.on("*/*", () => { tell("any"); off(); });
live.on("host/ticks.>", () => tell("never"));
live.onState = (state) => tell("state", state, live.state === state);
live.onGap = ({ channel, lost }) => tell("gap", channel, lost);
process.stdin.on("end", () => { live.close(); }).resume();
"#;

/// What runs in a page that closes for good as soon as it is cut off, and that has
/// a handler which fails.
const CLOSING: &str = r#"
process.on("uncaughtException", (error) => tell("thrown", error.message));
live.on("*/>", () => { throw new Error("a bad handler"); });
live.on("*/>", ({ data }) => tell("message", data));
live.onState = (state) => {
  tell("state", state);
  if (state === "connecting") live.close();
};
"#;

/// Server-sent events instead of WebSockets, as far as the client needs them.
const EVENTS_ONLY: &str = r#"
delete globalThis.WebSocket;
globalThis.EventSource = class {
  #listeners = {};
  #closing = new AbortController();
  constructor(url) { this.#read(url); }
  addEventListener(name, listener) { this.#listeners[name] = listener; }
  close() { this.#closing.abort(); }
  async #read(url) {
    try {
      const { body } = await fetch(url, { signal: this.#closing.signal });
      let text = "";
      for await (const chunk of body.pipeThrough(new TextDecoderStream())) {
        const blocks = (text + chunk).split("\n\n");
        text = blocks.pop();
        blocks.forEach((block) => this.#tell(block));
      }
    } catch {}
    if (!this.#closing.signal.aborted) this.onerror();
  }
  #tell(block) {
    const field = (name) => block.match(new RegExp(`^${name}: (.*)$`, "m"))?.[1];
    const listener = this.#listeners[field("event")] ?? this.onmessage;
    if (!this.#closing.signal.aborted) listener({ data: field("data") });
  }
};
"#;

impl Page {
    /// Runs scripts with the server's client, which connects to `host`. Nothing
    /// where there is no Node.js with WebSockets.
    fn open(server: &Server, host: SocketAddr, scripts: &[&str]) -> Option<Self> {
        let client = server.get("/api/broadcast/client.js");
        let kind = client.header("content-type");
        assert_eq!(kind, Some("text/javascript; charset=utf-8"));
        let directory = server.directory.path();
        std::fs::write(directory.join("client.mjs"), client.text()).unwrap();
        let node = |arguments: &[&str]| {
            let mut node = Command::new("node");
            node.arg("--experimental-websocket").args(arguments);
            node
        };
        let probe = node(&["--eval", "if (!globalThis.WebSocket) process.exit(1)"]).output();
        if !probe.is_ok_and(|probe| probe.status.success()) {
            println!("skipped: no node with WebSockets");
            return None;
        }
        let folder = format!("file://{}", directory.display());
        let url = format!("http://{host}/api/broadcast");
        let script = scripts.concat();
        let mut child = node(&["--input-type=module", "--eval", &script, &folder, &url])
            .stdin(Stdio::piped())
            .stdout(Stdio::piped())
            .spawn()
            .unwrap();
        let lines = BufReader::new(child.stdout.take().unwrap());
        Some(Page { child, lines })
    }

    /// What the client tells next; null at its end.
    fn next(&mut self) -> Value {
        let mut line = String::new();
        self.lines.read_line(&mut line).unwrap();
        match line.is_empty() {
            true => Value::Null,
            false => serde_json::from_str(&line).unwrap(),
        }
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

#[test]
fn a_page_that_is_cut_off_goes_on_where_it_was() {
    goes_on_where_it_was("");
}

#[test]
fn a_page_without_web_sockets_goes_on_where_it_was() {
    goes_on_where_it_was(EVENTS_ONLY);
}

fn goes_on_where_it_was(before: &str) {
    let server = with_settings(|_| {});
    let relay = Relay::start(server.address);
    let scripts = [before, BEGIN, LISTENING];
    let Some(mut page) = Page::open(&server, relay.address, &scripts) else {
        return;
    };
    assert_eq!(page.next(), json!(["state", "open", true]));
    publish(&server, 1, 2);
    assert_eq!(page.next(), json!(["message", 1]));
    assert_eq!(page.next(), json!(["any"]));
    assert_eq!(page.next(), json!(["message", 2]));
    relay.cut(|| publish(&server, 3, 30));
    assert_eq!(page.next(), json!(["state", "connecting", true]));
    assert_eq!(page.next(), json!(["state", "open", true]));
    for n in 3..=30 {
        assert_eq!(page.next(), json!(["message", n]));
    }
    relay.cut(|| publish(&server, 31, 2000));
    assert_eq!(page.next(), json!(["state", "connecting", true]));
    assert_eq!(page.next(), json!(["state", "open", true]));
    assert_eq!(page.next(), json!(["gap", "host/ticks", 2000 - 30 - 1024]));
    for n in 2000 - 1023..=2000 {
        assert_eq!(page.next(), json!(["message", n]));
    }
    drop(page.child.stdin.take());
    assert_eq!(page.next(), json!(["state", "closed", true]));
    assert_eq!(page.next(), Value::Null);
}

#[test]
fn a_page_says_by_a_token_who_listens() {
    let data = tempfile::tempdir().unwrap();
    let (token, _) = TokenFile::of(data.path())
        .create("page", &[], None)
        .unwrap();
    let tokens = Tokens::open(data.path()).unwrap();
    let server = Server::start_with(&[], |builder| builder.authenticator(tokens));
    let saying = format!("globalThis.token = {:?};", token.reveal());
    for before in ["", EVENTS_ONLY] {
        let scripts = [before, &saying, BEGIN, LISTENING];
        let Some(mut page) = Page::open(&server, server.address, &scripts) else {
            return;
        };
        assert_eq!(page.next(), json!(["state", "open", true]));
        server.host.publish("ticks", "", &before.len()).unwrap();
        assert_eq!(page.next(), json!(["message", before.len()]));
    }
}

#[test]
fn a_page_that_closes_stays_closed_and_no_handler_harms_another() {
    let server = with_settings(|_| {});
    let relay = Relay::start(server.address);
    let Some(mut page) = Page::open(&server, relay.address, &[BEGIN, CLOSING]) else {
        return;
    };
    assert_eq!(page.next(), json!(["state", "open"]));
    publish(&server, 1, 1);
    assert_eq!(page.next(), json!(["message", 1]));
    assert_eq!(page.next(), json!(["thrown", "a bad handler"]));
    relay.cut(|| ());
    assert_eq!(page.next(), json!(["state", "connecting"]));
    assert_eq!(page.next(), json!(["state", "closed"]));
    // Nothing is left that would keep it.
    assert_eq!(page.next(), Value::Null);
}
