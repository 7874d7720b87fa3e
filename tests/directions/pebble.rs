//! The next API: everything that this one has, and the table `pebble/1`.
//!
//! The steps are those of "Adding a service table" in CONTRIBUTING.md.

use crate::support::overlay::Overlay;

/// Its fingerprint, which the tests of the ABI would derive from its row.
const FINGERPRINT: &str = "00c0ffee00c0ffee";

/// Adds the table to the ABI, to the SDK and to the header.
pub(super) fn in_sdk(overlay: Overlay) -> Overlay {
    in_header(in_wrapper(in_tables(overlay)))
}

/// Adds what stands behind the table.
pub(super) fn in_host(overlay: Overlay) -> Overlay {
    overlay
        .file("host/services/pebble.rs", SERVICE)
        .before(
            "host/services.rs",
            "pub(crate) mod pool;",
            "pub(crate) mod pebble;\n",
        )
        .file("host/ffi/pebble.rs", BEHIND_THE_TABLE)
        .before("host/ffi.rs", "mod routes;", "mod pebble;\n")
        .after(
            "host/ffi.rs",
            "        (exthost_abi::audit::ID, 1) => (&raw const audit::TABLE).cast(),\n",
            "        (exthost_abi::pebble::ID, 1) => (&raw const pebble::TABLE).cast(),\n",
        )
        .edit("host/config/grant.rs", "[&str; 11]", "[&str; 12]")
        .before(
            "host/config/grant.rs",
            "    \"routes\",\n    \"tasks\"",
            "    \"pebble\",\n",
        )
}

/// The table that came last, with its fingerprint: the new one stands behind it.
fn last_table() -> (&'static str, &'static str) {
    *exthost_abi::fingerprint::FINGERPRINTS.last().unwrap()
}

/// A version of the ABI's crate within 1.0, as each of its releases has.
fn in_tables(overlay: Overlay) -> Overlay {
    let manifest = "plugin-api/abi/Cargo.toml";
    let lib = "plugin-api/abi/src/lib.rs";
    let layout = "plugin-api/abi/src/layout.rs";
    let fingerprint = "plugin-api/abi/src/fingerprint.rs";
    let (key, last) = last_table();
    overlay
        .edit(manifest, "\nversion = \"1.0.0\"", "\nversion = \"1.0.7\"")
        .file("plugin-api/abi/src/pebble.rs", TABLE)
        .before(lib, "pub mod routes;", "pub mod pebble;\n")
        .edit(lib, "    minor: 1,", "    minor: 2,")
        .after(
            layout,
            "    table::<AuditTable>(audit::ID),\n",
            "    table::<crate::pebble::PebbleTable>(crate::pebble::ID),\n",
        )
        .after(
            fingerprint,
            &format!("    (\"{key}\", \"{last}\"),\n"),
            &format!("    (\"pebble/1\", \"{FINGERPRINT}\"),\n"),
        )
        .edit(
            fingerprint,
            &format!("    \"{key}={last}\",\n"),
            &format!("    \"{key}={last},\",\n    \"pebble/1={FINGERPRINT}\",\n"),
        )
}

fn in_wrapper(overlay: Overlay) -> Overlay {
    let host = "plugin-api/src/export/host.rs";
    let macros = "plugin-api/src/export/macros.rs";
    overlay
        .file("plugin-api/src/pebble.rs", WRAPPER)
        .before("plugin-api/src/lib.rs", "mod plugin;", "mod pebble;\n")
        .before("plugin-api/src/lib.rs", "pub use plugin::Plugin;", "pub use pebble::Pebble;\n")
        .file("plugin-api/src/export/pebble.rs", CALL)
        .before("plugin-api/src/export.rs", "pub(crate) mod request;", "mod pebble;\n")
        .edit(
            "plugin-api/src/export.rs",
            "        1 => \"1.1.0\",\n",
            "        1 => \"1.1.0\",\n        2 => \"1.2.0\",\n",
        )
        .before(host, "    states: SharedStates,\n", "    pebble: Option<&'static abi::pebble::PebbleTable>,\n")
        .before(
            host,
            "            states: SharedStates::default(),",
            "            // SAFETY: as above.\n            \
             pebble: unsafe { table(services, abi::pebble::ID) },\n",
        )
        .before(
            host,
            "    /// Whether the capability `id` was granted.",
            "    pub(super) fn pebble(&self) -> Result<&'static abi::pebble::PebbleTable> {\n        \
             self.pebble.ok_or_else(|| self.missing(abi::pebble::ID))\n    }\n\n",
        )
        .before(
            "plugin-api/src/services.rs",
            "    /// Whether a capability, such as `broadcast`,",
            "    /// Pebbles, weighed.\n    pub fn pebble(&self) -> crate::Pebble {\n        \
             crate::Pebble::new(self.host)\n    }\n\n",
        )
        .before(
            macros,
            "    (@capability $other:ident) => {",
            "    (@capability pebble) => { \"pebble/1\" };\n",
        )
        .before(
            macros,
            "    (@since $other:ident) => { 0 };",
            "    (@since pebble) => { 2 };\n",
        )
}

