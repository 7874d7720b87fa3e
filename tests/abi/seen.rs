//! The rows as a C compiler has the header: nothing here reads Rust.

use std::collections::BTreeMap;

use super::c;
use super::declared::Declared;
use super::lock::{Constant, Lock, Member, Row, Type};
use super::program::Printed;
use super::signature::Signature;
use super::source::Source;
use crate::support::compilers::Compiler;

/// The header, as one compiler reads it.
pub(super) struct Seen<'a> {
    source: &'a Source,
    declared: Declared,
    printed: Printed,
}

impl<'a> Seen<'a> {
    /// Reads the header as `compiler` does.
    pub(super) fn by(compiler: &Compiler, source: &'a Source, lock: &Lock) -> Self {
        let declared = Declared::read(compiler);
        let printed = Printed::by(compiler, source, lock, &declared);
        Seen {
            source,
            declared,
            printed,
        }
    }

    /// How many things the compiler was asked.
    pub(super) fn asked(&self) -> usize {
        self.printed.asked
    }

    /// The row of the table that `like` is of. Which constants belong to a table C
    /// cannot say; their values it can.
    pub(super) fn row(&self, like: &Row) -> Row {
        let table = &like.types[0].name;
        let mut types = BTreeMap::new();
        self.reach(table, &mut types);
        let first = types.remove(table.as_str()).unwrap();
        let mut types: Vec<_> = std::iter::once(first).chain(types.into_values()).collect();
        for ty in &mut types {
            let known = like.types.iter().find(|known| known.name == ty.name);
            let codes = known.into_iter().flat_map(|known| &known.codes);
            ty.codes = codes.map(|code| self.constant("", code)).collect();
        }
        let module = match like.id.as_str() {
            "plugin" | "services" => "door",
            id => id,
        };
        let constants = like.constants.iter();
        let mut row = Row {
            id: like.id.clone(),
            revision: like.revision,
            fingerprint: String::new(),
            constants: constants.map(|like| self.constant(module, like)).collect(),
            types,
        };
        row.fingerprint = row.hash();
        row
    }

    /// The constant of a module that `like` is.
    pub(super) fn constant(&self, module: &str, like: &Constant) -> Constant {
        let name = c::constant_name(module, &like.name);
        self.printed.constant(&like.name, &name)
    }

    /// The value of the constant called `name` in C.
    pub(super) fn text(&self, name: &str) -> String {
        self.printed.constant("", name).value
    }

    /// The names of the structs, callbacks and codes.
    pub(super) fn types(&self) -> impl Iterator<Item = &String> {
        let structs = self.declared.structs.keys();
        structs.chain(self.declared.aliases.keys())
    }

    /// The names of the constants.
    pub(super) fn constants(&self) -> &[String] {
        &self.declared.macros
    }

    /// Collects the type called `name` and all types behind it.
    fn reach(&self, name: &str, types: &mut BTreeMap<String, Type>) {
        if types.contains_key(name) {
            return;
        }
        let Some(ty) = self.described(name) else {
            return;
        };
        let fields = ty.fields.iter().map(|field| field.ty.clone());
        let behind: Vec<_> = fields.chain(ty.is.clone()).collect();
        types.insert(name.to_owned(), ty);
        for ty in &behind {
            let parts = match Signature::parse(ty) {
                Some(signature) => signature.types().collect(),
                None => vec![ty.as_str()],
            };
            for part in parts {
                self.reach(super::lock::pointee(part), types);
            }
        }
    }

    fn described(&self, name: &str) -> Option<Type> {
        let fields = self.declared.structs.get(name);
        let alias = self.declared.aliases.get(name);
        if fields.is_none() && alias.is_none() {
            return None;
        }
        let c_name = c::type_name(self.source.named(name)?);
        let member = |(field, ty): &(String, String)| Member {
            name: field.clone(),
            ty: ty.clone(),
            offset: self.printed.number(&format!("offsetof({c_name},{field})")),
            size: self
                .printed
                .number(&format!("sizeof((({c_name}*)0)->{field})")),
        };
        Some(Type {
            name: name.to_owned(),
            size: self.printed.number(&format!("sizeof({c_name})")),
            align: self.printed.number(&format!("_Alignof({c_name})")),
            is: alias.cloned(),
            codes: Vec::new(),
            fields: fields.into_iter().flatten().map(member).collect(),
        })
    }
}
