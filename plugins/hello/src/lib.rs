//! Greets by name, and whoever is asking.
#![forbid(unsafe_code)]

use exthost_plugin::prelude::*;
use serde::{Deserialize, Serialize};

struct Hello;

impl Plugin for Hello {
    fn init(router: &mut Router, _services: &Services) -> Result<Self> {
        router.get("hello", hello).public();
        router.get("whoami", whoami);
        Ok(Hello)
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

async fn hello(Query(query): Query<Name>) -> Json<Greeting> {
    let name = query.name.as_deref().unwrap_or("world");
    Json(Greeting {
        message: format!("hello {name}"),
    })
}

async fn whoami(actor: Actor) -> Json<Greeting> {
    Json(Greeting {
        message: format!("hello {actor}"),
    })
}

export_plugin!(Hello);

#[cfg(test)]
mod tests {
    use exthost::testing::TestHost;
    use serde_json::{Value, json};

    use super::*;

    #[tokio::test]
    async fn it_greets_by_name() {
        let host = TestHost::of(Hello::embedded()).await;
        let answer = host.get("hello?name=Ada").await;
        assert_eq!(answer.status(), 200);
        assert_eq!(answer.json::<Value>(), json!({"message": "hello Ada"}));
    }

    #[tokio::test]
    async fn only_who_says_who_they_are_is_greeted_as_such() {
        let host = TestHost::of(Hello::embedded()).await;
        assert_eq!(
            host.get("whoami").await.json::<Value>(),
            json!({"message": "hello developer"})
        );
        assert_eq!(host.anonymous().get("whoami").await.status(), 401);
        assert_eq!(host.anonymous().get("hello").await.status(), 200);
    }
}
