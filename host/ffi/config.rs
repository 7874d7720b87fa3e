//! `config/1`.

use std::ffi::c_void;

use exthost_abi::config::ConfigTable;
use exthost_abi::data::OnBytes;
use exthost_abi::{Bytes, Status, Str};

use crate::ffi::convert::text;
use crate::ffi::enter;
use crate::services::error::ServiceError;

pub(super) static TABLE: ConfigTable = ConfigTable { declare, read };

unsafe extern "C" fn declare(
    ctx: *const c_void,
    _cause: u64,
    defaults: Str,
    schema: Str,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends both texts for the call.
        let defaults = unsafe { text(defaults, "defaults") }?;
        // SAFETY: as above.
        let schema = unsafe { text(schema, "schema") }?;
        services
            .options
            .declare(&services.context, defaults, schema)
    })
}

unsafe extern "C" fn read(
    ctx: *const c_void,
    _cause: u64,
    pointer: Str,
    data: *mut c_void,
    on_value: OnBytes,
) -> Status {
    enter(ctx, |services| {
        // SAFETY: the plugin lends the pointer's text for the call.
        let pointer = unsafe { text(pointer, "pointer") }?;
        let on_value = on_value
            .0
            .ok_or_else(|| ServiceError::invalid("on_value is null"))?;
        let value = services.options.read(pointer)?;
        // SAFETY: the slot promises one call before it returns; `value` lives
        // for it.
        unsafe { on_value(data, Bytes::new(value.as_bytes())) };
        Ok(())
    })
}
