//! `log/1`.

use std::ffi::c_void;

use exthost_abi::data::{VALUE_BLOB, VALUE_INTEGER, VALUE_NULL, VALUE_REAL, VALUE_TEXT};
use exthost_abi::log::{
    Field, LEVEL_DEBUG, LEVEL_ERROR, LEVEL_INFO, LEVEL_TRACE, LEVEL_WARN, LogTable,
};
use exthost_abi::{Status, Str, Value};
use serde_json::Map;
use tracing::Level;

use crate::ffi::convert::{array, known_flags, store, text};
use crate::ffi::enter_if;
use crate::services::error::ServiceError;
use crate::services::log;

pub(super) static TABLE: LogTable = LogTable { write, enabled };

unsafe extern "C" fn write(
    ctx: *const c_void,
    cause: u64,
    level: u32,
    message: Str,
    fields: *const Field,
    fields_len: usize,
) -> Status {
    // A plugin may say what happens in its `stop` and `destroy`.
    enter_if(ctx, false, |services| {
        let level = level_of(level)?;
        // SAFETY: the plugin lends the message for the call.
        let message = unsafe { text(message, "message") }?;
        // SAFETY: and the fields.
        let fields = unsafe { array(fields, fields_len, "fields") }?;
        if fields.len() > log::FIELDS_MAX {
            return Err(ServiceError::invalid(format!(
                "a line has at most {} fields, this one {}",
                log::FIELDS_MAX,
                fields.len()
            )));
        }
        let mut map = Map::with_capacity(fields.len());
        for field in fields {
            // SAFETY: and the name of each field.
            let name = unsafe { text(field.name, "a field's name") }?;
            if name.is_empty() || name.len() > 64 {
                return Err(ServiceError::invalid("a field's name has 1 to 64 bytes"));
            }
            // SAFETY: and its value.
            let value = unsafe { json(&field.value) }?;
            map.insert(name.to_owned(), value);
        }
        services.log(cause, level, message, map);
        Ok(())
    })
}

unsafe extern "C" fn enabled(
    ctx: *const c_void,
    _cause: u64,
    level: u32,
    enabled: *mut u32,
) -> Status {
    enter_if(ctx, false, |_| {
        let kept = log::is_wanted(level_of(level)?);
        // SAFETY: the plugin lends `enabled` for the call.
        unsafe { store(enabled, u32::from(kept)) };
        Ok(())
    })
}

fn level_of(level: u32) -> Result<Level, ServiceError> {
    Ok(match level {
        LEVEL_ERROR => Level::ERROR,
        LEVEL_WARN => Level::WARN,
        LEVEL_INFO => Level::INFO,
        LEVEL_DEBUG => Level::DEBUG,
        LEVEL_TRACE => Level::TRACE,
        other => {
            return Err(ServiceError::invalid(format!(
                "the level {other} is not one of {LEVEL_ERROR} (error) to {LEVEL_TRACE} (trace)"
            )));
        }
    })
}

/// The value as JSON; a blob as its length.
///
/// # Safety
/// Text and bytes as [`exthost_abi::Bytes::as_slice`].
unsafe fn json(value: &Value) -> Result<serde_json::Value, ServiceError> {
    known_flags(value.reserved, 0)?;
    Ok(match value.kind {
        VALUE_NULL => serde_json::Value::Null,
        VALUE_INTEGER => value.integer.into(),
        VALUE_REAL => value.real.into(),
        VALUE_TEXT => {
            let data = Str {
                ptr: value.data.ptr,
                len: value.data.len,
            };
            // SAFETY: the caller's contract.
            unsafe { text(data, "a field's value") }?.into()
        }
        VALUE_BLOB => format!("({} bytes)", value.data.len).into(),
        other => {
            return Err(ServiceError::invalid(format!(
                "no value has the kind {other}"
            )));
        }
    })
}
