//! The second lock: the layout of every table, as abi_stable describes it.
//!
//! A Rust plugin exports [`HEADER`] under [`LAYOUT_SYMBOL`]. Its root module
//! names each table the plugin was compiled against, with its layout; the host
//! compares each with its own, exactly. It confirms by structure what the
//! [fingerprints](crate::fingerprint) said by hash, and is no part of the
//! layout of anything that crosses.

pub use abi_stable::library::LibHeader;
use abi_stable::library::{CheckTypeLayout, RootModule, RootModuleResult};
use abi_stable::marker_type::ErasedPrefix;
use abi_stable::prefix_type::WithMetadata;
use abi_stable::sabi_types::VersionStrings;
use abi_stable::std_types::{RResult, RSlice, RStr};
use abi_stable::type_layout::TypeLayout;
use abi_stable::{StableAbi, declare_root_module_statics, package_version_strings};

use crate::audit::AuditTable;
use crate::broadcast::BroadcastTable;
use crate::cache::CacheTable;
use crate::config::ConfigTable;
use crate::db::DbTable;
use crate::door::{PluginTable, Services};
use crate::events::EventsTable;
use crate::kv::KvTable;
use crate::log::LogTable;
use crate::routes::RoutesTable;
use crate::tasks::TasksTable;
use crate::webhooks::WebhooksTable;
use crate::{audit, broadcast, cache, config, db, events, kv, log, routes, tasks, webhooks};

/// Name of the symbol under which a Rust plugin exports [`HEADER`]:
/// `_1as_0lib_1header_0root_bmodule_bloader`.
pub const LAYOUT_SYMBOL: &str = abi_stable::library::ROOT_MODULE_LOADER_NAME;

/// The layout of one table.
#[repr(C)]
#[derive(Debug, Clone, Copy, StableAbi)]
pub struct TableLayout {
    /// The table's id.
    pub id: RStr<'static>,
    /// Its revision.
    pub revision: u32,
    /// Its layout.
    pub layout: &'static TypeLayout,
}

/// The root module of a Rust plugin: a layout for each table it knows.
#[repr(C)]
#[derive(Debug, StableAbi)]
#[sabi(kind(Prefix(prefix_ref = LayoutsRef, prefix_fields = LayoutsPrefix)))]
pub struct Layouts {
    /// The tables, door and services first.
    #[sabi(last_prefix_field)]
    pub tables: RSlice<'static, TableLayout>,
}

impl RootModule for LayoutsRef {
    declare_root_module_statics! {LayoutsRef}
    const BASE_NAME: &'static str = "exthost";
    const NAME: &'static str = "exthost";
    const VERSION_STRINGS: VersionStrings = package_version_strings!();
}

/// The layouts of this crate's tables.
pub const LAYOUTS: &[TableLayout] = &[
    table::<PluginTable>("plugin"),
    table::<Services>("services"),
    table::<LogTable>(log::ID),
    table::<ConfigTable>(config::ID),
    table::<RoutesTable>(routes::ID),
    table::<TasksTable>(tasks::ID),
    table::<EventsTable>(events::ID),
    table::<DbTable>(db::ID),
    table::<BroadcastTable>(broadcast::ID),
    table::<WebhooksTable>(webhooks::ID),
    table::<KvTable>(kv::ID),
    table::<CacheTable>(cache::ID),
    table::<AuditTable>(audit::ID),
];

/// What a Rust plugin exports under [`LAYOUT_SYMBOL`].
#[allow(
    clippy::declare_interior_mutable_const,
    reason = "each plugin makes a static of its own from it"
)]
// SAFETY: `layouts` returns an erased `LayoutsRef`, the root module named here.
pub const HEADER: LibHeader =
    unsafe { LibHeader::from_constructor::<LayoutsRef>(layouts, CheckTypeLayout::Yes) };

const fn table<T: StableAbi>(id: &'static str) -> TableLayout {
    TableLayout {
        id: RStr::from_str(id),
        revision: 1,
        layout: T::LAYOUT,
    }
}

const WITH_METADATA: &WithMetadata<Layouts> = &WithMetadata::new(Layouts {
    tables: RSlice::from_slice(LAYOUTS),
});

extern "C" fn layouts() -> RootModuleResult {
    let module = WITH_METADATA.static_as_prefix();
    // SAFETY: erasing is what the loader expects of a root module, and
    // `from_constructor` was told that it is `LayoutsRef`.
    RResult::ROk(unsafe { module.cast::<ErasedPrefix>() })
}
