//! `exthost dev` and `exthost serve` as child processes.

use std::io::{BufRead, BufReader};
use std::net::SocketAddr;
use std::path::Path;
use std::process::{Child, Command, Stdio};
use std::sync::{Arc, Mutex};
use std::thread::{self, JoinHandle};

use super::client::{Connection, Response};
use super::{exthost, rust_plugin};

/// A host as a child process; killed when dropped.
pub(crate) struct Running {
    child: Child,
    pub(crate) address: SocketAddr,
    said: Arc<Mutex<String>>,
    log: Arc<Mutex<String>>,
    logging: Option<JoinHandle<()>>,
}

impl Running {
    /// Serves the projects in the folder `plugins` of `directory`.
    pub(crate) fn start(directory: &Path) -> Self {
        Self::start_at(directory, "127.0.0.1:0")
    }

    /// Serves them at `address`.
    pub(crate) fn start_at(directory: &Path, address: &str) -> Self {
        Self::start_with(directory, address, |command| command)
    }

    /// Serves them with a command that `adapt` changed.
    pub(crate) fn start_with(
        directory: &Path,
        address: &str,
        adapt: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Self {
        let arguments = ["dev", "plugins", "--listen", address];
        Self::run(directory, &arguments, adapt)
    }

    /// Serves the plugin files of `directory` as the configuration in it says, on
    /// any port, with further arguments.
    pub(crate) fn serve(directory: &Path, arguments: &[&str]) -> Self {
        let serve = ["serve", "--listen", "127.0.0.1:0"];
        Self::run(directory, &[&serve, arguments].concat(), |command| command)
    }

    fn run(
        directory: &Path,
        arguments: &[&str],
        adapt: impl FnOnce(&mut Command) -> &mut Command,
    ) -> Self {
        let mut command = exthost();
        command
            .args(arguments)
            .current_dir(directory)
            .env("EXTHOST_LOG", "info,exthost::http=debug");
        Self::of(adapt(&mut command))
    }

    /// Runs a program that says as `exthost` does where it serves.
    pub(crate) fn of(command: &mut Command) -> Self {
        let mut child = command
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        let said: Arc<Mutex<String>> = Arc::default();
        let address = loop {
            let line = lines.next().expect("it ended before it served").unwrap();
            *said.lock().unwrap() += &format!("{line}\n");
            if let Some(rest) = line.strip_prefix("serving on http://") {
                let end = rest.find(',').unwrap_or(rest.len());
                break rest[..end].parse().unwrap();
            }
        };
        let saying = said.clone();
        thread::spawn(move || {
            for line in lines {
                *saying.lock().unwrap() += &(line.unwrap() + "\n");
            }
        });
        let stderr = BufReader::new(child.stderr.take().unwrap());
        let log: Arc<Mutex<String>> = Arc::default();
        let written = log.clone();
        let logging = thread::spawn(move || {
            for line in stderr.lines() {
                *written.lock().unwrap() += &(line.unwrap() + "\n");
            }
        });
        Running {
            child,
            address,
            said,
            log,
            logging: Some(logging),
        }
    }

    /// The id of its process.
    pub(crate) fn id(&self) -> u32 {
        self.child.id()
    }

    pub(crate) fn signal(&self, signal: &str) {
        let pid = self.id().to_string();
        let sent = Command::new("kill").args([signal, &pid]).status();
        assert!(sent.unwrap().success());
    }

    pub(crate) fn get(&self, path: &str) -> Response {
        self.get_with(path, &[])
    }

    pub(crate) fn get_with(&self, path: &str, headers: &[(&str, &str)]) -> Response {
        let mut connection = Connection::open(self.address).unwrap();
        connection.request("GET", path, headers, b"").unwrap()
    }

    /// What it has printed so far.
    pub(crate) fn said(&self) -> String {
        self.said.lock().unwrap().clone()
    }

    /// What it has logged so far.
    pub(crate) fn log(&self) -> String {
        self.log.lock().unwrap().clone()
    }

    /// Waits for its end and returns exit code and log.
    pub(crate) fn wait(mut self) -> (Option<i32>, String) {
        let code = self.child.wait().unwrap().code();
        self.logging.take().unwrap().join().unwrap();
        (code, self.log())
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
    library_project(directory, name, &rust_plugin(name))
}

/// A project that makes a copy of `library`; nothing without make.
pub(crate) fn library_project(directory: &Path, name: &str, library: &Path) -> Option<()> {
    if Command::new("make").arg("--version").output().is_err() {
        println!("skipped: no make");
        return None;
    }
    let folder = directory.join("plugins").join(name);
    std::fs::create_dir_all(&folder).unwrap();
    let makefile = format!("all:\n\tcp {} $(OUT)/\n", library.display());
    std::fs::write(folder.join("Makefile"), makefile).unwrap();
    Some(())
}
