//! The source of `exthost-abi`, reduced to what crosses the boundary.
//!
//! Types are kept as text in one normal form: `u32`, `Str`, `*const Header`,
//! `fn(ctx: *const c_void, cause: u64) -> Status`. Every function in it is
//! `unsafe extern "C"`; anything else in the source is refused here.

use std::collections::BTreeSet;
use std::fs;

use super::repo;

/// The modules that cross, in reading order; new tables come last.
const MODULES: &[&str] = &[
    "data",
    "door",
    "log",
    "config",
    "routes",
    "tasks",
    "events",
    "db",
    "broadcast",
    "webhooks",
    "kv",
    "cache",
    "audit",
];

pub(super) struct Source {
    pub modules: Vec<Module>,
}

pub(super) struct Module {
    pub name: String,
    pub doc: String,
    pub items: Vec<Item>,
}

pub(super) struct Item {
    pub name: String,
    pub doc: String,
    pub kind: Kind,
}

pub(super) enum Kind {
    /// A constant: its type and its literal.
    Constant { ty: String, value: String },
    /// A `repr(C)` struct.
    Struct(Vec<Field>),
    /// A `repr(transparent)` nullable function pointer.
    Callback(String),
    /// A `repr(transparent)` integer and its associated constants.
    Code { ty: String, codes: Vec<Item> },
}

pub(super) struct Field {
    pub name: String,
    pub doc: String,
    pub ty: String,
}

impl Source {
    /// Reads the modules from `plugin-api/abi/src`.
    pub(super) fn read() -> Self {
        Self::of(&texts())
    }

    /// Parses modules, each a name and a text.
    pub(super) fn of(texts: &[(String, String)]) -> Self {
        let modules = texts.iter().map(|(name, text)| module(name, text));
        let source = Source {
            modules: modules.collect(),
        };
        source.check_names();
        source
    }

    /// Every item with the module it stands in.
    pub(super) fn items(&self) -> impl Iterator<Item = (&Module, &Item)> {
        let pairs = |module| Module::items(module).map(move |item| (module, item));
        self.modules.iter().flat_map(pairs)
    }

    /// C has no modules, so a name may stand in one of them only; but for `ID`.
    fn check_names(&self) {
        let mut seen = BTreeSet::new();
        for (module, item) in self.items().filter(|(_, item)| item.name != "ID") {
            let fresh = seen.insert(&item.name);
            assert!(
                fresh,
                "{}::{} exists in another module",
                module.name, item.name
            );
        }
    }

    /// The struct, callback or code called `name`.
    pub(super) fn named(&self, name: &str) -> Option<&Item> {
        let types = self.items().map(|(_, item)| item);
        let mut types = types.filter(|item| !matches!(item.kind, Kind::Constant { .. }));
        types.find(|item| item.name == name)
    }
}

impl Module {
    fn items(&self) -> std::slice::Iter<'_, Item> {
        self.items.iter()
    }

    /// Whether any of its types is a table.
    pub(super) fn has_table(&self) -> bool {
        self.items.iter().any(|item| item.table().is_some())
    }
}

impl Item {
    /// The API minor that brought the item; without a word on it, the first.
    pub(super) fn since(&self) -> u32 {
        since(&self.doc).unwrap_or(0)
    }

    /// The first slot of a table that came at another time than its table, with
    /// what it says.
    pub(super) fn misdated(&self) -> Option<(&str, u32)> {
        let Kind::Struct(fields) = &self.kind else {
            return None;
        };
        let mut dated = fields
            .iter()
            .filter_map(|field| since(&field.doc).map(|minor| (field.name.as_str(), minor)));
        dated.find(|(_, minor)| *minor != self.since())
    }

    /// The id and revision of the table, when the item is one: `RoutesTable` is
    /// `routes/1`, a `RoutesTable2` in the same module would be `routes/2`.
    pub(super) fn table(&self) -> Option<(String, u32)> {
        if !matches!(self.kind, Kind::Struct(_)) {
            return None;
        }
        if self.name == "Services" {
            return Some(("services".to_owned(), 1));
        }
        let (id, revision) = self.name.split_once("Table")?;
        let revision = if revision.is_empty() { "1" } else { revision };
        Some((id.to_lowercase(), revision.parse().ok()?))
    }
}

/// The text of each module that crosses, in reading order.
pub(super) fn texts() -> Vec<(String, String)> {
    let folder = repo("plugin-api/abi/src");
    for entry in fs::read_dir(&folder).unwrap() {
        let name = entry.unwrap().file_name().into_string().unwrap();
        let name = name.trim_end_matches(".rs");
        let other = ["lib", "meta", "embedded", "fingerprint", "layout"].contains(&name);
        assert!(
            other || MODULES.contains(&name),
            "{name}.rs is a new module of the ABI; name it in MODULES of tests/abi/source.rs, \
             and its table in LAYOUTS of layout.rs",
        );
    }
    let text = |name: &str| fs::read_to_string(folder.join(format!("{name}.rs"))).unwrap();
    MODULES
        .iter()
        .map(|name| (name.to_string(), text(name)))
        .collect()
}

fn module(name: &str, text: &str) -> Module {
    let file = syn::parse_file(text).unwrap();
    let mut items: Vec<Item> = file.items.iter().filter_map(item).collect();
    for block in &file.items {
        if let syn::Item::Impl(block) = block
            && block.trait_.is_none()
        {
            add_codes(&mut items, block);
        }
    }
    Module {
        name: name.to_owned(),
        doc: doc(&file.attrs),
        items,
    }
}