fn in_header(overlay: Overlay) -> Overlay {
    let header = "plugin-api/include/exthost.h";
    let (key, last) = last_table();
    overlay
        .edit(header, "VERSION \"1.1.0\"", "VERSION \"1.2.0\"")
        .after(
            header,
            &format!("#define EXTHOST_TABLE_AUDIT_1 \"{key}={last}\"\n"),
            &format!("#define EXTHOST_TABLE_PEBBLE_1 \"pebble/1={FINGERPRINT}\"\n"),
        )
        .edit(
            header,
            "    EXTHOST_TABLE_CACHE_1 \",\" \\\n    EXTHOST_TABLE_AUDIT_1\n",
            "    EXTHOST_TABLE_CACHE_1 \",\" \\\n    EXTHOST_TABLE_AUDIT_1 \",\" \\\n    \
             EXTHOST_TABLE_PEBBLE_1\n",
        )
        .before(
            header,
            "/* --------------------------------------------------------------------------\n * The \
             service tables by name:",
            HEADER,
        )
}

const TABLE: &str = r#"//! `pebble/1`: what pebbles weigh.

use std::ffi::c_void;

use abi_stable::StableAbi;

use crate::data::Status;

/// The id of the table.
pub const ID: &str = "pebble";

/// The table `pebble/1`.
///
/// Since: API 1.2.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct PebbleTable {
    /// `[any-thread]` Stores what `pebbles` weigh, in grams, in `grams`, which may
    /// be null.
    ///
    /// Errors: `TOO_LARGE` for more than a million.
    /// Since: API 1.2.
    pub weigh: unsafe extern "C" fn(
        ctx: *const c_void,
        cause: u64,
        pebbles: u32,
        grams: *mut u64,
    ) -> Status,
}
"#;

const SERVICE: &str = r#"//! Pebbles, weighed.

use exthost_abi::Status;

use crate::services::error::ServiceError;

const PEBBLES_MAX: u32 = 1_000_000;

/// What `pebbles` weigh, in grams.
pub(crate) fn weigh(pebbles: u32) -> Result<u64, ServiceError> {
    if pebbles > PEBBLES_MAX {
        let message = format!("{pebbles} pebbles are more than {PEBBLES_MAX}");
        return Err(ServiceError::new(Status::TOO_LARGE, "too-large", message));
    }
    Ok(u64::from(pebbles) * 14)
}
"#;

const BEHIND_THE_TABLE: &str = r#"//! `pebble/1`.

use std::ffi::c_void;

use exthost_abi::Status;
use exthost_abi::pebble::PebbleTable;

use crate::ffi::convert::store;
use crate::ffi::enter;
use crate::services::pebble;

pub(super) static TABLE: PebbleTable = PebbleTable { weigh };

unsafe extern "C" fn weigh(
    ctx: *const c_void,
    _cause: u64,
    pebbles: u32,
    grams: *mut u64,
) -> Status {
    enter(ctx, |_| {
        let weight = pebble::weigh(pebbles)?;
        // SAFETY: the plugin lends `grams` for the call.
        unsafe { store(grams, weight) };
        Ok(())
    })
}
"#;

const WRAPPER: &str = r#"//! Pebbles, weighed.

use crate::Result;
use crate::export::host::Host;

/// Pebbles, weighed by the host.
#[derive(Debug, Clone, Copy)]
pub struct Pebble {
    host: &'static Host,
}

impl Pebble {
    pub(crate) fn new(host: &'static Host) -> Self {
        Pebble { host }
    }

    /// What `pebbles` weigh, in grams.
    ///
    /// # Errors
    /// When they are more than a million.
    pub fn weigh(&self, pebbles: u32) -> Result<u64> {
        self.host.weigh(pebbles)
    }
}
"#;

const CALL: &str = r#"//! The slots of `pebble/1`.

use super::host::Host;
use crate::Result;
use crate::cause::Cause;

impl Host {
    /// What `pebbles` weigh.
    pub(crate) fn weigh(&self, pebbles: u32) -> Result<u64> {
        let table = self.pebble()?;
        let mut grams = 0;
        // SAFETY: the table is the host's; `grams` is writable.
        let status =
            unsafe { (table.weigh)(self.ctx(), Cause::id_for(self), pebbles, &raw mut grams) };
        self.check(status)?;
        Ok(grams)
    }
}
"#;

const HEADER: &str = r#"#define EXTHOST_PEBBLE_ID "pebble"

/* The table `pebble/1`.
 *
 * Since: API 1.2. */
typedef struct exthost_pebble_table {
    /* `[any-thread]` Stores what `pebbles` weigh, in grams, in `grams`. */
    exthost_status (*weigh)(const void *ctx, uint64_t cause, uint32_t pebbles, uint64_t *grams);
} exthost_pebble_table;

static inline const exthost_pebble_table *exthost_pebble(const exthost_services *services)
{
    const exthost_str id = {EXTHOST_PEBBLE_ID, sizeof EXTHOST_PEBBLE_ID - 1};
    return (const exthost_pebble_table *)services->service(services->ctx, id, 1u);
}

"#;
