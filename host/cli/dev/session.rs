//! A session of development: the projects, what was built of them, and the
//! host that serves it.

use std::collections::HashMap;
use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::time::Instant;

use exthost::Host;
use exthost::registry::PluginStatus;

use super::build::{Builder, Built};
use super::project::{self, Project};
use super::report;
use super::watch::Watch;
use crate::cli::output::say;

/// Builds projects and installs what they make.
#[derive(Debug)]
pub(crate) struct Session {
    host: Host,
    builder: Builder,
    roots: Vec<PathBuf>,
    address: SocketAddr,
    /// The projects seen so far, with the library last built of each.
    projects: HashMap<Project, Option<PathBuf>>,
}

impl Session {
    /// A session over the projects in `roots`, served at `address`.
    pub(crate) fn new(
        host: Host,
        builder: Builder,
        roots: Vec<PathBuf>,
        address: SocketAddr,
    ) -> Self {
        Session {
            host,
            builder,
            roots,
            address,
            projects: HashMap::new(),
        }
    }

    /// Builds and installs all projects for the first time. Returns how many
    /// do not serve.
    pub(crate) async fn begin(&mut self) -> usize {
        let projects = project::find(&self.roots);
        if projects.is_empty() {
            let roots: Vec<_> = self
                .roots
                .iter()
                .map(|root| root.display().to_string())
                .collect();
            say(format_args!(
                "no plugin project in {} yet; one that appears is picked up",
                roots.join(", ")
            ));
        }
        self.renew(projects, Instant::now(), false).await
    }

    /// Builds and installs what changes, for ever.
    pub(crate) async fn follow(mut self, mut watch: Watch) {
        loop {
            // Changes during a build wait in the watch, for one more build.
            let change = watch.changed().await;
            let mut projects = project::find(&self.roots);
            self.forget_all_but(&projects);
            projects
                .retain(|project| change.concerns(project) || !self.projects.contains_key(project));
            self.renew(projects, change.since, true).await;
        }
    }

    /// Forgets projects that are gone. A plugin of one serves on: a folder that
    /// is moved or checked out anew is gone for a moment as well.
    fn forget_all_but(&mut self, projects: &[Project]) {
        let gone = |known: &Project| !projects.contains(known);
        for (project, library) in self.projects.extract_if(|known, _| gone(known)) {
            let library = library.and_then(|library| plugin_of(&self.host, &library));
            if let Some(plugin) = library {
                let (folder, name) = (project.folder.display(), plugin.name);
                say(format_args!(
                    "{folder} is gone; {name} serves until the host ends"
                ));
            }
        }
    }

    /// Builds `projects` and installs their libraries. Returns how many do not
    /// serve what was built.
    async fn renew(&mut self, projects: Vec<Project>, since: Instant, quiet: bool) -> usize {
        let mut failures = 0;
        for built in self.builder.build(projects, quiet).await {
            failures += usize::from(!self.take(built, since).await);
        }
        failures
    }

    /// Installs what was built of a project, and tells the outcome: whether it
    /// serves.
    async fn take(&mut self, (project, library): Built, since: Instant) -> bool {
        let last = self.projects.entry(project.clone()).or_default();
        match library {
            Ok(library) => {
                *last = Some(library.clone());
                self.install(&project, &library, since).await
            }
            Err(why) => {
                let before = last
                    .clone()
                    .and_then(|library| plugin_of(&self.host, &library));
                let generation = before.map(|plugin| plugin.generation);
                say(report::not_built(
                    &project.name(),
                    &why.to_string(),
                    generation,
                ));
                false
            }
        }
    }

    async fn install(&self, project: &Project, library: &Path, since: Instant) -> bool {
        let before = plugin_of(&self.host, library);
        if let Some(plugin) = before
            .as_ref()
            .filter(|plugin| plugin.hash == hash(library))
        {
            say(report::unchanged(
                &plugin.name,
                since.elapsed(),
                plugin.generation,
            ));
            return true;
        }
        match self.host.install(library).await {
            Ok(name) => {
                self.tell(name.as_str(), before.as_ref(), since);
                true
            }
            Err(refusal) => {
                let generation = before.map(|plugin| plugin.generation);
                say(report::refused(&project.name(), &refusal, generation));
                false
            }
        }
    }

    /// Tells of a plugin that serves: its routes when they are new.
    fn tell(&self, name: &str, before: Option<&PluginStatus>, since: Instant) {
        let mut plugins = self.host.status().plugins.into_iter();
        let Some(now) = plugins.find(|plugin| plugin.name == name) else {
            return;
        };
        let routes = |plugin| report::routes(plugin, self.address);
        let before = before.filter(|before| before.name == now.name);
        if before.is_some() {
            say(report::rebuilt(name, since.elapsed(), now.generation));
        }
        if before.map(routes) != Some(routes(&now)) {
            say(report::serving(&now, self.address));
        }
    }
}

/// The plugin that serves from `library`.
fn plugin_of(host: &Host, library: &Path) -> Option<PluginStatus> {
    let mut plugins = host.status().plugins.into_iter();
    plugins.find(|plugin| plugin.file == library)
}

/// The content hash of a file, as a status tells it; empty if there is none.
fn hash(file: &Path) -> String {
    let bytes = std::fs::read(file);
    bytes.map_or_else(
        |_| String::new(),
        |bytes| blake3::hash(&bytes).to_hex().to_string(),
    )
}
