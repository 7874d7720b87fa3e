//! Who is asking.

use std::fmt;

use serde::{Deserialize, Serialize};

/// The one on whose authority a request is made, as the host's authenticator
/// found.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Actor {
    /// What kind of actor.
    pub kind: ActorKind,
    /// Stable id, empty when anonymous.
    #[serde(default)]
    pub id: String,
    /// Name for people, may be empty.
    #[serde(default)]
    pub name: String,
    /// Scopes the actor has.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// On whose behalf the actor asks.
    #[serde(default)]
    pub on_behalf_of: Option<Box<Actor>>,
}

/// The kinds of actor.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
#[non_exhaustive]
pub enum ActorKind {
    /// Nobody was authenticated.
    #[default]
    Anonymous,
    /// A person.
    User,
    /// An application or a token.
    Token,
    /// Another plugin.
    Plugin,
}

impl Actor {
    /// Whether anybody was authenticated.
    pub fn is_authenticated(&self) -> bool {
        self.kind != ActorKind::Anonymous
    }

    /// The first of `scopes` that the actor does not have.
    pub fn missing_scope<'a>(&self, scopes: &'a [String]) -> Option<&'a str> {
        let missing = scopes.iter().find(|scope| !self.scopes.contains(scope));
        missing.map(String::as_str)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let name = [&self.name, &self.id]
            .into_iter()
            .find(|text| !text.is_empty())
            .map_or("anonymous", String::as_str);
        match &self.on_behalf_of {
            Some(other) => write!(f, "{name} on behalf of {other}"),
            None => f.write_str(name),
        }
    }
}
