//! A value set by one side and awaited by the other.

use std::sync::{Mutex, PoisonError};
use std::task::{Context, Poll, Waker};

/// A value that one side sets once, from any thread, and the other awaits.
pub(crate) struct Completion<T>(Mutex<State<T>>);

enum State<T> {
    Waiting(Option<Waker>),
    Set(T),
    Taken,
}

impl<T> Completion<T> {
    pub(crate) fn new() -> Self {
        Completion(Mutex::new(State::Waiting(None)))
    }

    /// Sets the value, unless it was set before.
    pub(crate) fn set(&self, value: T) {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        if let State::Waiting(waker) = &mut *state {
            let waker = waker.take();
            *state = State::Set(value);
            drop(state);
            if let Some(waker) = waker {
                waker.wake();
            }
        }
    }

    /// Takes the value, or leaves the waker to be called when it is set.
    pub(crate) fn poll(&self, cx: &mut Context<'_>) -> Poll<T> {
        let mut state = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        match std::mem::replace(&mut *state, State::Taken) {
            State::Set(value) => Poll::Ready(value),
            State::Taken => Poll::Pending,
            State::Waiting(waker) => {
                let waker = match waker {
                    Some(waker) if waker.will_wake(cx.waker()) => waker,
                    _ => cx.waker().clone(),
                };
                *state = State::Waiting(Some(waker));
                Poll::Pending
            }
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_first_value_counts_and_is_taken_once() {
        let completion = Completion::new();
        let mut cx = Context::from_waker(Waker::noop());
        assert!(completion.poll(&mut cx).is_pending());
        completion.set(1);
        completion.set(2);
        assert_eq!(completion.poll(&mut cx), Poll::Ready(1));
        assert!(completion.poll(&mut cx).is_pending());
    }
}
