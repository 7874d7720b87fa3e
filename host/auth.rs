//! Who may ask: authenticators, the actors that they find, and the host's scopes.
//!
//! A host asks one [`Authenticator`] for the [`Actor`] of each request, before a
//! plugin or a route of the operators sees it. Three are here:
//!
//! * [`FromExtensions`], unless another is set: the application's own middleware
//!   knows who asks, and says so.
//! * [`Tokens`]: bearer tokens in a file, as `exthost serve` and `exthost token`
//!   use them.
//! * [`Development`]: whoever is on this machine is the developer.
//!
//! # Examples
//! An authenticator of an application's own:
//! ```
//! use exthost::Host;
//! use exthost::auth::{Actor, AuthError, Authenticator};
//! use http::request::Parts;
//!
//! struct ApiKey;
//!
//! impl Authenticator for ApiKey {
//!     async fn authenticate(&self, request: &mut Parts) -> Result<Actor, AuthError> {
//!         match request.headers.remove("x-api-key") {
//!             None => Ok(Actor::anonymous()),
//!             Some(key) if key == "a key of Ada's" => {
//!                 Ok(Actor::user("u1", "Ada").with_scopes(["host.read"]))
//!             }
//!             Some(_) => Err(AuthError::rejected("there is no such key")),
//!         }
//!     }
//! }
//!
//! let builder = Host::builder().authenticator(ApiKey);
//! ```

mod any;
mod development;
mod error;
mod extensions;
mod scope;
mod tokens;

use std::future::Future;

use http::HeaderValue;
use http::request::Parts;

pub use crate::services::actor::{Actor, ActorKind};
pub use any::{AUTHENTICATION_TIMEOUT, AnyAuthenticator};
pub(crate) use development::ACT_AS;
pub use development::Development;
pub use error::AuthError;
pub use extensions::FromExtensions;
pub(crate) use scope::is_scope;
pub use scope::{DISPATCH, EVENTS, HOST_SCOPES, MANAGE, METRICS, READ, Scope, ScopeError};
pub use tokens::{Token, TokenEntry, TokenFile, Tokens, TokensError};

/// Finds out on whose authority a request is made.
///
/// # Threading
/// Requests are authenticated on the runtime's threads, many at a time; what waits
/// for a disk or a server must not block. One that takes longer than
/// [`AUTHENTICATION_TIMEOUT`] is given up.
pub trait Authenticator: Send + Sync + 'static {
    /// Finds out who sends a request: [`Actor::anonymous`] without credentials, so
    /// that public routes answer. It may take headers away that plugins should not
    /// see.
    ///
    /// # Errors
    /// [`AuthError`], with which the request is refused, on public routes too.
    fn authenticate(
        &self,
        request: &mut Parts,
    ) -> impl Future<Output = Result<Actor, AuthError>> + Send;

    /// The `WWW-Authenticate` of an answer 401: how to authenticate. The reasons of
    /// RFC 6750 are added where it names the scheme `Bearer`.
    fn challenge(&self) -> HeaderValue {
        HeaderValue::from_static("Bearer")
    }
}
