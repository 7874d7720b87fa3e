//! An authenticator of whatever type.

use std::fmt;
use std::future::{Future, poll_fn};
use std::pin::Pin;
use std::sync::Arc;
use std::task::Poll;
use std::time::Duration;

use http::HeaderValue;
use http::request::Parts;

use crate::auth::{Actor, AuthError, Authenticator};

/// Longest time that an authenticator may take over one request.
pub const AUTHENTICATION_TIMEOUT: Duration = Duration::from_secs(10);

/// An authenticator of whatever type. Clones are the same authenticator.
#[derive(Clone)]
pub struct AnyAuthenticator(Arc<dyn Erased>);

type Authenticating<'a> = Pin<Box<dyn Future<Output = Result<Actor, AuthError>> + Send + 'a>>;

/// What of an [`Authenticator`] can be called without its type.
trait Erased: Send + Sync {
    fn authenticate<'a>(&'a self, request: &'a mut Parts) -> Authenticating<'a>;
    fn challenge(&self) -> HeaderValue;
}

impl<A: Authenticator> Erased for A {
    fn authenticate<'a>(&'a self, request: &'a mut Parts) -> Authenticating<'a> {
        Box::pin(Authenticator::authenticate(self, request))
    }

    fn challenge(&self) -> HeaderValue {
        Authenticator::challenge(self)
    }
}

impl AnyAuthenticator {
    /// Forgets the type of an authenticator.
    pub fn new(authenticator: impl Authenticator) -> Self {
        AnyAuthenticator(Arc::new(authenticator))
    }

    /// Finds out who sends a request.
    ///
    /// # Errors
    /// Those of the authenticator, and [`AuthError::Unavailable`] when it has not
    /// answered within [`AUTHENTICATION_TIMEOUT`].
    pub async fn authenticate(&self, request: &mut Parts) -> Result<Actor, AuthError> {
        self.within(AUTHENTICATION_TIMEOUT, request).await
    }

    async fn within(&self, time: Duration, request: &mut Parts) -> Result<Actor, AuthError> {
        let mut authenticating = self.0.authenticate(request);
        // Most answer at once, and need no timer.
        let at_once = poll_fn(|task| Poll::Ready(authenticating.as_mut().poll(task))).await;
        if let Poll::Ready(found) = at_once {
            return found;
        }
        match tokio::time::timeout(time, authenticating).await {
            Ok(found) => found,
            Err(_) => Err(AuthError::unavailable(format!(
                "the authenticator did not answer within {} ms",
                time.as_millis()
            ))),
        }
    }

    /// The `WWW-Authenticate` of an answer 401.
    pub fn challenge(&self) -> HeaderValue {
        self.0.challenge()
    }
}

impl fmt::Debug for AnyAuthenticator {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("AnyAuthenticator").finish_non_exhaustive()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Silent;

    impl Authenticator for Silent {
        async fn authenticate(&self, _: &mut Parts) -> Result<Actor, AuthError> {
            std::future::pending().await
        }
    }

    #[tokio::test]
    async fn silence_is_not_waited_for() {
        let mut request = http::Request::new(()).into_parts().0;
        let silent = AnyAuthenticator::new(Silent);
        let error = silent.within(Duration::from_millis(1), &mut request).await;
        assert_eq!(error.unwrap_err().code(), "auth-unavailable");
        assert_eq!(silent.challenge(), "Bearer");
    }
}
