//! `lock.json`: what each table was when it was published.
//!
//! A row spells out a table and everything it reaches, laid out by the C rules
//! for 64 bits. Its fingerprint is the first 8 bytes of the BLAKE3 hash of the
//! row's compact JSON without the fingerprint. What crosses and belongs to no
//! table has sections of its own, and so has the API version that brought each
//! thing, so that no row says anything but what a plugin depends on.

use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use super::signature::Signature;
use super::source::{Field, Item, Kind, Module, Source};

/// The file `tests/abi/lock.json`.
#[derive(Debug, Default, PartialEq, Serialize, Deserialize)]
pub(super) struct Lock {
    /// One row a table, in the order they were published.
    pub tables: Vec<Row>,
    /// What each API version brought, the first one first.
    pub versions: Vec<Brought>,
    /// The constants of the modules without a table.
    pub data: Vec<Constant>,
    /// What the host reads in a file before any of its code runs.
    pub meta: Meta,
}

/// What one API version brought.
#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Brought {
    /// `1.N`.
    pub api: String,
    /// Its tables, as `id/revision`.
    pub tables: Vec<String>,
    /// Constants that joined an older set which may grow: they are as frozen as
    /// the rest, but no part of an older table's fingerprint.
    pub constants: Vec<Constant>,
}

