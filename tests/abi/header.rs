//! Writes `exthost.h`: a hand-written head, what the source says, and a
//! hand-written tail of macros and helpers.

use std::fmt::Write;

use exthost_abi::API_VERSION;

use super::c;
use super::lock::Lock;
use super::source::{Item, Kind, Module, Source};

const HEAD: &str = include_str!("header_head.h");
const TAIL: &str = include_str!("header_tail.h");

/// The text of the header.
pub(super) fn header(source: &Source, lock: &Lock) -> String {
    let mut header = Header {
        source,
        text: HEAD.to_owned(),
        done: Vec::new(),
    };
    header.versions(lock);
    header.forward();
    for module in &source.modules {
        header.module(module);
    }
    header.accessors();
    header.text.push('\n');
    header.text.push_str(TAIL);
    header.text
}

struct Header<'a> {
    source: &'a Source,
    text: String,
    /// Names of the types that are already declared.
    done: Vec<&'a str>,
}

impl<'a> Header<'a> {
    fn line(&mut self, line: &str) {
        self.text.push_str(line);
        self.text.push('\n');
    }

    fn versions(&mut self, lock: &Lock) {
        let api = API_VERSION;
        let api = format!("{}.{}.{}", api.major, api.minor, api.patch);
        self.line("\n/* The API version this header is of. */");
        self.line(&format!("#define EXTHOST_API_VERSION \"{api}\""));
        self.line("\n/* Each table with its fingerprint, and all of them: the meta's entry. */");
        let mut all = Vec::new();
        for row in &lock.tables {
            let name = format!("EXTHOST_TABLE_{}_{}", row.id.to_uppercase(), row.revision);
            self.line(&format!(
                "#define {name} \"{}={}\"",
                row.key(),
                row.fingerprint
            ));
            all.push(name);
        }
        let all = all.join(" \",\" \\\n    ");
        self.line(&format!("#define EXTHOST_TABLES \\\n    {all}"));
    }

    fn forward(&mut self) {
        self.line("\n/* Every struct, declared ahead. */");
        for (_, item) in self.source.items() {
            if matches!(item.kind, Kind::Struct(_)) {
                let name = c::type_name(item);
                self.line(&format!("typedef struct {name} {name};"));
            }
        }
    }

    fn module(&mut self, module: &'a Module) {
        let doc = c::doc(self.source, &module.doc);
        let rule = "-".repeat(74);
        self.line(&format!("\n/* {rule}"));
        self.comment_body("", &c::wrap(&doc, 74));
        for item in &module.items {
            self.item(module, item);
        }
    }

    fn item(&mut self, module: &Module, item: &'a Item) {
        if let Kind::Constant { ty, value } = &item.kind {
            let value = match ty.as_str() {
                "&str" => format!("\"{value}\""),
                _ => format!("{value}u"),
            };
            self.text.push('\n');
            self.comment("", &item.doc);
            let name = c::constant_name(&module.name, &item.name);
            return self.line(&format!("#define {name} {value}"));
        }
        if self.done.contains(&item.name.as_str()) {
            return;
        }
        self.done.push(&item.name);
        for need in c::needs(self.source, item) {
            self.item(module, need);
        }
        self.text.push('\n');
        self.comment("", &item.doc);
        let name = c::type_name(item);
        match &item.kind {
            Kind::Struct(_) => self.structure(item, &name),
            Kind::Callback(signature) => {
                let declaration = c::declaration(self.source, signature, &name, "");
                self.line(&format!("typedef {declaration};"));
            }
            Kind::Code { ty, codes } => {
                let ty = c::type_of(self.source, ty);
                self.line(&format!("typedef {ty} {name};"));
                for code in codes {
                    self.code(code);
                }
            }
            Kind::Constant { .. } => {}
        }
    }

    fn structure(&mut self, item: &Item, name: &str) {
        let Kind::Struct(fields) = &item.kind else {
            return;
        };
        self.line(&format!("struct {name} {{"));
        for (index, field) in fields.iter().enumerate() {
            let slot = field.ty.starts_with("fn(");
            if slot && index > 0 {
                self.text.push('\n');
            }
            self.comment("    ", &field.doc);
            // Text is `char` to a C programmer.
            let ty = match (item.name.as_str(), field.name.as_str()) {
                ("Str", "ptr") => "const char *ptr".to_owned(),
                _ => c::declaration(self.source, &field.ty, &field.name, "    "),
            };
            self.line(&format!("    {ty};"));
        }
        self.line("};");
    }

    fn code(&mut self, code: &Item) {
        let Kind::Constant { value, .. } = &code.kind else {
            return;
        };
        self.comment("", &code.doc);
        self.line(&format!("#define EXTHOST_{} {value}", code.name));
    }

    /// One function a service table, which asks for it by its id.
    fn accessors(&mut self) {
        let rule = "-".repeat(74);
        self.line(&format!("\n/* {rule}"));
        self.line(" * The service tables by name: null when the host does not offer one or the");
        self.line(" * plugin was not granted it; `exthost_services.last_error` says which. */");
        for (module, item) in self.source.items() {
            let Some((_, revision)) = item.table() else {
                continue;
            };
            if module.name == "door" {
                continue;
            }
            let table = c::type_name(item);
            let function = table.replace("_table", "");
            let id = c::constant_name(&module.name, "ID");
            let _ = write!(
                self.text,
                "\nstatic inline const {table} *{function}(const exthost_services *services)\n\
                 {{\n    const exthost_str id = {{{id}, sizeof {id} - 1}};\n    \
                 return (const {table} *)services->service(services->ctx, id, {revision}u);\n}}\n",
            );
        }
    }

    fn comment(&mut self, indent: &str, doc: &str) {
        let doc = c::doc(self.source, doc);
        let lines = c::wrap(&doc, 74 - indent.len());
        self.line(&format!("{indent}/* {}", lines[0]));
        self.comment_body(indent, &lines[1..]);
    }

    /// The further lines of a comment, and its end.
    fn comment_body(&mut self, indent: &str, lines: &[String]) {
        for line in lines {
            let line = format!("{indent} * {line}");
            self.line(line.trim_end());
        }
        self.text.pop();
        self.line(" */");
    }
}
