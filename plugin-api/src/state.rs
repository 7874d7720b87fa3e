//! Values that handlers share.

use std::any::{Any, TypeId};
use std::fmt;
use std::ops::Deref;
use std::sync::{Arc, Mutex, OnceLock, PoisonError, Weak};

use crate::{Error, FromRequest, Needs, Parts, Result};

/// A value that handlers share: one that [`Router::state`](crate::Router::state)
/// was given, or the plugin itself.
///
/// A route or a subscription whose handler asks for a state that is not there fails
/// `init`.
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
        parts.states().state()
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

    /// The state of a type, as a handler takes it.
    pub(crate) fn state<T: Send + Sync + 'static>(&self) -> Result<State<T>> {
        match self.find(TypeId::of::<T>()).map(Arc::downcast::<T>) {
            Some(Ok(state)) => Ok(State(state)),
            _ => Err(Error::internal(format!(
                "no state {}",
                std::any::type_name::<T>()
            ))),
        }
    }

    /// Whether what the handler of `what` takes is there to be had.
    pub(crate) fn check(&self, what: &str, needs: &Needs) -> Result<()> {
        let missing = |&&(id, _): &&(TypeId, &str)| self.find(id).is_none();
        match needs.states.iter().find(missing) {
            Some((_, state)) => Err(Error::internal(format!(
                "{what}: its handler takes State<{state}>, which the router was not given; call \
                 router.state(..) in init"
            ))),
            None => Ok(()),
        }
    }

    fn find(&self, id: TypeId) -> Option<Arc<dyn Any + Send + Sync>> {
        let found = self.0.iter().find(|(other, _)| *other == id);
        found.map(|(_, state)| Arc::clone(state))
    }
}

impl fmt::Debug for States {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "States({})", self.0.len())
    }
}

/// The states as subscriptions find them: there from the end of `init` for as long
/// as the instance, which owns them.
#[derive(Debug, Default)]
pub(crate) struct SharedStates {
    states: OnceLock<Weak<States>>,
    /// What was subscribed before they were there, and what its handler takes.
    awaited: Mutex<Vec<(String, Needs)>>,
}

impl SharedStates {
    /// Subscribes by `subscribe` if what the handler of `what` takes is there;
    /// during `init`, at whose end that is known, in any case.
    pub(crate) fn require<T>(
        &self,
        what: String,
        needs: Needs,
        subscribe: impl FnOnce() -> Result<T>,
    ) -> Result<T> {
        let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        if self.states.get().is_some() {
            drop(awaited);
            self.find()?.check(&what, &needs)?;
            return subscribe();
        }
        let subscribed = subscribe()?;
        awaited.push((what, needs));
        Ok(subscribed)
    }

    /// Ends `init`: checks what was subscribed meanwhile.
    pub(crate) fn share(&self, states: &Arc<States>) -> Result<()> {
        let mut awaited = self.awaited.lock().unwrap_or_else(PoisonError::into_inner);
        for (what, needs) in std::mem::take(&mut *awaited) {
            states.check(&what, &needs)?;
        }
        // `init` ends once.
        let _ = self.states.set(Arc::downgrade(states));
        Ok(())
    }

    pub(crate) fn find(&self) -> Result<Arc<States>> {
        let states = self.states.get().and_then(Weak::upgrade);
        states.ok_or_else(|| Error::unavailable("the plugin is not there yet, or no longer"))
    }
}
