//! Each change that an author of the host may be tempted to make, on a copy of the
//! source in memory: what would break a plugin in the field is refused.

use exthost_abi::Version;

use super::freeze::{Published, RELEASED};
use super::lock::{Lock, Meta};
use super::source::{Source, texts};
use super::{FINGERPRINTS, meta};

/// The source, a lock file and an API version, to be changed.
struct Draft {
    texts: Vec<(String, String)>,
    lock: Lock,
    meta: Meta,
    released: u32,
    minor: u32,
}

impl Draft {
    /// As they are, and with the newest API version released.
    fn new() -> Self {
        let texts = texts();
        let lock = Lock::of(&Source::of(&texts), meta::meta());
        Draft {
            released: lock.versions.len() as u32 - 1,
            minor: lock.versions.len() as u32 - 1,
            meta: lock.meta.clone(),
            lock,
            texts,
        }
    }

    /// Replaces `old`, which must be there, in the source of `module`.
    fn with(mut self, module: &str, old: &str, new: &str) -> Self {
        let text = self.texts.iter_mut().find(|(name, _)| name == module);
        let (_, text) = text.unwrap();
        assert!(text.contains(old), "{module} has no {old}");
        *text = text.replacen(old, new, 1);
        self
    }

    /// Adds to the end of `module`, `NEXT` being the API version that follows.
    fn added(mut self, module: &str, more: &str) -> Self {
        let next = format!("Since: API 1.{}", self.released + 1);
        let text = self.texts.iter_mut().find(|(name, _)| name == module);
        text.unwrap().1 += &more.replace("NEXT", &next);
        self
    }

    /// Raises `API_VERSION`.
    fn raised(mut self, by: u32) -> Self {
        self.minor += by;
        self
    }

    /// Releases what it says now.
    fn release(mut self) -> Self {
        self.lock = self.follow().unwrap();
        self.released = self.minor;
        self
    }

    fn follow(&self) -> Result<Lock, String> {
        let rows = self.lock.tables.iter();
        let known: Vec<_> = rows
            .map(|row| (row.key(), row.fingerprint.clone()))
            .collect();
        let known: Vec<_> = known.iter().map(|(key, hash)| (&**key, &**hash)).collect();
        self.follow_beside(&known)
    }

    fn follow_beside(&self, fingerprints: &[(&str, &str)]) -> Result<Lock, String> {
        let lock = serde_json::to_value(&self.lock).unwrap();
        let published = Published {
            lock: serde_json::from_value(lock).unwrap(),
            released: self.released,
            fingerprints,
        };
        let api = Version {
            major: 1,
            minor: self.minor,
            patch: 0,
        };
        published.follow(&Source::of(&self.texts), api, self.meta.clone())
    }

    /// Asserts that it is refused with these words.
    #[track_caller]
    fn refused(self, words: &[&str]) {
        let message = self.follow().expect_err("this would break a plugin");
        println!("{message}");
        for word in words {
            assert!(message.contains(word), "{word} is not in: {message}");
        }
    }
}

const CHANGED: [&str; 3] = [
    "the published table log/1 has changed, in ",
    "`pub struct LogTable2`",
    "Since: API 1.",
];

#[test]
fn a_slot_keeps_type_arguments_and_place() {
    let write = "level: u32,\n        message: Str,";
    for (old, new) in [
        ("level: u32", "level: i32"),
        ("level: u32", "severity: u32"),
        (write, "message: Str,\n        level: u32,"),
        (
            write,
            "level: u32,\n        message: Str,\n        target: Str,",
        ),
        ("fields: *const Field", "fields: *mut Field"),
        (
            "enabled: *mut u32,\n    ) -> Status",
            "enabled: *mut u32,\n    ) -> u32",
        ),
        ("pub write:", "pub write_line:"),
        ("pub enabled:", "pub more: u64, pub enabled:"),
    ] {
        Draft::new().with("log", old, new).refused(&CHANGED);
    }
    let order = Draft::new()
        .with("log", "pub write:", "pub swap:")
        .with("log", "pub enabled:", "pub write:")
        .with("log", "pub swap:", "pub enabled:");
    order.refused(&CHANGED);
}

