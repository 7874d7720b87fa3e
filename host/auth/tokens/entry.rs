//! What is kept of a token.

use std::time::{Duration, SystemTime, UNIX_EPOCH};

use serde::{Deserialize, Serialize};

use crate::auth::tokens::token::TokenHash;
use crate::auth::{Actor, Scope, Token};

/// What is kept of a token: everything but the token.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
#[non_exhaustive]
pub struct TokenEntry {
    /// Its name, which is the id and the name of its actor.
    pub name: String,
    /// The BLAKE3 of the token.
    pub(super) blake3: TokenHash,
    /// The scopes of its actor.
    pub scopes: Vec<String>,
    /// When it was made, in milliseconds since 1970.
    pub created_ms: u64,
    /// When it ends, in milliseconds since 1970; none for one that does not.
    pub expires_ms: Option<u64>,
}

impl TokenEntry {
    /// What is kept of `token`, which ends after `lifetime`.
    pub(super) fn new(
        name: &str,
        token: &Token,
        scopes: &[Scope],
        lifetime: Option<Duration>,
    ) -> Self {
        let mut distinct: Vec<String> = Vec::new();
        for scope in scopes.iter().map(Scope::as_str) {
            if !distinct.iter().any(|other| other == scope) {
                distinct.push(scope.to_owned());
            }
        }
        let created_ms = now_ms();
        TokenEntry {
            name: name.to_owned(),
            blake3: TokenHash::of(token.reveal().as_bytes()),
            scopes: distinct,
            created_ms,
            expires_ms: lifetime.map(|lifetime| created_ms.saturating_add(ms(lifetime))),
        }
    }

    /// Whether its time is over.
    pub fn is_expired(&self) -> bool {
        self.expires_ms.is_some_and(|at| at <= now_ms())
    }

    /// Who asks with it.
    pub(super) fn actor(&self) -> Actor {
        Actor::token(&self.name, &self.name).with_scopes(&self.scopes)
    }
}

fn now_ms() -> u64 {
    let since = SystemTime::now().duration_since(UNIX_EPOCH);
    ms(since.unwrap_or_default())
}

fn ms(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis()).unwrap_or(u64::MAX)
}