/// The form of the meta.
#[derive(Debug, Default, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Meta {
    pub constants: Vec<Constant>,
    /// The keys that every plugin has written: none can join or leave.
    pub required: Vec<String>,
    /// The keys that a plugin may write: a later host may know more.
    pub optional: Vec<String>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Row {
    pub id: String,
    pub revision: u32,
    #[serde(default, skip_serializing_if = "String::is_empty")]
    pub fingerprint: String,
    /// The constants of the table's module.
    pub constants: Vec<Constant>,
    /// The table, then every type it reaches, by name.
    pub types: Vec<Type>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Constant {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
    pub value: String,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Type {
    pub name: String,
    pub size: usize,
    pub align: usize,
    /// The signature of a callback, the integer of a code.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub is: Option<String>,
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub codes: Vec<Constant>,
    /// The fields of a struct; the slots of a table.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub fields: Vec<Member>,
}

#[derive(Debug, Clone, PartialEq, Serialize, Deserialize)]
pub(super) struct Member {
    pub name: String,
    #[serde(rename = "type")]
    pub ty: String,
    pub offset: usize,
    pub size: usize,
}

impl Lock {
    /// What the source and the meta's readers say.
    pub(super) fn of(source: &Source, meta: Meta) -> Self {
        let mut lock = Lock {
            meta,
            ..Lock::default()
        };
        for (module, item) in source.items() {
            if let Some((id, revision)) = item.table() {
                let row = row(source, module, item, id, revision);
                lock.version(item.since()).tables.push(row.key());
                lock.tables.push(row);
            }
            match &item.kind {
                Kind::Constant { .. } if item.since() > 0 => lock.joined(item),
                Kind::Constant { .. } if !module.has_table() => lock.data.push(constant(item)),
                Kind::Code { codes, .. } => {
                    let later = codes.iter().filter(|code| code.since() > 0);
                    later.for_each(|code| lock.joined(code));
                }
                _ => {}
            }
        }
        lock
    }

    /// What API 1.`minor` brought; those between are made with it.
    fn version(&mut self, minor: u32) -> &mut Brought {
        let minor = minor as usize;
        while self.versions.len() <= minor {
            self.versions.push(Brought {
                api: format!("1.{}", self.versions.len()),
                tables: Vec::new(),
                constants: Vec::new(),
            });
        }
        &mut self.versions[minor]
    }

    fn joined(&mut self, item: &Item) {
        let version = self.version(item.since());
        version.constants.push(constant(item));
    }

    /// The row of a table.
    pub(super) fn row(&self, id: &str, revision: u32) -> Option<&Row> {
        let mut rows = self.tables.iter();
        rows.find(|row| row.id == id && row.revision == revision)
    }

    /// The constants that joined their sets after a table had come.
    pub(super) fn joined_after(&self, key: &str) -> Vec<&Constant> {
        let came = |version: &&Brought| !version.tables.iter().any(|table| table == key);
        let after = self.versions.iter().skip_while(came).skip(1);
        after.flat_map(|version| &version.constants).collect()
    }

    /// The row of `id/revision`.
    pub(super) fn keyed(&self, key: &str) -> Option<&Row> {
        self.tables.iter().find(|row| row.key() == key)
    }
}

impl Row {
    /// `id/revision`.
    pub(super) fn key(&self) -> String {
        format!("{}/{}", self.id, self.revision)
    }

    /// The fingerprint that the rest of the row has.
    pub(super) fn hash(&self) -> String {
        let bare = Row {
            fingerprint: String::new(),
            ..self.clone()
        };
        let text = serde_json::to_string(&bare).unwrap();
        blake3::hash(text.as_bytes()).to_hex()[..16].to_owned()
    }
}

fn row(source: &Source, module: &Module, table: &Item, id: String, revision: u32) -> Row {
    let since = table.since();
    let constants = module.items.iter().filter(|item| item.since() <= since);
    let constants = constants.filter(|item| matches!(item.kind, Kind::Constant { .. }));
    let mut names = BTreeSet::new();
    reach(source, table, &mut names);
    names.remove(&table.name);
    let reached = names.iter().filter_map(|name| source.named(name));
    let types = std::iter::once(table).chain(reached);
    let mut row = Row {
        id,
        revision,
        fingerprint: String::new(),
        constants: constants.map(constant).collect(),
        types: types.map(|item| describe(source, item, since)).collect(),
    };
    row.fingerprint = row.hash();
    row
}

/// Collects the names of `item` and of all types behind it.
fn reach(source: &Source, item: &Item, names: &mut BTreeSet<String>) {
    if !names.insert(item.name.clone()) {
        return;
    }
    let types: Vec<&str> = match &item.kind {
        Kind::Struct(fields) => fields.iter().map(|field| field.ty.as_str()).collect(),
        Kind::Callback(signature) => vec![signature],
        Kind::Constant { .. } | Kind::Code { .. } => Vec::new(),
    };
    for ty in types {
        let parts = match Signature::parse(ty) {
            Some(signature) => signature.types().collect(),
            None => vec![ty],
        };
        for part in parts {
            if let Some(found) = source.named(pointee(part)) {
                reach(source, found, names);
            }
        }
    }
}

/// `Str` of `*const *mut Str`.
pub(super) fn pointee(ty: &str) -> &str {
    ty.rsplit(' ').next().unwrap_or(ty)
}

fn describe(source: &Source, item: &Item, since: u32) -> Type {
    let (size, align) = layout(source, &item.name);
    let mut ty = Type {
        name: item.name.clone(),
        size,
        align,
        is: None,
        codes: Vec::new(),
        fields: Vec::new(),
    };
    match &item.kind {
        Kind::Struct(fields) => ty.fields = members(source, fields),
        Kind::Callback(signature) => ty.is = Some(signature.clone()),
        Kind::Code { ty: inner, codes } => {
            ty.is = Some(inner.clone());
            let codes = codes.iter().filter(|code| code.since() <= since);
            ty.codes = codes.map(constant).collect();
        }
        Kind::Constant { .. } => panic!("{} is no type", item.name),
    }
    ty
}

fn constant(item: &Item) -> Constant {
    let Kind::Constant { ty, value } = &item.kind else {
        panic!("{} is no constant", item.name);
    };
    Constant {
        name: item.name.clone(),
        ty: ty.clone(),
        value: value.clone(),
    }
}

/// Size and alignment of a type in C on a 64-bit machine.
pub(super) fn layout(source: &Source, ty: &str) -> (usize, usize) {
    match ty {
        "u8" => (1, 1),
        "u32" | "i32" => (4, 4),
        "u64" | "i64" | "f64" | "usize" => (8, 8),
        _ if ty.starts_with('*') || ty.starts_with("fn(") => (8, 8),
        _ => match &source
            .named(ty)
            .unwrap_or_else(|| panic!("{ty} may not cross"))
            .kind
        {
            Kind::Callback(_) => (8, 8),
            Kind::Code { ty, .. } => layout(source, ty),
            Kind::Struct(fields) => {
                let members = members(source, fields);
                let aligns = fields.iter().map(|field| layout(source, &field.ty).1);
                let align = aligns.max().unwrap_or(1);
                let end = members.last().map_or(0, |last| last.offset + last.size);
                (end.next_multiple_of(align), align)
            }
            Kind::Constant { .. } => panic!("{ty} is a constant"),
        },
    }
}

fn members(source: &Source, fields: &[Field]) -> Vec<Member> {
    let mut end = 0_usize;
    let place = |field: &Field| {
        let (size, align) = layout(source, &field.ty);
        let offset = end.next_multiple_of(align);
        end = offset + size;
        Member {
            name: field.name.clone(),
            ty: field.ty.clone(),
            offset,
            size,
        }
    };
    fields.iter().map(place).collect()
}
