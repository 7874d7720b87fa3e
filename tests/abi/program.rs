//! A C program that says of `exthost.h` what a C compiler makes of it.
//!
//! It prints sizes, offsets and values, and claims by static assertions that each
//! type is what the lock says.

use std::collections::BTreeMap;
use std::fmt::Write;
use std::process::Command;

use super::c;
use super::compiler;
use super::declared::Declared;
use super::lock::{Constant, Lock};
use super::source::Source;
use crate::support::compilers::Compiler;

const HEAD: &str = "#include <stdio.h>
#include \"exthost.h\"
#define SAME(expression, ...) \\
    __builtin_types_compatible_p(__typeof__(expression), __VA_ARGS__)
#define NUMBER(expression) printf(\"%s number %llu\\n\", #expression, (unsigned long long)(expression))
#define VALUE(name) \\
    printf(_Generic((name), unsigned: \"%s u32 %u\\n\", int: \"%s i32 %d\\n\", \\
                    char *: \"%s &str %s\\n\", const char *: \"%s &str %s\\n\"), #name, name)
";

/// What the program printed.
pub(super) struct Printed {
    /// Type and text of what is named: `i32` and `0` of `EXTHOST_OK`.
    values: BTreeMap<String, (String, String)>,
    /// How many things the compiler was asked: types that it compared with the
    /// lock, sizes, offsets and values.
    pub asked: usize,
}

impl Printed {
    /// Compiles the program and runs it.
    pub(super) fn by(compiler: &Compiler, source: &Source, lock: &Lock, all: &Declared) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let (file, program) = (folder.path().join("lock.c"), folder.path().join("lock"));
        let claims = claims(source, lock);
        std::fs::write(&file, format!("{HEAD}{claims}{}", main(source, all))).unwrap();
        // The format is chosen by type, which a compiler may not see through.
        let output = program.to_str().unwrap();
        compiler::compile(compiler, "-std=c11", &file, &["-Wno-format", "-o", output]);
        let output = Command::new(program).output().unwrap();
        assert!(output.status.success(), "{output:?}");
        let text = String::from_utf8(output.stdout).unwrap();
        let values = text.lines().map(|line| {
            let mut words = line.splitn(3, ' ').map(str::to_owned);
            let mut word = || words.next().unwrap();
            (word(), (word(), word()))
        });
        let values: BTreeMap<_, _> = values.collect();
        Printed {
            asked: claims.lines().count() + values.len(),
            values,
        }
    }

    /// A size or an offset.
    pub(super) fn number(&self, expression: &str) -> usize {
        let (_, text) = &self.values[expression];
        text.parse().unwrap()
    }

    /// The constant called `name` in Rust and `macro_name` in C.
    pub(super) fn constant(&self, name: &str, macro_name: &str) -> Constant {
        let value = self.values.get(macro_name);
        let (ty, value) = value.unwrap_or_else(|| panic!("the header has no {macro_name}"));
        Constant {
            name: name.to_owned(),
            ty: ty.clone(),
            value: value.clone(),
        }
    }
}

/// One `_Static_assert` for the type of each field and of each callback.
fn claims(source: &Source, lock: &Lock) -> String {
    let mut text = String::new();
    let mut claim = |expression: &str, ty: &str| {
        let same = format!("SAME({expression}, {ty})").replace('\n', " ");
        let _ = writeln!(text, "_Static_assert({same}, \"{same}\");");
    };
    for ty in lock.tables.iter().flat_map(|row| &row.types) {
        let name = c::type_name(source.named(&ty.name).unwrap());
        if let Some(inner) = &ty.is {
            claim(
                &format!("*({name} *)0"),
                &c::declaration(source, inner, "", ""),
            );
        }
        for member in &ty.fields {
            let field = &member.name;
            let ty = match (name.as_str(), field.as_str()) {
                ("exthost_str", "ptr") => "const char *".to_owned(),
                _ => c::declaration(source, &member.ty, "", ""),
            };
            claim(&format!("(({name} *)0)->{field}"), &ty);
        }
    }
    text
}

/// The function that prints what stands in the header, whatever the lock says.
fn main(source: &Source, all: &Declared) -> String {
    let mut text = String::from("int main(void)\n{\n");
    let mut number = |expression: String| {
        let _ = writeln!(text, "    NUMBER({expression});");
    };
    let names = all.structs.keys().chain(all.aliases.keys());
    for name in names {
        let name = c::type_name(source.named(name).unwrap_or_else(|| {
            panic!("the header declares {name}, which exthost-abi does not have")
        }));
        number(format!("sizeof({name})"));
        number(format!("_Alignof({name})"));
    }
    for (name, fields) in &all.structs {
        let name = c::type_name(source.named(name).unwrap());
        for (field, _) in fields {
            number(format!("offsetof({name},{field})"));
            number(format!("sizeof((({name}*)0)->{field})"));
        }
    }
    for name in &all.macros {
        let _ = writeln!(text, "    VALUE({name});");
    }
    text + "    return 0;\n}\n"
}
