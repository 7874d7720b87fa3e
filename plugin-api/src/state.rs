//! Values that handlers share.

use std::any::{Any, TypeId};
use std::fmt;
use std::ops::Deref;
use std::sync::Arc;

use crate::{Error, FromRequest, Needs, Parts, Result};

/// A value that handlers share: one that [`Router::state`](crate::Router::state)
/// was given, or the plugin itself.
///
/// A route whose handler asks for a state that is not there fails `init`.
///
/// # Examples
/// ```
/// use std::sync::atomic::{AtomicU64, Ordering};
/// use exthost_plugin::prelude::*;
///
/// struct Counter {
///     visits: AtomicU64,
/// }
///
/// impl Plugin for Counter {
///     fn init(router: &mut Router, _services: &Services) -> Result<Self> {
///         router.post("visits", visit);
///         Ok(Counter { visits: AtomicU64::new(0) })
///     }
/// }
///
/// async fn visit(counter: State<Counter>) -> String {
///     counter.visits.fetch_add(1, Ordering::Relaxed).to_string()
/// }
/// ```
pub struct State<T>(pub Arc<T>);

impl<T> Deref for State<T> {
    type Target = T;

    fn deref(&self) -> &T {
        &self.0
    }
}

impl<T> Clone for State<T> {
    fn clone(&self) -> Self {
        State(Arc::clone(&self.0))
    }
}

impl<T: fmt::Debug> fmt::Debug for State<T> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("State").field(&self.0).finish()
    }
}

impl<T: Send + Sync + 'static> FromRequest for State<T> {
    fn needs(needs: &mut Needs) {
        needs.state::<T>();
    }

    fn from_request(parts: &Parts<'_>) -> Result<Self> {
        match parts
            .states()
            .find(TypeId::of::<T>())
            .map(Arc::downcast::<T>)
        {
            Some(Ok(state)) => Ok(State(state)),
            _ => Err(Error::internal(format!(
                "no state {}",
                std::any::type_name::<T>()
            ))),
        }
    }
}

/// Every state of a plugin, by type: few, so a list.
#[derive(Default)]
pub(crate) struct States(Vec<(TypeId, Arc<dyn Any + Send + Sync>)>);

impl States {
    pub(crate) fn insert<T: Send + Sync + 'static>(&mut self, state: Arc<T>) {
        self.0.retain(|(id, _)| *id != TypeId::of::<T>());
        self.0.push((TypeId::of::<T>(), state));
    }

    pub(crate) fn find(&self, id: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
        let found = self.0.iter().find(|(other, _)| *other == id);
        found.map(|(_, state)| Arc::clone(state))
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States({})", self.0.len())
    }
}
