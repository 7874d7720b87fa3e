//! Who is asking, found out before anything else is, and whether they may.

mod tally;

use std::net::SocketAddr;
use std::time::Instant;

use axum::extract::ConnectInfo;
use http::request::Parts;
use http::{HeaderValue, StatusCode};

use crate::auth::{AnyAuthenticator, AuthError, is_scope};
use crate::http::problem::Problem;
use crate::services::actor::Actor;
use tally::Tally;

/// Refused credentials, which whoever guesses brings in great numbers.
static REFUSED: Tally = Tally::new();

/// Requests about which the authenticator could not tell.
static UNDECIDED: Tally = Tally::new();

/// The actor of a request.
///
/// # Errors
/// As [`refusal`].
pub(super) async fn actor_of(
    authenticator: &AnyAuthenticator,
    request: &mut Parts,
) -> Result<Actor, Problem> {
    let found = authenticator.authenticate(request).await;
    found.map_err(|error| refusal(authenticator, request, error))
}

/// What the client of a request that was not authenticated is told, and the log.
pub(super) fn refusal(
    authenticator: &AnyAuthenticator,
    request: &Parts,
    error: AuthError,
) -> Problem {
    let (peer, path, code) = (peer(request), request.uri.path(), error.code());
    let (tally, status, told, attributes) = match &error {
        AuthError::Rejected { reason } => {
            let status = StatusCode::UNAUTHORIZED;
            (&REFUSED, status, &**reason, r#"error="invalid_token""#)
        }
        AuthError::Malformed { reason } => {
            let status = StatusCode::BAD_REQUEST;
            (&REFUSED, status, &**reason, r#"error="invalid_request""#)
        }
        AuthError::Unavailable { .. } => {
            let status = StatusCode::SERVICE_UNAVAILABLE;
            let told = "nobody can be authenticated at the moment; try again";
            (&UNDECIDED, status, told, "")
        }
    };
    if let Some(requests) = tally.count(Instant::now()) {
        tracing::warn!(peer, path, code, requests, "not authenticated: {error}");
    }
    let problem = Problem::new(status, code, told);
    match attributes {
        "" => problem,
        attributes => problem.with_challenge(challenge(authenticator, attributes)),
    }
}

/// Refuses an actor that lacks one of `scopes`, or is anonymous where that is not
/// enough.
///
/// # Errors
/// 401 for the anonymous, 403 for all others, with a challenge as RFC 6750 has it.
pub(super) fn admit(
    authenticator: &AnyAuthenticator,
    actor: &Actor,
    is_public: bool,
    scopes: &[impl AsRef<str>],
) -> Result<(), Problem> {
    let missing = actor.missing_scope(scopes);
    let is_known = actor.is_authenticated();
    match missing {
        None if is_known || is_public => Ok(()),
        None => Err(unauthenticated(
            authenticator,
            "this route requires authentication",
        )),
        Some(scope) if !is_known => {
            let detail = format!("this route requires authentication, and the scope `{scope}`");
            Err(unauthenticated(authenticator, detail))
        }
        Some(scope) => {
            let detail = format!("this route requires the scope `{scope}`, which {actor} has not");
            let attributes = match is_scope(scope) {
                true => format!(r#"error="insufficient_scope", scope="{scope}""#),
                false => r#"error="insufficient_scope""#.to_owned(),
            };
            let problem = Problem::new(StatusCode::FORBIDDEN, "missing-scope", detail);
            Err(problem.with_challenge(challenge(authenticator, &attributes)))
        }
    }
}

/// The refusal of whoever brought no credentials where some are needed.
pub(super) fn unauthenticated(
    authenticator: &AnyAuthenticator,
    detail: impl Into<String>,
) -> Problem {
    let problem = Problem::new(StatusCode::UNAUTHORIZED, "unauthenticated", detail);
    problem.with_challenge(authenticator.challenge())
}

/// The address of the client, empty if the server does not tell it.
pub(super) fn peer(request: &Parts) -> String {
    let peer = request.extensions.get::<ConnectInfo<SocketAddr>>();
    peer.map_or_else(String::new, |ConnectInfo(peer)| peer.to_string())
}

/// The authenticator's challenge, with attributes that only `Bearer` has.
fn challenge(authenticator: &AnyAuthenticator, attributes: &str) -> HeaderValue {
    let challenge = authenticator.challenge();
    let text = challenge.to_str().unwrap_or_default().trim();
    let (scheme, more) = text.split_once(' ').unwrap_or((text, ""));
    let joined = match more {
        _ if !scheme.eq_ignore_ascii_case("bearer") => return challenge,
        "" => format!("{scheme} {attributes}"),
        more => format!("{scheme} {more}, {attributes}"),
    };
    HeaderValue::from_str(&joined).unwrap_or(challenge)
}

#[cfg(test)]
mod tests {
    use axum::response::IntoResponse;
    use http::header::WWW_AUTHENTICATE;

    use super::*;
    use crate::auth::Authenticator;

    struct Fixed(&'static str, Option<AuthError>);

    impl Authenticator for Fixed {
        async fn authenticate(&self, _: &mut Parts) -> Result<Actor, AuthError> {
            self.1.clone().map_or_else(|| Ok(Actor::default()), Err)
        }

        fn challenge(&self) -> HeaderValue {
            HeaderValue::from_static(self.0)
        }
    }

    fn told(problem: Problem) -> (u16, Option<String>) {
        let response = problem.into_response();
        let challenge = response.headers().get(WWW_AUTHENTICATE);
        let challenge = challenge.map(|value| value.to_str().unwrap().to_owned());
        (response.status().as_u16(), challenge)
    }

    #[tokio::test]
    async fn each_failure_has_its_status_and_challenge() {
        let mut request = http::Request::new(()).into_parts().0;
        let invalid = r#"Bearer error="invalid_token""#;
        let request_error = r#"Bearer error="invalid_request""#;
        for (error, status, challenge) in [
            (AuthError::rejected("no"), 401, Some(invalid)),
            (AuthError::malformed("no"), 400, Some(request_error)),
            (AuthError::unavailable("db at 10.0.0.1"), 503, None),
        ] {
            let authenticator = AnyAuthenticator::new(Fixed("Bearer", Some(error)));
            let problem = actor_of(&authenticator, &mut request).await.unwrap_err();
            assert!(!format!("{problem:?}").contains("10.0.0.1"), "{problem:?}");
            assert_eq!(told(problem), (status, challenge.map(str::to_owned)));
        }
    }

    #[test]
    fn who_lacks_what_is_told_so() {
        let bearer = AnyAuthenticator::new(Fixed("Bearer", None));
        let ada = Actor::user("u1", "Ada").with_scopes(["a", "b"]);
        let nobody = Actor::anonymous();
        let none: [&str; 0] = [];
        assert!(admit(&bearer, &nobody, true, &none).is_ok());
        assert!(admit(&bearer, &ada, false, &none).is_ok());
        assert!(admit(&bearer, &ada, false, &["b", "a"]).is_ok());
        for (actor, is_public, scopes, status, attributes) in [
            (&nobody, false, &none[..], 401, ""),
            (&nobody, false, &["a"], 401, ""),
            (&nobody, true, &["a"], 401, ""),
            (
                &ada,
                true,
                &["c"],
                403,
                r#"error="insufficient_scope", scope="c""#,
            ),
            (
                &ada,
                false,
                &["a", "\""],
                403,
                r#"error="insufficient_scope""#,
            ),
        ] {
            let problem = admit(&bearer, actor, is_public, scopes).unwrap_err();
            let challenge = format!("Bearer {attributes}").trim().to_owned();
            assert_eq!(told(problem), (status, Some(challenge)));
        }
    }

    #[test]
    fn only_bearer_has_attributes() {
        for (own, expected) in [
            ("Bearer", "Bearer error=1"),
            ("bearer realm=\"a b\"", "bearer realm=\"a b\", error=1"),
            ("Basic realm=\"a\"", "Basic realm=\"a\""),
            ("Bearers", "Bearers"),
            ("", ""),
        ] {
            let authenticator = AnyAuthenticator::new(Fixed(own, None));
            assert_eq!(challenge(&authenticator, "error=1"), expected);
        }
    }
}
