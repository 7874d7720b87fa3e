//! Does an application say who asks, by middleware or by an authenticator of its own?

use axum::body::Body;
use axum::extract::Request;
use axum::middleware::{Next, from_fn};
use axum::response::Response as Answer;
use exthost::auth::{Actor, AuthError, Authenticator};
use http::request::Parts;
use http::{HeaderValue, StatusCode};
use tower_service::Service;

use super::*;

/// Knows whoever says `Key` and a name.
struct Keys;

impl Authenticator for Keys {
    async fn authenticate(&self, request: &mut Parts) -> Result<Actor, AuthError> {
        let Some(given) = request.headers.remove("authorization") else {
            return Ok(Actor::anonymous());
        };
        // It may wait.
        tokio::task::yield_now().await;
        match given.to_str().unwrap_or_default() {
            "Key broken" => Err(AuthError::unavailable("the directory at 10.0.0.1 is down")),
            "Key wrong" => Err(AuthError::rejected("no such key")),
            "Key app" => Ok(Actor::token("a1", "App").on_behalf_of(Actor::user("u1", "Ada"))),
            name => Ok(Actor::user(name, name).with_scopes(["host.read"])),
        }
    }

    fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static("Key realm=\"doors\"")
    }
}

#[test]
fn an_authenticator_of_the_applications_own_decides() {
    let server = serve(|builder| builder.authenticator(Keys));
    let ask = |path: &str, key: &str| {
        let headers = [("authorization", key)];
        let headers = if key.is_empty() { &[][..] } else { &headers };
        server.request("GET", path, headers, b"")
    };
    let greeting = |key: &str| ask("/api/ext/hello/whoami", key).text().to_owned();
    assert_eq!(
        greeting("Key app"),
        r#"{"message":"hello App on behalf of Ada"}"#
    );
    assert_eq!(greeting("Ben"), r#"{"message":"hello Ben"}"#);
    assert_eq!(ask("/api/host/plugins", "Ben").status, 200);
    for (path, key, status, code) in [
        ("/api/ext/hello/whoami", "", 401, "unauthenticated"),
        ("/api/host/plugins", "", 401, "unauthenticated"),
        ("/api/ext/hello/hello", "Key wrong", 401, "bad-credentials"),
        ("/api/host/plugins", "Key wrong", 401, "bad-credentials"),
        ("/api/host/plugins", "Key app", 403, "missing-scope"),
        (
            "/api/ext/hello/hello",
            "Key broken",
            503,
            "auth-unavailable",
        ),
        ("/api/host/plugins", "Key broken", 503, "auth-unavailable"),
        (
            "/api/broadcast?channels=a/b",
            "Key broken",
            503,
            "auth-unavailable",
        ),
        (
            "/api/broadcast?channels=a/b",
            "Key wrong",
            401,
            "bad-credentials",
        ),
        ("/api/broadcast?channels=a/b", "", 401, "unauthenticated"),
    ] {
        let response = ask(path, key);
        assert_eq!(
            (response.status, &*response.code()),
            (status, code),
            "{path} {key}"
        );
        let challenge = (status != 503).then_some("Key realm=\"doors\"");
        assert_eq!(
            response.header("www-authenticate"),
            challenge,
            "{path} {key}"
        );
        assert!(!response.text().contains("10.0.0.1"), "{response:?}");
    }
    // A page's token is the authenticator's to judge, as a header.
    let by_parameter = Way::Events("a/b").ask(&server, &Credentials::parameter("x"));
    assert_eq!(by_parameter.0, 200);
}

#[test]
fn middleware_says_who_asks() {
    async fn sign_in(mut request: Request, next: Next) -> Answer {
        if let Some(name) = request.headers().get("x-user") {
            let name = name.to_str().unwrap().to_owned();
            let ada = Actor::user(name.clone(), name).with_scopes(["host.read"]);
            request.extensions_mut().insert(ada);
        }
        next.run(request).await
    }

    let server = serve(|builder| builder);
    let routes = server.host.router().merge(server.host.admin_router());
    let mut application = routes.layer(from_fn(sign_in));
    for (path, user, expected) in [
        ("/api/ext/hello/whoami", Some("Ada"), 200),
        ("/api/host/plugins", Some("Ada"), 200),
        ("/metrics", Some("Ada"), 403),
        ("/api/ext/hello/whoami", None, 401),
        ("/api/host/plugins", None, 401),
        ("/api/broadcast?channels=a/b", None, 401),
        ("/api/ext/hello/hello", None, 200),
    ] {
        let mut request = Request::builder().uri(path);
        if let Some(user) = user {
            request = request.header("x-user", user);
        }
        let request = request.body(Body::empty()).unwrap();
        let answer = server.block_on(application.call(request)).unwrap();
        let expected = StatusCode::from_u16(expected).unwrap();
        assert_eq!(answer.status(), expected, "{path} {user:?}");
    }
    // Without the middleware nobody is anybody, whatever they send.
    for header in ["x-user", "x-exthost-actor", "authorization"] {
        let headers = [(header, r#"{"kind":"user","id":"u","scopes":["host.read"]}"#)];
        let response = server.request("GET", "/api/host/plugins", &headers, b"");
        assert_eq!(response.status, 401, "{header}");
    }
}
