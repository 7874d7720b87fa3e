//! Events whose filters are waited for, and what they decide.

use std::borrow::Cow;
use std::fmt;
use std::marker::PhantomData;
use std::time::Duration;

use exthost_abi::Status;
use exthost_abi::events::{POLICY_FAIL_CLOSED, POLICY_FAIL_OPEN};
use serde::de::DeserializeOwned;

use crate::db::Call;
use crate::export::events::Ask;
use crate::export::host::Host;
use crate::router::millis;
use crate::{Error, Result, json};

/// What it means that a filter fails: an error, a panic, no answer in time.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Hash)]
pub enum Policy {
    /// It is passed over, as if it were not there.
    FailOpen,
    /// It counts as a veto.
    FailClosed,
}

impl Policy {
    pub(crate) fn as_raw(self) -> u32 {
        match self {
            Policy::FailOpen => POLICY_FAIL_OPEN,
            Policy::FailClosed => POLICY_FAIL_CLOSED,
        }
    }
}

/// A request that begins when it is awaited, or [waited for](Request::wait), as a
/// [`Call`] does.
#[must_use = "the filters are asked only when this is awaited, or waited for"]
pub struct Request<'a, T> {
    host: &'static Host,
    ask: Result<Ask<'a>>,
    answer: PhantomData<fn() -> T>,
}

impl<'a, T: DeserializeOwned + Send + 'static> Request<'a, T> {
    pub(super) fn new(
        host: &'static Host,
        name: &'a str,
        payload: Result<Vec<u8>>,
        policy: Policy,
    ) -> Self {
        let ask = payload.map(|payload| Ask {
            name,
            payload: Cow::Owned(payload),
            policy,
            deadline_ms: 0,
        });
        Request {
            host,
            ask,
            answer: PhantomData,
        }
    }

    /// Time for all filters together; 5 s unless set.
    pub fn deadline(mut self, deadline: Duration) -> Self {
        if let Ok(ask) = &mut self.ask {
            ask.deadline_ms = millis(deadline);
        }
        self
    }

    /// Asks the filters and blocks this thread until they have decided.
    ///
    /// # Errors
    /// As [`Events::request`](super::Events::request); in an `async fn`, whose thread
    /// must not block, `misplaced`.
    pub fn wait(self) -> Result<Decision<T>> {
        self.into_future().wait()
    }
}

impl<'a, T: DeserializeOwned + Send + 'static> IntoFuture for Request<'a, T> {
    type Output = Result<Decision<T>>;
    type IntoFuture = Call<'a, Decision<T>>;

    fn into_future(self) -> Call<'a, Decision<T>> {
        Call::new(self.host, self.ask)
    }
}

impl<T> fmt::Debug for Request<'_, T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match &self.ask {
            Ok(ask) => write!(f, "Request({})", ask.name),
            Err(_) => f.write_str("Request(failed)"),
        }
    }
}

/// What the filters decided.
#[derive(Debug, Clone, PartialEq, Eq)]
pub enum Decision<T> {
    /// It passed; the payload is as the filters left it.
    Passed(T),
    /// A filter refused it, or failed where the policy is [`Policy::FailClosed`].
    Vetoed {
        /// The plugin whose filter it was.
        by: String,
        /// The reason, for people.
        reason: String,
    },
}

impl<T> Decision<T> {
    /// The payload, or the veto as an error.
    ///
    /// # Errors
    /// 422 with the code `vetoed`, the reason as its message, and the plugin as
    /// `vetoed_by`: with `?` in a route, that is what the client sees.
    pub fn passed(self) -> Result<T> {
        let (by, reason) = match self {
            Decision::Passed(payload) => return Ok(payload),
            Decision::Vetoed { by, reason } => (by, reason),
        };
        let detail = serde_json::json!({"vetoed_by": by}).to_string();
        let message = match &*reason {
            "" => format!("{by} gave no reason"),
            _ => reason,
        };
        let code = Status::VETOED.name();
        Err(Error::from_host(Status::VETOED, code, &message, &detail))
    }

    /// Whether a filter refused it.
    pub fn is_vetoed(&self) -> bool {
        matches!(self, Decision::Vetoed { .. })
    }
}

/// The result of a request as the host handed it over, copied.
#[derive(Debug)]
pub(crate) struct Settled {
    pub(crate) vetoed: bool,
    pub(crate) payload: Vec<u8>,
    pub(crate) by: String,
    pub(crate) reason: String,
}

impl Settled {
    pub(crate) fn decide<T: DeserializeOwned>(self) -> Result<Decision<T>> {
        if self.vetoed {
            return Ok(Decision::Vetoed {
                by: self.by,
                reason: self.reason,
            });
        }
        match serde_json::from_slice(&self.payload) {
            Ok(payload) => Ok(Decision::Passed(payload)),
            Err(error) => {
                let path = json::path_at(&self.payload, error.line(), error.column());
                let reason = json::reason(&error);
                let message = format!("the filters left another payload: {path}: {reason}");
                Err(Error::internal(message).with_code("bad-payload"))
            }
        }
    }
}
