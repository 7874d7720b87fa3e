//! Routes: what a plugin answers to, and the table that finds the route of a
//! request.

use std::fmt;
use std::sync::atomic::{AtomicBool, Ordering};
use std::sync::{Arc, Mutex, PoisonError};
use std::time::Duration;

use exthost_abi::Status;
use http::{HeaderMap, Method};

use crate::services::context::PluginContext;
use crate::services::error::ServiceError;
use crate::services::exchange::Exchange;

/// One route of a plugin.
pub struct Route {
    /// Its id, counted from 1 in its plugin.
    pub id: u64,
    /// The method it answers to; none for all.
    pub method: Option<Method>,
    /// Its pattern, with a leading slash.
    pub pattern: String,
    /// Reachable without authentication.
    pub public: bool,
    /// Called on the thread that read the request.
    pub inline: bool,
    /// The body is read by the plugin, in chunks.
    pub stream_body: bool,
    /// Scopes that the actor must have.
    pub scopes: Vec<String>,
    /// Largest request body.
    pub body_bytes_max: u64,
    /// Time to the response head.
    pub deadline: Duration,
    /// Longest pause in a streamed body, either way.
    pub idle_timeout: Duration,
    /// Calls the plugin.
    pub handle: Handle,
    /// Set when the route overstayed: it is inline no more.
    pub demoted: AtomicBool,
}

/// Calls the plugin with a request. An error is answered by the host.
pub(crate) type Handle = Box<dyn Fn(&Incoming<'_>) -> Result<(), ServiceError> + Send + Sync>;

/// A request as it is handed to the plugin.
#[derive(Debug)]
pub struct Incoming<'a> {
    /// The id to answer.
    pub id: u64,
    /// The exchange behind the id.
    pub exchange: &'a Exchange,
    /// HTTP method.
    pub method: &'a str,
    /// The path after the mount, as sent, without a leading slash.
    pub path: &'a str,
    /// The query, as sent, without `?`.
    pub query: &'a str,
    /// Where the plugin is mounted.
    pub mount: &'a str,
    /// Values captured by the pattern, decoded.
    pub params: &'a [(String, String)],
    /// Headers.
    pub headers: &'a HeaderMap,
    /// The whole body, unless the route reads it in chunks.
    pub body: &'a [u8],
    /// Address of the client.
    pub peer: &'a str,
    /// Time left until the head must be there.
    pub deadline: Duration,
}

impl Route {
    /// Whether it is called on the thread that read the request.
    pub fn is_inline(&self) -> bool {
        self.inline && !self.demoted.load(Ordering::Relaxed)
    }
}

impl fmt::Debug for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "Route({self})")
    }
}

impl fmt::Display for Route {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let method = self.method.as_ref().map_or("*", Method::as_str);
        write!(f, "{method} {}", self.pattern)
    }
}

/// The routes a plugin registers in `init`.
#[derive(Debug, Default)]
pub struct StagedRoutes {
    table: Mutex<RouteTable>,
}

impl StagedRoutes {
    /// Adds a route; `make` gets its id.
    pub fn add(
        &self,
        context: &PluginContext,
        make: impl FnOnce(u64) -> Result<Route, ServiceError>,
    ) -> Result<u64, ServiceError> {
        context.check_init("adding a route")?;
        let mut table = self.table.lock().unwrap_or_else(PoisonError::into_inner);
        if table.routes.len() >= context.limits.routes_max {
            return Err(ServiceError::busy(format!(
                "this plugin has {} routes, its limit",
                context.limits.routes_max
            )));
        }
        let route = Arc::new(make(table.routes.len() as u64 + 1)?);
        table.add(route.clone())?;
        Ok(route.id)
    }

    /// The finished table; leaves an empty one.
    pub fn take(&self) -> RouteTable {
        std::mem::take(&mut self.table.lock().unwrap_or_else(PoisonError::into_inner))
    }
}

/// Finds the route of a path and method.
#[derive(Default)]
pub struct RouteTable {
    routes: Vec<Arc<Route>>,
    /// Pattern to place in `methods`.
    paths: matchit::Router<usize>,
    methods: Vec<Vec<Arc<Route>>>,
}

/// What a lookup found.
#[derive(Debug)]
pub enum Found<'a> {
    /// A route, with the raw values of its parameters in order.
    Route(&'a Arc<Route>, Vec<(&'a str, &'a str)>),
    /// The path, but not the method; here are those that it has.
    Methods(&'a [Arc<Route>]),
    /// Nothing.
    Nothing,
}

impl RouteTable {
    /// Looks `path`, with a leading slash and not decoded, and `method` up.
    /// HEAD falls back to GET.
    pub fn find<'a>(&'a self, method: &Method, path: &'a str) -> Found<'a> {
        let Ok(matched) = self.paths.at(path) else {
            return Found::Nothing;
        };
        let routes = &self.methods[*matched.value];
        let by = |wanted: &Method| {
            routes
                .iter()
                .find(|route| route.method.as_ref() == Some(wanted))
        };
        let head = || by(&Method::GET).filter(|_| *method == Method::HEAD);
        let any = || routes.iter().find(|route| route.method.is_none());
        match by(method).or_else(head).or_else(any) {
            Some(route) => Found::Route(route, matched.params.iter().collect()),
            None => Found::Methods(routes),
        }
    }

    /// All routes, in the order of their registration.
    pub fn routes(&self) -> &[Arc<Route>] {
        &self.routes
    }

    fn add(&mut self, route: Arc<Route>) -> Result<(), ServiceError> {
        let known = self
            .methods
            .iter_mut()
            .find(|routes| routes.iter().any(|other| other.pattern == route.pattern));
        if let Some(routes) = known {
            if let Some(clash) = routes.iter().find(|other| other.method == route.method) {
                return Err(conflict(&route, clash));
            }
            routes.push(route.clone());
        } else {
            self.paths
                .insert(&*route.pattern, self.methods.len())
                .map_err(|error| self.refuse(&route, error))?;
            self.methods.push(vec![route.clone()]);
        }
        self.routes.push(route);
        Ok(())
    }

    fn refuse(&self, route: &Route, error: matchit::InsertError) -> ServiceError {
        match error {
            matchit::InsertError::Conflict { with } => {
                let other = self.routes.iter().find(|other| other.pattern == with);
                match other {
                    Some(other) => conflict(route, other),
                    None => ServiceError::new(
                        Status::CONFLICT,
                        "route-conflict",
                        format!("{route} conflicts with {with}"),
                    ),
                }
            }
            error => ServiceError::new(
                Status::INVALID,
                "route-pattern",
                format!("the pattern of {route} is malformed: {error}"),
            ),
        }
    }
}

impl fmt::Debug for RouteTable {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_list().entries(&self.routes).finish()
    }
}

fn conflict(new: &Route, old: &Route) -> ServiceError {
    ServiceError::new(
        Status::CONFLICT,
        "route-conflict",
        format!("{new} conflicts with {old}; no request could tell them apart"),
    )
}
