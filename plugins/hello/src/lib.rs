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
