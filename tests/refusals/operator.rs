//! Files that are refused for what their operator says of them, or has not put
//! where they say.

use super::zoo::Zoo;

/// What they say.
const CONFIG: &str = "\
[plugins]
directories = [\"plugins\", \"elsewhere/gone\"]

[plugin.unreadable]
path = \"elsewhere/gone.so\"

[plugin.empty]
path = \"elsewhere/empty\"

[plugin.expected]
path = \"elsewhere/found.so\"

[plugin.ungranted]
grants = [\"log/1\"]
";

/// Adds all of them.
pub(crate) fn add(zoo: &mut Zoo) {
    zoo.configure(CONFIG);
    let (gone, none) = (zoo.elsewhere("gone"), zoo.elsewhere("gone.so"));
    zoo.expect(
        &gone,
        "unreadable-directory",
        &[gone.to_str().unwrap(), "create it"],
    );
    zoo.expect(
        &none,
        "unreadable",
        &["No such file", "check its permissions"],
    );

    let empty = zoo.elsewhere("empty");
    std::fs::create_dir(&empty).unwrap();
    zoo.expect(&empty, "empty-folder", &["correct the path"]);

    let named = zoo.sound.clone().with("name", "found");
    let file = zoo.place(zoo.elsewhere("found.so"), named);
    let says = [
        "[plugin.expected]",
        "plugin found",
        "correct the path, or call the section",
    ];
    zoo.expect(&file, "other-name", &says);

    let says = ["needs routes/1", "granted log/1", "grant it"];
    zoo.library("ungranted.so", zoo.sound.clone(), "not-granted", &says);
}
