//! How a host in a test is made.

use std::path::{Path, PathBuf};

use exthost_abi::Embedded;
use serde_json::Value;

use crate::clock::Clock;
use crate::discovery::Candidate;
use crate::host::{BuildError, Host, HostBuilder};
use crate::http::Direct;
use crate::inspect::{Inspected, inspect, inspect_embedded};
use crate::services::db::application;
use crate::services::webhooks::WebhookSettings;
use crate::testing::TestHost;
use crate::testing::running::Running;
use crate::testing::webhooks::TestEndpoint;

/// How a [`TestHost`] is to be.
///
/// # Examples
/// ```
/// # use exthost_plugin::prelude::*;
/// # struct Hello;
/// # impl Plugin for Hello {
/// #     fn init(_: &mut Router, _: &Services) -> Result<Self> { Ok(Hello) }
/// # }
/// # export_plugin!(Hello);
/// # #[tokio::main(flavor = "current_thread")]
/// # async fn main() -> Result<(), exthost::BuildError> {
/// use exthost::testing::TestHost;
///
/// let host = TestHost::builder()
///     .embed(Hello::embedded())
///     .options("hello", serde_json::json!({"greeting": "good day"}))
///     .adapt(|builder| builder.limits(exthost::Limits::default()))
///     .start()
///     .await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
#[must_use = "a builder starts nothing"]
pub struct TestHostBuilder {
    builder: HostBuilder,
    running: Running,
    clock: Clock,
    /// Whether a plugin sends webhooks.
    sends: bool,
    /// The first plugin that was given.
    first: Option<First>,
}

#[derive(Debug)]
enum First {
    Embedded(Embedded),
    File(PathBuf),
}

impl TestHostBuilder {
    pub(super) fn new() -> Self {
        let running = Running::new();
        let directory = running.directory().path();
        let clock = Clock::movable();
        let settings = WebhookSettings {
            jitter: 0.0,
            ..WebhookSettings::default()
        };
        let builder = Host::builder()
            .data(directory.join("data"))
            .clock(clock.clone())
            .webhook_settings(settings)
            .development(true)
            .strict(true);
        TestHostBuilder {
            builder,
            running,
            clock,
            sends: false,
            first: None,
        }
    }

    /// Adds a plugin that is compiled into the test.
    pub fn embed(mut self, plugin: Embedded) -> Self {
        self.builder = self.builder.embed(plugin);
        self.sends |= inspect_embedded(plugin).is_ok_and(|plugin| sends(&plugin));
        self.first.get_or_insert(First::Embedded(plugin));
        self
    }

    /// Adds a plugin that was built before, by a copy of its file.
    ///
    /// # Panics
    /// When the file cannot be copied.
    pub fn file(mut self, file: impl AsRef<Path>) -> Self {
        let directory = self.running.directory().path().join("plugins");
        if !directory.exists() {
            self.builder = self.builder.directory(&directory);
        }
        let copy = copied(file.as_ref(), &directory);
        self.sends |= inspect(Candidate::file(&copy)).is_ok_and(|plugin| sends(&plugin));
        self.first.get_or_insert(First::File(copy));
        self
    }

    /// Sets the options of one plugin, a JSON object.
    ///
    /// # Panics
    /// When `options` are no object.
    pub fn options(self, plugin: &str, options: Value) -> Self {
        let Value::Object(options) = options else {
            panic!("the options of {plugin} are {options}, write an object");
        };
        self.adapt(|builder| builder.options(plugin, options))
    }

    /// Gives the host an application's database, made by `sql`; of several calls all
    /// count.
    ///
    /// # Panics
    /// When SQLite refuses it.
    pub fn host_sql(self, sql: &str) -> Self {
        let file = self.running.directory().path().join("application.db");
        application::run(&file, sql).unwrap_or_else(|why| panic!("{why}: {sql}"));
        self.host_database(file)
    }

    /// Sets the SQLite file of the application.
    pub fn host_database(self, file: impl Into<PathBuf>) -> Self {
        self.adapt(|builder| builder.host_database(file))
    }

    /// Grants one plugin to read tables of the application's database.
    pub fn tables(self, plugin: &str, tables: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.adapt(|builder| builder.tables(plugin, tables))
    }

    /// Changes whatever else a host has. It is in development, strict, tries webhooks
    /// again to the second, and keeps its data in a directory that is removed at the
    /// end.
    pub fn adapt(mut self, adapt: impl FnOnce(HostBuilder) -> HostBuilder) -> Self {
        self.builder = adapt(self.builder);
        self
    }

    /// Starts the host.
    ///
    /// # Errors
    /// [`BuildError`]; a plugin that is refused is [`BuildError::Refused`], unless
    /// the host was [made](Self::adapt) lenient.
    pub async fn start(self) -> Result<TestHost, BuildError> {
        let TestHostBuilder {
            mut builder,
            running,
            clock,
            sends,
            first,
        } = self;
        let endpoint = sends.then(|| TestEndpoint::start(running.runtime()));
        if let Some(endpoint) = &endpoint {
            builder = builder.webhook(endpoint.endpoint());
        }
        let host = running.run(builder.build()).await?;
        let name = first.and_then(|first| name(first, &host));
        Ok(TestHost {
            direct: Direct::new(host.router().merge(host.admin_router())),
            mount: name.map_or_else(|| "/".to_owned(), |name| format!("/api/ext/{name}/")),
            host,
            clock,
            endpoint,
            running: Some(running),
        })
    }
}

/// What a test that fails because of `error` says.
pub(super) fn words(error: &BuildError) -> String {
    let BuildError::Refused { refusals } = error else {
        return error.to_string();
    };
    let lines: Vec<_> = refusals.iter().map(ToString::to_string).collect();
    lines.join("\n")
}

/// Whether a plugin may send webhooks.
fn sends(plugin: &Inspected) -> bool {
    let meta = plugin.meta();
    let mut asks = meta.needs.iter().chain(&meta.wants);
    asks.any(|capability| capability.id == "webhooks")
}

/// The name of the first plugin, if it serves or says so itself.
fn name(first: First, host: &Host) -> Option<String> {
    match first {
        First::Embedded(plugin) => {
            let inspected = inspect_embedded(plugin).ok()?;
            Some(inspected.meta().name.to_string())
        }
        First::File(file) => {
            let mut plugins = host.status().plugins.into_iter();
            plugins
                .find(|plugin| plugin.file == file)
                .map(|plugin| plugin.name)
        }
    }
}

/// Copies a plugin into the directory that is discovered.
fn copied(file: &Path, directory: &Path) -> PathBuf {
    let name = file
        .file_name()
        .unwrap_or_else(|| panic!("{} names no file", file.display()));
    let copy = directory.join(name);
    let written = std::fs::create_dir_all(directory).and_then(|()| std::fs::copy(file, &copy));
    if let Err(error) = written {
        panic!("cannot copy {}: {error}; build it first", file.display());
    }
    copy
}
