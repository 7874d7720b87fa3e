//! The slot of `db/1` that runs several statements.

use std::ffi::c_void;

use abi::Status;
use abi::data::Done;
use abi::db::{OnResult, Param};
use exthost_abi as abi;

use super::super::host::Host;
use super::super::operation::{Held, Operation, outcome};
use super::{raw_params, raw_query};
use crate::Result;
use crate::cause::Cause;
use crate::db::{Ask, RunResult, Slot};

/// `batch`.
pub(crate) struct Steps<'a>(pub(crate) Vec<Ask<'a>>);

/// What the callbacks of `batch` hold.
type HeldResults = Held<Vec<RunResult>, Vec<RunResult>>;

impl Steps<'_> {
    fn raw_params(&self) -> Vec<Vec<Param>> {
        self.0.iter().map(raw_params).collect()
    }

    /// The queries, which borrow from `self` and `params`.
    fn raw_queries(&self, params: &[Vec<Param>]) -> Vec<abi::db::Query> {
        let pairs = self.0.iter().zip(params);
        pairs.map(|(ask, params)| raw_query(ask, params)).collect()
    }
}

impl Slot<Vec<RunResult>> for Steps<'_> {
    fn wait(self: Box<Self>, host: &'static Host) -> Result<Vec<RunResult>> {
        let table = host.db()?;
        let params = self.raw_params();
        let queries = self.raw_queries(&params);
        let mut held: HeldResults = Held::new(host, Vec::new());
        // SAFETY: the table is the host's; what the queries borrow and `held`
        // outlive the call, within which `on_result` is called, one at a time.
        let status = unsafe {
            (table.batch)(
                host.ctx(),
                Cause::id_for(host),
                queries.as_ptr(),
                queries.len(),
                (&raw mut held).cast(),
                OnResult(Some(on_result)),
            )
        };
        host.check(status)?;
        Ok(held.into_sink())
    }

    fn begin(self: Box<Self>, host: &'static Host) -> Result<Operation<Vec<RunResult>>> {
        let table = host.db()?;
        let params = self.raw_params();
        let queries = self.raw_queries(&params);
        Ok(Operation::start(
            host,
            Vec::<RunResult>::new(),
            |data, op| {
                // SAFETY: the table is the host's; what the queries borrow outlives the
                // call, and `data` is the host's until `on_batch_done`.
                unsafe {
                    (table.batch_async)(
                        host.ctx(),
                        Cause::id_for(host),
                        queries.as_ptr(),
                        queries.len(),
                        data,
                        OnResult(Some(on_result)),
                        Done(Some(on_batch_done)),
                        op,
                    )
                }
            },
        ))
    }
}

unsafe extern "C" fn on_result(
    data: *mut c_void,
    _index: usize,
    result: *const abi::db::RunResult,
) {
    // SAFETY: `Steps` passed a `Held` of this type, which is this callback's alone
    // until it returns.
    let held = unsafe { &mut *data.cast::<HeldResults>() };
    // SAFETY: borrowed for this call, by the contract of `OnResult`.
    if let Some(result) = unsafe { result.as_ref() } {
        held.receive("result", (), |results| results.push((*result).into()));
    }
}

unsafe extern "C" fn on_batch_done(data: *mut c_void, status: Status, error: *const abi::Error) {
    // SAFETY: `Steps` passed a `Held` of this type, and this is the last callback.
    let held = unsafe { HeldResults::from_raw(data) };
    // SAFETY: borrowed for this call, by the contract of `Done`.
    let outcome = unsafe { outcome(status, error) };
    held.end(|results| outcome.map(|()| results));
}