#[test]
fn a_table_keeps_its_slots_and_a_struct_its_fields() {
    let rollback = "    pub rollback: unsafe extern \"C\" fn(ctx: *const c_void, cause: u64, \
                    tx: u64) -> Status,\n";
    let gone = Draft::new().with("db", rollback, "");
    gone.refused(&[
        "the published table db/1 has changed",
        "`pub struct DbTable2`",
    ]);

    let field = Draft::new().with(
        "log",
        "pub value: Value,",
        "pub value: Value, pub unit: Str,",
    );
    field.refused(&CHANGED);
    let padding = Draft::new().with(
        "data",
        "    pub reserved: u32,\n    /// The value",
        "    /// The value",
    );
    padding.refused(&["has changed"]);
    let callback = Draft::new().with("tasks", "fn(data: *mut c_void, id: u64)>", "fn(id: u64)>");
    callback.refused(&["the published table tasks/1 has changed, in Run"]);
}

#[test]
fn constants_and_codes_keep_their_values() {
    let level = Draft::new().with("log", "LEVEL_WARN: u32 = 2", "LEVEL_WARN: u32 = 7");
    level.refused(&["the published table log/1 has changed, in its constants"]);
    let id = Draft::new().with("log", "\"log\"", "\"logs\"");
    id.refused(&["the published table log/1 has changed"]);
    let code = "    pub const CORRUPT: Status = Status(18);\n";
    Draft::new()
        .with("data", code, "")
        .refused(&["has changed", "new table"]);
    let code = Draft::new().with("data", "Status(18)", "Status(19)");
    code.refused(&["has changed, in Status", "new table"]);
    let kind = Draft::new().with("data", "VALUE_BLOB: u32 = 4", "VALUE_BLOB: u32 = 5");
    kind.refused(&["the published constant VALUE_BLOB = 4 has changed"]);
    let kind = Draft::new().with("data", "pub const VALUE_BLOB: u32 = 4;", "");
    kind.refused(&["the published constant VALUE_BLOB = 4 has changed or is gone"]);
}

#[test]
fn a_table_stays() {
    let mut draft = Draft::new();
    draft.texts.retain(|(name, _)| name != "broadcast");
    draft.refused(&["the published table broadcast/1 is gone", "Put it back"]);
}

#[test]
fn the_lock_file_is_not_edited() {
    let mut value = Draft::new();
    value.lock.tables[2].constants[1].value = "7".to_owned();
    value.refused(&["log/1: the row was edited by hand"]);

    let mut row = Draft::new();
    row.lock.tables.remove(2);
    row.refused(&["log/1: its row is gone", "restore"]);

    let mut table = Draft::new().with("log", "level: u32", "level: i32");
    let known = [("log/1", table.lock.tables[2].fingerprint.clone())];
    let known = known.each_ref().map(|(key, hash)| (*key, &**hash));
    table.lock.tables.remove(2);
    table.lock.versions[0].tables.remove(2);
    let message = table.follow_beside(&known).unwrap_err();
    assert!(message.contains(FINGERPRINTS), "{message}");

    let mut version = Draft::new();
    version.lock.versions[0].tables.remove(2);
    version.refused(&["log/1 is new, but says that it came with API 1.0"]);
}

#[test]
fn the_form_of_the_meta_stays() {
    let mut draft = Draft::new();
    draft.meta.constants[2].value = "exthost_manifest".to_owned();
    draft.refused(&["the form of the meta has changed"]);
    let mut draft = Draft::new();
    draft.meta.required.push("signature".to_owned());
    draft.refused(&["the form of the meta has changed", "optional"]);
    let mut draft = Draft::new();
    draft.meta.optional.retain(|key| key != "wants");
    draft.refused(&["the meta's key wants is gone"]);
    let mut draft = Draft::new();
    draft.meta.optional.push("signature".to_owned());
    assert!(draft.follow().is_ok());
}

