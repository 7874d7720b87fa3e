//! Why `exthost.toml` was not taken.

use std::borrow::Cow;
use std::io;
use std::path::{Path, PathBuf};

/// Why `exthost.toml` was not taken, with its place.
///
/// It never quotes a line of the file: secrets stand there.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ConfigError {
    /// The file cannot be read.
    #[error("{} cannot be read: {source}; create it or name another", .file.display())]
    Unreadable {
        /// The file.
        file: PathBuf,
        /// What the system said.
        source: io::Error,
    },
    /// A key is not known.
    #[error("{}:{line}:{column}: there is no key `{key}`; {cure}", .file.display())]
    UnknownKey {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// The key.
        key: String,
        /// The nearest known key, or all that are known here.
        cure: String,
    },
    /// The file is not TOML, or a value is not what it has to be.
    #[error("{}:{line}:{column}: {message}", .file.display())]
    Value {
        /// The file.
        file: PathBuf,
        /// The line, from 1.
        line: usize,
        /// The column in characters, from 1.
        column: usize,
        /// What is wrong, and the cure.
        message: String,
    },
}

impl ConfigError {
    /// Returns the stable code.
    pub fn code(&self) -> &'static str {
        match self {
            Self::Unreadable { .. } => "config-unreadable",
            Self::UnknownKey { .. } => "config-unknown-key",
            Self::Value { .. } => "config-bad-value",
        }
    }

    /// The error of the parser, without the line that it would show.
    pub(super) fn of_toml(file: &Path, text: &str, error: &toml::de::Error) -> Self {
        let file = file.to_owned();
        let (line, column) = place_of(text, error);
        let message = error.message();
        let Some((key, known)) = unknown_key(message) else {
            let message = without_value(message).replace('\n', ", ");
            return Self::Value {
                file,
                line,
                column,
                message,
            };
        };
        let cure = cure(&key, &known);
        Self::UnknownKey {
            file,
            line,
            column,
            key,
            cure,
        }
    }
}

/// Line and column of an error in `text`, both from 1.
pub(crate) fn place_of(text: &str, error: &toml::de::Error) -> (usize, usize) {
    let at = error.span().map_or(0, |span| span.start.min(text.len()));
    let before = text.get(..at).unwrap_or(text);
    let line_start = before.rfind('\n').map_or(0, |newline| newline + 1);
    let line = before.matches('\n').count() + 1;
    (line, before[line_start..].chars().count() + 1)
}

/// The message without the text that it says was no other kind of value: that may
/// be a secret in the wrong place.
fn without_value(message: &str) -> Cow<'_, str> {
    let quoted = message.strip_prefix("invalid type: string \"");
    match quoted.and_then(|quoted| quoted.rsplit_once("\", expected ")) {
        Some((_, expected)) => format!("invalid type: string, expected {expected}").into(),
        None => message.into(),
    }
}

/// The key that serde does not know, and those it does; its wording is fixed.
fn unknown_key(message: &str) -> Option<(String, Vec<String>)> {
    let quoted = message.strip_prefix("unknown field ")?;
    let mut names = quoted.split('`').skip(1).step_by(2).map(str::to_owned);
    Some((names.next()?, names.collect()))
}

/// The nearest of what is known, or all of it.
pub(crate) fn cure(word: &str, known: &[impl AsRef<str>]) -> String {
    let known: Vec<&str> = known.iter().map(AsRef::as_ref).collect();
    let nearest = known.iter().min_by_key(|known| distance(word, known));
    if let Some(nearest) = nearest.filter(|nearest| distance(word, nearest) <= 1 + word.len() / 3) {
        return format!("did you mean `{nearest}`?");
    }
    let all: Vec<_> = known.iter().map(|known| format!("`{known}`")).collect();
    match all.as_slice() {
        [] => "there are none here".to_owned(),
        [one] => format!("there is only {one}"),
        all => format!("there are {}", all.join(", ")),
    }
}

/// How many characters have to be added, removed or replaced to make `b` of `a`.
fn distance(a: &str, b: &str) -> usize {
    let b: Vec<char> = b.chars().collect();
    let mut row: Vec<usize> = (0..=b.len()).collect();
    for (i, from) in a.chars().enumerate() {
        let mut diagonal = row[0];
        row[0] = i + 1;
        for (j, to) in b.iter().enumerate() {
            let replaced = diagonal + usize::from(from != *to);
            diagonal = row[j + 1];
            row[j + 1] = replaced.min(row[j] + 1).min(diagonal + 1);
        }
    }
    row[b.len()]
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn distances() {
        for (a, b, expected) in [
            ("", "", 0),
            ("a", "", 1),
            ("", "ab", 2),
            ("tabels", "tables", 2),
            ("kitten", "sitting", 3),
        ] {
            assert_eq!(distance(a, b), expected, "{a} {b}");
        }
    }

    #[test]
    fn far_keys_are_shown_all() {
        let known = ["url".to_owned(), "events".to_owned()];
        assert_eq!(cure("event", &known), "did you mean `events`?");
        assert_eq!(cure("password", &known), "there are `url`, `events`");
        assert_eq!(cure("x", &[""; 0]), "there are none here");
    }
}
