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
