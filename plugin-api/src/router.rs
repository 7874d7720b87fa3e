//! Routes, their options, and layers around groups of them.

use std::sync::Arc;
use std::time::Duration;

use exthost_abi::routes::{ROUTE_INLINE, ROUTE_PUBLIC, ROUTE_STREAM_BODY};

use crate::endpoint::{Call, Endpoint};
use crate::export::host::Host;
use crate::state::States;
use crate::{Error, Handler, IntoResponse, Needs, Parts, Response, Result};

/// The plugin's routes, mounted at `/api/ext/<name>/`.
///
/// Patterns are written without the mount: `items`, `items/{id}`,
/// `files/{*path}`. HEAD, OPTIONS and 405 come from the host, unless the plugin
/// adds a route for them. They become active when the plugin starts; if one is
/// refused, a pattern that conflicts with another for example, `init` fails.
///
/// # Examples
/// ```
/// use std::time::Duration;
/// use exthost_plugin::prelude::*;
///
/// struct Notes;
///
/// impl Plugin for Notes {
///     fn init(router: &mut Router, _services: &Services) -> Result<Self> {
///         router.get("notes", || "all of them").public();
///         router.post("notes", create).scopes(["write"]).body_limit(64 * 1024);
///         router.layer(Layer::new().before(only_ada), |router| {
///             router.delete("notes/{id}", |Path(id): Path<u64>| format!("{id} is gone"));
///         });
///         Ok(Notes)
///     }
/// }
///
/// async fn create(text: String) -> (StatusCode, String) {
///     (StatusCode::CREATED, text)
/// }
///
/// fn only_ada(parts: &Parts<'_>) -> Result<()> {
///     match parts.actor().name.as_str() {
///         "Ada" => Ok(()),
///         other => Err(Error::forbidden(format!("{other} may not delete"))),
///     }
/// }
/// ```
#[derive(Debug, Default)]
pub struct Router {
    routes: Vec<Route>,
    states: States,
    layers: Vec<Arc<Layer>>,
}

impl Router {
    pub(crate) fn new() -> Self {
        Router::default()
    }

    /// Answers GET, and HEAD, at `pattern`.
    pub fn get<M>(&mut self, pattern: &str, handler: impl Handler<M>) -> &mut Route {
        self.route("GET", pattern, handler)
    }

    /// Answers POST at `pattern`.
    pub fn post<M>(&mut self, pattern: &str, handler: impl Handler<M>) -> &mut Route {
        self.route("POST", pattern, handler)
    }

    /// Answers PUT at `pattern`.
    pub fn put<M>(&mut self, pattern: &str, handler: impl Handler<M>) -> &mut Route {
        self.route("PUT", pattern, handler)
    }

    /// Answers PATCH at `pattern`.
    pub fn patch<M>(&mut self, pattern: &str, handler: impl Handler<M>) -> &mut Route {
        self.route("PATCH", pattern, handler)
    }

    /// Answers DELETE at `pattern`.
    pub fn delete<M>(&mut self, pattern: &str, handler: impl Handler<M>) -> &mut Route {
        self.route("DELETE", pattern, handler)
    }

    /// Answers HEAD at `pattern`, in place of the host.
    pub fn head<M>(&mut self, pattern: &str, handler: impl Handler<M>) -> &mut Route {
        self.route("HEAD", pattern, handler)
    }

    /// Answers OPTIONS at `pattern`, in place of the host.
    pub fn options<M>(&mut self, pattern: &str, handler: impl Handler<M>) -> &mut Route {
        self.route("OPTIONS", pattern, handler)
    }

    /// Answers every method at `pattern`.
    pub fn any<M>(&mut self, pattern: &str, handler: impl Handler<M>) -> &mut Route {
        self.route("*", pattern, handler)
    }

    /// Answers `method`, in capitals, at `pattern`.
    pub fn route<M, H: Handler<M>>(
        &mut self,
        method: &str,
        pattern: &str,
        handler: H,
    ) -> &mut Route {
        let mut needs = Needs::default();
        H::needs(&mut needs);
        let inline = if H::ASYNC { ROUTE_INLINE } else { 0 };
        let streams = if needs.body_stream {
            ROUTE_STREAM_BODY
        } else {
            0
        };
        let at = self.routes.len();
        self.routes.push(Route {
            method: method.to_owned(),
            pattern: pattern.to_owned(),
            flags: inline | streams,
            scopes: Vec::new(),
            body_bytes_max: 0,
            deadline_ms: 0,
            idle_timeout_ms: 0,
            needs,
            layers: self.layers.clone(),
            call: Arc::new(move |parts| handler.call(parts)),
        });
        &mut self.routes[at]
    }

