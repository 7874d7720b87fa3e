//! From a request to the arguments of a handler.

use std::any::TypeId;

use crate::{Parts, Result};

/// A handler's argument: made of the request before the handler runs.
///
/// Implement it for types of your own, such as the user that a session belongs
/// to; the borrowed [`Parts`] let it look without copying. `Option<T>` is `None`
/// and `Result<T>` the error where `T` would have refused the request.
///
/// # Examples
/// ```
/// use exthost_plugin::prelude::*;
///
/// struct Language(String);
///
/// impl FromRequest for Language {
///     fn from_request(parts: &Parts<'_>) -> Result<Self> {
///         let language = parts.header("accept-language").unwrap_or("en");
///         Ok(Language(language.to_owned()))
///     }
/// }
///
/// async fn hello(Language(language): Language) -> String {
///     format!("hello in {language}")
/// }
/// ```
#[diagnostic::on_unimplemented(
    message = "`{Self}` cannot be made of a request",
    label = "not an extractor",
    note = "extractors are Path, Query, Json, State, Actor, Headers, BodyStream, String, Vec<u8> ..., \
            and what implements `FromRequest`"
)]
pub trait FromRequest: Sized {
    /// Says, when the route is added, what this argument asks of it.
    fn needs(needs: &mut Needs) {
        let _ = needs;
    }

    /// Makes the argument.
    ///
    /// # Errors
    /// The request is then answered with the error, and the handler not called.
    fn from_request(parts: &Parts<'_>) -> Result<Self>;
}

/// What a handler's arguments ask of its route.
#[derive(Debug, Default)]
pub struct Needs {
    pub(crate) whole_body: bool,
    pub(crate) body_stream: bool,
    pub(crate) states: Vec<(TypeId, &'static str)>,
}

impl Needs {
    /// The body is collected before the handler is called, for
    /// [`Parts::body`].
    pub fn whole_body(&mut self) {
        self.whole_body = true;
    }

    /// The body is read by the handler, through [`BodyStream`](crate::BodyStream).
    pub fn body_stream(&mut self) {
        self.body_stream = true;
    }

    /// The router was given a state of type `T`.
    pub fn state<T: 'static>(&mut self) {
        self.states
            .push((TypeId::of::<T>(), std::any::type_name::<T>()));
    }
}

impl<T: FromRequest> FromRequest for Option<T> {
    fn needs(needs: &mut Needs) {
        T::needs(needs);
    }

    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        Ok(T::from_request(parts).ok())
    }
}

impl<T: FromRequest> FromRequest for Result<T> {
    fn needs(needs: &mut Needs) {
        T::needs(needs);
    }

    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        Ok(T::from_request(parts))
    }
}

/// The HTTP method in capitals.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Method(pub String);

impl FromRequest for Method {
    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        Ok(Method(parts.method().to_owned()))
    }
}

/// The request's id in logs and error bodies.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct RequestId(pub String);

impl FromRequest for RequestId {
    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        Ok(RequestId(parts.request_id().to_owned()))
    }
}

/// The client's address, `ip:port`; empty when unknown.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Peer(pub String);

impl FromRequest for Peer {
    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        Ok(Peer(parts.peer().to_owned()))
    }
}
