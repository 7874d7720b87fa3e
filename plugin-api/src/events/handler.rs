//! Functions that handle events, with their arguments and results erased.

use super::verdict::Answer;
use super::{Event, FromContent, IntoContent, Verdict};
use crate::export::events::Delivery;
use crate::export::tasks::BoxFuture;
use crate::handler::{Async, Plain};
use crate::{Needs, Result, State};

/// What hears events: an `fn`, an `async fn` or a closure that takes an
/// [`Event`] and up to four [states](State).
///
/// As an observer (`K` is [`Observing`]) it returns `()` or `Result<()>`, as a filter
/// ([`Filtering`]) a [`Verdict`] or `Result<Verdict<_>>`.
///
/// An `fn` may block: it runs on the plugin's own threads. An `async fn` must not: it
/// is polled on the host's runtime until it is done.
///
/// `M` tells the kinds apart and is always inferred.
#[diagnostic::on_unimplemented(
    message = "`{Self}` is no handler of events",
    label = "not a handler of events",
    note = "a handler is an `fn`, an `async fn` or a closure that takes an `events::Event<T>`, then \
            at most four `State<S>`, and whose future is `Send`",
    note = "with `on` it returns `()` or `Result<()>`, with `filter` a `Verdict` or \
            `Result<Verdict<T>>`; `Event` in the prelude is that of server-sent events"
)]
pub trait Handler<K, M>: Send + Sync + 'static {
    /// Whether it is an `async fn`.
    #[doc(hidden)]
    const ASYNC: bool;

    /// What its arguments ask of the plugin.
    #[doc(hidden)]
    fn needs(needs: &mut Needs);

    /// Makes the arguments and calls it.
    #[doc(hidden)]
    fn call(&self, delivery: &Delivery<'_>) -> Result<Outcome>;
}

/// What calling a handler came to.
#[doc(hidden)]
#[expect(missing_debug_implementations, reason = "never leaves the crate")]
pub enum Outcome {
    Done(Answer),
    Future(BoxFuture<Result<Answer>>),
}

/// Marks handlers that are told after the fact.
#[derive(Debug)]
pub struct Observing;

/// Marks handlers that are asked first.
#[derive(Debug)]
pub struct Filtering;

/// What a handler of the kind `K` may return.
#[doc(hidden)]
#[diagnostic::on_unimplemented(
    message = "a handler of events cannot return `{Self}`",
    note = "with `on` it returns `()` or `Result<()>`, with `filter` a `Verdict` or \
            `Result<Verdict<T>>`"
)]
pub trait Returns<K> {
    fn answer(self) -> Result<Answer>;
}

impl Returns<Observing> for () {
    fn answer(self) -> Result<Answer> {
        Ok(Answer::Pass)
    }
}

impl Returns<Observing> for Result<()> {
    fn answer(self) -> Result<Answer> {
        self.map(|()| Answer::Pass)
    }
}

impl<T: IntoContent> Returns<Filtering> for Verdict<T> {
    fn answer(self) -> Result<Answer> {
        Answer::of(self)
    }
}

impl<T: IntoContent> Returns<Filtering> for Result<Verdict<T>> {
    fn answer(self) -> Result<Answer> {
        self.and_then(Answer::of)
    }
}

/// Implements [`Handler`] for functions of an event and the named states: each
/// number of arguments is an implementation of its own.
macro_rules! handlers {
    ($($state:ident),*) => {
        impl<K, F, R, T, $($state),*> Handler<K, (Plain, T, $($state),*)> for F
        where
            F: Fn(Event<T>, $(State<$state>),*) -> R + Send + Sync + 'static,
            R: Returns<K>,
            T: FromContent,
            $($state: Send + Sync + 'static,)*
        {
            const ASYNC: bool = false;

            fn needs(_needs: &mut Needs) {
                $(_needs.state::<$state>();)*
            }

            fn call(&self, delivery: &Delivery<'_>) -> Result<Outcome> {
                let event = Event::read(delivery)?;
                let returned = self(event, $(delivery.states().state::<$state>()?),*);
                returned.answer().map(Outcome::Done)
            }
        }

        impl<K, F, R, T, $($state),*> Handler<K, (Async, T, $($state),*)> for F
        where
            F: Fn(Event<T>, $(State<$state>),*) -> R + Send + Sync + 'static,
            R: Future<Output: Returns<K>> + Send + 'static,
            T: FromContent,
            $($state: Send + Sync + 'static,)*
        {
            const ASYNC: bool = true;

            fn needs(_needs: &mut Needs) {
                $(_needs.state::<$state>();)*
            }

            fn call(&self, delivery: &Delivery<'_>) -> Result<Outcome> {
                let event = Event::read(delivery)?;
                let future = self(event, $(delivery.states().state::<$state>()?),*);
                Ok(Outcome::Future(Box::pin(async { future.await.answer() })))
            }
        }
    };
}

handlers!();
handlers!(A);
handlers!(A, B);
handlers!(A, B, C);
handlers!(A, B, C, D);
