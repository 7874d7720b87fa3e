//! Do the pages for people say what the code does?

use std::collections::BTreeMap;
use std::path::{Path, PathBuf};

use exthost::Refusal;
use exthost::config::ConfigFile;
use exthost::library::LoadError;

use super::support::server::Server;
use super::support::{c_plugin, root};

/// Where the codes of each stage are given, by the stage's name in the table.
const STAGES: &[(&str, &str)] = &[
    ("discover", "host/discovery/error.rs"),
    ("inspect", "host/inspect/error.rs"),
    ("verify", "host/verify/error.rs"),
    ("lock", "host/pins/error.rs"),
    ("load", "host/library.rs"),
    // The hook, with which each of its codes begins.
    ("", "host/instance.rs"),
];

#[test]
fn the_table_of_refusals_has_every_code_and_no_other() {
    let mut expected = BTreeMap::new();
    for (stage, file) in STAGES {
        let codes = codes_of(&read(file));
        assert!(!codes.is_empty(), "{file} gives no code");
        for code in codes {
            let hook = code.split('-').next().unwrap();
            let stage = if stage.is_empty() { hook } else { stage };
            let row = (stage.to_owned(), before(stage, &code).to_owned());
            let other = expected.insert(code.clone(), row);
            assert!(other.is_none(), "two stages refuse with {code}");
        }
    }
    let table = table_of_refusals();
    let missing = differing(&expected, &table);
    let gone = differing(&table, &expected);
    assert!(
        missing.is_empty() && gone.is_empty(),
        "docs/abi.md, Refusals: the code has {missing:#?}, the table has {gone:#?}"
    );
}

/// What the table must say of a code: whether none of the plugin's code has run.
fn before(stage: &str, code: &str) -> &'static str {
    let early = match stage {
        "load" => {
            let image = LoadError::Image {
                source: std::io::Error::other("no space"),
            };
            let errors = [LoadError::LoaderStuck, image];
            let mut refusals = errors.map(|error| Refusal::new("a.so", error)).into_iter();
            refusals.any(|refusal| refusal.code() == code && !refusal.code_ran())
        }
        stage => !["init", "start", "stop"].contains(&stage),
    };
    if early { "yes" } else { "no" }
}

/// The codes that the `code` functions of a source file return.
fn codes_of(source: &str) -> Vec<String> {
    let functions = source.split("pub fn code(&self) -> &'static str {").skip(1);
    let arms = functions.flat_map(|function| {
        let (body, _) = function.split_once("\n    }\n").unwrap();
        body.split("=> \"").skip(1)
    });
    arms.map(|arm| arm.split('"').next().unwrap().to_owned())
        .collect()
}

/// Stage and "before" of each code in the table.
pub(crate) fn table_of_refusals() -> BTreeMap<String, (String, String)> {
    let page = read("docs/abi.md");
    let (_, section) = page.split_once("\n## Refusals\n").unwrap();
    let (section, _) = section.split_once("\n## ").unwrap();
    let rows = section.lines().filter(|line| line.starts_with("| `"));
    let mut table = BTreeMap::new();
    for row in rows {
        let mut cells = row.split('|').skip(1).map(str::trim);
        let mut cell = || cells.next().unwrap_or_default().to_owned();
        let (code, stage, before) = (cell(), cell(), cell());
        assert!(!cell().is_empty(), "{code} has no meaning");
        let twice = table.insert(code.trim_matches('`').to_owned(), (stage, before));
        assert!(twice.is_none(), "{code} stands twice");
    }
    table
}

/// What `ours` says that `theirs` does not.
fn differing<K: Ord + Clone, V: Eq + Clone>(
    ours: &BTreeMap<K, V>,
    theirs: &BTreeMap<K, V>,
) -> Vec<(K, V)> {
    ours.iter()
        .filter(|(key, value)| theirs.get(key) != Some(value))
        .map(|(key, value)| (key.clone(), value.clone()))
        .collect()
}

#[test]
fn links_of_the_pages_lead_somewhere() {
    let mut broken = Vec::new();
    for page in pages() {
        let text = std::fs::read_to_string(&page).unwrap();
        for link in text.split("](").skip(1) {
            let link = link.split(')').next().unwrap();
            if link.contains("://") {
                continue;
            }
            let (file, heading) = link.split_once('#').unwrap_or((link, ""));
            let target = match file {
                "" => page.clone(),
                file => page.parent().unwrap().join(file),
            };
            if !target.exists() || !(heading.is_empty() || headings(&target).contains(heading)) {
                broken.push(format!("{}: {link}", page.display()));
            }
        }
    }
    assert!(broken.is_empty(), "{}", broken.join("\n"));
}

/// The pages that are kept in step with the code.
fn pages() -> Vec<PathBuf> {
    let pages = [
        "README.md",
        "CHANGELOG.md",
        "CONTRIBUTING.md",
        "docs/abi.md",
        "docs/abi-policy.md",
        "docs/audit.md",
        "docs/author.md",
        "docs/broadcast.md",
        "docs/c-author.md",
        "docs/database.md",
        "docs/events.md",
        "docs/host-developer.md",
        "docs/kv.md",
        "docs/operator.md",
        "docs/webhooks.md",
        "plugin-api/README.md",
        "plugin-api/abi/README.md",
        "plugins/hello-c/README.md",
    ];
    pages.map(|page| root().join(page)).into()
}

/// The anchors of a page's headings, each on a line of its own.
fn headings(page: &Path) -> String {
    let text = std::fs::read_to_string(page).unwrap();
    let titles = text.lines().filter(|line| line.starts_with('#'));
    let anchor = |title: &str| -> String {
        let title = title.trim_start_matches('#').trim().to_lowercase();
        let kept = title.replace(' ', "-");
        kept.chars()
            .filter(|c| c.is_alphanumeric() || "-_".contains(*c))
            .collect()
    };
    titles.map(anchor).collect::<Vec<_>>().join("\n")
}

#[test]
fn the_schema_for_editors_is_that_of_the_configuration() {
    let file = "docs/exthost.schema.json";
    let expected = serde_json::to_string_pretty(&ConfigFile::schema()).unwrap() + "\n";
    assert!(
        read(file) == expected,
        "{file} is not what `exthost config schema` prints; write that into it"
    );
}

#[test]
fn the_c_plugin_of_the_readme_serves() {
    let readme = read("README.md");
    let (_, source) = readme.split_once("```c\n").unwrap();
    let (source, _) = source.split_once("```").unwrap();
    let directory = tempfile::tempdir().unwrap();
    let file = directory.path().join("smallest.c");
    std::fs::write(&file, source).unwrap();
    let Some(library) = c_plugin(file.to_str().unwrap(), directory.path(), &["-Wall"]) else {
        return;
    };
    let server = Server::start(&[&library]);
    let response = server.get("/api/ext/smallest/hello");
    assert_eq!((response.status, response.text()), (200, "hello world"));
}

fn read(path: &str) -> String {
    std::fs::read_to_string(root().join(path)).unwrap()
}
