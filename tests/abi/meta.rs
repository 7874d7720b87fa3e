//! The form of the meta, as the compiled crate and the compiled host have it.

use exthost::inspect::Meta as Read;
use exthost_abi::meta::{BYTES_MAX, MAGIC, NAME_BYTES_MAX};
use exthost_abi::meta::{SECTION_ELF, SECTION_MACHO, SECTION_PE, SYMBOL};

use super::lock::{Constant, Meta};

/// A meta with each key that every plugin has.
const LEAST: [(&str, &str); 6] = [
    ("name", "least"),
    ("version", "0.1.0"),
    ("api", "1.0.0"),
    ("sdk", "c/1.0.0"),
    ("panic", "none"),
    ("tables", "plugin/1=cea10bdbee196717"),
];

/// What the host reads in a file.
pub(super) fn meta() -> Meta {
    let magic = std::str::from_utf8(MAGIC).unwrap();
    let (segment, section) = SECTION_MACHO;
    let text = |name, value: &str| constant(name, "&str", value);
    let number = |name, value: usize| constant(name, "usize", &value.to_string());
    let (required, optional) = keys();
    Meta {
        constants: vec![
            text("MAGIC", magic),
            number("BYTES_MAX", BYTES_MAX),
            text("SYMBOL", SYMBOL),
            text("SECTION_ELF", SECTION_ELF),
            text("SECTION_PE", SECTION_PE),
            text("SECTION_MACHO", &format!("{segment},{section}")),
            number("NAME_BYTES_MAX", NAME_BYTES_MAX),
            text("LAYOUT_SYMBOL", exthost_abi::layout::LAYOUT_SYMBOL),
        ],
        required,
        optional,
    }
}

/// The keys that the host knows: those without which it refuses a meta, and the
/// others.
fn keys() -> (Vec<String>, Vec<String>) {
    let read = Read::parse(&bytes(&LEAST)).unwrap();
    let read = serde_json::to_value(&read).unwrap();
    let mut known: Vec<_> = read.as_object().unwrap().keys().cloned().collect();
    known.retain(|key| key != "other");
    let (mut required, mut optional) = (Vec::new(), Vec::new());
    for (key, _) in LEAST {
        let without: Vec<_> = LEAST
            .into_iter()
            .filter(|(other, _)| *other != key)
            .collect();
        let refusal = Read::parse(&bytes(&without)).unwrap_err();
        assert_eq!(refusal.code(), "meta-missing-key", "{key}");
        required.push(key.to_owned());
    }
    for key in known {
        if !required.contains(&key) {
            let with = [&LEAST[..], &[(&key, "1")]].concat();
            let unknown = Read::parse(&bytes(&with)).is_ok_and(|read| !read.other.is_empty());
            assert!(!unknown, "{key} is no key");
            optional.push(key);
        }
    }
    (required, optional)
}

fn bytes(entries: &[(&str, &str)]) -> Vec<u8> {
    let mut bytes = MAGIC.to_vec();
    for (key, value) in entries {
        bytes.extend(format!("{key}={value}\0").bytes());
    }
    bytes.push(0);
    bytes
}

fn constant(name: &str, ty: &str, value: &str) -> Constant {
    Constant {
        name: name.to_owned(),
        ty: ty.to_owned(),
        value: value.to_owned(),
    }
}

/// The header, the SDK and the page for authors name the same keys.
#[test]
fn everybody_writes_the_keys_that_the_host_reads() {
    let meta = meta();
    let names = |text: &str, before: &str| -> Vec<String> {
        let parts = text.split(before).skip(1);
        parts
            .map(|part| part.split('"').next().unwrap().to_owned())
            .collect()
    };

    let header = super::read(super::HEADER);
    let (_, macros) = header.split_once("#define EXTHOST_META(").unwrap();
    assert_eq!(names(macros, "EXTHOST_KEY(\""), meta.required);

    let sdk = super::read("plugin-api/src/export/macros.rs");
    let (_, entries) = sdk.split_once("(@entries [$name:tt").unwrap();
    let (entries, _) = entries.split_once("]\n    }};").unwrap();
    let (_, entries) = entries.split_once("&[\n").unwrap();
    let mut written = names(entries, "            (\"");
    let mut all = [&meta.required[..], &meta.optional].concat();
    assert_eq!(sorted(&mut written), sorted(&mut all));

    let page = super::read(super::PAGE);
    let (_, table) = page
        .split_once("| key | must | meaning |\n|---|---|---|\n")
        .unwrap();
    let (table, _) = table.split_once("\n\n").unwrap();
    let said = |must: &str| -> Vec<String> {
        let rows = table.lines().map(|row| row.split('|').map(str::trim));
        let rows = rows.filter(|cells| cells.clone().nth(2) == Some(must));
        let keys = rows.flat_map(|mut cells| cells.nth(1).unwrap().split(' '));
        keys.map(|key| key.trim_matches('`').to_owned()).collect()
    };
    assert_eq!(said("yes"), meta.required);
    assert_eq!(sorted(&mut said("no")), sorted(&mut meta.optional.clone()));
}

fn sorted(keys: &mut [String]) -> &[String] {
    keys.sort();
    keys
}
