//! A scripted database: it says what it was asked for, and answers what the test
//! has laid out.

use std::ffi::c_void;

use abi::{Status, Str, Value};
use exthost_abi as abi;

use super::{Fake, State};

mod slots;

pub(super) use slots::DB;

/// What the database answers.
#[derive(Default)]
pub(crate) struct Script {
    /// Rows of every result.
    pub(crate) rows: Vec<Vec<(&'static str, Value)>>,
    /// A part of what is asked for, and how that is refused.
    pub(crate) refusal: Option<(&'static str, Refusal)>,
}

/// A status, a code and a message.
pub(crate) type Refusal = (Status, &'static str, &'static str);

/// A call that completes later. The addresses are those of the plugin's.
pub(super) type Pending = Box<dyn FnOnce(Result<(), Refusal>) + Send>;

/// A pointer of the plugin's, which may be used on any thread.
#[derive(Clone, Copy)]
pub(super) struct Data(pub(super) *mut c_void);

// SAFETY: see above.
unsafe impl Send for Data {}

impl Data {
    /// A method, so that a closure takes all of it.
    pub(super) fn pointer(self) -> *mut c_void {
        self.0
    }
}

impl Fake {
    /// Notes what is asked for, and says whether it is refused.
    pub(super) fn asked(&self, what: String) -> Result<(), Refusal> {
        let mut state = self.state();
        let refused = match &state.db.refusal {
            Some((part, refusal)) if what.contains(part) => Err(*refusal),
            _ => Ok(()),
        };
        state.seen.push(what);
        refused
    }

    /// The answer of a blocking slot.
    pub(super) fn answer(&self, answer: Result<(), Refusal>) -> Status {
        self.state().error = answer.err();
        answer.err().map_or(Status::OK, |(status, ..)| status)
    }

    /// The answer of a completing slot, whose end is `pending`.
    pub(super) fn later(&self, op: *mut u64, pending: Pending) -> Status {
        let mut state = self.state();
        let id = state.id();
        state.pending.push((id, pending));
        // SAFETY: writable, by the slot's contract.
        unsafe { op.write(id) };
        Status::OK
    }

    /// Completes the calls that are under way. Returns how many there were.
    pub(crate) fn complete(&self) -> usize {
        let pending = std::mem::take(&mut self.state().pending);
        let count = pending.len();
        for (_, end) in pending {
            end(Ok(()));
        }
        count
    }
}

impl State {
    /// The call that `id` stands for, ended as cancelled; unless it is too late
    /// for that.
    pub(super) fn cancel_pending(&mut self, id: u64) -> Option<Pending> {
        let at = self.pending.iter().position(|(other, _)| *other == id)?;
        match self.uncancellable {
            true => None,
            false => Some(self.pending.remove(at).1),
        }
    }
}

/// Calls `call` with an error as the boundary has it, or with null.
pub(super) fn described(answer: Result<(), Refusal>, call: impl FnOnce(Status, *const abi::Error)) {
    let Err((status, code, message)) = answer else {
        return call(Status::OK, std::ptr::null());
    };
    let error = abi::Error {
        status,
        reserved: 0,
        code: Str::new(code),
        message: Str::new(message),
        detail: Str::EMPTY,
    };
    call(status, &raw const error);
}
