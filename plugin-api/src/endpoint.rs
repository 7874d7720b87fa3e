//! One route as the host calls it: extract, handle, answer.

use std::pin::Pin;
use std::sync::Arc;
use std::task::{Context, Poll, Waker};

use crate::answer::{Pledge, Rest, answer};
use crate::export::host::Host;
use crate::export::tasks::BoxFuture;
use crate::handler::Outcome;
use crate::router::Layer;
use crate::state::States;
use crate::{Error, IntoResponse, Parts, Response, Result, log};

/// A handler with its arguments and its result erased.
pub(crate) type Call = Arc<dyn Fn(&Parts<'_>) -> Result<Outcome> + Send + Sync>;

/// A route as the host calls it.
pub(crate) struct Endpoint {
    pub(crate) host: &'static Host,
    pub(crate) states: Arc<States>,
    /// Method and pattern, for people.
    pub(crate) name: String,
    /// Whether it runs on a thread that must not block.
    pub(crate) inline: bool,
    /// From the outermost to the innermost.
    pub(crate) layers: Vec<Arc<Layer>>,
    pub(crate) call: Call,
}

impl Endpoint {
    /// Serves one request: answers it, or sees to it that it will be.
    pub(crate) fn serve(&self, parts: &Parts<'_>) -> Result<()> {
        for (depth, layer) in self.layers.iter().enumerate() {
            if let Err(response) = layer.enter(parts) {
                return self.answer(parts, &self.layers[..depth], response);
            }
        }
        match (self.call)(parts) {
            Ok(Outcome::Done(response)) => self.answer(parts, &self.layers, response),
            Ok(Outcome::Future(future)) => self.begin(parts, future),
            Err(error) => self.answer(parts, &self.layers, error.into_response()),
        }
    }

    /// Polls once, here. The waker does nothing, for a spawned task is polled
    /// once more in any case, and only then has an id that can be woken.
    fn begin(&self, parts: &Parts<'_>, mut future: BoxFuture<Response>) -> Result<()> {
        let mut cx = Context::from_waker(Waker::noop());
        match Pin::new(&mut future).poll(&mut cx) {
            Poll::Ready(response) => self.answer(parts, &self.layers, response),
            Poll::Pending => self.spawn(parts, future),
        }
    }

    fn spawn(&self, parts: &Parts<'_>, future: BoxFuture<Response>) -> Result<()> {
        let (host, request) = (self.host, parts.id());
        let pledge = Arc::new(Pledge::new(host, request));
        let promise = Arc::clone(&pledge);
        let request_id = parts.request_id().to_owned();
        let layers = self.layers.clone();
        let task = async move {
            let response = leave(&layers, future.await);
            let answered = answer(host, request, &request_id, response);
            pledge.keep();
            match answered {
                Ok(Rest::Stream(stream)) => stream.await,
                Ok(rest) => follow(host, request, rest),
                Err(error) => give_up(host, request, &error),
            }
        };
        // When there is no room for a task the host answers with this error.
        host.spawn(&self.name, Some(request), Box::pin(task))
            .map(drop)
            .inspect_err(|_| promise.keep())
    }

    fn answer(&self, parts: &Parts<'_>, layers: &[Arc<Layer>], response: Response) -> Result<()> {
        let response = leave(layers, response);
        match answer(self.host, parts.id(), parts.request_id(), response)? {
            // This thread may block.
            Rest::Blocking(write) if !self.inline => write(),
            rest => follow(self.host, parts.id(), rest),
        }
        Ok(())
    }
}

/// Runs what comes after the handler, from the innermost layer out.
fn leave(layers: &[Arc<Layer>], mut response: Response) -> Response {
    for layer in layers.iter().rev() {
        layer.leave(&mut response);
    }
    response
}

/// Sets off what is left of a response.
fn follow(host: &'static Host, request: u64, rest: Rest) {
    let begun = match rest {
        Rest::Nothing => return,
        Rest::Stream(stream) => host.spawn("stream", Some(request), stream),
        Rest::Blocking(write) => {
            let mut write = Some(write);
            let once = move || {
                if let Some(write) = write.take() {
                    write();
                }
            };
            host.blocking("stream", Some(request), Box::new(once))
        }
    };
    // The body was dropped, which has cut the response off.
    if let Err(error) = begun {
        log::error("a streamed response could not begin").field("reason", error.to_string());
    }
}

/// Answers 500 where no other answer came through.
fn give_up(host: &'static Host, request: u64, error: &Error) {
    log::error("a response could not be sent").field("reason", error.to_string());
    host.respond_abort(request);
}

impl std::fmt::Debug for Endpoint {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Endpoint({})", self.name)
    }
}
