//! Bearer tokens, which the operator makes and revokes while the host serves.

mod credentials;
mod entry;
mod error;
mod file;
mod lock;
mod stored;
mod token;
mod watched;

use std::path::Path;

use http::header::AUTHORIZATION;
use http::request::Parts;

use crate::auth::{Actor, AuthError, Authenticator};
use token::TokenHash;
use watched::Watched;

pub use entry::TokenEntry;
pub use error::TokensError;
pub use file::TokenFile;
pub use token::Token;

/// The file, in the data directory.
const FILE: &str = "tokens.json";

/// Takes the bearer tokens that stand in the file `tokens.json` of a data directory.
///
/// A token is sent as `Authorization: Bearer exthost_...`; clients that listen to
/// broadcasts from a web page cannot set headers and append `?access_token=` to the
/// URL there. One that is wrong, revoked or expired is refused on every route; a
/// token is taken away before a plugin sees the request. An `Authorization` without
/// such a token is none of the host's: the request is anonymous, and the header
/// reaches the plugin.
///
/// The file is looked at every 250 ms at most, and for a token that is not known, and
/// read again when it has changed. So what [`TokenFile`] makes counts at once, and what
/// it revokes ends within a second; a connection that is open by then stays open. A
/// file that can no longer be read, or is damaged, is told in the log, and the tokens
/// last read go on to count. Without a file there are none.
///
/// # Examples
/// ```no_run
/// # async fn run() -> Result<(), Box<dyn std::error::Error>> {
/// use exthost::Host;
/// use exthost::auth::Tokens;
///
/// let tokens = Tokens::open("data")?;
/// let host = Host::builder().data("data").authenticator(tokens).build().await?;
/// # Ok(())
/// # }
/// ```
#[derive(Debug)]
pub struct Tokens {
    watched: Watched,
}

impl Tokens {
    /// Reads the tokens of a data directory.
    ///
    /// # Errors
    /// [`TokensError`] when the file is there and cannot be read, is damaged, or
    /// others than its owner can write it.
    pub fn open(data: impl AsRef<Path>) -> Result<Self, TokensError> {
        let watched = Watched::open(data.as_ref().join(FILE))?;
        Ok(Tokens { watched })
    }
}

impl Authenticator for Tokens {
    async fn authenticate(&self, request: &mut Parts) -> Result<Actor, AuthError> {
        let Some(token) = credentials::token_in(&request.headers)? else {
            return Ok(Actor::anonymous());
        };
        let hash = TokenHash::of(token);
        let entry = self.watched.find(&hash).await;
        let entry = entry.ok_or_else(credentials::unknown)?;
        if entry.is_expired() {
            let reason = "this token has expired; `exthost token create` makes another";
            return Err(AuthError::rejected(reason));
        }
        request.headers.remove(AUTHORIZATION);
        Ok(entry.actor())
    }
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use http::Request;

    use super::*;
    use crate::auth::Scope;

    async fn ask(tokens: &Tokens, authorization: &[&str]) -> (Result<Actor, String>, usize) {
        let mut request = Request::builder();
        for value in authorization {
            request = request.header(AUTHORIZATION, *value);
        }
        let mut request = request.body(()).unwrap().into_parts().0;
        let found = tokens.authenticate(&mut request).await;
        let left = request.headers.get_all(AUTHORIZATION).iter().count();
        (found.map_err(|error| error.code().to_owned()), left)
    }

    #[tokio::test]
    async fn a_token_is_an_actor_and_is_taken_away() {
        let data = tempfile::tempdir().unwrap();
        let file = TokenFile::of(data.path());
        let scopes = [Scope::parse("host.read").unwrap()];
        let (token, _) = file.create("ci", &scopes, None).unwrap();
        let tokens = Tokens::open(data.path()).unwrap();
        let expected = Actor::token("ci", "ci").with_scopes(["host.read"]);
        let text = token.reveal();
        for scheme in ["Bearer ", "bearer ", "BEARER   "] {
            let sent = format!("{scheme}{text}");
            assert_eq!(ask(&tokens, &[&sent]).await, (Ok(expected.clone()), 0));
        }
        let anonymous = Ok(Actor::anonymous());
        assert_eq!(ask(&tokens, &[]).await, (anonymous.clone(), 0));
        for other in ["Basic YTpi", "Bearer abc", "Bearer", "", "exthost"] {
            assert_eq!(ask(&tokens, &[other]).await, (anonymous.clone(), 1));
        }
        let sent = format!("Bearer {text}");
        let malformed = Err("malformed-credentials".to_owned());
        for second in [&*sent, "Basic YTpi", ""] {
            assert_eq!(ask(&tokens, &[&sent, second]).await.0, malformed);
            assert_eq!(ask(&tokens, &[second, &sent]).await.0, malformed);
        }
        let bad = Err("bad-credentials".to_owned());
        for near in [
            text.to_owned(),
            format!("Bearer {text}x"),
            format!("Bearer {text} "),
            format!("Bearer {text}, {text}"),
            format!("Bearer\t{text}"),
            format!("Bearer{text}"),
            format!("Basic {text}"),
            format!("Bearer \"{text}\""),
            format!("Bearer token={text}"),
            format!("Bearer {}", text.to_uppercase()),
            format!("Bearer {}", &text[..text.len() - 1]),
            "Bearer exthost_".to_owned(),
        ] {
            assert_eq!(ask(&tokens, &[&near]).await.0, bad, "{near}");
        }
    }

    #[tokio::test]
    async fn an_expired_token_is_told_so() {
        let data = tempfile::tempdir().unwrap();
        let file = TokenFile::of(data.path());
        let (token, entry) = file.create("ci", &[], Some(Duration::ZERO)).unwrap();
        assert!(entry.is_expired());
        let tokens = Tokens::open(data.path()).unwrap();
        let value = format!("Bearer {}", token.reveal());
        let request = Request::builder().header(AUTHORIZATION, value);
        let mut request = request.body(()).unwrap().into_parts().0;
        let error = tokens.authenticate(&mut request).await.unwrap_err();
        assert_eq!(error.code(), "bad-credentials");
        assert!(error.to_string().contains("has expired"), "{error}");
    }
}
