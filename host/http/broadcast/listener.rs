//! Who may listen to what, and send events.

use std::sync::Arc;

use http::request::Parts;

use crate::auth::DISPATCH;
use crate::config::{BroadcastSettings, ChannelPattern};
use crate::http::problem::Problem;
use crate::http::{Front, access};
use crate::services::broadcast::Patterns;

/// Whoever has connected, as far as it matters to what they may hear.
#[derive(Debug)]
pub(super) struct Listener {
    is_authenticated: bool,
    may_dispatch: bool,
    settings: Arc<BroadcastSettings>,
}

/// A pattern that only those may listen to who are authenticated.
#[derive(Debug, thiserror::Error)]
#[error(
    "listening to {pattern} requires authentication; without it there is only what the operator \
     has made public"
)]
pub(super) struct Denied {
    pattern: ChannelPattern,
}

impl Denied {
    /// Returns the stable code.
    pub(super) fn code(&self) -> &'static str {
        "unauthenticated"
    }
}

impl Listener {
    /// Whoever sent a request.
    ///
    /// # Errors
    /// As [`access::actor_of`].
    pub(super) async fn of(front: &Front, request: &mut Parts) -> Result<Self, Problem> {
        let actor = access::actor_of(&front.authenticator, request).await?;
        Ok(Listener {
            is_authenticated: actor.is_authenticated(),
            may_dispatch: actor.missing_scope(&[DISPATCH]).is_none(),
            settings: front.listening.load_full(),
        })
    }

    /// Whether they may send events to plugins.
    pub(super) fn may_dispatch(&self) -> bool {
        self.may_dispatch
    }

    /// Refuses the first pattern that they may not listen to.
    ///
    /// # Errors
    /// [`Denied`].
    pub(super) fn check(&self, patterns: &Patterns) -> Result<(), Denied> {
        let public = &self.settings.public;
        let is_public = |asked: &ChannelPattern| public.iter().any(|wide| asked.is_within(wide));
        let mut all = patterns.all().iter();
        match all.find(|asked| !self.is_authenticated && !is_public(asked)) {
            None => Ok(()),
            Some(asked) => Err(Denied {
                pattern: asked.clone(),
            }),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_anonymous_hear_what_is_public() {
        let settings = BroadcastSettings {
            public: vec![ChannelPattern::parse("ticker/>").unwrap()],
            ..BroadcastSettings::default()
        };
        let mut listener = Listener {
            is_authenticated: false,
            may_dispatch: false,
            settings: Arc::new(settings),
        };
        let patterns = |texts: &[&'static str]| Patterns::parse(texts.iter().copied()).unwrap();
        assert!(
            listener
                .check(&patterns(&["ticker/tick", "ticker/a.*"]))
                .is_ok()
        );
        for texts in [["ticker/>", "notes/a"], ["ticker/>", "*/tick"]] {
            let denied = listener.check(&patterns(&texts)).unwrap_err();
            assert_eq!(denied.code(), "unauthenticated");
            listener.is_authenticated = true;
            assert!(listener.check(&patterns(&texts)).is_ok());
            listener.is_authenticated = false;
        }
    }
}
