//! The rows as rustc has the compiled types: nothing here reads source text.
//!
//! Types, signatures, sizes and alignments come from the layouts that a plugin
//! in Rust carries, offsets and values from the compiler itself.

use std::collections::BTreeMap;

use abi_stable::type_layout::{ReprAttr, TLField, TLFunction, TypeLayout};
use exthost_abi::layout::{LAYOUTS, TableLayout};

use super::lock::{Constant, Lock, Member, Row, Type};
use super::real::{CODES, CONSTANTS, FIELDS, Literal};

/// A row of each table; `lock` says what joined a set after its table came.
pub(super) fn rows(lock: &Lock) -> Vec<Row> {
    LAYOUTS.iter().map(|table| row(table, lock)).collect()
}

/// The constants of a module.
pub(super) fn constants(module: &str) -> Vec<Constant> {
    let (_, constants) = CONSTANTS
        .iter()
        .find(|(name, _)| *name == module)
        .unwrap_or_else(|| panic!("name the constants of {module} in tests/abi/real.rs"));
    let constants = constants.iter();
    constants
        .map(|(name, value)| constant(name, *value))
        .collect()
}

fn row(table: &TableLayout, lock: &Lock) -> Row {
    let mut types = BTreeMap::new();
    reach(table.layout, &mut types);
    let first = types.remove(table.layout.name()).unwrap();
    let key = format!("{}/{}", table.id, table.revision);
    let later = lock.joined_after(&key);
    let kept = |constants: Vec<Constant>| -> Vec<Constant> {
        let kept = constants.into_iter();
        kept.filter(|constant| !later.contains(&constant)).collect()
    };
    let module = match table.id.as_str() {
        "plugin" | "services" => "door",
        id => id,
    };
    let mut types: Vec<_> = std::iter::once(first).chain(types.into_values()).collect();
    for ty in &mut types {
        ty.codes = kept(std::mem::take(&mut ty.codes));
    }
    let mut row = Row {
        id: table.id.to_string(),
        revision: table.revision,
        fingerprint: String::new(),
        constants: kept(constants(module)),
        types,
    };
    row.fingerprint = row.hash();
    row
}

/// Collects `layout` and all types behind it that are the boundary's own.
fn reach(layout: &'static TypeLayout, types: &mut BTreeMap<&'static str, Type>) {
    for behind in layout.generics().type_params() {
        reach(behind(), types);
    }
    let (package, _) = layout.package_and_version();
    if package != "exthost-abi" || types.contains_key(layout.name()) {
        return;
    }
    types.insert(layout.name(), described(layout));
    for field in layout.get_fields().into_iter().flatten() {
        reach(field.layout(), types);
        for function in field.function_range().iter() {
            let returned = function.return_type_layout();
            for part in function.param_type_layouts.iter().chain(returned) {
                reach(part(), types);
            }
        }
    }
}

fn described(layout: &'static TypeLayout) -> Type {
    let name = layout.name();
    let mut ty = Type {
        name: name.to_owned(),
        size: layout.size(),
        align: layout.alignment(),
        is: None,
        codes: Vec::new(),
        fields: Vec::new(),
    };
    let fields: Vec<_> = layout.get_fields().into_iter().flatten().collect();
    if layout.repr_attr() == ReprAttr::Transparent {
        let [inner] = &fields[..] else {
            panic!("{name} is transparent");
        };
        ty.is = Some(type_of(inner));
        let codes = CODES.iter().find(|(code, _)| *code == name);
        let codes = codes.into_iter().flat_map(|(_, codes)| *codes);
        ty.codes = codes.map(|(name, value)| constant(name, *value)).collect();
        return ty;
    }
    assert_eq!(layout.repr_attr(), ReprAttr::C, "{name}");
    let named = FIELDS.iter().find(|(known, _)| *known == name);
    let (_, places) = named.unwrap_or_else(|| panic!("name {name} in tests/abi/real.rs"));
    let names: Vec<_> = places.iter().map(|(field, _)| *field).collect();
    let real: Vec<_> = fields.iter().map(TLField::name).collect();
    assert_eq!(names, real, "{name} in tests/abi/real.rs");
    let member = |(field, (_, offset)): (&TLField, &(&str, usize))| Member {
        name: field.name().to_owned(),
        ty: type_of(field),
        offset: *offset,
        size: field.layout().size(),
    };
    ty.fields = fields.iter().zip(*places).map(member).collect();
    ty
}

/// The type of a field in normal form.
fn type_of(field: &TLField) -> String {
    match field.function_range().iter().next() {
        Some(function) => signature(&function),
        None => named(field.layout()),
    }
}

fn signature(function: &TLFunction) -> String {
    assert!(function.fn_qualifs.is_unsafe(), "{}", function.name);
    let names = function.param_names.as_str().split_terminator(',');
    let types = function.param_type_layouts.iter().map(|ty| named(ty()));
    let parameters: Vec<_> = names
        .zip(types)
        .map(|(name, ty)| format!("{name}: {ty}"))
        .collect();
    let parameters = parameters.join(", ");
    match function.return_type_layout() {
        Some(returned) => format!("fn({parameters}) -> {}", named(returned())),
        None => format!("fn({parameters})"),
    }
}

fn named(layout: &'static TypeLayout) -> String {
    match layout.generics().type_params() {
        [] => layout.name().to_owned(),
        [pointee] => format!("{} {}", layout.name(), named(pointee())),
        _ => panic!("{} may not cross", layout.name()),
    }
}

fn constant(name: &str, value: &dyn Literal) -> Constant {
    Constant {
        name: name.to_owned(),
        ty: value.ty().to_owned(),
        value: value.text(),
    }
}
