//! A C program that claims of `exthost.h` what `lock.json` says, for a C
//! compiler to check.

use std::fmt::Write;

use super::c;
use super::lock::{Lock, Member, Type};
use super::source::Source;

/// The program: one `_Static_assert` for each size, offset, type and constant.
pub(super) fn program(source: &Source, lock: &Lock) -> String {
    let mut text = String::from(
        "#include \"exthost.h\"\n\
         #define SAME(expression, ...) \\\n    \
         __builtin_types_compatible_p(__typeof__(expression), __VA_ARGS__)\n",
    );
    let mut claim = |condition: &str| {
        let condition = condition.replace('\n', " ");
        let words = condition.replace('"', "'");
        let _ = writeln!(text, "_Static_assert({condition}, \"{words}\");");
    };
    for row in &lock.tables {
        for constant in row
            .constants
            .iter()
            .filter(|constant| constant.ty != "&str")
        {
            let name = c::constant_name(&row.id, &constant.name);
            claim(&format!("{name} == {}u", constant.value));
        }
        for ty in &row.types {
            described(source, ty, &mut claim);
        }
    }
    text
}

fn described(source: &Source, ty: &Type, claim: &mut impl FnMut(&str)) {
    let name = c::type_name(source.named(&ty.name).unwrap());
    claim(&format!("sizeof({name}) == {}", ty.size));
    claim(&format!("_Alignof({name}) == {}", ty.align));
    if let Some(inner) = &ty.is {
        let inner = c::declaration(source, inner, "", "");
        claim(&format!("SAME(*({name} *)0, {inner})"));
    }
    for code in &ty.codes {
        claim(&format!("EXTHOST_{} == {}", code.name, code.value));
    }
    for member in &ty.fields {
        placed(source, &name, member, claim);
    }
}

fn placed(source: &Source, name: &str, member: &Member, claim: &mut impl FnMut(&str)) {
    let field = &member.name;
    let value = format!("(({name} *)0)->{field}");
    claim(&format!("offsetof({name}, {field}) == {}", member.offset));
    claim(&format!("sizeof({value}) == {}", member.size));
    let ty = match (name, field.as_str()) {
        ("exthost_str", "ptr") => "const char *".to_owned(),
        _ => c::declaration(source, &member.ty, "", ""),
    };
    claim(&format!("SAME({value}, {ty})"));
}
