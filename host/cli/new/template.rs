//! The files of a new project: those of `host/templates`, which are a plugin named
//! `plugin-name`.

use std::fmt;

use clap::ValueEnum;
use exthost::name::PluginName;

use crate::cli::Result;

/// What a plugin is written in.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub(crate) enum Language {
    /// A crate that depends on exthost-plugin
    Rust,
    /// One file that includes exthost.h
    C,
}

/// A file of a project.
#[derive(Debug)]
pub(crate) struct File {
    /// Its path in the project, with slashes.
    pub(crate) path: String,
    /// What it holds.
    pub(crate) text: String,
}

impl Language {
    /// The files of the plugin `name`.
    ///
    /// # Errors
    /// When a plugin in this language cannot have this name.
    pub(crate) fn files(self, name: &PluginName) -> Result<Vec<File>> {
        if self == Language::Rust && DEPENDENCIES.contains(&name.as_str()) {
            let why = "a crate that every plugin in Rust is built with";
            return Err(format!("`{name}` is {why}; choose another name").into());
        }
        let templates = match self {
            Language::Rust => RUST.iter(),
            Language::C => C.iter(),
        };
        let mut files: Vec<_> = templates
            .map(|(path, template)| File {
                path: filled(path, name),
                text: filled(template, name),
            })
            .collect();
        if self == Language::C {
            files.push(File {
                path: "include/exthost.h".to_owned(),
                text: HEADER.to_owned(),
            });
        }
        Ok(files)
    }
}

impl fmt::Display for Language {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Language::Rust => "Rust",
            Language::C => "C",
        })
    }
}

/// What cargo would confuse with a plugin of the same name.
const DEPENDENCIES: [&str; 3] = ["exthost", "exthost-abi", "exthost-plugin"];

/// The header of this host's tables.
const HEADER: &str = include_str!("../../templates/c/exthost.h");

/// The templates of a plugin in Rust. What is called otherwise than in a project
/// would mean something to cargo or git where it lies.
const RUST: [(&str, &str); 6] = [
    (
        "Cargo.toml",
        include_str!("../../templates/rust/manifest.toml"),
    ),
    ("src/lib.rs", include_str!("../../templates/rust/lib.rs")),
    ("README.md", include_str!("../../templates/rust/README.md")),
    ("exthost.toml", include_str!("../../templates/exthost.toml")),
    (".gitignore", include_str!("../../templates/rust/gitignore")),
    (
        ".github/workflows/ci.yml",
        include_str!("../../templates/rust/ci.yml"),
    ),
];

/// The templates of a plugin in C.
const C: [(&str, &str); 6] = [
    (
        "plugin-name.c",
        include_str!("../../templates/c/plugin-name.c"),
    ),
    ("Makefile", include_str!("../../templates/c/Makefile")),
    ("README.md", include_str!("../../templates/c/README.md")),
    ("exthost.toml", include_str!("../../templates/exthost.toml")),
    (".gitignore", include_str!("../../templates/c/gitignore")),
    (
        ".github/workflows/ci.yml",
        include_str!("../../templates/c/ci.yml"),
    ),
];

/// A template with its three placeholders filled in. The name comes last: it may be
/// that of another placeholder.
fn filled(template: &str, name: &PluginName) -> String {
    template
        .replace("host-version", VERSION)
        .replace("host-repository", env!("CARGO_PKG_REPOSITORY"))
        .replace("plugin-name", name.as_str())
}

/// The versions of exthost and exthost-plugin that a new plugin asks for. Both crates
/// have the same version.
const VERSION: &str = concat!(
    env!("CARGO_PKG_VERSION_MAJOR"),
    ".",
    env!("CARGO_PKG_VERSION_MINOR")
);

#[cfg(test)]
mod tests {
    use super::*;

    fn files(language: Language, name: &str) -> Vec<File> {
        language.files(&PluginName::parse(name).unwrap()).unwrap()
    }

    fn text(files: &[File], path: &str) -> String {
        let found = files.iter().find(|file| file.path == path);
        found.unwrap_or_else(|| panic!("no {path}")).text.clone()
    }

    #[test]
    fn placeholders_are_filled_in() {
        for language in [Language::Rust, Language::C] {
            for file in files(language, "my-notes") {
                for placeholder in ["plugin-name", "host-version", "host-repository"] {
                    assert!(!file.path.contains(placeholder), "{}", file.path);
                    assert!(!file.text.contains(placeholder), "{}", file.path);
                }
            }
        }
        assert_eq!(files(Language::C, "my-notes")[0].path, "my-notes.c");
        // A plugin may have the name of a placeholder.
        let manifest = text(&files(Language::Rust, "host-version"), "Cargo.toml");
        assert!(manifest.contains("name = \"host-version\""), "{manifest}");
    }

    #[test]
    fn both_crates_have_the_version_that_is_asked_for() {
        let sdk = concat!(env!("CARGO_MANIFEST_DIR"), "/plugin-api/Cargo.toml");
        let sdk: toml::Table = toml::from_str(&std::fs::read_to_string(sdk).unwrap()).unwrap();
        assert_eq!(
            sdk["package"]["version"].as_str(),
            Some(env!("CARGO_PKG_VERSION"))
        );
        let manifest = text(&files(Language::Rust, "my-notes"), "Cargo.toml");
        let manifest: toml::Table = toml::from_str(&manifest).unwrap();
        for (kind, name) in [
            ("dependencies", "exthost-plugin"),
            ("dev-dependencies", "exthost"),
        ] {
            assert_eq!(manifest[kind][name].as_str(), Some(VERSION));
        }
    }

    #[test]
    fn a_plugin_in_rust_is_no_crate_of_exthost() {
        let name = PluginName::parse("exthost-plugin").unwrap();
        let error = Language::Rust.files(&name).unwrap_err().to_string();
        assert!(error.starts_with("`exthost-plugin` is a crate "), "{error}");
        assert!(Language::C.files(&name).is_ok());
    }
}
