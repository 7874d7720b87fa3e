//! Routes of operators, each of which asks for a scope.

use axum::extract::{Request, State};
use axum::middleware::{Next, from_fn_with_state};
use axum::response::{IntoResponse, Response};
use axum::routing::MethodRouter;

use crate::auth::AnyAuthenticator;
use crate::http::{access, request_id};
use crate::services::actor::Actor;

/// Routes of operators. Whoever adds one says which scope it asks for; there is no
/// other way to add it.
#[derive(Debug)]
pub(super) struct ScopedRoutes {
    router: axum::Router,
    authenticator: AnyAuthenticator,
}

/// Who was admitted to a route, for what it records.
#[derive(Debug, Clone)]
pub(super) struct Operator {
    /// Who asks.
    pub(super) actor: Actor,
    /// The id of the request.
    pub(super) request_id: String,
}

/// What is asked for before a route.
#[derive(Debug, Clone)]
struct Required {
    authenticator: AnyAuthenticator,
    scope: &'static str,
}

impl ScopedRoutes {
    /// No routes yet.
    pub(super) fn new(authenticator: AnyAuthenticator) -> Self {
        let router = axum::Router::new();
        ScopedRoutes {
            router,
            authenticator,
        }
    }

    /// Adds what answers at `path` to those who have `scope`, one of the host's.
    pub(super) fn route(mut self, scope: &'static str, path: &str, methods: MethodRouter) -> Self {
        let required = Required {
            authenticator: self.authenticator.clone(),
            scope,
        };
        let methods = methods.layer(from_fn_with_state(required, check));
        self.router = self.router.route(path, methods);
        self
    }

    /// The routes, for whoever serves them.
    pub(super) fn into_router(self) -> axum::Router {
        self.router
    }
}

async fn check(State(required): State<Required>, request: Request, next: Next) -> Response {
    let (mut parts, body) = request.into_parts();
    let Required {
        authenticator,
        scope,
    } = &required;
    let request_id = request_id::of(&parts.headers);
    let admitted = match access::actor_of(authenticator, &mut parts).await {
        Ok(actor) => access::admit(authenticator, &actor, false, &[scope]).map(|()| actor),
        Err(problem) => Err(problem),
    };
    match admitted {
        Ok(actor) => {
            let operator = Operator { actor, request_id };
            parts.extensions.insert(operator);
            next.run(Request::from_parts(parts, body)).await
        }
        Err(problem) => problem.with_request_id(&request_id).into_response(),
    }
}

#[cfg(test)]
mod tests {
    use axum::body::Body;
    use axum::routing::get;
    use http::header::WWW_AUTHENTICATE;
    use tower_service::Service;

    use super::*;
    use crate::auth::{FromExtensions, MANAGE, READ};

    #[tokio::test]
    async fn only_those_who_have_the_scope_pass() {
        let routes = ScopedRoutes::new(AnyAuthenticator::new(FromExtensions));
        let mut router = routes.route(READ, "/a", get(async || "a")).into_router();
        let ada = Actor::user("u1", "Ada");
        let insufficient = r#"Bearer error="insufficient_scope", scope="host.read""#;
        for (actor, method, status, challenge) in [
            (Actor::anonymous(), "GET", 401, Some("Bearer")),
            (Actor::anonymous(), "POST", 401, Some("Bearer")),
            (ada.clone(), "GET", 403, Some(insufficient)),
            (
                ada.clone().with_scopes([MANAGE]),
                "GET",
                403,
                Some(insufficient),
            ),
            (ada.clone().with_scopes([MANAGE, READ]), "GET", 200, None),
            (ada.with_scopes([READ]), "POST", 405, None),
        ] {
            let request = Request::builder().method(method).uri("/a");
            let request = request.extension(actor.clone()).body(Body::empty());
            let response = router.call(request.unwrap()).await.unwrap();
            let told = response.headers().get(WWW_AUTHENTICATE);
            let told = told.map(|value| value.to_str().unwrap());
            let status_told = response.status().as_u16();
            assert_eq!((status_told, told), (status, challenge), "{actor} {method}");
        }
    }
}
