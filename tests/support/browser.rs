//! A page in a real browser: Chromium without a window, driven over its DevTools
//! protocol.

use std::fs;
use std::net::TcpStream;
use std::process::{Child, Command, Stdio};
use std::thread;
use std::time::{Duration, Instant};

use serde_json::{Value, json};
use tempfile::TempDir;
use tungstenite::client::IntoClientRequest;
use tungstenite::{Message, WebSocket};

/// Names of Chromium, as distributions have them.
const NAMES: [&str; 3] = ["chromium", "chromium-browser", "google-chrome"];

/// No window, nothing remembered, nothing fetched but the page; without its sandbox,
/// which root cannot have.
const ARGUMENTS: [&str; 11] = [
    "--headless",
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--disable-dev-shm-usage",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--remote-debugging-port=0",
    "about:blank",
];

/// How long anything may take.
const PATIENCE: Duration = Duration::from_secs(60);

/// One page of a browser of its own; both end when dropped.
pub(crate) struct Page {
    child: Child,
    socket: WebSocket<TcpStream>,
    session: String,
    calls: u64,
    errors: Vec<String>,
    _profile: TempDir,
}

impl Page {
    /// An empty page; nothing, and a line that says so, where there is no Chromium.
    pub(crate) fn start() -> Option<Self> {
        let profile = tempfile::tempdir().unwrap();
        let Some(mut child) = NAMES.iter().find_map(|name| spawn(name, &profile)) else {
            println!("skipped: no {}", NAMES.join(", no "));
            return None;
        };
        let socket = connect(&mut child, &profile);
        let mut page = Page {
            child,
            socket,
            session: String::new(),
            calls: 0,
            errors: Vec::new(),
            _profile: profile,
        };
        let target = page.call("Target.createTarget", json!({"url": "about:blank"}));
        let attach = json!({"targetId": target["targetId"], "flatten": true});
        let attached = page.call("Target.attachToTarget", attach);
        attached["sessionId"]
            .as_str()
            .unwrap()
            .clone_into(&mut page.session);
        for domain in ["Page", "Runtime", "Log"] {
            page.call(&format!("{domain}.enable"), json!({}));
        }
        Some(page)
    }

    /// Goes to `url`, and waits until it is loaded.
    pub(crate) fn open(&mut self, url: &str) {
        let opened = self.call("Page.navigate", json!({"url": url}));
        assert_eq!(opened["errorText"], Value::Null, "{url}: {opened}");
        self.wait_until(&format!(
            "location.href === {url:?} && document.readyState === 'complete'"
        ));
    }

    /// The value of a JavaScript expression.
    pub(crate) fn value(&mut self, expression: &str) -> Value {
        let asked = json!({"expression": expression, "returnByValue": true});
        let mut answer = self.call("Runtime.evaluate", asked);
        let thrown = &answer["exceptionDetails"];
        assert_eq!(*thrown, Value::Null, "{expression}: {thrown}");
        answer["result"]["value"].take()
    }

    /// Waits until an expression is true, for a minute at most.
    pub(crate) fn wait_until(&mut self, expression: &str) {
        let begun = Instant::now();
        while self.value(expression) != true {
            if begun.elapsed() >= PATIENCE {
                let page = self.value("document.documentElement.innerText");
                panic!("not within {PATIENCE:?}: {expression}\n{page}");
            }
            thread::sleep(Duration::from_millis(20));
        }
    }

    /// Types a text where a selector points to, and presses Enter.
    pub(crate) fn enter(&mut self, selector: &str, text: &str) {
        let focus = format!("document.querySelector({selector:?}).focus()");
        self.value(&focus);
        self.call("Input.insertText", json!({"text": text}));
        for kind in ["keyDown", "keyUp"] {
            let key = json!({
                "type": kind, "key": "Enter", "code": "Enter", "text": "\r",
                "windowsVirtualKeyCode": 13,
            });
            self.call("Input.dispatchKeyEvent", key);
        }
    }

    /// What went wrong in the page since this was asked last, as its console has it.
    pub(crate) fn errors(&mut self) -> Vec<String> {
        // What was reported before the answer is read before it.
        self.value("0");
        std::mem::take(&mut self.errors)
    }

    /// Calls a method of the protocol, and waits for its result.
    fn call(&mut self, method: &str, params: Value) -> Value {
        self.calls += 1;
        let mut call = json!({"id": self.calls, "method": method, "params": params});
        if !self.session.is_empty() {
            call["sessionId"] = json!(self.session);
        }
        self.socket.send(Message::text(call.to_string())).unwrap();
        loop {
            let Message::Text(text) = self.socket.read().unwrap() else {
                continue;
            };
            let mut told: Value = serde_json::from_str(&text).unwrap();
            if told["id"] == self.calls {
                assert_eq!(told["error"], Value::Null, "{method}");
                return told["result"].take();
            }
            self.note(&told);
        }
    }

    /// Keeps what an event of the browser says of errors.
    fn note(&mut self, told: &Value) {
        let params = &told["params"];
        let error = match told["method"].as_str() {
            Some("Runtime.exceptionThrown") => &params["exceptionDetails"],
            Some("Runtime.consoleAPICalled") if params["type"] != "log" => &params["args"],
            Some("Log.entryAdded") if params["entry"]["level"] == "error" => &params["entry"],
            _ => return,
        };
        self.errors.push(error.to_string());
    }
}

impl Drop for Page {
    fn drop(&mut self) {
        // One that ends by itself leaves nobody behind who writes to its profile.
        let close = json!({"id": 0, "method": "Browser.close"});
        let _ = self.socket.send(Message::text(close.to_string()));
        let begun = Instant::now();
        while matches!(self.child.try_wait(), Ok(None)) && begun.elapsed() < PATIENCE / 6 {
            thread::sleep(Duration::from_millis(20));
        }
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

fn spawn(name: &str, profile: &TempDir) -> Option<Child> {
    let said = fs::File::create(profile.path().join("said")).unwrap();
    let mut directory = std::ffi::OsString::from("--user-data-dir=");
    directory.push(profile.path());
    let child = Command::new(name)
        .arg(directory)
        .args(ARGUMENTS)
        .stdout(Stdio::null())
        .stderr(said)
        .spawn();
    child.ok()
}

/// Connects to a browser that is starting, which writes down where.
fn connect(child: &mut Child, profile: &TempDir) -> WebSocket<TcpStream> {
    let file = profile.path().join("DevToolsActivePort");
    let begun = Instant::now();
    let (port, path) = loop {
        let written = fs::read_to_string(&file).unwrap_or_default();
        // The path comes second, and last.
        if let Some((port, path)) = written.split_once('\n')
            && path.starts_with("/devtools/browser/")
        {
            break (port.to_owned(), path.to_owned());
        }
        let ended = child.try_wait().unwrap();
        let said = || fs::read_to_string(profile.path().join("said")).unwrap_or_default();
        assert!(ended.is_none(), "the browser ended: {}", said());
        assert!(begun.elapsed() < PATIENCE, "no browser: {}", said());
        thread::sleep(Duration::from_millis(20));
    };
    let request = format!("ws://127.0.0.1:{port}{path}");
    let request = request.into_client_request().unwrap();
    let stream = TcpStream::connect(format!("127.0.0.1:{port}")).unwrap();
    stream.set_read_timeout(Some(PATIENCE)).unwrap();
    tungstenite::client(request, stream).unwrap().0
}
