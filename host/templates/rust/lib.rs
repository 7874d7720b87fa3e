//! Greets by name, and whoever is asking.
//!
//! * `GET /api/ext/plugin-name/hello?name=Ada` answers `{"message":"hello Ada"}`.
//! * `GET /api/ext/plugin-name/whoami` answers `{"message":"hello developer"}`.
#![forbid(unsafe_code)]

use exthost_plugin::prelude::*;
use serde::{Deserialize, Serialize};

/// The options, where the operator sets no others.
const DEFAULTS: &str = r#"{"greeting": "hello"}"#;

/// What the host refuses to start with otherwise.
const SCHEMA: &str = r#"{
    "type": "object",
    "properties": {"greeting": {"type": "string", "minLength": 1}},
    "additionalProperties": false
}"#;

/// The plugin, and its options: `[plugin.plugin-name.options]` of `exthost.toml`.
#[derive(Deserialize)]
struct Greeter {
    greeting: String,
}

impl Plugin for Greeter {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        router.get("hello", hello).public();
        // Only for whoever is authenticated, as every route that is not public.
        router.get("whoami", whoami);
        services.config().declare(DEFAULTS, SCHEMA)?;
        services.config().read()
    }
}

#[derive(Deserialize)]
struct Name {
    name: Option<String>,
}

#[derive(Serialize)]
struct Greeting {
    message: String,
}

async fn hello(greeter: State<Greeter>, Query(query): Query<Name>) -> Json<Greeting> {
    let name = query.name.as_deref().unwrap_or("world");
    Json(Greeting {
        message: format!("{} {name}", greeter.greeting),
    })
}

async fn whoami(greeter: State<Greeter>, actor: Actor) -> Json<Greeting> {
    Json(Greeting {
        message: format!("{} {actor}", greeter.greeting),
    })
}

export_plugin!(Greeter, needs = [routes, config]);

#[cfg(test)]
mod tests {
    use exthost::testing::TestHost;
    use serde_json::{Value, json};

    use super::*;

    #[tokio::test]
    async fn it_greets_by_name() {
        let host = TestHost::of(Greeter::embedded()).await;
        let answer = host.get("hello?name=Ada").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.json::<Value>(), json!({"message": "hello Ada"}));
    }

    #[tokio::test]
    async fn it_greets_whoever_says_who_it_is() {
        let host = TestHost::of(Greeter::embedded()).await;
        let answer = host.get("whoami").await;
        assert_eq!(
            answer.json::<Value>(),
            json!({"message": "hello developer"})
        );
        assert_eq!(host.anonymous().get("whoami").await.status(), 401);
    }

    #[tokio::test]
    async fn the_operator_chooses_the_greeting() {
        let host = TestHost::builder()
            .embed(Greeter::embedded())
            .options(env!("CARGO_PKG_NAME"), json!({"greeting": "good day"}))
            .start()
            .await
            .unwrap();
        let answer = host.get("hello").await;
        assert_eq!(answer.json::<Value>(), json!({"message": "good day world"}));
    }
}
