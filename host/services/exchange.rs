//! One request and its answer: a state machine with one end.
//!
//! The front opens an exchange and waits for the [`Reply`]; the plugin answers
//! it by its id, from any thread. The front holds the [`ExchangeGuard`], so the
//! exchange ends when the response is sent or the client leaves, whichever the
//! plugin does.

mod body;
mod guard;
mod reply;
mod room;

use std::sync::atomic::{AtomicBool, AtomicI32, AtomicU64, Ordering};
use std::sync::{Arc, Mutex, MutexGuard, PoisonError};
use std::time::{Duration, Instant};

use bytes::Bytes;
use exthost_abi::Status;
use http::{HeaderMap, StatusCode};
use http_body_util::BodyExt;
use tokio::sync::{Notify, mpsc, oneshot};

use crate::services::actor::Actor;
use crate::services::context::{Phase, PluginContext};
use crate::services::error::ServiceError;
use crate::services::routes::Route;
use room::Alone;

pub(crate) use body::{BodyError, RequestBody};
pub(crate) use guard::ExchangeGuard;
pub(crate) use reply::{Chunks, Reply, ReplyBody, ReplyReceiver, StreamEnd};
pub(crate) use room::Room;

/// A request that a plugin is to answer.
#[derive(Debug)]
pub struct Exchange {
    /// Tells it from every other request of the process, also from later ones.
    pub number: u64,
    /// The plugin that answers.
    pub context: Arc<PluginContext>,
    /// The route that took the request.
    pub route: Arc<Route>,
    /// The request's id in logs and error bodies.
    pub request_id: String,
    /// Who is asking.
    pub actor: Arc<Actor>,
    /// When the head must be there.
    pub deadline: Instant,
    state: Mutex<State>,
    /// [`Status::OK`] while the answer is wanted, else why it is not.
    wanted: AtomicI32,
    unwanted: Notify,
    chunk_under_way: AtomicBool,
    rejected: AtomicBool,
    body: tokio::sync::Mutex<Incoming>,
}

/// What is left of the request's body.
#[derive(Debug)]
enum Incoming {
    /// The route takes it whole.
    Collected,
    Stream(RequestBody),
    Failed(BodyError),
    /// The request has ended.
    Dropped,
}

#[derive(Debug)]
enum State {
    Open(oneshot::Sender<Result<Reply, ServiceError>>),
    Streaming {
        chunks: mpsc::Sender<Bytes>,
        end: Arc<Mutex<StreamEnd>>,
    },
    Ended,
}

/// Chunks that may wait between plugin and client.
const CHUNKS_QUEUED_MAX: usize = 16;

impl Exchange {
    /// Opens an exchange; the reply, or the failure of the handler, comes through
    /// the receiver. It is closed without one when the plugin gives up.
    pub fn open(
        context: Arc<PluginContext>,
        route: Arc<Route>,
        request_id: String,
        actor: Arc<Actor>,
        body: Option<RequestBody>,
    ) -> (Arc<Self>, ReplyReceiver) {
        static NUMBER: AtomicU64 = AtomicU64::new(0);
        let (sender, receiver) = oneshot::channel();
        let exchange = Exchange {
            number: NUMBER.fetch_add(1, Ordering::Relaxed),
            deadline: Instant::now() + route.deadline,
            context,
            route,
            request_id,
            actor,
            state: Mutex::new(State::Open(sender)),
            wanted: AtomicI32::new(Status::OK.0),
            unwanted: Notify::new(),
            chunk_under_way: AtomicBool::new(false),
            rejected: AtomicBool::new(false),
            body: tokio::sync::Mutex::new(match body {
                Some(body) => Incoming::Stream(body),
                None => Incoming::Collected,
            }),
        };
        (Arc::new(exchange), receiver)
    }

    /// Answers with a head and a whole body.
    pub fn respond(
        &self,
        status: StatusCode,
        headers: HeaderMap,
        body: Bytes,
    ) -> Result<(), ServiceError> {
        let body = ReplyBody::Whole(body);
        self.reply(
            Ok(Reply {
                status,
                headers,
                body,
            }),
            State::Ended,
        )
    }

    /// Answers with a head and begins a streamed body.
    pub fn start(
        &self,
        status: StatusCode,
        headers: HeaderMap,
        first: Bytes,
    ) -> Result<(), ServiceError> {
        let (sender, receiver) = mpsc::channel(CHUNKS_QUEUED_MAX);
        if !first.is_empty() {
            // A new channel has room for one.
            let _ = sender.try_send(first);
        }
        let end = Arc::default();
        let body = ReplyBody::Stream(Chunks {
            chunks: receiver,
            end: Arc::clone(&end),
        });
        let next = State::Streaming {
            chunks: sender,
            end,
        };
        self.reply(
            Ok(Reply {
                status,
                headers,
                body,
            }),
            next,
        )
    }