    /// Gives handlers a value to share, which they take as
    /// [`State<T>`](crate::State). One of each type; a later one replaces it.
    pub fn state<T: Send + Sync + 'static>(&mut self, state: T) {
        self.states.insert(Arc::new(state));
    }

    /// Wraps the routes that `group` adds with a layer of the plugin's own.
    /// Groups nest.
    pub fn layer(&mut self, layer: Layer, group: impl FnOnce(&mut Router)) {
        self.layers.push(Arc::new(layer));
        group(self);
        self.layers.pop();
    }

    /// Hands every route to the host, and the states to the subscriptions.
    pub(crate) fn register<P: Send + Sync + 'static>(
        mut self,
        host: &'static Host,
        plugin: Arc<P>,
    ) -> Result<Registered> {
        self.states.insert(plugin);
        let states = Arc::new(self.states);
        host.states().share(&states)?;
        let register = |route: Route| {
            route.check(&states)?;
            let endpoint = Arc::new(Endpoint {
                host,
                states: Arc::clone(&states),
                name: route.name(),
                inline: route.flags & ROUTE_INLINE != 0,
                layers: route.layers.clone(),
                call: Arc::clone(&route.call),
            });
            host.add_route(&route, &endpoint)?;
            Ok(endpoint)
        };
        let endpoints = self.routes.into_iter().map(register);
        Ok(Registered {
            endpoints: endpoints.collect::<Result<_>>()?,
            states,
        })
    }
}

/// What the host's routes and subscriptions reach: kept, and dropped, with the
/// instance.
#[derive(Debug)]
#[expect(dead_code, reason = "kept for the host, which points into it")]
pub(crate) struct Registered {
    endpoints: Vec<Arc<Endpoint>>,
    states: Arc<States>,
}

/// One route, as it is being added.
pub struct Route {
    pub(crate) method: String,
    pub(crate) pattern: String,
    pub(crate) flags: u32,
    pub(crate) scopes: Vec<String>,
    pub(crate) body_bytes_max: u64,
    pub(crate) deadline_ms: u64,
    pub(crate) idle_timeout_ms: u64,
    needs: Needs,
    layers: Vec<Arc<Layer>>,
    call: Call,
}

impl Route {
    /// Lets anyone in; otherwise the host asks for authentication.
    pub fn public(&mut self) -> &mut Self {
        self.flags |= ROUTE_PUBLIC;
        self
    }

    /// Lets only actors in that have all of `scopes`.
    pub fn scopes<S: Into<String>>(&mut self, scopes: impl IntoIterator<Item = S>) -> &mut Self {
        self.scopes.extend(scopes.into_iter().map(Into::into));
        self
    }

    /// Largest request body in bytes; 2 MiB unless set.
    pub fn body_limit(&mut self, bytes: u64) -> &mut Self {
        self.body_bytes_max = bytes;
        self
    }

    /// Time to the response, or its head when it is streamed; 30 s unless set.
    /// After it the client is answered 504.
    pub fn deadline(&mut self, deadline: Duration) -> &mut Self {
        self.deadline_ms = millis(deadline);
        self
    }

    /// Longest pause in a streamed body, either way; 30 s unless set.
    pub fn idle_timeout(&mut self, timeout: Duration) -> &mut Self {
        self.idle_timeout_ms = millis(timeout);
        self
    }

    fn name(&self) -> String {
        format!("{} {}", self.method, self.pattern)
    }

    /// Whether what the handler takes is there to be had.
    fn check(&self, states: &States) -> Result<()> {
        if self.needs.whole_body && self.needs.body_stream {
            return Err(Error::internal(format!(
                "route {}: its handler takes the body both whole and as a BodyStream",
                self.name()
            )));
        }
        states.check(&format!("route {}", self.name()), &self.needs)
    }
}

impl std::fmt::Debug for Route {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Route({})", self.name())
    }
}

/// At least 1, since 0 asks for the host's default.
pub(crate) fn millis(duration: Duration) -> u64 {
    u64::try_from(duration.as_millis())
        .unwrap_or(u64::MAX)
        .max(1)
}

type Before = Box<dyn Fn(&Parts<'_>) -> Result<(), Response> + Send + Sync>;
type After = Box<dyn Fn(&mut Response) + Send + Sync>;

/// What runs before and after the handlers of a group of routes. It must not
/// block where one of them is an `async fn`.
#[derive(Default)]
pub struct Layer {
    before: Option<Before>,
    after: Option<After>,
}

impl Layer {
    /// A layer that does nothing.
    pub fn new() -> Self {
        Layer::default()
    }

    /// Sees each request first. When it fails, that is the response, and the
    /// handler is not called.
    #[must_use]
    pub fn before<E: IntoResponse>(
        mut self,
        before: impl Fn(&Parts<'_>) -> Result<(), E> + Send + Sync + 'static,
    ) -> Self {
        let before = move |parts: &Parts<'_>| before(parts).map_err(IntoResponse::into_response);
        self.before = Some(Box::new(before));
        self
    }

    /// May change each response.
    #[must_use]
    pub fn after(mut self, after: impl Fn(&mut Response) + Send + Sync + 'static) -> Self {
        self.after = Some(Box::new(after));
        self
    }

    pub(crate) fn enter(&self, parts: &Parts<'_>) -> Result<(), Response> {
        self.before.as_ref().map_or(Ok(()), |before| before(parts))
    }

    pub(crate) fn leave(&self, response: &mut Response) {
        if let Some(after) = &self.after {
            after(response);
        }
    }
}

impl std::fmt::Debug for Layer {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Layer")
            .field("before", &self.before.is_some())
            .field("after", &self.after.is_some())
            .finish()
    }
}
