//! A folder as an operator has it, and the commands typed in it.

use std::path::{Path, PathBuf};
use std::process::Output;

use tempfile::TempDir;

use super::process::Running;
use super::server::eventually;
use super::{exthost, rust_plugin};

/// A folder as an operator has it: a configuration, and plugin files.
pub(crate) struct Site {
    pub(crate) folder: TempDir,
}

impl Site {
    pub(crate) fn new(config: &str) -> Self {
        let site = Site {
            folder: tempfile::tempdir().unwrap(),
        };
        std::fs::create_dir(site.path("plugins")).unwrap();
        site.write(config);
        site
    }

    pub(crate) fn path(&self, name: &str) -> PathBuf {
        self.folder.path().join(name)
    }

    pub(crate) fn write(&self, config: &str) {
        std::fs::write(self.path("exthost.toml"), config).unwrap();
    }

    /// Puts a plugin of this repository into a folder of the site.
    pub(crate) fn put(&self, plugin: &str, into: &str) -> PathBuf {
        self.put_file(&rust_plugin(plugin), into)
    }

    pub(crate) fn put_file(&self, file: &Path, into: &str) -> PathBuf {
        let folder = self.path(into);
        std::fs::create_dir_all(&folder).unwrap();
        let to = folder.join(file.file_name().unwrap());
        // As a deploy should: whole, or not at all.
        let beside = folder.join(".new");
        std::fs::copy(file, &beside).unwrap();
        std::fs::rename(&beside, &to).unwrap();
        to
    }

    /// Runs `exthost` in the folder.
    pub(crate) fn run(&self, arguments: &[&str]) -> Output {
        let mut command = exthost();
        command.args(arguments).current_dir(self.folder.path());
        command.output().unwrap()
    }

    pub(crate) fn serve(&self, arguments: &[&str]) -> Running {
        Running::serve(self.folder.path(), arguments)
    }

    /// A token with these scopes.
    pub(crate) fn token(&self, name: &str, scopes: &[&str]) -> String {
        let mut arguments = vec!["token", "create", name];
        for scope in scopes {
            arguments.extend(["--scope", scope]);
        }
        let output = self.run(&arguments);
        assert!(output.status.success(), "{}", text(&output.stderr));
        text(&output.stdout).trim().to_owned()
    }
}

/// What a command printed.
pub(crate) fn text(bytes: &[u8]) -> String {
    String::from_utf8(bytes.to_vec()).unwrap()
}

/// Sends the signal, and waits until all was read anew.
pub(crate) fn hang_up(running: &Running) {
    let read = || running.said().matches("read all anew").count();
    let before = read();
    running.signal("-HUP");
    eventually("all is read anew", || read() > before);
}