const SECOND: &str = "
    /// The table `log/2`.
    ///
    /// NEXT.
    #[repr(C)]
    pub struct LogTable2 {
        /// `[any-thread]` Flushes.
        /// NEXT.
        pub flush: unsafe extern \"C\" fn(ctx: *const c_void, cause: u64) -> Status,
    }
";

#[test]
fn a_new_table_may_come() {
    let draft = Draft::new();
    let before = draft.lock.tables.len();
    let lock = draft.added("log", SECOND).raised(1).follow().unwrap();
    let new = lock.tables.iter().find(|row| row.key() == "log/2").unwrap();
    assert_eq!((lock.tables.len(), new.types.len()), (before + 1, 2));
    assert_eq!(lock.versions.last().unwrap().tables, ["log/2"]);
}

#[test]
fn a_new_table_is_a_draft_until_its_release() {
    let mut draft = Draft::new().added("log", SECOND).raised(1);
    draft.lock = draft.follow().unwrap();
    let draft = draft.with("log", "pub flush:", "pub sync:");
    assert!(draft.follow().is_ok());
    let released = draft.release().with("log", "pub sync:", "pub flush:");
    released.refused(&[
        "the published table log/2 has changed",
        "`pub struct LogTable3`",
    ]);
}

#[test]
fn a_constant_may_join_a_set_and_stays() {
    let level = "/// Louder. NEXT.\npub const LEVEL_FATAL: u32 = 6;\n";
    let draft = Draft::new().added("log", level);
    let hash = draft.lock.keyed("log/1").unwrap().fingerprint.clone();
    let draft = draft.raised(1);
    let lock = draft.follow().unwrap();
    assert_eq!(lock.keyed("log/1").unwrap().fingerprint, hash);
    assert_eq!(
        lock.versions.last().unwrap().constants[0].name,
        "LEVEL_FATAL"
    );

    let released = draft
        .release()
        .with("log", "LEVEL_FATAL: u32 = 6", "LEVEL_FATAL: u32 = 0");
    released.refused(&["the published constant LEVEL_FATAL = 6 has changed"]);

    let undated = Draft::new().added("log", "pub const LEVEL_FATAL: u32 = 6;");
    undated.refused(&CHANGED);
    let undated = Draft::new().added("data", "pub const VALUE_DATE: u32 = 5;");
    undated.refused(&["VALUE_DATE is new, but says that it came with API 1.0"]);
}

#[test]
fn what_is_new_says_when_it_came() {
    let undated = SECOND.replace("NEXT", "");
    Draft::new()
        .added("log", &undated)
        .refused(&["log/2 is new, but says", "API_VERSION"]);

    Draft::new()
        .added("log", SECOND)
        .refused(&["API_VERSION", "log/2, says \"Since: API 1."]);
    Draft::new()
        .raised(1)
        .refused(&["API_VERSION", "both must be the same"]);

    let far = Draft::new();
    let later = format!("Since: API 1.{}", far.released + 2);
    let far = far.added("log", &SECOND.replace("NEXT", &later)).raised(2);
    far.refused(&["so what is new is of API 1."]);

    let slot = SECOND
        .replacen("NEXT", "THEN", 1)
        .replace("NEXT", "Since: API 1.0")
        .replace("THEN", "NEXT");
    let slot = Draft::new().added("log", &slot).raised(1);
    slot.refused(&["LogTable2.flush says \"Since: API 1.0\""]);
}

#[test]
fn no_museum_is_newer_than_what_was_released() {
    let Ok(folders) = std::fs::read_dir(super::repo("tests/abi/museum")) else {
        return;
    };
    for folder in folders {
        let name = folder.unwrap().file_name().into_string().unwrap();
        let minor = name
            .strip_prefix("1.")
            .and_then(|rest| rest.split('.').next());
        let minor = minor.and_then(|minor| minor.parse().ok());
        assert!(
            minor.is_none_or(|minor: u32| (0..=RELEASED).contains(&minor)),
            "the museum has plugins of API {name}, so it was released: raise RELEASED in \
             tests/abi/freeze.rs"
        );
    }
}
