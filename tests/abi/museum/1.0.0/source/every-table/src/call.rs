//! Handlers of one type each, so that the code which calls them is there once.

use std::future::Future;
use std::pin::Pin;

use exthost_plugin::prelude::*;
use exthost_plugin::{Handler, Needs};

use crate::EveryTable;

/// A handler that may wait.
pub(crate) type Waits = fn(Call) -> Result<String>;

/// A handler that is awaited.
pub(crate) type Awaits = fn(Call) -> Later;

/// What an `async fn` returns.
pub(crate) type Later = Pin<Box<dyn Future<Output = Result<String>> + Send>>;

/// What most handlers are given.
pub(crate) struct Call {
    pub(crate) plugin: State<EveryTable>,
    query: String,
    pub(crate) body: String,
}

impl Call {
    /// The value of a key of the query, as the client sent it.
    pub(crate) fn value(&self, key: &str) -> &str {
        let mut pairs = self
            .query
            .split('&')
            .filter_map(|pair| pair.split_once('='));
        let found = pairs.find(|(name, _)| *name == key);
        found.map_or("", |(_, value)| value)
    }
}

impl FromRequest for Call {
    fn needs(needs: &mut Needs) {
        needs.whole_body();
        needs.state::<EveryTable>();
    }

    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        Ok(Call {
            plugin: State::from_request(parts)?,
            query: parts.query().to_owned(),
            body: String::from_request(parts)?,
        })
    }
}

/// Adds public routes: `GET items` and the like, and what handles each.
pub(crate) fn add<M, H: Handler<M> + Copy>(router: &mut Router, routes: &[(&str, H)]) {
    for (route, handler) in routes {
        if let Some((method, pattern)) = route.split_once(' ') {
            router.route(method, pattern, *handler).public();
        }
    }
}