fn item(item: &syn::Item) -> Option<Item> {
    match item {
        syn::Item::Const(constant) => Some(Item {
            name: constant.ident.to_string(),
            doc: doc(&constant.attrs),
            kind: Kind::Constant {
                ty: ty(&constant.ty),
                value: literal(&constant.expr)
                    .unwrap_or_else(|| panic!("{} must be a literal", constant.ident)),
            },
        }),
        syn::Item::Struct(item) => Some(Item {
            name: item.ident.to_string(),
            doc: doc(&item.attrs),
            kind: structure(item),
        }),
        syn::Item::Enum(_) | syn::Item::Union(_) | syn::Item::Type(_) | syn::Item::Static(_) => {
            panic!("enums, unions, aliases and statics may not cross")
        }
        _ => None,
    }
}

fn structure(item: &syn::ItemStruct) -> Kind {
    let repr = item.attrs.iter().find(|attr| attr.path().is_ident("repr"));
    let repr: syn::Ident = repr.unwrap().parse_args().unwrap();
    match &item.fields {
        syn::Fields::Named(fields) => {
            assert_eq!(repr, "C", "{} must be repr(C)", item.ident);
            Kind::Struct(fields.named.iter().map(field).collect())
        }
        syn::Fields::Unnamed(fields) => {
            assert_eq!(repr, "transparent", "{}", item.ident);
            let inner = ty(&fields.unnamed[0].ty);
            if inner.starts_with("fn(") {
                return Kind::Callback(inner);
            }
            let codes = Vec::new();
            Kind::Code { ty: inner, codes }
        }
        syn::Fields::Unit => panic!("{} has no fields", item.ident),
    }
}

/// Adds the associated constants of `block` that are one integer to its code.
fn add_codes(items: &mut [Item], block: &syn::ItemImpl) {
    let name = ty(&block.self_ty);
    let target = items.iter_mut().find(|item| item.name == name);
    let Some(Kind::Code { ty, codes }) = target.map(|item| &mut item.kind) else {
        return;
    };
    for item in &block.items {
        let syn::ImplItem::Const(constant) = item else {
            continue;
        };
        let syn::Expr::Call(call) = &constant.expr else {
            continue;
        };
        codes.push(Item {
            name: constant.ident.to_string(),
            doc: doc(&constant.attrs),
            kind: Kind::Constant {
                ty: ty.clone(),
                value: literal(&call.args[0]).unwrap(),
            },
        });
    }
}

fn field(field: &syn::Field) -> Field {
    Field {
        name: field.ident.as_ref().unwrap().to_string(),
        doc: doc(&field.attrs),
        ty: ty(&field.ty),
    }
}

fn literal(value: &syn::Expr) -> Option<String> {
    let syn::Expr::Lit(value) = value else {
        return None;
    };
    match &value.lit {
        syn::Lit::Int(value) => Some(value.base10_digits().to_owned()),
        syn::Lit::Str(value) => Some(value.value()),
        _ => None,
    }
}

/// The normal form of a type.
fn ty(value: &syn::Type) -> String {
    match value {
        syn::Type::Ptr(pointer) => {
            let word = if pointer.mutability.is_some() {
                "mut"
            } else {
                "const"
            };
            format!("*{word} {}", ty(&pointer.elem))
        }
        syn::Type::Reference(reference) => format!("&{}", ty(&reference.elem)),
        syn::Type::BareFn(function) => signature(function),
        syn::Type::Path(path) => {
            let last = path.path.segments.last().unwrap();
            match &last.arguments {
                syn::PathArguments::AngleBracketed(arguments) if last.ident == "Option" => {
                    let syn::GenericArgument::Type(inner) = &arguments.args[0] else {
                        panic!("Option of a type");
                    };
                    assert!(
                        matches!(inner, syn::Type::BareFn(_)),
                        "only functions are nullable"
                    );
                    ty(inner)
                }
                syn::PathArguments::None => last.ident.to_string(),
                _ => panic!("{} may not cross", last.ident),
            }
        }
        _ => panic!("a type of this kind may not cross"),
    }
}

fn signature(function: &syn::TypeBareFn) -> String {
    let abi = function.abi.as_ref().and_then(|abi| abi.name.as_ref());
    assert!(
        function.unsafety.is_some() && abi.is_some_and(|abi| abi.value() == "C"),
        "a function that crosses is unsafe extern \"C\"",
    );
    let parameter = |argument: &syn::BareFnArg| {
        let (name, _) = argument.name.as_ref().expect("parameters have names");
        format!("{name}: {}", ty(&argument.ty))
    };
    let parameters: Vec<String> = function.inputs.iter().map(parameter).collect();
    let parameters = parameters.join(", ");
    match &function.output {
        syn::ReturnType::Default => format!("fn({parameters})"),
        syn::ReturnType::Type(_, output) => format!("fn({parameters}) -> {}", ty(output)),
    }
}

/// The API minor that a doc comment names.
fn since(doc: &str) -> Option<u32> {
    let (_, rest) = doc.split_once("Since: API 1.")?;
    let digits = rest.split(|c: char| !c.is_ascii_digit()).next()?;
    digits.parse().ok()
}

fn doc(attrs: &[syn::Attribute]) -> String {
    let mut lines = Vec::new();
    for attr in attrs {
        if let syn::Meta::NameValue(pair) = &attr.meta
            && pair.path.is_ident("doc")
        {
            let line = literal(&pair.value).unwrap();
            lines.push(line.strip_prefix(' ').unwrap_or(&line).to_owned());
        }
    }
    lines.join("\n")
}
