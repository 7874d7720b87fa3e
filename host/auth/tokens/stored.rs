//! The file of tokens, as it is read and written.

use std::collections::HashSet;
use std::fs::{self, File, Metadata, OpenOptions};
use std::io::{self, ErrorKind, Read, Write};
use std::path::Path;

use serde::{Deserialize, Serialize};

use crate::auth::scope::is_scope;
use crate::auth::{TokenEntry, TokensError};

/// Most tokens in a file.
pub(super) const TOKENS_MAX: usize = 1000;

/// Most scopes of a token.
pub(super) const SCOPES_MAX: usize = 32;

/// Largest file in bytes, for which the most tokens with the longest scopes are room.
pub(super) const FILE_BYTES_MAX: u64 = 4 * 1024 * 1024;

/// The version of the file's form.
const VERSION: u32 = 1;

/// Longest name in bytes.
const NAME_BYTES_MAX: usize = 64;

/// All that stands in a file of tokens.
#[derive(Debug, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub(super) struct Stored {
    version: u32,
    tokens: Vec<TokenEntry>,
}

/// What tells one state of a file from another; none while there is no file.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(super) struct Stamp(Option<Seen>);

#[cfg(unix)]
type Seen = [i64; 6];

#[cfg(not(unix))]
type Seen = (u64, Option<std::time::SystemTime>);

/// Reads the tokens in `file`, and its stamp; no tokens when it is not there.
pub(super) fn read(file: &Path) -> Result<(Stamp, Vec<TokenEntry>), TokensError> {
    let unreadable = |source| TokensError::Unreadable {
        file: file.to_owned(),
        source,
    };
    let opened = match File::open(file) {
        Ok(opened) => opened,
        Err(error) if error.kind() == ErrorKind::NotFound => return Ok(Default::default()),
        Err(error) => return Err(unreadable(error)),
    };
    let metadata = opened.metadata().map_err(unreadable)?;
    if let Some(mode) = exposed(&metadata) {
        let file = file.to_owned();
        return Err(TokensError::Exposed { file, mode });
    }
    let mut text = String::new();
    let read = opened.take(FILE_BYTES_MAX + 1).read_to_string(&mut text);
    read.map_err(unreadable)?;
    if text.len() as u64 > FILE_BYTES_MAX {
        let file = file.to_owned();
        return Err(TokensError::TooLarge { file });
    }
    match parse(&text) {
        Ok(tokens) => Ok((Stamp(Some(seen(&metadata))), tokens)),
        Err(why) => Err(TokensError::Damaged {
            file: file.to_owned(),
            why,
        }),
    }
}

/// Puts a file with `tokens` in the place of `file`, whole or not at all. Whoever
/// calls holds the lock.
pub(super) fn write(file: &Path, tokens: Vec<TokenEntry>) -> io::Result<()> {
    let version = VERSION;
    let mut text = serde_json::to_string_pretty(&Stored { version, tokens })?;
    text.push('\n');
    let beside = file.with_extension("json.new");
    // One that was left behind may have other permissions.
    match fs::remove_file(&beside) {
        Err(error) if error.kind() != ErrorKind::NotFound => return Err(error),
        _ => {}
    }
    let mut options = OpenOptions::new();
    options.write(true).create_new(true);
    #[cfg(unix)]
    std::os::unix::fs::OpenOptionsExt::mode(&mut options, 0o600);
    let mut written = options.open(&beside)?;
    written.write_all(text.as_bytes())?;
    written.sync_all()?;
    fs::rename(&beside, file)?;
    // Where folders can be opened, the new name is lasting after this.
    match file.parent().map(File::open) {
        Some(Ok(folder)) if cfg!(unix) => folder.sync_all(),
        _ => Ok(()),
    }
}

/// The stamp of `file` as it is now.
pub(super) fn stamp(file: &Path) -> io::Result<Stamp> {
    match fs::metadata(file) {
        Ok(metadata) => Ok(Stamp(Some(seen(&metadata)))),
        Err(error) if error.kind() == ErrorKind::NotFound => Ok(Stamp(None)),
        Err(error) => Err(error),
    }
}

/// Whether a token may have this name.
pub(super) fn is_name(name: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"._-".contains(&byte);
    (1..=NAME_BYTES_MAX).contains(&name.len()) && name.bytes().all(legal)
}

