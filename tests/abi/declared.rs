//! What a C compiler finds declared in `exthost.h`, after its preprocessor.

use std::collections::BTreeMap;

use super::compiler;
use crate::support::compilers::Compiler;

/// The declarations of the header, with types in normal form.
pub(super) struct Declared {
    /// Fields of each struct, by its Rust name: name and type.
    pub structs: BTreeMap<String, Vec<(String, String)>>,
    /// What stands behind each other name.
    pub aliases: BTreeMap<String, String>,
    /// Macros that are constants.
    pub macros: Vec<String>,
}

impl Declared {
    /// Reads the header as `compiler` does.
    pub(super) fn read(compiler: &Compiler) -> Self {
        let mut declared = Declared {
            structs: BTreeMap::new(),
            aliases: BTreeMap::new(),
            macros: macros(&compiler::preprocessed(compiler, &["-dM"])),
        };
        let text = compiler::preprocessed(compiler, &["-P"]);
        for statement in statements(&text) {
            declared.take(&statement);
        }
        declared
    }

    fn take(&mut self, statement: &str) {
        if let Some((head, body)) = statement.split_once('{') {
            let name = head.trim().strip_prefix("struct ").and_then(rust_name);
            let function = head.contains('(');
            assert!(
                function || name.is_some() || !head.contains("exthost_"),
                "`{head}` may not cross"
            );
            if let Some(name) = name {
                let body = body.trim_end().strip_suffix('}').unwrap();
                let fields = body.split(';').map(str::trim);
                let fields = fields.filter(|field| !field.is_empty()).map(declaration);
                self.structs.insert(name, fields.collect());
            }
        } else if let Some(named) = statement.strip_prefix("typedef ")
            && !named.starts_with("struct ")
            && named.contains("exthost_")
        {
            let (name, ty) = declaration(named);
            let name = rust_name(&name).unwrap_or_else(|| panic!("what is {name}?"));
            self.aliases.insert(name, ty);
        }
    }
}

/// `RouteSpec` of `exthost_route_spec`, `Done` of `exthost_done_fn`.
fn rust_name(name: &str) -> Option<String> {
    let name = name.strip_prefix("exthost_")?;
    let words = name.trim_end_matches("_fn").split('_');
    let capital = |word: &str| word[..1].to_uppercase() + &word[1..];
    Some(words.map(capital).collect())
}

/// The words that the header puts into declarations.
const WORDS: [&str; 3] = ["EXTHOST_EXTERN", "EXTHOST_EXPORT", "EXTHOST_META_SECTION"];

/// The constants of the header among all macros, by name.
fn macros(text: &str) -> Vec<String> {
    let lines = text
        .lines()
        .filter_map(|line| line.strip_prefix("#define "));
    let lines = lines.filter_map(|line| line.split_once(' '));
    let ours = lines.filter(|(name, value)| {
        let ours = name.starts_with("EXTHOST_") && !name.contains('(');
        ours && !WORDS.contains(name) && !value.trim().is_empty()
    });
    ours.map(|(name, _)| name.to_owned()).collect()
}

/// The statements at file scope, without their semicolons.
fn statements(text: &str) -> Vec<String> {
    let mut statements = vec![String::new()];
    let mut depth = 0;
    for c in text.chars() {
        depth += i32::from(c == '{') - i32::from(c == '}');
        let last = statements.last_mut().unwrap();
        // The body of a function is ended by its brace.
        let body = c == '}' && depth == 0 && last.contains(')');
        let body = body && !last.trim_start().starts_with("struct ");
        if (c == ';' && depth == 0) || body {
            *last = last.trim().to_owned();
            statements.push(String::new());
        } else {
            last.push(if c.is_whitespace() { ' ' } else { c });
        }
    }
    statements
}

/// Name and type of `const uint8_t *ptr`, or of a pointer to a function.
fn declaration(text: &str) -> (String, String) {
    let Some((returned, rest)) = text.split_once("(*") else {
        let at = text.rfind([' ', '*']).unwrap_or_else(|| panic!("{text}")) + 1;
        return (text[at..].to_owned(), type_of(&text[..at]));
    };
    let (name, parameters) = rest.split_once(")(").unwrap_or_else(|| panic!("{text}"));
    let parameters = parameters.trim_end().strip_suffix(')').unwrap().split(',');
    let parameters: Vec<_> = parameters
        .map(|parameter| declaration(parameter.trim()))
        .map(|(name, ty)| format!("{name}: {ty}"))
        .collect();
    let parameters = parameters.join(", ");
    let ty = match returned.trim() {
        "void" => format!("fn({parameters})"),
        returned => format!("fn({parameters}) -> {}", type_of(returned)),
    };
    (name.to_owned(), ty)
}

/// A type in normal form.
fn type_of(text: &str) -> String {
    let text = text.trim();
    if let Some(pointee) = text.strip_suffix('*') {
        let pointee = pointee.trim();
        let constant = pointee.strip_suffix("const").map(str::trim);
        let constant = constant.filter(|pointee| pointee.ends_with('*'));
        let before = pointee
            .strip_prefix("const ")
            .filter(|rest| !rest.contains('*'));
        return match constant.or(before) {
            Some(pointee) => format!("*const {}", type_of(pointee)),
            None => format!("*mut {}", type_of(pointee)),
        };
    }
    match text {
        "char" | "uint8_t" => "u8",
        "uint32_t" => "u32",
        "int32_t" => "i32",
        "uint64_t" => "u64",
        "int64_t" => "i64",
        "double" => "f64",
        "size_t" => "usize",
        "void" => "c_void",
        other => return rust_name(other).unwrap_or_else(|| panic!("{other} may not cross")),
    }
    .to_owned()
}

#[test]
fn a_declaration_is_read_as_a_compiler_reads_it() {
    for (text, name, ty) in [
        ("const uint8_t *ptr", "ptr", "*const u8"),
        ("void **instance", "instance", "*mut *mut c_void"),
        ("exthost_str name", "name", "Str"),
        (
            "const exthost_str *const *names",
            "names",
            "*const *const Str",
        ),
        (
            "exthost_status (*run)(const void *ctx, uint64_t cause)",
            "run",
            "fn(ctx: *const c_void, cause: u64) -> Status",
        ),
        (
            "void (*exthost_release_fn)(void *owner)",
            "exthost_release_fn",
            "fn(owner: *mut c_void)",
        ),
    ] {
        assert_eq!(declaration(text), (name.to_owned(), ty.to_owned()));
    }
    let text = "struct a { int b; }; static int f(void) { return 1; } typedef int c;";
    let expected = [
        "struct a { int b; }",
        "static int f(void) { return 1;",
        "typedef int c",
        "",
    ];
    assert_eq!(statements(text), expected);
}
