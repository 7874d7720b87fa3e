//! The second lock: the layouts a Rust plugin was compiled with.

use std::fmt::Debug;

use abi_stable::abi_stability::abi_checking::{
    AbiInstability, AbiInstabilityError, AbiInstabilityErrors, ExpectedFound,
    check_layout_compatibility,
};
use abi_stable::library::{AbiHeaderRef, LibraryError, ROOT_MODULE_LOADER_NAME_WITH_NUL};
use abi_stable::type_layout::{TLFieldOrFunction, TypeLayout};
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
        check_layout_compatibility(ours.layout, table.layout)
            .map_err(|errors| differs(format!("{}/{}", table.id, table.revision), &errors))?;
    }
    Ok(())
}

fn unreadable(error: LibraryError) -> LoadError {
    LoadError::LayoutsUnreadable {
        reason: error.to_string(),
    }
}

/// Names the first place at which a table differs: abi_stable's own text lists
/// every type that it passed on the way.
fn differs(table: String, errors: &AbiInstabilityErrors) -> LoadError {
    let mut place = errors.interface.name().to_owned();
    let (mut plugin, mut host) = ("another layout".to_owned(), "its own".to_owned());
    // What a type only contains is told by the type that differs itself.
    let first = errors.errors.iter().find(|at| !at.errs.is_empty());
    if let Some(first) = first {
        for passed in &first.stack_trace {
            // A function stands for the field that holds it.
            if let TLFieldOrFunction::Field(field) = &passed.expected {
                place += &part(field.name());
            }
        }
        if let Some(sides) = sides(errors, first) {
            (plugin, host) = sides;
        }
    }
    LoadError::LayoutDiffers {
        table,
        place,
        plugin,
        host,
    }
}

/// What the plugin and this host have there, of the telling errors the first.
fn sides(errors: &AbiInstabilityErrors, at: &AbiInstabilityError) -> Option<(String, String)> {
    let of_fields = at.errs.iter().find_map(|error| match error {
        AbiInstability::UnexpectedField(fields) => {
            Some(both(fields, |field| format!("`{}`", field.name())))
        }
        AbiInstability::FieldCountMismatch(count) => Some(match added(errors, at) {
            Some(sides) => sides,
            // What a function returns is counted among its arguments.
            None => both(count, |count| format!("{} arguments", count - 1)),
        }),
        _ => None,
    });
    of_fields.or_else(|| at.errs.iter().find_map(side))
}

/// The first field that only one of two structs has, after those that are the same.
fn added(errors: &AbiInstabilityErrors, at: &AbiInstabilityError) -> Option<(String, String)> {
    let (ours, theirs) = match at.stack_trace.last() {
        None => (errors.interface, errors.implementation),
        Some(ExpectedFound {
            expected: TLFieldOrFunction::Field(ours),
            found: TLFieldOrFunction::Field(theirs),
        }) => (ours.layout(), theirs.layout()),
        Some(_) => return None,
    };
    let (ours, theirs) = (fields(ours), fields(theirs));
    let end = ours.len().min(theirs.len());
    let side = |fields: &[&str]| match fields.get(end) {
        Some(field) => format!("`{field}` as field {}", end + 1),
        None => format!("no field {}", end + 1),
    };
    Some((side(&theirs), side(&ours)))
}

fn fields(layout: &'static TypeLayout) -> Vec<&'static str> {
    let fields = layout.get_fields().into_iter();
    fields
        .flat_map(|fields| fields.iter().map(|field| field.name()))
        .collect()
}

/// Both sides of an error that is not of fields.
fn side(error: &AbiInstability) -> Option<(String, String)> {
    Some(match error {
        AbiInstability::Name(v) | AbiInstability::GenericParamCount(v) => both(v, shown),
        AbiInstability::Package(v) => both(v, |package| package.to_string()),
        AbiInstability::PackageVersion(v) => both(v, |version| format!("version {version}")),
        AbiInstability::Size(v) => both(v, |size| format!("{size} bytes")),
        AbiInstability::Alignment(v) => both(v, |align| format!("{align} bytes aligned")),
        AbiInstability::NonZeroness(v) => both(v, |nonzero| format!("never zero: {nonzero}")),
        AbiInstability::TLDataDiscriminant(v) => both(v, shown),
        AbiInstability::MismatchedPrimitive(v) => both(v, shown),
        AbiInstability::ReprAttr(v) => both(v, shown),
        AbiInstability::FnQualifierMismatch(v) => both(v, |function| {
            let safety = if function.fn_qualifs.is_unsafe() {
                "unsafe "
            } else {
                ""
            };
            format!("{safety}fn")
        }),
        _ => return None,
    })
}

fn both<T>(sides: &ExpectedFound<T>, show: impl Fn(&T) -> String) -> (String, String) {
    (show(&sides.found), show(&sides.expected))
}

fn shown(value: &impl Debug) -> String {
    format!("{value:?}")
}

/// How a step goes on from where it was taken. abi_stable names the first argument of
/// a function by all their names, with commas, and counts the others from 0.
fn part(name: &str) -> String {
    let counted = name.strip_prefix("param_").map(str::parse::<usize>);
    match counted {
        Some(Ok(before)) => format!(", argument {}", before + 1),
        _ if name.ends_with(',') => ", argument 1".to_owned(),
        _ if name == "__returns" => ", result".to_owned(),
        _ => format!(".{name}"),
    }
}

#[cfg(test)]
mod tests {
    use abi_stable::StableAbi;

    use super::*;

    /// Modules that each have another struct `Table`.
    macro_rules! tables {
        ($($module:ident: $($field:ident: $type:ty),*;)*) => {$(
            mod $module {
                #[repr(C)]
                #[derive(abi_stable::StableAbi)]
                pub(super) struct Table { $($field: $type),* }
            }
        )*};
    }

    tables! {
        published: write: unsafe extern "C" fn(level: u32) -> i32, size: u64;
        argument: write: unsafe extern "C" fn(level: u64) -> i32, size: u64;
        arguments: write: unsafe extern "C" fn(level: u32, more: u32) -> i32, size: u64;
        result: write: unsafe extern "C" fn(level: u32) -> u32, size: u64;
        safe: write: extern "C" fn(level: u32) -> i32, size: u64;
        swapped: size: u64, write: unsafe extern "C" fn(level: u32) -> i32;
        grown: write: unsafe extern "C" fn(level: u32) -> i32, size: u64, more: u64;
        shrunk: write: unsafe extern "C" fn(level: u32) -> i32;
    }

    #[test]
    fn the_place_that_differs_is_named_with_both_sides() {
        fn compare<T: StableAbi>(expected: [&str; 3]) {
            let ours = <published::Table as StableAbi>::LAYOUT;
            let errors = check_layout_compatibility(ours, T::LAYOUT).unwrap_err();
            match differs("log/1".to_owned(), &errors) {
                LoadError::LayoutDiffers {
                    place,
                    plugin,
                    host,
                    ..
                } => assert_eq!([place, plugin, host], expected, "{errors}"),
                other => panic!("{other}"),
            }
        }
        compare::<argument::Table>(["Table.write, argument 1", "u64", "u32"]);
        compare::<arguments::Table>(["Table.write", "2 arguments", "1 arguments"]);
        compare::<result::Table>(["Table.write, result", "u32", "i32"]);
        compare::<safe::Table>(["Table.write", "fn", "unsafe fn"]);
        compare::<swapped::Table>(["Table", "`size`", "`write`"]);
        compare::<grown::Table>(["Table", "`more` as field 3", "no field 3"]);
        compare::<shrunk::Table>(["Table", "no field 2", "`size` as field 2"]);
    }
}
