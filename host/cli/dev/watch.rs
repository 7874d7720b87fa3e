//! Watches the sources of projects, and tells when they have changed and been
//! left alone.

use std::collections::{BTreeSet, HashSet};
use std::path::{Path, PathBuf};
use std::time::{Duration, Instant};

use notify::{Event, EventKind, RecommendedWatcher, RecursiveMode, Watcher};
use tokio::sync::mpsc;

use super::project::{Project, folders};
use crate::cli::Result;

/// How long sources must be left alone: an editor writes a file in several
/// steps, a checkout many files.
const SETTLE: Duration = Duration::from_millis(50);

/// How long to wait for that at most.
const SETTLE_MAX: Duration = Duration::from_secs(2);

/// A watch over the folders of sources.
///
/// Folders are watched one by one, because a watch with all that is in a folder
/// would cover `target` too, with thousands of files in motion.
#[derive(Debug)]
pub(crate) struct Watch {
    watcher: RecommendedWatcher,
    changes: mpsc::UnboundedReceiver<PathBuf>,
    roots: Vec<PathBuf>,
    watched: HashSet<PathBuf>,
    warned: bool,
}

/// Sources that have changed.
#[derive(Debug)]
pub(crate) struct Change {
    /// When the first of them did.
    pub(crate) since: Instant,
    paths: BTreeSet<PathBuf>,
}

impl Watch {
    /// Begins to watch `roots`, except for what lies in `data`.
    pub(crate) fn start(roots: &[PathBuf], data: &Path) -> Result<Self> {
        let (send, changes) = mpsc::unbounded_channel();
        let (from, data) = (roots.to_vec(), data.to_owned());
        let watcher = notify::recommended_watcher(move |event: notify::Result<Event>| {
            let Ok(event) = event else { return };
            if !is_change(event.kind) {
                return;
            }
            for path in event.paths {
                if !path.starts_with(&data) && is_source(&from, &path) {
                    // Nobody listens any more when the host ends.
                    let _ = send.send(path);
                }
            }
        });
        let watcher = watcher.map_err(|error| format!("files cannot be watched: {error}"))?;
        let mut watch = Watch {
            watcher,
            changes,
            roots: roots.to_vec(),
            watched: HashSet::new(),
            warned: false,
        };
        watch.cover();
        Ok(watch)
    }

    /// Waits until sources have changed and been left alone.
    pub(crate) async fn changed(&mut self) -> Change {
        let first = match self.changes.recv().await {
            Some(first) => first,
            // The watcher, which lives as long as this, holds the sender.
            None => std::future::pending().await,
        };
        let since = Instant::now();
        let mut paths = BTreeSet::from([first]);
        while since.elapsed() < SETTLE_MAX {
            match tokio::time::timeout(SETTLE, self.changes.recv()).await {
                Ok(Some(path)) => paths.insert(path),
                Ok(None) | Err(_) => break,
            };
        }
        // A folder that was made anew under its name has no watch.
        self.watched.retain(|folder| !paths.contains(folder));
        self.cover();
        Change { since, paths }
    }

    /// Watches every folder that is not yet: the roots, the folders in them,
    /// where projects may appear, and all folders of projects.
    fn cover(&mut self) {
        for root in self.roots.clone() {
            self.watch(&root);
            let is_project = Project::at(&root).is_some();
            for folder in folders(&root) {
                self.watch(&folder);
                if is_project || Project::at(&folder).is_some() {
                    self.cover_in(&folder);
                }
            }
        }
    }

    fn cover_in(&mut self, folder: &Path) {
        for folder in folders(folder) {
            // A link may lead back to where it lies.
            if !folder.is_symlink() {
                self.watch(&folder);
                self.cover_in(&folder);
            }
        }
    }

    fn watch(&mut self, folder: &Path) {
        if self.watched.contains(folder) {
            return;
        }
        match self.watcher.watch(folder, RecursiveMode::NonRecursive) {
            Ok(()) => {
                self.watched.insert(folder.to_owned());
            }
            // It may have been removed meanwhile.
            Err(_) if !folder.exists() => {}
            Err(error) if !self.warned => {
                self.warned = true;
                let folder = folder.display();
                tracing::warn!(%folder, %error, "cannot be watched; changes may be missed");
            }
            Err(_) => {}
        }
    }
}

