//! How the boundary is spelled in C.

use super::lock::pointee;
use super::signature::Signature;
use super::source::{Item, Kind, Source};

/// `exthost_route_spec` of `RouteSpec`; a callback ends in `_fn`.
pub(super) fn type_name(item: &Item) -> String {
    let mut name = String::from("exthost");
    for letter in item.name.chars() {
        if letter.is_ascii_uppercase() {
            name.push('_');
        }
        name.push(letter.to_ascii_lowercase());
    }
    if matches!(item.kind, Kind::Callback(_)) {
        name.push_str("_fn");
    }
    name
}

/// `EXTHOST_ROUTE_PUBLIC` of `ROUTE_PUBLIC`, `EXTHOST_ROUTES_ID` of `ID`.
pub(super) fn constant_name(module: &str, name: &str) -> String {
    match name {
        "ID" => format!("EXTHOST_{}_ID", module.to_uppercase()),
        _ => format!("EXTHOST_{name}"),
    }
}

/// The C type of a type in normal form that is no function.
pub(super) fn type_of(source: &Source, ty: &str) -> String {
    if let Some(inner) = ty.strip_prefix("*const ") {
        let inner = type_of(source, inner);
        return match inner.strip_suffix('*') {
            Some(pointer) => format!("{pointer}*const *"),
            None => format!("const {inner} *"),
        };
    }
    if let Some(inner) = ty.strip_prefix("*mut ") {
        let inner = type_of(source, inner);
        let space = if inner.ends_with('*') { "" } else { " " };
        return format!("{inner}{space}*");
    }
    let name = match ty {
        "u8" => "uint8_t",
        "u32" => "uint32_t",
        "i32" => "int32_t",
        "u64" => "uint64_t",
        "i64" => "int64_t",
        "f64" => "double",
        "usize" => "size_t",
        "c_void" => "void",
        _ => {
            return type_name(
                source
                    .named(ty)
                    .unwrap_or_else(|| panic!("{ty} may not cross")),
            );
        }
    };
    name.to_owned()
}

/// A declaration without its semicolon: `const uint8_t *ptr`, or for a function
/// a pointer to it, broken over lines where it would be long.
pub(super) fn declaration(source: &Source, ty: &str, name: &str, indent: &str) -> String {
    let Some(signature) = Signature::parse(ty) else {
        return join(&type_of(source, ty), name);
    };
    let parameters = signature.parameters.iter();
    let parameters: Vec<String> = parameters
        .map(|(name, ty)| join(&type_of(source, ty), name))
        .collect();
    let returns = match signature.returns {
        Some(ty) => type_of(source, ty),
        None => "void".to_owned(),
    };
    let head = join(&returns, &format!("(*{name})("));
    let line = format!("{head}{})", parameters.join(", "));
    if indent.len() + line.len() < 80 {
        return line;
    }
    let separator = format!(",\n{indent}    ");
    format!("{head}\n{indent}    {})", parameters.join(&separator))
}

fn join(ty: &str, name: &str) -> String {
    let space = if ty.ends_with('*') { "" } else { " " };
    format!("{ty}{space}{name}")
}

/// A Rust doc comment with its names turned into those of C.
///
/// [`Status::OK`] and `OK` become `EXTHOST_OK`, `Services.fail`
/// `exthost_services.fail`, [`Done`] `exthost_done_fn`.
pub(super) fn doc(source: &Source, doc: &str) -> String {
    let mut text = String::new();
    for (index, part) in doc.split('`').enumerate() {
        if index % 2 == 0 {
            text.push_str(part);
            continue;
        }
        let name = name_of(source, part);
        if text.ends_with('[') {
            text.pop();
            assert!(name.is_some(), "[`{part}`] leads nowhere in C");
        }
        let name = name.unwrap_or_else(|| part.to_owned());
        text.push_str(&format!("`{name}`"));
    }
    text.replace("`]", "`")
}

/// The C name of what a doc comment names, if it crosses.
fn name_of(source: &Source, path: &str) -> Option<String> {
    if path == "u64::MAX" {
        return Some("UINT64_MAX".to_owned());
    }
    let capitals = |text: &str| text.chars().all(|c| c.is_ascii_uppercase() || c == '_');
    if path.ends_with('_') && capitals(path) {
        return Some(format!("EXTHOST_{path}"));
    }
    let mut parts = path.split("::").flat_map(|part| part.split('.'));
    let first = parts.next()?;
    if let Some(item) = source.named(first) {
        return Some(match (&item.kind, parts.next()) {
            (Kind::Code { .. }, Some(code)) => format!("EXTHOST_{code}"),
            (_, Some(member)) => format!("{}.{member}", type_name(item)),
            (_, None) => type_name(item),
        });
    }
    let codes = source.named("Status").map(|status| &status.kind);
    if let Some(Kind::Code { codes, .. }) = codes
        && codes.iter().any(|code| code.name == path)
    {
        return Some(format!("EXTHOST_{path}"));
    }
    let (module, item) = source.items().find(|(_, item)| item.name == path)?;
    Some(constant_name(&module.name, &item.name))
}

/// Breaks each paragraph of `text` anew, so that no line exceeds `width`.
///
/// An empty line, a list's item and the words `Errors:` and `Since:` begin one.
pub(super) fn wrap(text: &str, width: usize) -> Vec<String> {
    let mut lines = vec![String::new()];
    for line in text.lines() {
        let begins = ["- ", "* ", "Errors:", "Since:"];
        let fresh = line.is_empty() || begins.iter().any(|begin| line.starts_with(begin));
        let begun = lines.last().is_some_and(|last| !last.is_empty());
        if fresh && begun {
            lines.push(String::new());
        }
        for word in line.split_whitespace() {
            let last = lines.last_mut().expect("never empty");
            if last.is_empty() {
                last.push_str(word);
            } else if last.len() + 1 + word.len() > width {
                lines.push(word.to_owned());
            } else {
                last.push(' ');
                last.push_str(word);
            }
        }
        if line.is_empty() && begun {
            lines.push(String::new());
        }
    }
    lines
}

/// The types that must be declared before `item`: callbacks and structs that
/// its fields hold by value.
pub(super) fn needs<'a>(source: &'a Source, item: &Item) -> Vec<&'a Item> {
    let types: Vec<&str> = match &item.kind {
        Kind::Struct(fields) => fields.iter().map(|field| field.ty.as_str()).collect(),
        Kind::Callback(signature) => vec![signature],
        Kind::Constant { .. } | Kind::Code { .. } => Vec::new(),
    };
    let mut needs = Vec::new();
    for ty in types {
        let parts = match Signature::parse(ty) {
            Some(signature) => signature.types().collect(),
            None => vec![ty],
        };
        let named = parts
            .into_iter()
            .filter_map(|part| source.named(pointee(part)));
        // Structs are declared ahead, which is enough for pointers to them and
        // for signatures.
        let by_value = |need: &&Item| {
            let held = source.named(ty).is_some();
            held || !matches!(need.kind, Kind::Struct(_))
        };
        needs.extend(named.filter(by_value));
    }
    needs
}
