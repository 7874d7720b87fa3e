//! The slots of `config/1`.

use std::ffi::c_void;

use abi::data::OnBytes;
use abi::{Bytes, Status, Str};
use exthost_abi as abi;

use super::host::Host;
use crate::Result;
use crate::cause::Cause;

impl Host {
    /// Declares defaults and a schema; without the capability there is nobody to
    /// tell, and the defaults are all there is.
    pub(crate) fn declare_options(&self, defaults: &str, schema: &str) -> Result<()> {
        let Some(table) = self.config() else {
            // The first declaration counts, as with the host.
            let _ = self.defaults.set(defaults.to_owned());
            return Ok(());
        };
        let (defaults, schema) = (Str::new(defaults), Str::new(schema));
        // SAFETY: the table is the host's; both texts outlive the call.
        let status = unsafe { (table.declare)(self.ctx(), Cause::id_for(self), defaults, schema) };
        self.check(status)
    }

    /// The JSON text at `pointer`; `None` when nothing stands there. When the
    /// capability was not granted it is that of the declared defaults.
    pub(crate) fn option(&self, pointer: &str) -> Result<Option<Vec<u8>>> {
        let Some(table) = self.config() else {
            let declared = self.defaults.get().filter(|text| !text.is_empty());
            let Some(declared) = declared else {
                return Ok(None);
            };
            let defaults: serde_json::Value = serde_json::from_str(declared)?;
            let value = defaults.pointer(pointer);
            return Ok(value.map(|value| value.to_string().into_bytes()));
        };
        let mut text = Vec::new();
        // SAFETY: the table is the host's; `pointer` and `text` outlive the call,
        // within which `keep` is called.
        let status = unsafe {
            (table.read)(
                self.ctx(),
                Cause::id_for(self),
                Str::new(pointer),
                (&raw mut text).cast(),
                OnBytes(Some(keep)),
            )
        };
        match status {
            Status::NOT_FOUND => Ok(None),
            status => self.check(status).map(|()| Some(text)),
        }
    }
}

/// Copies what it is given; nothing in it panics but running out of memory.
unsafe extern "C" fn keep(data: *mut c_void, bytes: Bytes) {
    // SAFETY: `option` passed a `Vec<u8>` that nobody else touches meanwhile.
    let text = unsafe { &mut *data.cast::<Vec<u8>>() };
    // SAFETY: borrowed for this call.
    if let Ok(bytes) = unsafe { bytes.as_slice() } {
        text.extend_from_slice(bytes);
    }
}
