//! The second lock: the layouts a Rust plugin was compiled with.

use abi_stable::abi_stability::abi_checking::check_layout_compatibility;
use abi_stable::library::{AbiHeaderRef, LibraryError, ROOT_MODULE_LOADER_NAME_WITH_NUL};
use exthost_abi::layout::{LAYOUTS, LayoutsRef};
use libloading::Library;

use crate::library::LoadError;

/// Compares each table that both sides know.
pub(super) fn check(library: &Library) -> Result<(), LoadError> {
    // SAFETY: abi_stable says that this symbol is a pointer to its header.
    let header =
        unsafe { library.get::<AbiHeaderRef>(ROOT_MODULE_LOADER_NAME_WITH_NUL.as_bytes()) };
    let header = *header.map_err(|_| LoadError::SymbolMissing {
        symbol: exthost_abi::layout::LAYOUT_SYMBOL,
    })?;
    let header = header.upgrade().map_err(unreadable)?;
    let theirs = header
        .init_root_module::<LayoutsRef>()
        .map_err(unreadable)?;
    for table in theirs.tables() {
        let same = |ours: &&exthost_abi::layout::TableLayout| {
            (ours.id, ours.revision) == (table.id, table.revision)
        };
        // A table this host does not know is refused, if it is needed, by the
        // capability's name.
        let Some(ours) = LAYOUTS.iter().find(same) else {
            continue;
        };
        check_layout_compatibility(ours.layout, table.layout).map_err(|errors| {
            LoadError::LayoutDiffers {
                table: format!("{}/{}", table.id, table.revision),
                reason: errors.to_string(),
            }
        })?;
    }
    Ok(())
}

fn unreadable(error: LibraryError) -> LoadError {
    LoadError::LayoutsUnreadable {
        reason: error.to_string(),
    }
}
