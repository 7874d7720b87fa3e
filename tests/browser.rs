//! Does the page of the sample `live` show in a browser what happens, as it happens,
//! and come back by itself when the host does?

use serde_json::json;

use super::support::browser::Page;
use super::support::client::Connection;
use super::support::process::{Running, project};

/// Where the host listens that goes and comes back: where nothing else does, so that
/// its port is free in between.
const ADDRESS: &str = match cfg!(target_os = "linux") {
    true => "127.0.11.1:0",
    false => "127.0.0.1:0",
};

const IS_OPEN: &str = "document.querySelector('#state').textContent === 'open'";

/// Whether the newest line of a list is this text.
fn newest(list: &str, text: &str) -> String {
    format!("document.querySelector('#{list} li')?.textContent === {text:?}")
}

/// Waits until the page has told of further ticks, which begin anew with the host.
fn assert_ticks(page: &mut Page) {
    let ticks = "Number(document.querySelector('#ticks').textContent)";
    page.wait_until(&format!("{ticks} > 0"));
    let first = page.value(ticks);
    page.wait_until(&format!("{ticks} !== {first}"));
}

fn create_note(running: &Running, name: &str) {
    let mut connection = Connection::open(running.address).unwrap();
    let headers = [("content-type", "application/json")];
    let body = json!({"name": name}).to_string();
    let path = "/api/ext/notes/items";
    let created = connection.request("POST", path, &headers, body.as_bytes());
    assert_eq!(created.unwrap().status, 201);
}

#[test]
fn the_page_shows_what_happens_and_comes_back_by_itself() {
    let directory = tempfile::tempdir().unwrap();
    for name in ["echo-extension", "live", "notes", "ticker"] {
        if project(directory.path(), name).is_none() {
            return;
        }
    }
    let config = "[plugin.ticker.options]\nperiod_ms = 100\n";
    std::fs::write(directory.path().join("exthost.toml"), config).unwrap();
    let Some(mut page) = Page::start() else {
        return;
    };
    let running = Running::start_at(directory.path(), ADDRESS);
    let address = running.address;
    page.open(&format!("http://{address}/api/ext/live/"));
    page.wait_until(IS_OPEN);
    assert_ticks(&mut page);
    // A text is shown as it is, whatever it would be as HTML.
    create_note(&running, "<b>made over HTTP</b>");
    page.wait_until(&newest("notes", "<b>made over HTTP</b>"));
    page.enter("#name", "made in the page");
    page.wait_until(&newest("notes", "made in the page"));
    page.wait_until("document.querySelector('#name').value === ''");
    page.enter("#text", "is anybody there?");
    page.wait_until(&newest("echo", "is anybody there?"));
    assert_eq!(page.errors(), [""; 0]);

    // What is refused is told in its place.
    page.enter("#name", "   ");
    let refused = "document.querySelector('#notes-error').textContent";
    page.wait_until(&format!("{refused} === 'name must not be empty'"));

    // Dropped, it is killed.
    drop(running);
    page.wait_until("document.querySelector('#state').textContent === 'connecting'");
    page.enter("#text", "still there?");
    let refused = "document.querySelector('#echo-error').textContent";
    page.wait_until(&format!("{refused}.includes('an open WebSocket only')"));
    let running = Running::start_at(directory.path(), &address.to_string());
    page.wait_until(IS_OPEN);
    page.wait_until(
        "document.querySelector('#gap').textContent === 'missed some messages of all channels'",
    );
    assert_ticks(&mut page);
    page.wait_until(&newest("notes", "made in the page"));
    create_note(&running, "made after it came back");
    page.wait_until(&newest("notes", "made after it came back"));
    // What could not be sent is still there to be sent.
    page.enter("#text", "");
    page.wait_until(&newest("echo", "still there?"));
    assert_eq!(
        page.value("document.querySelectorAll('#notes li').length"),
        3
    );
    // The browser notes what was refused, and each attempt to connect to nobody.
    for error in page.errors() {
        let expected = ["ERR_CONNECTION_REFUSED", "status of 422"];
        let is_expected = expected.iter().any(|part| error.contains(part));
        assert!(is_expected, "{error}");
    }
}
