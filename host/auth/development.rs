//! Whoever is on this machine is the developer.

use http::request::Parts;

use crate::auth::{Actor, AuthError, Authenticator, HOST_SCOPES};

/// In development, a JSON [`Actor`] to act as.
pub(crate) const ACT_AS: &str = "x-exthost-actor";

/// Takes whoever asks for the developer, who has all scopes of the host and may act
/// as anybody with an [`Actor`] in JSON in the header `x-exthost-actor`.
///
/// Never for a server that others can reach.
#[derive(Debug, Clone, Copy, Default)]
pub struct Development;

impl Authenticator for Development {
    async fn authenticate(&self, request: &mut Parts) -> Result<Actor, AuthError> {
        let Some(given) = request.headers.get(ACT_AS) else {
            return Ok(developer());
        };
        serde_json::from_slice(given.as_bytes()).map_err(|error| {
            AuthError::malformed(format!(
                "the header {ACT_AS} is not an actor in JSON: {error}"
            ))
        })
    }
}

/// Whoever sits at this machine. A route that asks for scopes of a plugin's own is
/// tried as an [`Actor`] that has them, by the header.
fn developer() -> Actor {
    Actor::user("developer", "developer").with_scopes(HOST_SCOPES)
}

#[cfg(test)]
mod tests {
    use http::Request;

    use super::*;

    async fn of(actor: Option<&str>) -> Result<Actor, AuthError> {
        let mut request = Request::builder();
        if let Some(actor) = actor {
            request = request.header(ACT_AS, actor);
        }
        let mut request = request.body(()).unwrap().into_parts().0;
        Development.authenticate(&mut request).await
    }

    #[tokio::test]
    async fn the_developer_acts_as_anybody() {
        let developer = of(None).await.unwrap();
        assert_eq!(developer.id, "developer");
        assert_eq!(developer.scopes, HOST_SCOPES);
        let ada = of(Some(r#"{"kind":"user","id":"u1","name":"Ada"}"#)).await;
        assert_eq!(ada.unwrap(), Actor::user("u1", "Ada"));
        for bad in ["", "Ada", "{}", r#"{"kind":"king"}"#] {
            let error = of(Some(bad)).await.unwrap_err();
            assert_eq!(error.code(), "malformed-credentials", "{bad}");
            assert!(error.to_string().contains(ACT_AS), "{error}");
        }
    }
}
