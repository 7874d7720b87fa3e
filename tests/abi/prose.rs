//! Writes the reference part of `docs/abi.md` from the doc comments.

use std::fmt::Write;

use super::c;
use super::lock::Lock;
use super::source::{Field, Item, Kind, Module, Source};

const BEGIN: &str = "<!-- Generated from plugin-api/abi/src; edit the comments there. -->\n";
const END: &str = "<!-- End of the generated part. -->\n";

/// `page` with its generated part replaced.
pub(super) fn page(page: &str, source: &Source, lock: &Lock) -> String {
    let (before, rest) = page
        .split_once(BEGIN)
        .expect("docs/abi.md has the begin mark");
    let (_, after) = rest.split_once(END).expect("docs/abi.md has the end mark");
    format!("{before}{BEGIN}{}{END}{after}", reference(source, lock))
}

fn reference(source: &Source, lock: &Lock) -> String {
    let mut text = String::new();
    for module in &source.modules {
        section(&mut text, source, lock, module);
    }
    text.push('\n');
    text
}

fn section(text: &mut String, source: &Source, lock: &Lock, module: &Module) {
    let mut doc = c::doc(source, &module.doc);
    let title = match lock.row(&module.name, 1) {
        Some(row) => {
            let _ = write!(doc, "\n\nFingerprint: `{}`.", row.fingerprint);
            format!("`{}`", row.key())
        }
        None => module.name.clone(),
    };
    let _ = writeln!(text, "\n### {title}\n\n{doc}");
    constants(text, source, module);
    for item in &module.items {
        match &item.kind {
            Kind::Constant { .. } => {}
            Kind::Code { codes, .. } => code(text, source, item, codes),
            Kind::Callback(signature) => {
                heading(text, source, item);
                let name = c::type_name(item);
                declared(
                    text,
                    &format!("typedef {}", c::declaration(source, signature, &name, "")),
                );
            }
            Kind::Struct(fields) => structure(text, source, item, fields),
        }
    }
}

fn constants(text: &mut String, source: &Source, module: &Module) {
    let mut begun = false;
    for item in &module.items {
        let Kind::Constant { value, .. } = &item.kind else {
            continue;
        };
        if !begun {
            text.push_str("\n| constant | value | meaning |\n|---|---|---|\n");
            begun = true;
        }
        let name = c::constant_name(&module.name, &item.name);
        let meaning = cell(source, &item.doc);
        let _ = writeln!(text, "| `{name}` | `{value}` | {meaning} |");
    }
}

fn code(text: &mut String, source: &Source, item: &Item, codes: &[Item]) {
    heading(text, source, item);
    text.push_str("\n| code | value | meaning |\n|---|---|---|\n");
    for code in codes {
        if let Kind::Constant { value, .. } = &code.kind {
            let meaning = cell(source, &code.doc);
            let _ = writeln!(text, "| `EXTHOST_{}` | {value} | {meaning} |", code.name);
        }
    }
}

fn structure(text: &mut String, source: &Source, item: &Item, fields: &[Field]) {
    heading(text, source, item);
    let slot = |field: &&Field| field.ty.starts_with("fn(");
    if !fields.iter().all(|field| slot(&field)) {
        text.push_str("\n| field | type | meaning |\n|---|---|---|\n");
    }
    for field in fields.iter().filter(|field| !slot(field)) {
        let ty = match (item.name.as_str(), field.name.as_str()) {
            ("Str", "ptr") => "const char *".to_owned(),
            _ => c::type_of(source, &field.ty),
        };
        let meaning = cell(source, &field.doc);
        let _ = writeln!(text, "| `{}` | `{ty}` | {meaning} |", field.name);
    }
    for field in fields.iter().filter(slot) {
        let _ = writeln!(text, "\n##### `{}`", field.name);
        declared(text, &c::declaration(source, &field.ty, &field.name, ""));
        let _ = writeln!(text, "\n{}", c::doc(source, &field.doc));
    }
}

fn heading(text: &mut String, source: &Source, item: &Item) {
    let doc = c::doc(source, &item.doc);
    let _ = writeln!(text, "\n#### `{}`\n\n{doc}", c::type_name(item));
}

fn declared(text: &mut String, declaration: &str) {
    let _ = writeln!(text, "\n```c\n{declaration};\n```");
}

/// A doc comment as one cell of a table.
fn cell(source: &Source, doc: &str) -> String {
    let text = c::doc(source, doc).replace('\n', " ");
    text.replace('|', "\\|")
}

#[test]
fn each_slot_says_when_it_may_be_called_what_it_answers_and_since_when() {
    let source = Source::read();
    let tables = source.items().filter(|(_, item)| item.table().is_some());
    let mut slots = 0;
    for (_, item) in tables {
        let Kind::Struct(fields) = &item.kind else {
            continue;
        };
        for field in fields.iter().filter(|field| field.ty.starts_with("fn(")) {
            let name = format!("{}.{}", item.name, field.name);
            let tagged =
                field.doc.starts_with("`[any-thread]`") || field.doc.starts_with("`[init]`");
            assert!(tagged, "{name} has no tag that says when it may be called");
            for word in ["\nErrors: ", "\nSince: API 1."] {
                assert!(
                    field.doc.contains(word),
                    "{name} says nothing of {}",
                    word.trim()
                );
            }
            slots += 1;
        }
    }
    assert!(slots > 50, "{slots}");
}
