//! A plugin that is part of its host's own program.

use crate::PluginTable;

/// The door and the meta of a plugin that is linked into the program of its host,
/// in place of the symbols that a library exports.
///
/// It does not cross the boundary: whoever makes it and whoever takes it are
/// compiled into one program. Plugins in Rust get theirs from `export_plugin!`.
#[derive(Debug, Clone, Copy)]
pub struct Embedded {
    door: &'static PluginTable,
    meta: &'static [u8],
}

impl Embedded {
    /// A plugin from elsewhere, such as one in C that is linked in.
    ///
    /// # Safety
    /// Each function of `door` must keep to the contract of its type, as if the
    /// door were a library's, for as long as the process lives.
    pub const unsafe fn new(door: &'static PluginTable, meta: &'static [u8]) -> Self {
        Embedded { door, meta }
    }

    /// The door.
    pub const fn door(&self) -> &'static PluginTable {
        self.door
    }

    /// What the plugin says of itself, as [`meta`](crate::meta) describes it;
    /// nobody has read it yet.
    pub const fn meta(&self) -> &'static [u8] {
        self.meta
    }
}
