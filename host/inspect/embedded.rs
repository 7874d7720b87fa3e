//! Plugins that are compiled into this program, which have no file to read.

use std::path::PathBuf;

use exthost_abi::Embedded;

use super::{Facts, InspectError, Inspected, Meta, Target};

/// What the path of such a plugin begins with; its name follows.
const PREFIX: &str = "embedded:";

/// Reads what a plugin says of itself that is compiled into this program; it is
/// shown as the file `embedded:<name>`, and its meta are all the bytes it has.
///
/// # Errors
/// [`InspectError::Meta`].
pub fn inspect_embedded(plugin: Embedded) -> Result<Inspected, InspectError> {
    let bytes = plugin.meta();
    let meta = Meta::parse(bytes)?;
    Ok(Inspected {
        path: format!("{PREFIX}{}", meta.name).into(),
        bytes: bytes.to_vec(),
        hash: blake3::hash(bytes),
        facts: facts(),
        meta,
        meta_bytes: bytes.to_vec(),
        ownership: None,
        embedded: Some(plugin),
    })
}

/// Where a plugin is shown whose meta cannot be read.
pub(crate) fn nameless() -> PathBuf {
    format!("{PREFIX}?").into()
}

/// The compiler and the linker have seen to all that headers are asked for.
fn facts() -> Facts {
    Facts {
        target: Target::current(),
        needed: Vec::new(),
        hazards: Vec::new(),
        glibc: None,
        restart_only: false,
        door: true,
        layouts: true,
        meta_exported: true,
    }
}

#[cfg(test)]
mod tests {
    use exthost_plugin::prelude::*;

    use super::*;

    struct Smallest;

    impl Plugin for Smallest {
        fn init(_: &mut Router, _: &Services) -> Result<Self> {
            Ok(Smallest)
        }
    }

    export_plugin!(
        Smallest,
        embedded,
        name = "smallest",
        version = "1.2.3",
        priority = 7
    );

    #[test]
    fn an_embedded_plugin_is_what_its_meta_says() {
        let inspected = inspect_embedded(Smallest::embedded()).unwrap();
        assert_eq!(inspected.path().to_str(), Some("embedded:smallest"));
        assert_eq!(*inspected.target(), Target::current());
        let meta = inspected.meta();
        assert_eq!((meta.name.as_str(), meta.priority), ("smallest", 7));
        assert_eq!(meta.version.to_string(), "1.2.3");
        assert_eq!(inspected.hash(), blake3::hash(Smallest::embedded().meta()));
    }
}
