//! The slots of `log/1`.

use abi::data::Value;
use abi::log::Field;
use abi::{Bytes, Str};
use exthost_abi as abi;

use super::host::Host;
use crate::cause::Cause;
use crate::log::{FieldValue, Level};

impl Host {
    /// Writes a line; one that the host refuses is lost, as a line must never be
    /// the reason that a request fails.
    pub(crate) fn write_line(&self, level: Level, message: &str, fields: &[(&str, FieldValue)]) {
        let Some(table) = self.log() else { return };
        let fields: Vec<Field> = fields
            .iter()
            .map(|(name, value)| field(name, value))
            .collect();
        // SAFETY: the table is the host's; message and fields outlive the call.
        unsafe {
            (table.write)(
                self.ctx(),
                Cause::id_for(self),
                level.as_raw(),
                Str::new(message),
                fields.as_ptr(),
                fields.len(),
            )
        };
    }

    /// Whether a line of `level` would be kept.
    pub(crate) fn keeps(&self, level: Level) -> bool {
        let Some(table) = self.log() else {
            return false;
        };
        let mut enabled = 0;
        // SAFETY: the table is the host's; `enabled` is writable.
        let status = unsafe {
            (table.enabled)(
                self.ctx(),
                Cause::id_for(self),
                level.as_raw(),
                &raw mut enabled,
            )
        };
        status.is_ok() && enabled != 0
    }
}

fn field(name: &str, value: &FieldValue) -> Field {
    let value = match value {
        FieldValue::Null => Value::NULL,
        FieldValue::Integer(integer) => Value::integer(*integer),
        FieldValue::Real(real) => Value::real(*real),
        FieldValue::Text(text) => Value {
            kind: abi::data::VALUE_TEXT,
            data: Bytes::new(text.as_bytes()),
            ..Value::NULL
        },
    };
    Field {
        name: Str::new(name),
        value,
    }
}
