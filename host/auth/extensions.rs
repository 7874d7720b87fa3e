//! The application's own middleware knows who asks.

use http::request::Parts;

use crate::auth::{Actor, AuthError, Authenticator};

/// Takes the [`Actor`] that the application's own middleware put into the request's
/// extensions; without one the request is anonymous.
///
/// # Examples
/// ```
/// use axum::extract::Request;
/// use axum::middleware::{Next, from_fn};
/// use axum::response::Response;
/// use exthost::auth::Actor;
///
/// async fn sign_in(mut request: Request, next: Next) -> Response {
///     // Whoever the application's session belongs to.
///     request.extensions_mut().insert(Actor::user("u1", "Ada"));
///     next.run(request).await
/// }
///
/// # fn extend(host: &exthost::Host) -> axum::Router {
/// let app = axum::Router::new().merge(host.router()).layer(from_fn(sign_in));
/// # app
/// # }
/// ```
#[derive(Debug, Clone, Copy, Default)]
pub struct FromExtensions;

impl Authenticator for FromExtensions {
    async fn authenticate(&self, request: &mut Parts) -> Result<Actor, AuthError> {
        Ok(request.extensions.get().cloned().unwrap_or_default())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn nobody_is_anonymous_and_an_actor_is_who_it_is() {
        let mut request = http::Request::new(()).into_parts().0;
        let nobody = FromExtensions.authenticate(&mut request).await.unwrap();
        assert_eq!(nobody, Actor::anonymous());
        let ada = Actor::user("u1", "Ada").with_scopes(["notes.write"]);
        request.extensions.insert(ada.clone());
        let found = FromExtensions.authenticate(&mut request).await.unwrap();
        assert_eq!(found, ada);
    }
}
