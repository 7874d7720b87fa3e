//! Discovery: from plugin directories to candidates. Names only; no file is
//! opened.

use std::ffi::OsStr;
use std::fs::{self, DirEntry};
use std::io;
use std::path::{Path, PathBuf};

mod error;

pub use error::DiscoveryError;

/// The files of the host itself that may lie in a plugin directory.
const OWN_FILES: [&str; 2] = ["exthost.toml", "exthost.lock"];

/// What libraries are called on the platforms of plugins.
const EXTENSIONS: [&str; 3] = ["so", "dylib", "dll"];

/// A file that is offered as a plugin; nothing is known of it but its name.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub struct Candidate {
    path: PathBuf,
    target: PathBuf,
}

impl Candidate {
    /// Names one file that the operator chose; links are followed wherever they
    /// lead. That it exists is found out by inspection.
    pub fn file(path: impl Into<PathBuf>) -> Self {
        let path = path.into();
        let target = fs::canonicalize(&path).unwrap_or_else(|_| path.clone());
        Self { path, target }
    }

    /// Returns the path it was found under.
    pub fn path(&self) -> &Path {
        &self.path
    }

    /// Returns the path without links, which is the one to open.
    pub(crate) fn target(&self) -> &Path {
        &self.target
    }

    pub(crate) fn into_path(self) -> PathBuf {
        self.path
    }
}

/// Lists the candidates of `directories`, in the order of the directories and by
/// name within each.
///
/// Each visible entry that is no folder is a candidate, whatever it is called:
/// a text file in a plugin directory is refused by name later, not passed over
/// in silence. A folder is a candidate for the one library in it that fits this
/// platform, so that a plugin can ship a library for each platform, and assets
/// beside them; one without a library holds assets and is passed over.
pub fn discover(directories: &[PathBuf]) -> (Vec<Candidate>, Vec<DiscoveryError>) {
    let mut candidates = Vec::new();
    let mut errors = Vec::new();
    for directory in directories {
        match Directory::open(directory) {
            Ok(directory) => directory.list(&mut candidates, &mut errors),
            Err(error) => errors.push(error),
        }
    }
    (candidates, errors)
}

/// The candidate at a path that the operator chose: a file, or a folder that
/// holds a library for each platform.
///
/// # Errors
/// [`DiscoveryError`]; that a file exists is found out by inspection.
pub fn at(path: &Path) -> Result<Candidate, DiscoveryError> {
    if !path.is_dir() {
        return Ok(Candidate::file(path));
    }
    let found = Directory::open(path)?.folder(path)?;
    found.ok_or_else(|| DiscoveryError::EmptyFolder {
        folder: path.to_owned(),
    })
}

/// One plugin directory, with its path free of links.
struct Directory<'a> {
    path: &'a Path,
    root: PathBuf,
    entries: Vec<PathBuf>,
}

impl<'a> Directory<'a> {
    fn open(path: &'a Path) -> Result<Self, DiscoveryError> {
        let unreadable = |source| DiscoveryError::Directory {
            path: path.to_owned(),
            source,
        };
        Ok(Self {
            path,
            root: fs::canonicalize(path).map_err(unreadable)?,
            entries: visible(path).map_err(unreadable)?,
        })
    }

    fn list(&self, candidates: &mut Vec<Candidate>, errors: &mut Vec<DiscoveryError>) {
        for path in &self.entries {
            match self.entry(path) {
                Ok(candidate) => candidates.extend(candidate),
                Err(error) => errors.push(error),
            }
        }
    }

    fn entry(&self, path: &Path) -> Result<Option<Candidate>, DiscoveryError> {
        let candidate = self.candidate(path)?;
        let metadata =
            fs::symlink_metadata(&candidate.target).map_err(|source| DiscoveryError::Entry {
                path: path.to_owned(),
                source,
            })?;
        match metadata.is_dir() {
            true => self.folder(path),
            false => Ok(Some(candidate)),
        }
    }

