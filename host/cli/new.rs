//! `exthost new`: begins a plugin that builds, passes its tests and serves.

mod checkout;
mod folder;
mod template;

use std::path::PathBuf;

use clap::Args;
use exthost::name::PluginName;

use crate::cli::{Result, output};
use folder::NewFolder;
use template::{File, Language};

/// Begin a plugin: make a folder that builds, passes its tests and serves
///
/// The folder is made whole or not at all; one that has anything in it is left alone.
#[derive(Debug, Args)]
pub(crate) struct New {
    /// The plugin's name, and the folder's
    name: String,
    /// What the plugin is written in
    #[arg(long, value_enum, value_name = "LANGUAGE", default_value = "rust")]
    lang: Language,
    /// Where the folder is made
    #[arg(long, value_name = "DIR", default_value = ".")]
    directory: PathBuf,
}

impl New {
    /// Makes the folder, tells what comes next, and returns the exit code.
    pub(crate) fn run(self) -> Result<i32> {
        let name = name(&self.name)?;
        let mut files = self.lang.files(&name)?;
        let checkout = match self.lang {
            Language::Rust => checkout::root(),
            // The header is all that a plugin in C needs.
            Language::C => None,
        };
        if let Some(root) = checkout {
            files.push(checkout::patch(root));
        }
        let folder = NewFolder::at(&self.directory, name.as_str())?;
        let path = folder.path().display().to_string();
        folder.make(&files)?;

        output::say(format_args!("made {path}, a plugin in {}:", self.lang));
        for File { path, .. } in &files {
            output::say(format_args!("  {path}"));
        }
        if let Some(root) = checkout {
            let root = root.display();
            output::say(format_args!("{} takes exthost from {root}", checkout::FILE));
        }
        output::say(format_args!(
            "\nnext:\n  cd {}\n  exthost dev .\n  \
             curl 'http://127.0.0.1:7700/api/ext/{name}/hello?name=Ada'",
            quoted(&path)
        ));
        Ok(0)
    }
}

/// The name of the plugin; the error tells one that would do, if there is one.
fn name(text: &str) -> Result<PluginName> {
    PluginName::parse(text).map_err(|error| match corrected(text) {
        Some(name) => format!("{error}; try `{name}`").into(),
        None => error.into(),
    })
}

/// The plugin name that is meant by `MyNotes`, `my_notes` or `my notes`.
fn corrected(text: &str) -> Option<PluginName> {
    if !text.is_ascii() {
        return None;
    }
    let mut name = String::new();
    let mut last = ' ';
    for character in text.chars() {
        if character.is_ascii_uppercase() && !last.is_ascii_uppercase() {
            name.push('-');
        }
        match character.is_ascii_alphanumeric() {
            true => name.push(character.to_ascii_lowercase()),
            false => name.push('-'),
        }
        last = character;
    }
    let words = name.split('-').filter(|word| !word.is_empty());
    let name = words.collect::<Vec<_>>().join("-");
    let name = name.trim_start_matches(|character: char| !character.is_ascii_lowercase());
    PluginName::parse(name).ok()
}

/// A path as a shell takes it.
fn quoted(path: &str) -> String {
    let plain = |c: char| c.is_alphanumeric() || "/._-".contains(c);
    match path.chars().all(plain) {
        true => path.to_owned(),
        false => format!("'{}'", path.replace('\'', r"'\''")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_name_is_corrected_where_one_can_guess() {
        for (text, meant) in [
            ("my_notes", "my-notes"),
            ("MyNotes", "my-notes"),
            ("My Notes!", "my-notes"),
            ("my--notes-", "my-notes"),
            ("plugins/notes", "plugins-notes"),
            ("2fa", "fa"),
            ("HTTP2", "http2"),
        ] {
            let error = name(text).unwrap_err().to_string();
            assert!(
                error.starts_with(&format!("`{text}` is not a plugin name; ")),
                "{error}"
            );
            assert!(error.ends_with(&format!("; try `{meant}`")), "{error}");
        }
        for text in ["", "2", "-", "naïve", &"a".repeat(65)] {
            let error = name(text).unwrap_err().to_string();
            assert!(error.ends_with("as in `my-extension`"), "{error}");
        }
        assert_eq!(name("my-notes").unwrap().as_str(), "my-notes");
    }

    #[test]
    fn a_path_is_quoted_for_a_shell_when_it_must_be() {
        assert_eq!(quoted("./my-notes"), "./my-notes");
        assert_eq!(quoted("my plugins/it's"), r"'my plugins/it'\''s'");
    }
}
