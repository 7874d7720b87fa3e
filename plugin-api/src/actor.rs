//! Who is asking.

use std::fmt;

use exthost_abi as abi;

use crate::{FromRequest, Parts, Result};

/// Who is asking, as the host's authenticator found out.
///
/// Displayed it is the name for people: `Ada`, `App on behalf of Ada`, or
/// `stranger`.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Actor {
    /// What kind of actor.
    pub kind: ActorKind,
    /// Stable id, empty when anonymous.
    pub id: String,
    /// Name for people, may be empty.
    pub name: String,
    /// Scopes the actor has.
    pub scopes: Vec<String>,
    /// On whose behalf the actor asks.
    pub on_behalf_of: Option<Box<Actor>>,
}

/// The kind of an [`Actor`].
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, Hash)]
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
    /// A kind that this version of the SDK does not know.
    Other,
}

impl ActorKind {
    pub(crate) fn from_raw(kind: u32) -> Self {
        match kind {
            abi::routes::ACTOR_ANONYMOUS => ActorKind::Anonymous,
            abi::routes::ACTOR_USER => ActorKind::User,
            abi::routes::ACTOR_TOKEN => ActorKind::Token,
            abi::routes::ACTOR_PLUGIN => ActorKind::Plugin,
            _ => ActorKind::Other,
        }
    }
}

impl Actor {
    /// Whether nobody was authenticated.
    pub fn is_anonymous(&self) -> bool {
        self.kind == ActorKind::Anonymous
    }

    /// Whether the actor has `scope`.
    pub fn has_scope(&self, scope: &str) -> bool {
        self.scopes.iter().any(|other| other == scope)
    }
}

impl fmt::Display for Actor {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match (self.is_anonymous(), &*self.name) {
            (true, _) => f.write_str("stranger")?,
            (false, "") => f.write_str(&self.id)?,
            (false, name) => f.write_str(name)?,
        }
        match &self.on_behalf_of {
            Some(principal) => write!(f, " on behalf of {principal}"),
            None => Ok(()),
        }
    }
}

impl FromRequest for Actor {
    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        Ok(parts.actor())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn shown_as_a_greeting_would() {
        assert_eq!(Actor::default().to_string(), "stranger");
        let ada = Actor {
            kind: ActorKind::User,
            id: "u1".into(),
            name: "Ada".into(),
            ..Actor::default()
        };
        let app = Actor {
            kind: ActorKind::Token,
            id: "App".into(),
            on_behalf_of: Some(Box::new(ada.clone())),
            ..Actor::default()
        };
        assert_eq!(ada.to_string(), "Ada");
        assert_eq!(app.to_string(), "App on behalf of Ada");
    }
}