    /// Returns the library of `folder` that fits this platform.
    fn folder(&self, folder: &Path) -> Result<Option<Candidate>, DiscoveryError> {
        let entries = visible(folder).map_err(|source| DiscoveryError::Entry {
            path: folder.to_owned(),
            source,
        })?;
        let libraries: Vec<_> = entries
            .into_iter()
            .filter(|path| is_library(path))
            .collect();
        let native: Vec<_> = libraries.iter().filter(|path| is_native(path)).collect();
        // A name is a hint to choose by; with nothing to choose from the file
        // itself will tell.
        let choose = native.len() > 1;
        let mut fitting = native
            .iter()
            .filter(|path| !choose || !names_elsewhere(path));
        match (fitting.next(), fitting.next(), libraries.first()) {
            (Some(path), None, _) => self.candidate(path).map(Some),
            (Some(first), Some(second), _) => Err(DiscoveryError::TwoLibraries {
                folder: folder.to_owned(),
                first: first.to_path_buf(),
                second: second.to_path_buf(),
            }),
            (None, _, Some(found)) => Err(DiscoveryError::OtherPlatform {
                folder: folder.to_owned(),
                found: found.clone(),
            }),
            (None, _, None) => Ok(None),
        }
    }

    /// Resolves links in `path`, which must not lead out of the directory.
    fn candidate(&self, path: &Path) -> Result<Candidate, DiscoveryError> {
        let target = fs::canonicalize(path).map_err(|source| DiscoveryError::Entry {
            path: path.to_owned(),
            source,
        })?;
        match target.starts_with(&self.root) {
            true => Ok(Candidate {
                path: path.to_owned(),
                target,
            }),
            false => Err(DiscoveryError::SymlinkOutside {
                path: path.to_owned(),
                target,
                directory: self.path.to_owned(),
            }),
        }
    }
}

/// Returns the paths of the entries that are offered, by name.
fn visible(directory: &Path) -> io::Result<Vec<PathBuf>> {
    let is_offered = |entry: &DirEntry| {
        let name = entry.file_name();
        !name.as_encoded_bytes().starts_with(b".") && !OWN_FILES.iter().any(|own| name == *own)
    };
    let mut entries = fs::read_dir(directory)?.collect::<io::Result<Vec<_>>>()?;
    entries.retain(is_offered);
    let mut paths: Vec<_> = entries.iter().map(DirEntry::path).collect();
    paths.sort();
    Ok(paths)
}

fn is_library(path: &Path) -> bool {
    let extension = path.extension().and_then(OsStr::to_str);
    extension.is_some_and(|extension| EXTENSIONS.contains(&extension))
}

/// Whether a library is called as those of this platform are.
fn is_native(path: &Path) -> bool {
    path.extension() == Some(OsStr::new(std::env::consts::DLL_EXTENSION))
}

/// Whether a library's name tells of another system or machine:
/// `notes-linux-aarch64.so`.
fn names_elsewhere(path: &Path) -> bool {
    /// Spellings of each system and machine, this platform's name for it first.
    const WORDS: [&[&str]; 6] = [
        &["linux"],
        &["macos", "darwin"],
        &["windows"],
        &["x86_64", "x86-64", "amd64", "x64"],
        &["aarch64", "arm64"],
        &["riscv64"],
    ];
    let here = [std::env::consts::OS, std::env::consts::ARCH];
    let stem = path.file_stem().and_then(OsStr::to_str).unwrap_or_default();
    WORDS
        .iter()
        .filter(|words| !here.contains(&words[0]))
        .flat_map(|words| words.iter())
        .any(|word| has_word(stem, word))
}

