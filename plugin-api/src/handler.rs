//! Functions that handle requests, with their arguments erased.

use crate::export::tasks::BoxFuture;
use crate::{FromRequest, IntoResponse, Needs, Parts, Response, Result};

/// What answers a route: an `fn`, an `async fn` or a closure, of up to six
/// arguments that are [extractors](FromRequest), which returns something that is
/// a [response](IntoResponse).
///
/// An `fn` may block: it runs on the plugin's own threads. An `async fn` must
/// not: it is polled on the thread that read the request, and again by the
/// host's runtime until it is done.
///
/// `M` tells the kinds apart and is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is not a handler",
    label = "not a handler",
    note = "a handler is an `fn`, an `async fn` or a closure of at most six extractors, whose \
            result is a response and whose future is `Send`",
    note = "usual causes: an argument that borrows (`&str`), a result that is no response (`u32`), \
            a lock held over an `.await`, seven arguments, a `Json` of what does not serialise",
    note = "a service of the host, such as `Db` or `Kv`, is no argument: keep it in the plugin, and \
            take `State<...>` of that"
)]
pub trait Handler<M>: Send + Sync + 'static {
    /// Whether it is an `async fn`.
    #[doc(hidden)]
    const ASYNC: bool;

    /// What its arguments ask of the route.
    #[doc(hidden)]
    fn needs(needs: &mut Needs);

    /// Makes the arguments and calls it.
    #[doc(hidden)]
    fn call(&self, parts: &Parts<'_>) -> Result<Outcome>;
}

/// What calling a handler came to.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "never leaves the crate")]
pub enum Outcome {
    Done(Response),
    Future(BoxFuture<Response>),
}

/// Marks the handlers that are an `fn`.
#[derive(Debug)]
pub struct Plain;

/// Marks the handlers that are an `async fn`.
#[derive(Debug)]
pub struct Async;

/// Implements [`Handler`] for functions of the named arguments. Rust has no way
/// to speak of functions of any number of arguments, so each number is an
/// implementation of its own.
macro_rules! handlers {
    ($($argument:ident),*) => {
        impl<F, R, $($argument),*> Handler<(Plain, $($argument),*)> for F
        where
            F: Fn($($argument),*) -> R + Send + Sync + 'static,
            R: IntoResponse,
            $($argument: FromRequest,)*
        {
            const ASYNC: bool = false;

            fn needs(_needs: &mut Needs) {
                $($argument::needs(_needs);)*
            }

            fn call(&self, _parts: &Parts<'_>) -> Result<Outcome> {
                let response = self($($argument::from_request(_parts)?),*);
                Ok(Outcome::Done(response.into_response()))
            }
        }

        impl<F, R, $($argument),*> Handler<(Async, $($argument),*)> for F
        where
            F: Fn($($argument),*) -> R + Send + Sync + 'static,
            R: Future<Output: IntoResponse> + Send + 'static,
            $($argument: FromRequest,)*
        {
            const ASYNC: bool = true;

            fn needs(_needs: &mut Needs) {
                $($argument::needs(_needs);)*
            }

            fn call(&self, _parts: &Parts<'_>) -> Result<Outcome> {
                let future = self($($argument::from_request(_parts)?),*);
                Ok(Outcome::Future(Box::pin(async { future.await.into_response() })))
            }
        }
    };
}

handlers!();
handlers!(A);
handlers!(A, B);
handlers!(A, B, C);
handlers!(A, B, C, D);
handlers!(A, B, C, D, E);
handlers!(A, B, C, D, E, G);
