//! `exthost dev` as a child process.

use std::io::{BufRead, BufReader, Read};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::thread::{self, JoinHandle};

use super::client::{Connection, Response};
use super::{exthost, rust_plugin};

/// `exthost dev` as a child process; killed when dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: SocketAddr,
    log: Option<JoinHandle<String>>,
}

impl Running {
    /// Serves the projects in the folder `plugins` of `directory`.
    pub(crate) fn start(directory: &Path) -> Self {
        let mut child = exthost()
            .args(["dev", "plugins", "--listen", "127.0.0.1:0"])
            .current_dir(directory)
            .env("EXTHOST_LOG", "info,exthost::http=debug")
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let address = loop {
            let line = lines.next().expect("it ended before it served").unwrap();
            if let Some(rest) = line.strip_prefix("serving on http://") {
                let end = rest.find(',').unwrap_or(rest.len());
                break rest[..end].parse().unwrap();
            }
        };
        // The pipes must not fill up.
        thread::spawn(move || lines.for_each(drop));
        let mut stderr = child.stderr.take().unwrap();
        let log = thread::spawn(move || {
            let mut text = Vec::new();
            stderr.read_to_end(&mut text).unwrap();
            String::from_utf8(text).unwrap()
        });
        Running {
            child,
            address,
            log: Some(log),
        }
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.child.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.unwrap().success());
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        let mut connection = Connection::open(self.address).unwrap();
        connection.request("GET", path, &[], b"").unwrap()
    }

    /// Waits for its end and returns exit code and log.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        (code, self.log.take().unwrap().join().unwrap())
    }
}

impl Drop for Running {
    fn drop(&mut self) {
        // It may have ended, which is all that is wanted.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}

/// A project that makes a library which was built before; nothing without make.
pub(crate) fn project(directory: &Path, name: &str) -> Option<()> {
    if Command::new("make").arg("--version").output().is_err() {
        println!("skipped: no make");
        return None;
    }
    let folder = directory.join("plugins").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let library = rust_plugin(name);
    let makefile = format!("all:\n\tcp {} $(OUT)/\n", library.display());
    std::fs::write(folder.join("Makefile"), makefile).unwrap();
    Some(())
}
