//! A plugin without a file of its own.

use exthost_abi::{Embedded, PluginTable};

use super::door;
use crate::Plugin;

/// A plugin that [`export_plugin!`](crate::export_plugin) has exported, for an
/// application or a test that has it compiled in.
///
/// Only the macro implements it.
///
/// # Examples
/// ```
/// # use exthost_plugin::prelude::*;
/// # struct Hello;
/// # impl Plugin for Hello {
/// #     fn init(_: &mut Router, _: &Services) -> Result<Self> { Ok(Hello) }
/// # }
/// export_plugin!(Hello);
/// # fn main() {
/// // An application: `Host::builder().embed(Hello::embedded())`.
/// let plugin = Hello::embedded();
/// assert!(plugin.meta().starts_with(b"EXTHOST1"));
/// # }
/// ```
pub trait Exported: Plugin {
    /// The plugin, for `HostBuilder::embed` or `TestHost::of`.
    ///
    /// What is `static` in the plugin is shared by all its generations, which a
    /// plugin in a file has one of each.
    fn embedded() -> Embedded;
}

/// The plugin `P`, which says `meta` of itself.
pub const fn embedded<P: Plugin>(meta: &'static [u8]) -> Embedded {
    let door: &'static PluginTable = const { &door::<P>() };
    // SAFETY: the functions of a door that `door` makes keep to the contracts of
    // their types, whatever `P` is.
    unsafe { Embedded::new(door, meta) }
}
