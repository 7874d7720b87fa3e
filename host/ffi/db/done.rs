//! How the completing slots of `db/1` tell a plugin an id and a result.

use std::ffi::c_void;

use exthost_abi::db::{IdDone, RunDone};
use exthost_abi::{Error, Status};

use crate::ffi::completion::Complete;
use crate::ffi::db::rows::raw_result;
use crate::services::db::RunResult;

impl Complete<u64> for IdDone {
    fn is_given(&self) -> bool {
        self.0.is_some()
    }

    unsafe fn call(self, data: *mut c_void, status: Status, error: *const Error, id: Option<&u64>) {
        if let Some(done) = self.0 {
            // SAFETY: the caller's contract.
            unsafe { done(data, status, error, id.copied().unwrap_or(0)) };
        }
    }
}

impl Complete<RunResult> for RunDone {
    fn is_given(&self) -> bool {
        self.0.is_some()
    }

    unsafe fn call(
        self,
        data: *mut c_void,
        status: Status,
        error: *const Error,
        result: Option<&RunResult>,
    ) {
        let result = result.map(raw_result);
        let result = result.as_ref().map_or(std::ptr::null(), std::ptr::from_ref);
        if let Some(done) = self.0 {
            // SAFETY: the caller's contract; `result` lives for the call.
            unsafe { done(data, status, error, result) };
        }
    }
}
