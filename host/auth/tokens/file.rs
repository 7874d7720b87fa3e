//! Makes, lists and revokes tokens.

use std::path::{Path, PathBuf};
use std::time::Duration;

use crate::auth::tokens::lock::ChangeLock;
use crate::auth::tokens::{FILE, stored};
use crate::auth::{Scope, Token, TokenEntry, TokensError};
use crate::config::cure;
use crate::private;

/// The file in which a data directory keeps its tokens, for those who change it;
/// [`Tokens`](crate::auth::Tokens) is for those who ask it.
///
/// # Threading
/// Changes wait for each other, in other processes too, and need no host to be
/// stopped. They wait for the disk: call them where that may be.
///
/// # Examples
/// ```
/// # fn main() -> Result<(), Box<dyn std::error::Error>> {
/// # let data = tempfile::tempdir()?;
/// use exthost::auth::{Scope, TokenFile};
///
/// let file = TokenFile::of(data.path());
/// let (token, entry) = file.create("ci", &[Scope::parse("notes:write")?], None)?;
/// assert!(token.reveal().starts_with("exthost_"));
/// assert_eq!(file.list()?, [entry]);
/// file.revoke("ci")?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug, Clone)]
pub struct TokenFile {
    file: PathBuf,
}

impl TokenFile {
    /// The file of a data directory, which need not be there yet.
    pub fn of(data: impl AsRef<Path>) -> Self {
        TokenFile {
            file: data.as_ref().join(FILE),
        }
    }

    /// Makes a token that ends after `lifetime`, if there is one. The token itself is
    /// kept nowhere.
    ///
    /// # Errors
    /// [`TokensError`]; then there is no such token.
    pub fn create(
        &self,
        name: &str,
        scopes: &[Scope],
        lifetime: Option<Duration>,
    ) -> Result<(Token, TokenEntry), TokensError> {
        if !stored::is_name(name) {
            let name = name.to_owned();
            return Err(TokensError::Name { name });
        }
        let token = Token::generate()?;
        let entry = TokenEntry::new(name, &token, scopes, lifetime);
        if entry.scopes.len() > stored::SCOPES_MAX {
            let scopes = entry.scopes.len();
            return Err(TokensError::Scopes { scopes });
        }
        self.change(|tokens| {
            if tokens.iter().any(|token| token.name == name) {
                let name = name.to_owned();
                return Err(TokensError::Taken { name });
            }
            if tokens.len() >= stored::TOKENS_MAX {
                return Err(TokensError::Full);
            }
            tokens.push(entry.clone());
            Ok(())
        })?;
        Ok((token, entry))
    }

    /// All tokens, in the order in which they were made.
    ///
    /// # Errors
    /// [`TokensError`] when the file is there and cannot be read.
    pub fn list(&self) -> Result<Vec<TokenEntry>, TokensError> {
        stored::read(&self.file).map(|(_, tokens)| tokens)
    }

    /// Ends a token; a host that serves no longer takes it within a second.
    ///
    /// # Errors
    /// [`TokensError`]; then all tokens are as they were.
    pub fn revoke(&self, name: &str) -> Result<(), TokensError> {
        self.change(|tokens| {
            match tokens.iter().position(|token| token.name == name) {
                Some(at) => tokens.remove(at),
                None => {
                    let names: Vec<&str> = tokens.iter().map(|token| &*token.name).collect();
                    let (name, cure) = (name.to_owned(), cure(name, &names));
                    return Err(TokensError::Unknown { name, cure });
                }
            };
            Ok(())
        })
    }

    fn change(
        &self,
        change: impl FnOnce(&mut Vec<TokenEntry>) -> Result<(), TokensError>,
    ) -> Result<(), TokensError> {
        let unwritable = |source| TokensError::Unwritable {
            file: self.file.clone(),
            source,
        };
        let folder = self.file.parent().unwrap_or(Path::new("."));
        private::make(folder).map_err(unwritable)?;
        let _lock = ChangeLock::take(&self.file)?;
        let mut tokens = self.list()?;
        change(&mut tokens)?;
        stored::write(&self.file, tokens).map_err(unwritable)
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn tokens_are_made_listed_and_revoked() {
        let data = tempfile::tempdir().unwrap();
        let file = TokenFile::of(data.path().join("not/there/yet"));
        assert_eq!(file.list().unwrap(), []);
        let scopes = ["b", "a", "b"].map(|scope| Scope::parse(scope).unwrap());
        let (first, one) = file.create("one", &scopes, None).unwrap();
        let day = Duration::from_secs(24 * 60 * 60);
        let (second, two) = file.create("two", &[], Some(day)).unwrap();
        assert_ne!(first.reveal(), second.reveal());
        assert_eq!(one.scopes, ["b", "a"]);
        assert_eq!(one.expires_ms, None);
        assert_eq!(two.expires_ms, Some(two.created_ms + 24 * 60 * 60 * 1000));
        assert_eq!(file.list().unwrap(), [one, two.clone()]);
        let text = std::fs::read_to_string(&file.file).unwrap();
        for token in [first, second] {
            assert!(!text.contains(&token.reveal()["exthost_".len()..]));
        }
        file.revoke("one").unwrap();
        assert_eq!(file.list().unwrap(), [two]);
    }

    #[test]
    fn what_cannot_be_is_told_the_cure() {
        let data = tempfile::tempdir().unwrap();
        let file = TokenFile::of(data.path());
        file.create("deploy", &[], None).unwrap();
        let error = file.create("deploy", &[], None).unwrap_err();
        assert!(error.to_string().contains("exthost token revoke deploy"));
        let error = file.revoke("deplyo").unwrap_err().to_string();
        assert_eq!(error, "there is no token `deplyo`; did you mean `deploy`?");
        for name in ["", "a b", "a/b", "ä", &"a".repeat(65)] {
            let error = file.create(name, &[], None).unwrap_err();
            assert_eq!(error.code(), "token-bad-name", "{name}");
        }
        let many: Vec<Scope> = (0..33)
            .map(|n| Scope::parse(&format!("s{n}")).unwrap())
            .collect();
        let error = file.create("many", &many, None).unwrap_err();
        assert!(error.to_string().contains("32 scopes at most, not 33"));
        assert_eq!(file.list().unwrap().len(), 1);
    }

    #[test]
    fn those_who_change_at_once_lose_nothing() {
        let data = tempfile::tempdir().unwrap();
        let file = TokenFile::of(data.path());
        std::thread::scope(|scope| {
            for n in 0..8 {
                let file = &file;
                scope.spawn(move || file.create(&format!("t{n}"), &[], None).unwrap());
            }
        });
        let mut names: Vec<_> = file.list().unwrap();
        names.sort_by(|a, b| a.name.cmp(&b.name));
        let names: Vec<_> = names.iter().map(|token| &*token.name).collect();
        assert_eq!(names, ["t0", "t1", "t2", "t3", "t4", "t5", "t6", "t7"]);
    }
}
