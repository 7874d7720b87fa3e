//! Signs people up, unless a filter vetoes; `email-guard` has one. Which plugins
//! filter, and whether there are any, is not this one's to know.
#![forbid(unsafe_code)]

use exthost_plugin::prelude::*;
use serde::{Deserialize, Serialize};

struct SignUp {
    events: Events,
}

impl Plugin for SignUp {
    fn init(router: &mut Router, services: &Services) -> Result<Self> {
        router.post("signup", sign_up).public();
        Ok(SignUp {
            events: services.events(),
        })
    }
}

#[derive(Serialize, Deserialize)]
struct Signup {
    email: String,
}

/// 422 with the reason when a filter vetoes, or fails.
async fn sign_up(
    plugin: State<SignUp>,
    Json(signup): Json<Signup>,
) -> Result<(StatusCode, Json<Signup>)> {
    let asked = plugin
        .events
        .request("signup.validate", &signup, Policy::FailClosed);
    let signup = asked.await?.passed()?;
    plugin.events.emit("signup.done", &signup)?;
    Ok((StatusCode::CREATED, Json(signup)))
}

export_plugin!(SignUp, needs = [routes, events]);

#[cfg(test)]
mod tests {
    use exthost::testing::TestHost;
    use exthost_plugin::events::{self, Raw};
    use serde_json::{Value, json};

    use super::*;

    /// Refuses everybody.
    struct Doorkeeper;

    impl Plugin for Doorkeeper {
        fn init(_: &mut Router, services: &Services) -> Result<Self> {
            let refuse = |_: events::Event<Raw>| -> Verdict { Verdict::veto("nobody comes in") };
            services.events().filter("signup.validate", refuse)?;
            Ok(Doorkeeper)
        }
    }

    export_plugin!(Doorkeeper, embedded, name = "doorkeeper", needs = [events]);

    #[tokio::test]
    async fn whoever_nobody_refuses_is_signed_up() {
        let host = TestHost::of(SignUp::embedded()).await;
        let ada = json!({"email": "ada@example.com"});
        let answer = host.anonymous().post("signup", &ada).await;
        assert_eq!(answer.status(), 201);
        assert_eq!(answer.json::<Value>(), ada);
        let answer = host
            .post("signup", &json!({"mail": "ada@example.com"}))
            .await;
        assert_eq!(answer.status(), 422, "{answer}");
    }

    #[tokio::test]
    async fn a_filter_of_another_plugin_has_its_say() {
        let host = TestHost::builder()
            .embed(SignUp::embedded())
            .embed(Doorkeeper::embedded());
        let host = host.start().await.unwrap();
        let ada = json!({"email": "ada@example.com"});
        let answer = host.anonymous().post("signup", &ada).await;
        assert_eq!(answer.status(), 422);
        let problem: Value = answer.json();
        assert_eq!(problem["detail"], "nobody comes in");
        assert_eq!(problem["vetoed_by"], "doorkeeper");
    }
}