    /// Sends a chunk, waiting while the client is slower than the plugin. One
    /// at a time.
    pub async fn chunk(&self, chunk: Bytes) -> Result<(), ServiceError> {
        let _alone = self.alone()?;
        let sender = self.sender()?;
        let idle = self.route.idle_timeout;
        tokio::select! {
            sent = sender.send(chunk) => sent.map_err(|_| self.ended()),
            () = tokio::time::sleep(idle) => {
                self.end_stream(StreamEnd::Aborted);
                Err(ServiceError::new(
                    Status::TIMEOUT,
                    "client-stalled",
                    format!("the client took nothing for {} ms", idle.as_millis()),
                ))
            }
        }
    }

    /// Room for a chunk, if that needs no waiting.
    pub fn room(&self) -> Result<Option<Room<'_>>, ServiceError> {
        let alone = self.alone()?;
        match self.sender()?.try_reserve_owned() {
            Ok(place) => Ok(Some(Room {
                place,
                _alone: alone,
            })),
            Err(mpsc::error::TrySendError::Full(_)) => Ok(None),
            Err(mpsc::error::TrySendError::Closed(_)) => Err(self.ended()),
        }
    }

    /// Ends a streamed body.
    pub fn end(&self, trailers: Option<HeaderMap>) -> Result<(), ServiceError> {
        if matches!(&*self.state(), State::Open(_)) {
            return Err(before_the_head("an end"));
        }
        match self.end_stream(StreamEnd::Whole(trailers)) {
            true => Ok(()),
            false => Err(self.ended()),
        }
    }

    /// Gives the request up: the front answers 500, or cuts the connection.
    pub fn abort(&self) -> Result<(), ServiceError> {
        match self.take_state() {
            // The receiver sees that the sender is gone.
            State::Open(_) => Ok(()),
            // `StreamEnd` is `Aborted` unless somebody said otherwise.
            State::Streaming { .. } => Ok(()),
            State::Ended => Err(self.ended()),
        }
    }

    /// Answers with an error, from which the front makes a problem.
    pub fn respond_error(&self, error: ServiceError) -> Result<(), ServiceError> {
        self.count(&error);
        self.reply(Err(error), State::Ended)
    }

    /// Says that the handler has failed: the front answers for it, or cuts the
    /// connection of a response that has begun.
    pub fn fail(&self, error: ServiceError) {
        self.count(&error);
        if let State::Open(sender) = self.take_state() {
            let rejected = self.rejected.load(Ordering::Relaxed);
            let _ = sender.send(Err(match rejected {
                // What the handler passes on is not the client's fault.
                true => ServiceError {
                    status: Status::INTERNAL,
                    ..error
                },
                false => error,
            }));
        }
    }

    /// Counts and logs an error that is the plugin's fault, of which the client
    /// learns no more than that.
    fn count(&self, error: &ServiceError) {
        if error.is_server_fault() {
            self.fault(error);
        }
    }

    /// Counts a response that the plugin got wrong.
    pub fn reject(&self, error: &ServiceError) {
        self.rejected.store(true, Ordering::Relaxed);
        self.fault(error);
    }

    /// Counts and logs a fault of the plugin in this request.
    pub fn fault(&self, fault: &ServiceError) {
        let at = self.route.to_string();
        self.context.fault(&at, Some(&self.request_id), fault);
    }

    /// The next chunk of the request's body, or nothing at its end. One read at
    /// a time.
    pub async fn next_chunk(&self) -> Result<Option<Bytes>, ServiceError> {
        let mut body = self
            .body
            .try_lock()
            .map_err(|_| ServiceError::busy("another read of this body is under way"))?;
        let stream = match &mut *body {
            Incoming::Stream(stream) => stream,
            Incoming::Failed(error) => return Err(error.clone().into()),
            Incoming::Dropped => return Err(self.ended()),
            Incoming::Collected => {
                return Err(ServiceError::misplaced(
                    "this route's body was collected; add it with the flag stream_body to read it \
                     in chunks",
                ));
            }
        };
        let idle = self.route.idle_timeout;
        loop {
            let frame = tokio::time::timeout(idle, stream.frame()).await;
            let frame = frame.unwrap_or(Some(Err(BodyError::Idle {
                idle_ms: idle.as_millis(),
            })));
            match frame {
                None => return Ok(None),
                Some(Ok(frame)) => {
                    if let Ok(data) = frame.into_data() {
                        return Ok(Some(data));
                    }
                }
                Some(Err(error)) => {
                    *body = Incoming::Failed(error.clone());
                    return Err(error.into());
                }
            }
        }
    }

    /// Drops what is left of the request's body, unless it is being read.
    fn drop_body(&self) {
        if let Ok(mut body) = self.body.try_lock() {
            *body = Incoming::Dropped;
        }
    }

    /// [`Status::OK`] while the answer is wanted, else why it is not.
    pub fn wanted(&self) -> Status {
        match Status(self.wanted.load(Ordering::Acquire)) {
            Status::OK if self.context.phase() >= Phase::Draining => Status::STOPPED,
            status => status,
        }
    }

    /// Whether nobody waits for the answer any more. A drain does not count.
    pub fn is_forsaken(&self) -> bool {
        self.wanted.load(Ordering::Acquire) != Status::OK.0
    }

    /// Waits until nobody waits for the answer any more.
    pub async fn forsaken(&self) {
        loop {
            let told = self.unwanted.notified();
            if self.is_forsaken() {
                return;
            }
            told.await;
        }
    }

    /// Waits until the answer is no longer wanted, and says why.
    pub async fn unwanted(&self) -> Status {
        loop {
            let told = self.unwanted.notified();
            let wanted = self.wanted();
            if !wanted.is_ok() {
                return wanted;
            }
            tokio::select! {
                () = told => {}
                () = self.context.reached(Phase::Draining) => {}
            }
        }
    }

    /// Time left until the head must be there.
    pub fn remaining(&self) -> Duration {
        self.deadline.saturating_duration_since(Instant::now())
    }

    /// Time since it was opened.
    pub fn elapsed(&self) -> Duration {
        (Instant::now() + self.route.deadline).saturating_duration_since(self.deadline)
    }

    /// Takes the exchange away from the plugin because of `why`.
    pub fn give_up(&self, why: Status) {
        drop(self.take_state());
        self.no_longer_wanted(why);
    }

    /// Takes an exchange away that has not been answered by its deadline; tells
    /// whether that was so.
    pub fn expire(&self) -> bool {
        let expired = matches!(&*self.state(), State::Open(_));
        if expired {
            self.give_up(Status::TIMEOUT);
        }
        expired
    }

    /// Whether the head was sent, and the body was not ended.
    pub fn is_streaming(&self) -> bool {
        matches!(&*self.state(), State::Streaming { .. })
    }

    fn reply(&self, reply: Result<Reply, ServiceError>, next: State) -> Result<(), ServiceError> {
        let mut state = self.state();
        let State::Open(_) = &*state else {
            drop(state);
            let error = self.ended();
            if error.code == "answered" {
                self.fault(&error);
            }
            return Err(error);
        };
        let earlier = std::mem::replace(&mut *state, next);
        drop(state);
        // Not under the lock: a reply that cannot be sent is dropped, and with it
        // memory of the plugin's.
        let sent = match earlier {
            State::Open(sender) => sender.send(reply).is_ok(),
            State::Streaming { .. } | State::Ended => false,
        };
        if sent {
            return Ok(());
        }
        drop(self.take_state());
        Err(self.ended())
    }

    /// Ends the state machine and returns where it stood.
    fn take_state(&self) -> State {
        std::mem::replace(&mut *self.state(), State::Ended)
    }

    fn alone(&self) -> Result<Alone<'_>, ServiceError> {
        Alone::enter(&self.chunk_under_way)
            .ok_or_else(|| ServiceError::busy("another chunk of this request is under way"))
    }

    fn sender(&self) -> Result<mpsc::Sender<Bytes>, ServiceError> {
        match &*self.state() {
            State::Streaming { chunks, .. } => Ok(chunks.clone()),
            State::Open(_) => Err(before_the_head("a chunk")),
            State::Ended => Err(self.ended()),
        }
    }

    fn end_stream(&self, how: StreamEnd) -> bool {
        let mut state = self.state();
        let State::Streaming { end, .. } = &*state else {
            return false;
        };
        *end.lock().unwrap_or_else(PoisonError::into_inner) = how;
        // Dropping the sender ends the stream.
        let ended = std::mem::replace(&mut *state, State::Ended);
        drop(state);
        drop(ended);
        true
    }

    /// Why a call to an exchange that has ended fails.
    fn ended(&self) -> ServiceError {
        match Status(self.wanted.load(Ordering::Acquire)) {
            Status::CANCELLED => ServiceError::gone("the client has left"),
            Status::TIMEOUT => ServiceError::gone(format!(
                "the deadline of {} ms has passed, and 504 was answered",
                self.route.deadline.as_millis()
            )),
            _ => ServiceError::new(
                Status::GONE,
                "answered",
                "this request was answered already",
            ),
        }
    }

    fn no_longer_wanted(&self, why: Status) {
        // The first reason stands.
        let _ =
            self.wanted
                .compare_exchange(Status::OK.0, why.0, Ordering::AcqRel, Ordering::Acquire);
        self.unwanted.notify_waiters();
    }

    fn state(&self) -> MutexGuard<'_, State> {
        // Every transition is a single assignment.
        self.state.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

fn before_the_head(what: &str) -> ServiceError {
    ServiceError::misplaced(format!("{what} before the head: call respond_start first"))
}
