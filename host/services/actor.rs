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
    /// Nobody in particular.
    pub fn anonymous() -> Self {
        Actor::default()
    }

    /// A person, by a stable id and a name for people.
    pub fn user(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self::of_kind(ActorKind::User, id, name)
    }

    /// An application or a token, by a stable id and a name for people.
    pub fn token(id: impl Into<String>, name: impl Into<String>) -> Self {
        Self::of_kind(ActorKind::Token, id, name)
    }

    fn of_kind(kind: ActorKind, id: impl Into<String>, name: impl Into<String>) -> Self {
        Actor {
            kind,
            id: id.into(),
            name: name.into(),
            ..Actor::default()
        }
    }

    /// The same actor with these scopes and no others.
    pub fn with_scopes(mut self, scopes: impl IntoIterator<Item = impl Into<String>>) -> Self {
        self.scopes = scopes.into_iter().map(Into::into).collect();
        self
    }

    /// The same actor, asking on behalf of another.
    ///
    /// # Examples
    /// ```
    /// use exthost::auth::Actor;
    ///
    /// let actor = Actor::token("t1", "App").on_behalf_of(Actor::user("u1", "Ada"));
    /// assert_eq!(actor.to_string(), "App on behalf of Ada");
    /// ```
    pub fn on_behalf_of(mut self, other: Actor) -> Self {
        self.on_behalf_of = Some(Box::new(other));
        self
    }

    /// Whether anybody was authenticated.
    pub fn is_authenticated(&self) -> bool {
        self.kind != ActorKind::Anonymous
    }

    /// The first of `scopes` that the actor does not have.
    pub fn missing_scope<'a>(&self, scopes: &'a [impl AsRef<str>]) -> Option<&'a str> {
        let has = |scope: &str| self.scopes.iter().any(|own| own == scope);
        let mut scopes = scopes.iter().map(AsRef::as_ref);
        scopes.find(|scope| !has(scope))
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