/// Whether `word` stands in `text` between other characters than letters and
/// digits.
fn has_word(text: &str, word: &str) -> bool {
    let text = text.to_ascii_lowercase();
    text.match_indices(word).any(|(at, _)| {
        let before = text[..at].chars().next_back();
        let after = text[at + word.len()..].chars().next();
        ![before, after]
            .into_iter()
            .flatten()
            .any(char::is_alphanumeric)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    const DLL: &str = std::env::consts::DLL_EXTENSION;

    fn touch(path: &Path) {
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, "").unwrap();
    }

    /// Lists `root` and returns relative paths of candidates, and codes.
    fn list(root: &Path) -> (Vec<String>, Vec<&'static str>) {
        let (candidates, errors) = discover(&[root.to_owned()]);
        let name = |candidate: &Candidate| {
            candidate
                .path()
                .strip_prefix(root)
                .unwrap()
                .to_str()
                .unwrap()
                .replace('\\', "/")
        };
        (
            candidates.iter().map(name).collect(),
            errors.iter().map(DiscoveryError::code).collect(),
        )
    }

    #[test]
    fn every_visible_entry_is_offered_in_order() {
        let root = tempfile::tempdir().unwrap();
        for name in [
            "notes.txt",
            "b.so",
            "a.so",
            ".hidden.so",
            "exthost.lock",
            "exthost.toml",
        ] {
            touch(&root.path().join(name));
        }
        touch(&root.path().join("assets/page.html"));
        let (names, errors) = list(root.path());
        assert_eq!(
            (names, errors),
            (
                vec!["a.so".into(), "b.so".into(), "notes.txt".into()],
                vec![]
            )
        );
    }

    #[test]
    fn a_folder_offers_its_library_for_this_platform() {
        let root = tempfile::tempdir().unwrap();
        let other = if std::env::consts::ARCH == "aarch64" {
            "amd64"
        } else {
            "arm64"
        };
        touch(&root.path().join(format!("notes/libnotes.{DLL}")));
        touch(&root.path().join(format!("notes/libnotes-{other}.{DLL}")));
        touch(&root.path().join("notes/assets/page.html"));
        touch(&root.path().join(format!("twice/a.{DLL}")));
        touch(&root.path().join(format!("twice/b.{DLL}")));
        touch(&root.path().join(format!("alone/a-{other}.{DLL}")));
        let foreign = if DLL == "dll" { "so" } else { "dll" };
        touch(&root.path().join(format!("elsewhere/a.{foreign}")));
        let (names, errors) = list(root.path());
        let alone = format!("alone/a-{other}.{DLL}");
        assert_eq!(names, [alone, format!("notes/libnotes.{DLL}")]);
        assert_eq!(errors, ["no-library-here", "two-libraries"]);
    }

    #[test]
    fn a_word_is_not_part_of_another() {
        assert!(has_word("notes-x64", "x64") && has_word("a.arm64.b", "arm64"));
        assert!(!has_word("matrix64", "x64") && !has_word("alarm64", "arm64"));
    }

    #[test]
    fn a_missing_directory_is_told() {
        let root = tempfile::tempdir().unwrap();
        let (candidates, errors) = discover(&[root.path().join("gone"), root.path().to_owned()]);
        assert!(candidates.is_empty());
        assert_eq!(errors.len(), 1);
        assert_eq!(errors[0].code(), "unreadable-directory");
        assert!(errors[0].path().ends_with("gone"));
    }

    #[cfg(unix)]
    #[test]
    fn links_are_followed_inside_only() {
        use std::os::unix::fs::symlink;

        let root = tempfile::tempdir().unwrap();
        let outside = tempfile::tempdir().unwrap();
        touch(&outside.path().join("evil.so"));
        touch(&root.path().join("real.so"));
        symlink("real.so", root.path().join("inside.so")).unwrap();
        symlink(
            outside.path().join("evil.so"),
            root.path().join("outside.so"),
        )
        .unwrap();
        symlink(outside.path(), root.path().join("folder")).unwrap();
        symlink("loop.so", root.path().join("loop.so")).unwrap();
        let (names, errors) = list(root.path());
        assert_eq!(names, ["inside.so", "real.so"]);
        assert_eq!(
            errors,
            ["symlink-outside", "unreadable-entry", "symlink-outside"]
        );
    }
}
