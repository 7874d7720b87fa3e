//! The folder of a new project, made whole or not at all.

use std::fs;
use std::io::{self, ErrorKind};
use std::path::{Path, PathBuf};

use super::template::File;
use crate::cli::Result;

/// A folder that is still to be made: it is not there, or empty.
#[derive(Debug)]
pub(crate) struct NewFolder {
    directory: PathBuf,
    path: PathBuf,
}

/// What to do where the folder cannot be made.
const OTHERWISE: &str = "choose another name, or another folder with --directory";

impl NewFolder {
    /// The folder `name` in `directory`.
    ///
    /// # Errors
    /// When something stands there already.
    pub(crate) fn at(directory: &Path, name: &str) -> Result<Self> {
        if !directory.is_dir() {
            let directory = directory.display();
            return Err(format!("`{directory}` is no folder; make it, or name another").into());
        }
        let path = match directory == Path::new(".") {
            true => PathBuf::from(name),
            false => directory.join(name),
        };
        let shown = path.display();
        match fs::read_dir(&path).map(|mut entries| entries.next().is_some()) {
            Ok(true) => Err(format!("`{shown}` has something in it; {OTHERWISE}").into()),
            Err(error) if error.kind() == ErrorKind::NotADirectory => {
                Err(format!("`{shown}` is a file; {OTHERWISE}").into())
            }
            Err(error) if error.kind() != ErrorKind::NotFound => {
                Err(format!("`{shown}` cannot be read: {error}; {OTHERWISE}").into())
            }
            Ok(false) | Err(_) => Ok(NewFolder {
                directory: directory.to_owned(),
                path,
            }),
        }
    }

    /// Where the folder will be.
    pub(crate) fn path(&self) -> &Path {
        &self.path
    }

    /// Makes the folder with `files` in it.
    ///
    /// # Errors
    /// When the system refuses; nothing is left behind.
    pub(crate) fn make(self, files: &[File]) -> Result<()> {
        self.write(files).map_err(|error| {
            let path = self.path.display();
            format!("`{path}` cannot be made: {error}; {OTHERWISE}").into()
        })
    }

    fn write(&self, files: &[File]) -> io::Result<()> {
        // Beside the folder, so that the rename stays in one file system; hidden, so
        // that `exthost dev` does not take it for a project.
        let beside = tempfile::Builder::new()
            .prefix(".exthost-new-")
            .tempdir_in(&self.directory)?;
        // In the temporary folder, which nobody else may enter, one with the usual
        // permissions.
        let draft = beside.path().join("draft");
        for file in files {
            let path = draft.join(&file.path);
            fs::create_dir_all(path.parent().unwrap_or(&draft))?;
            fs::write(path, &file.text)?;
        }
        // Not every system renames over an empty folder.
        match fs::remove_dir(&self.path) {
            Err(error) if error.kind() != ErrorKind::NotFound => Err(error),
            _ => fs::rename(draft, &self.path),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn file(path: &str) -> File {
        File {
            path: path.to_owned(),
            text: format!("the text of {path}"),
        }
    }

    fn names_in(directory: &Path) -> Vec<String> {
        let entries = fs::read_dir(directory).unwrap();
        let name = |entry: io::Result<fs::DirEntry>| entry.unwrap().file_name();
        entries
            .map(|entry| name(entry).into_string().unwrap())
            .collect()
    }

    #[test]
    fn it_is_made_whole() {
        let directory = tempfile::tempdir().unwrap();
        let make = || {
            let folder = NewFolder::at(directory.path(), "notes")?;
            folder.make(&[file("Cargo.toml"), file("src/lib.rs")])
        };
        // An empty folder is as good as none.
        fs::create_dir(directory.path().join("notes")).unwrap();
        make().unwrap();
        let text = fs::read_to_string(directory.path().join("notes/src/lib.rs")).unwrap();
        assert_eq!(text, "the text of src/lib.rs");
        assert_eq!(names_in(directory.path()), ["notes"]);

        let error = make().unwrap_err().to_string();
        assert!(
            error.contains("notes` has something in it; choose another name, "),
            "{error}"
        );
    }

    #[test]
    fn a_failure_leaves_nothing_behind() {
        let directory = tempfile::tempdir().unwrap();
        let folder = NewFolder::at(directory.path(), "notes").unwrap();
        // `src` cannot be a file and a folder.
        let error = folder.make(&[file("src"), file("src/lib.rs")]).unwrap_err();
        let text = error.to_string();
        assert!(text.contains("notes` cannot be made: "), "{text}");
        assert_eq!(names_in(directory.path()), [""; 0]);
    }

    #[test]
    fn a_file_is_not_overwritten() {
        let directory = tempfile::tempdir().unwrap();
        fs::write(directory.path().join("notes"), "dear diary").unwrap();
        let error = NewFolder::at(directory.path(), "notes").unwrap_err();
        assert!(error.to_string().contains("notes` is a file; "), "{error}");
        assert_eq!(names_in(directory.path()), ["notes"]);

        let missing = NewFolder::at(&directory.path().join("no"), "notes").unwrap_err();
        assert!(
            missing
                .to_string()
                .ends_with("no` is no folder; make it, or name another")
        );
    }
}
