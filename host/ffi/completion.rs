//! How completing slots that touch a database tell a plugin their end.

use std::ffi::c_void;
use std::future::Future;

use exthost_abi::data::Done;
use exthost_abi::kv::NumberDone;
use exthost_abi::{Error, Status};

use crate::ffi::callback;
use crate::ffi::convert::{Data, error, require, store};
use crate::services::PluginServices;
use crate::services::error::ServiceError;

/// A completing slot's callback with its data.
pub(super) trait Complete<T>: Copy + Send + 'static {
    /// Whether there is a callback.
    fn is_given(&self) -> bool;

    /// Calls it.
    ///
    /// # Safety
    /// Once, with the data it was given with; `error` is null when `status` is
    /// `OK` and readable otherwise.
    unsafe fn call(self, data: *mut c_void, status: Status, error: *const Error, value: Option<&T>);
}

/// Starts the work of a completing slot; `op` receives its id.
pub(super) fn start<T: Send + 'static>(
    services: &'static PluginServices,
    cause: u64,
    (data, done): (Data, impl Complete<T>),
    op: *mut u64,
    work: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
) -> Result<(), ServiceError> {
    let done = completion(services, cause, (data, done))?;
    // SAFETY: the plugin lends `op` for the call.
    let announce = |id| unsafe { store(op, id) };
    services.ops.start(announce, work, done)
}

/// [`start`], of work that a cancel does not cut short.
pub(super) fn start_whole<T: Send + 'static>(
    services: &'static PluginServices,
    cause: u64,
    (data, done): (Data, impl Complete<T>),
    op: *mut u64,
    work: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
) -> Result<(), ServiceError> {
    let done = completion(services, cause, (data, done))?;
    // SAFETY: the plugin lends `op` for the call.
    let announce = |id| unsafe { store(op, id) };
    services.ops.start_whole(announce, work, done)
}

/// [`start`], with what is to be closed before the plugin hears the end.
pub(super) fn start_closing<T: Send + 'static>(
    services: &'static PluginServices,
    cause: u64,
    (data, done): (Data, impl Complete<T>),
    op: *mut u64,
    work: impl Future<Output = Result<T, ServiceError>> + Send + 'static,
    close: impl Future<Output = ()> + Send + 'static,
) -> Result<(), ServiceError> {
    let done = completion(services, cause, (data, done))?;
    // SAFETY: the plugin lends `op` for the call.
    let announce = |id| unsafe { store(op, id) };
    services.ops.start_closing(announce, work, close, done)
}

/// What tells the plugin the end of an operation that it may begin here.
fn completion<T: Send + 'static>(
    services: &'static PluginServices,
    cause: u64,
    (data, done): (Data, impl Complete<T>),
) -> Result<impl FnOnce(Result<T, ServiceError>) + Send + 'static, ServiceError> {
    require(done.is_given(), "done")?;
    services.db.check_place()?;
    let request = services.causes.exchange(&services.context, cause);
    Ok(move |result| {
        callback(&services.context, request.as_deref(), "completion", || {
            match &result {
                // SAFETY: the slot promises one call, this one.
                Ok(value) => unsafe {
                    done.call(data.ptr(), Status::OK, std::ptr::null(), Some(value))
                },
                Err(failure) => {
                    let told = error(failure);
                    // SAFETY: as above; `told` borrows from `failure` for the call.
                    unsafe { done.call(data.ptr(), failure.status, &raw const told, None) }
                }
            }
        });
    })
}

/// Does the work of a blocking slot where the plugin may wait, if there is nothing
/// to wait for.
pub(super) fn at_once<T>(
    services: &PluginServices,
    work: impl FnOnce() -> Option<Result<T, ServiceError>>,
) -> Result<Option<T>, ServiceError> {
    services.db.check_place()?;
    services.ops.at_once(work)?.transpose()
}

/// Waits for the work of a blocking slot, where the plugin may.
pub(super) fn wait<T>(
    services: &PluginServices,
    work: impl Future<Output = Result<T, ServiceError>>,
) -> Result<T, ServiceError> {
    services.db.check_place()?;
    services.ops.block(work)
}

impl<T: 'static> Complete<T> for Done {
    fn is_given(&self) -> bool {
        self.0.is_some()
    }

    unsafe fn call(self, data: *mut c_void, status: Status, error: *const Error, _: Option<&T>) {
        if let Some(done) = self.0 {
            // SAFETY: the caller's contract.
            unsafe { done(data, status, error) };
        }
    }
}

impl Complete<i64> for NumberDone {
    fn is_given(&self) -> bool {
        self.0.is_some()
    }

    unsafe fn call(
        self,
        data: *mut c_void,
        status: Status,
        error: *const Error,
        number: Option<&i64>,
    ) {
        if let Some(done) = self.0 {
            // SAFETY: the caller's contract.
            unsafe { done(data, status, error, number.copied().unwrap_or(0)) };
        }
    }
}
