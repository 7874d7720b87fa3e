//! Who is asking, found out before a plugin is.

use http::{HeaderMap, StatusCode};

use crate::http::problem::Problem;
use crate::services::actor::{Actor, ActorKind};

/// In development, a JSON [`Actor`] to act as.
pub(crate) const ACT_AS: &str = "x-exthost-actor";

/// The scope of whoever may send events to plugins.
pub(super) const DISPATCH: &str = "host.dispatch";

/// The actor of a request.
///
/// # Errors
/// 400 when the header [`ACT_AS`] is malformed.
pub(super) fn of(headers: &HeaderMap, development: bool) -> Result<Actor, Problem> {
    if !development {
        return Ok(Actor::default());
    }
    let Some(given) = headers.get(ACT_AS) else {
        return Ok(developer());
    };
    serde_json::from_slice(given.as_bytes()).map_err(|error| {
        Problem::new(
            StatusCode::BAD_REQUEST,
            "bad-actor",
            format!("the header {ACT_AS} is not an actor in JSON: {error}"),
        )
    })
}

/// Whoever sits at this machine, with the scopes of the host's own. A route that
/// asks for others is tried as an [`Actor`] that has them, by the header.
fn developer() -> Actor {
    Actor {
        kind: ActorKind::User,
        id: "developer".to_owned(),
        name: "developer".to_owned(),
        scopes: vec![DISPATCH.to_owned()],
        ..Actor::default()
    }
}