fn parse(text: &str) -> Result<Vec<TokenEntry>, String> {
    let place = |error: serde_json::Error| {
        let (line, column) = (error.line(), error.column());
        match error.classify() {
            serde_json::error::Category::Eof => "it is cut off".to_owned(),
            serde_json::error::Category::Data => error.to_string(),
            _ => format!("line {line}, column {column} is not JSON"),
        }
    };
    let stored: Stored = serde_json::from_str(text).map_err(place)?;
    if stored.version != VERSION {
        let version = stored.version;
        return Err(format!(
            "it is of version {version}, this host reads {VERSION}"
        ));
    }
    let (mut names, mut hashes) = (HashSet::new(), HashSet::new());
    for token in &stored.tokens {
        if !is_name(&token.name) {
            return Err(format!("`{}` is no name", token.name.escape_debug()));
        }
        if let Some(scope) = token.scopes.iter().find(|scope| !is_scope(scope)) {
            return Err(format!("`{}` is no scope", scope.escape_debug()));
        }
        if !names.insert(&token.name) || !hashes.insert(token.blake3) {
            return Err(format!("the token `{}` stands there twice", token.name));
        }
    }
    Ok(stored.tokens)
}

/// The permissions of a file that others than its owner can write.
#[cfg(unix)]
fn exposed(metadata: &Metadata) -> Option<u32> {
    let mode = std::os::unix::fs::PermissionsExt::mode(&metadata.permissions()) & 0o7777;
    (mode & 0o022 != 0).then_some(mode)
}

#[cfg(not(unix))]
fn exposed(_: &Metadata) -> Option<u32> {
    None
}

/// Its number tells a file from the one it took the place of, the times and the
/// length tell of changes within one.
#[cfg(unix)]
fn seen(metadata: &Metadata) -> Seen {
    use std::os::unix::fs::MetadataExt;
    [
        metadata.ino() as i64,
        metadata.size() as i64,
        metadata.mtime(),
        metadata.mtime_nsec(),
        metadata.ctime(),
        metadata.ctime_nsec(),
    ]
}

#[cfg(not(unix))]
fn seen(metadata: &Metadata) -> Seen {
    (metadata.len(), metadata.modified().ok())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn refused(text: &str) -> String {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.json");
        write(&file, Vec::new()).unwrap();
        fs::write(&file, text).unwrap();
        read(&file).unwrap_err().to_string()
    }

    #[test]
    fn a_file_that_is_not_there_has_no_tokens() {
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.json");
        assert_eq!(read(&file).unwrap(), (Stamp(None), Vec::new()));
        assert_eq!(stamp(&file).unwrap(), Stamp(None));
        write(&file, Vec::new()).unwrap();
        let (read, tokens) = read(&file).unwrap();
        assert_eq!((stamp(&file).unwrap(), tokens), (read, Vec::new()));
    }

    #[test]
    fn what_is_damaged_is_told_without_a_line_of_it() {
        let hash = "0".repeat(64);
        let one = |name: &str, scope: &str, more: &str| {
            format!(
                "{{\"name\": \"{name}\", \"blake3\": \"{hash}\", \"scopes\": [\"{scope}\"], \
                 \"created_ms\": 1, \"expires_ms\": null{more}}}"
            )
        };
        let all = |tokens: &str| format!("{{\"version\": 1, \"tokens\": [{tokens}]}}");
        for (text, why) in [
            (String::new(), "it is cut off"),
            ("{\"version\": 1, \"tok".to_owned(), "it is cut off"),
            ("exthost_secret".to_owned(), "line 1, column 1 is not JSON"),
            ("{\"version\": 2, \"tokens\": []}".to_owned(), "version 2"),
            (all(&one("a b", "x", "")), "`a b` is no name"),
            (all(&one("a", "x y", "")), "`x y` is no scope"),
            (all(&one("a", "x", ", \"expire_ms\": 1")), "`expire_ms`"),
            (
                all(&format!("{0}, {0}", one("a", "x", ""))),
                "`a` stands there twice",
            ),
            (
                all(&one("a", "x", "")).replace(&hash, "12"),
                "not 64 hexadecimal digits",
            ),
        ] {
            let error = refused(&text);
            assert!(error.contains(why), "{text}: {error}");
            assert!(error.contains("are damaged"), "{error}");
            assert!(!error.contains("secret"), "{error}");
        }
        let large = " ".repeat(FILE_BYTES_MAX as usize + 1);
        assert!(refused(&large).contains("more than 4194304 bytes"));
    }

    #[cfg(unix)]
    #[test]
    fn only_the_owner_may_write_it() {
        use std::os::unix::fs::PermissionsExt;
        let folder = tempfile::tempdir().unwrap();
        let file = folder.path().join("tokens.json");
        fs::write(file.with_extension("json.new"), "left behind").unwrap();
        write(&file, Vec::new()).unwrap();
        let mode = fs::metadata(&file).unwrap().permissions().mode() & 0o7777;
        assert_eq!(mode, 0o600);
        for mode in [0o620, 0o602, 0o666] {
            fs::set_permissions(&file, fs::Permissions::from_mode(mode)).unwrap();
            let error = read(&file).unwrap_err();
            assert_eq!(error.code(), "tokens-exposed");
            assert!(error.to_string().contains(&format!("(mode {mode:04o})")));
        }
        fs::set_permissions(&file, fs::Permissions::from_mode(0o644)).unwrap();
        read(&file).unwrap();
    }
}