impl Change {
    /// Whether a file of `project` has changed.
    pub(crate) fn concerns(&self, project: &Project) -> bool {
        self.paths
            .iter()
            .any(|path| path.starts_with(&project.folder))
    }
}

/// Whether content or names may have changed.
fn is_change(kind: EventKind) -> bool {
    use notify::event::{MetadataKind, ModifyKind};
    match kind {
        EventKind::Create(_) | EventKind::Remove(_) | EventKind::Any => true,
        // `touch` means: build it again.
        EventKind::Modify(ModifyKind::Metadata(kind)) => kind == MetadataKind::WriteTime,
        EventKind::Modify(_) => true,
        EventKind::Access(_) | EventKind::Other => false,
    }
}

/// Whether `path` may be a source: no build output, nothing hidden, and none
/// of the files that editors lay beside a file.
fn is_source(roots: &[PathBuf], path: &Path) -> bool {
    let inside = roots.iter().find_map(|root| path.strip_prefix(root).ok());
    let inside = inside.unwrap_or(path);
    let passed_over = inside
        .iter()
        .any(|name| name == "target" || name.as_encoded_bytes().starts_with(b"."));
    let name = inside.file_name().unwrap_or_default().to_string_lossy();
    let temporary = name.ends_with('~') || name.starts_with('#') || name == "4913";
    // Cargo writes it while it builds, first under this name with letters after it.
    let lock = name.starts_with("Cargo.lock");
    !passed_over && !temporary && !lock && !is_output(&name)
}

/// Whether a name is that of something built, of what was told, or of an editor's
/// copy.
fn is_output(name: &str) -> bool {
    const EXTENSIONS: [&str; 15] = [
        "so", "dylib", "dll", "o", "a", "d", "obj", "lib", "exp", "pdb", "log", "swp", "swx",
        "tmp", "bak",
    ];
    let extension = name.rsplit_once('.').map(|(_, extension)| extension);
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension))
}

#[cfg(test)]
mod tests {
    use super::super::project::tests::write;
    use super::*;

    #[test]
    fn sources_are_told_from_the_rest() {
        let roots = [PathBuf::from("/home/.me/plugins")];
        let is_source = |path: &str| is_source(&roots, &roots[0].join(path));
        for path in [
            "hello/src/lib.rs",
            "hello/Cargo.toml",
            "hello-c/hello.c",
            "hello",
            "",
        ] {
            assert!(is_source(path), "{path}");
        }
        for path in [
            "hello/target/debug/build.rs",
            "hello/.git/index",
            "hello/src/.lib.rs.swp",
            "hello/src/lib.rs~",
            "hello/src/#lib.rs#",
            "hello/src/4913",
            "hello/Cargo.lock",
            "hello/Cargo.lockx9bYtE",
            "hello/dev.log",
            "hello-c/build/libhello-c.so",
            "hello-c/hello.o",
        ] {
            assert!(!is_source(path), "{path}");
        }
    }

    #[tokio::test]
    async fn changes_come_together_and_new_folders_are_covered() {
        let root = tempfile::tempdir().unwrap();
        let root = root.path().canonicalize().unwrap();
        let (roots, data) = ([root.clone()], root.join("data"));
        let mut watch = Watch::start(&roots, &data).unwrap();

        let folder = root.join("hello");
        write(&folder.join("Makefile"), "all:\n");
        write(&folder.join("src/hello.c"), "");
        let change = watch.changed().await;
        let project = Project::at(&folder).unwrap();
        assert!(change.concerns(&project));

        write(&data.join("images/1"), "");
        write(&folder.join("src/hello.c"), "int a;");
        let change = watch.changed().await;
        assert!(change.paths.contains(&folder.join("src/hello.c")));
        assert!(!change.paths.contains(&data));
    }
}
