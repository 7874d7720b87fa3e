//! Where a new plugin finds the crates of exthost when they are not published: in the
//! checkout that this program was built from.

use std::path::Path;

use super::template::File;

/// The file that leads there.
pub(crate) const FILE: &str = ".cargo/config.toml";

/// The checkout that this program was built from, if it is still there; a package from
/// a registry does not hold the other crates.
pub(crate) fn root() -> Option<&'static Path> {
    let root = Path::new(env!("CARGO_MANIFEST_DIR"));
    let whole = root.join("plugin-api/Cargo.toml").is_file();
    whole.then_some(root)
}

/// What makes cargo take the crates from the checkout at `root`.
///
/// It is a file of its own, so that the manifest says the same on every machine.
pub(crate) fn patch(root: &Path) -> File {
    let path = |path: &Path| toml::Value::from(path.to_string_lossy().as_ref());
    let (host, sdk) = (path(root), path(&root.join("plugin-api")));
    File {
        path: FILE.to_owned(),
        text: format!(
            "# The crates of exthost come from the checkout whose `exthost new` made this\n\
             # project, published or not. That holds on this machine alone, so git ignores\n\
             # this file. Without it they come from the registry, as Cargo.toml says.\n\
             [patch.crates-io]\n\
             exthost = {{ path = {host} }}\n\
             exthost-plugin = {{ path = {sdk} }}\n"
        ),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn any_path_can_be_written() {
        for root in ["/a checkout", r#"C:\odd "folder"\#x"#] {
            let text = patch(Path::new(root)).text;
            let table: toml::Table = toml::from_str(&text).unwrap();
            let patched = &table["patch"]["crates-io"];
            assert_eq!(patched["exthost"]["path"].as_str(), Some(root));
            assert!(patched["exthost-plugin"]["path"].is_str());
        }
    }

    #[test]
    fn tests_run_in_a_checkout() {
        let root = root().unwrap();
        assert!(root.join("host/cli/new/checkout.rs").is_file());
    }
}
