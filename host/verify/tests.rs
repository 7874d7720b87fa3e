//! What verification accepts and refuses, and in which order plugins start.

use std::collections::BTreeMap;

use super::*;
use crate::discovery::Candidate;
use crate::inspect::stub::Stub;
use crate::inspect::{Glibc, Hazard, inspect};
use crate::name::PluginName;
use crate::ownership::Ownership;
use crate::pins::{Pin, Pins};

const TABLES: &[(&str, &str)] = &[("db/1", "0123456789abcdef")];

fn policy() -> Policy {
    Policy {
        api: "1.2.0".parse().unwrap(),
        tables: TABLES,
        glibc: Some(Glibc::new(2, 36)),
        ..Policy::default()
    }
}

fn granting(name: &str, list: &[&str]) -> Policy {
    let list = list
        .iter()
        .map(|capability| capability.parse().unwrap())
        .collect();
    let grants = BTreeMap::from([(name.to_owned(), list)]);
    Policy { grants, ..policy() }
}

/// Verifies `stub` and returns the code and the sentence of its refusal.
fn refusal(stub: Stub, policy: &Policy) -> (&'static str, String) {
    let error = verify(stub.inspected(), policy).unwrap_err();
    (error.code(), error.to_string())
}

fn granted(stub: Stub, policy: &Policy) -> Vec<String> {
    let verified = verify(stub.inspected(), policy).unwrap();
    verified
        .granted()
        .iter()
        .map(Capability::to_string)
        .collect()
}

#[test]
fn a_plain_plugin_is_accepted() {
    assert!(granted(Stub::new("hello"), &policy()).is_empty());
    // A later host of the same major goes on accepting it.
    let later = Policy {
        api: "1.9.3".parse().unwrap(),
        ..policy()
    };
    granted(Stub::new("hello"), &later);
}

#[test]
fn each_refusal_has_its_code_and_names_both_values() {
    let hello = || Stub::new("hello");
    let of_c = || hello().with("sdk", "c/1.0.0");
    let hazard = |hazard| Stub {
        hazards: vec![hazard],
        ..hello()
    };
    let cases = [
        (
            Stub {
                door: false,
                ..hello()
            },
            "no-door",
            ["exthost_plugin", "export"],
        ),
        (
            Stub {
                meta_exported: false,
                ..of_c()
            },
            "meta-not-exported",
            ["exthost_meta", "meta"],
        ),
        (
            Stub {
                layouts: false,
                ..hello()
            },
            "no-layouts",
            ["rust/1.0.0", LAYOUT_SYMBOL],
        ),
        (
            hello().with("api", "1.4.0"),
            "api-too-new",
            ["1.4.0", "1.2.0"],
        ),
        (
            hello().with("api", "2.0.0"),
            "api-major",
            ["2.0.0", "1.2.0"],
        ),
        (
            hello().with("api", "0.9.0"),
            "api-major",
            ["0.9.0", "1.2.0"],
        ),
        (
            hello().with("tables", "log/9=0000000000000000,db/1=fedcba9876543210"),
            "table-changed",
            ["fedcba9876543210", "0123456789abcdef"],
        ),
        (
            hazard(Hazard::SearchPath("/tmp".into())),
            "has-rpath",
            ["/tmp", "none"],
        ),
        (
            hazard(Hazard::Audit("a.so".into())),
            "has-audit",
            ["a.so", "none"],
        ),
        (
            hazard(Hazard::Filter("f.so".into())),
            "has-filter",
            ["f.so", "none"],
        ),
        (
            hazard(Hazard::TextRelocations),
            "has-text-relocations",
            ["relocations", "none"],
        ),
        (
            hazard(Hazard::ExecutableStack),
            "has-executable-stack",
            ["stack", "none"],
        ),
        (
            Stub {
                needed: vec!["libevil.so.1".into()],
                ..hello()
            },
            "needs-library",
            ["libevil.so.1", &policy().needed.join(", ")],
        ),
        (
            Stub {
                glibc: Some(Glibc::new(2, 38)),
                ..hello()
            },
            "needs-glibc",
            ["2.38", "2.36"],
        ),
        (
            hello().with("needs", "teleport/1"),
            "unknown-need",
            ["teleport/1", "1.2.0"],
        ),
        (
            hello().with("panic", "abort"),
            "panic-abort",
            ["abort", "unwind"],
        ),
    ];
    for (stub, code, words) in cases {
        let (found, text) = refusal(stub, &policy());
        assert_eq!(found, code, "{text}");
        for word in words {
            assert!(text.contains(word), "{text} does not name {word}");
        }
        assert!(
            text.starts_with(char::is_lowercase) && !text.ends_with('.'),
            "{text}"
        );
    }
}

#[test]
fn the_model_text_is_kept() {
    let (_, text) = refusal(Stub::new("hello").with("api", "1.4.0"), &policy());
    assert_eq!(
        text,
        "plugin reports needs API 1.4.0, this host offers 1.2.0; upgrade the host or build the \
         plugin against exthost-plugin 1.2"
    );
}

#[test]
fn what_the_policy_does_not_concern_is_accepted() {
    let unknown_table = Stub::new("hello").with("tables", "later/7=0000000000000000");
    granted(unknown_table, &policy());
    let plain_c = Stub {
        layouts: false,
        ..Stub::new("hello").with("sdk", "c/1.0.0")
    };
    granted(plain_c, &policy());
    let abort = Policy {
        allow_abort: true,
        ..policy()
    };
    granted(Stub::new("hello").with("panic", "abort"), &abort);
    let unknown_glibc = Policy {
        glibc: None,
        ..policy()
    };
    granted(
        Stub {
            glibc: Some(Glibc::new(9, 9)),
            ..Stub::new("hello")
        },
        &unknown_glibc,
    );
}

#[test]
fn grants_narrow_what_is_asked_for() {
    let stub = || {
        Stub::new("hello")
            .with("needs", "db/1")
            .with("wants", "log/1,later/3")
    };
    assert_eq!(granted(stub(), &policy()), ["db/1", "log/1"]);
    assert_eq!(
        granted(stub(), &granting("hello", &["db/1", "routes/1"])),
        ["db/1"]
    );
    assert_eq!(granted(stub(), &granting("other", &[])), ["db/1", "log/1"]);
    let (code, text) = refusal(stub(), &granting("hello", &["log/1"]));
    assert_eq!(code, "not-granted");
    assert!(text.contains("needs db/1, it is granted log/1"), "{text}");
}

#[test]
fn a_file_for_another_machine_is_told_both() {
    let fixture = |file| {
        let path = concat!(env!("CARGO_MANIFEST_DIR"), "/tests/fixtures/");
        inspect(Candidate::file(format!("{path}{file}"))).unwrap()
    };
    let file = match std::env::consts::OS {
        "windows" => "cross-macos-aarch64.dylib",
        _ => "cross-windows-x86-64.dll",
    };
    let inspected = fixture(file);
    let target = inspected.target().to_string();
    let error = verify(inspected, &policy()).unwrap_err();
    assert_eq!(error.code(), "wrong-target");
    assert!(error.to_string().contains(&target), "{error}");
    assert!(
        error.to_string().contains(&policy().target.to_string()),
        "{error}"
    );
}

/// Admits stubs and returns the names in order, and each refusal.
fn order(stubs: Vec<Stub>) -> (Vec<String>, Vec<(String, &'static str, String)>) {
    let verified = stubs
        .into_iter()
        .map(|stub| verify(stub.inspected(), &policy()).unwrap());
    let (plugins, refused) = admit(verified.collect());
    let names = plugins
        .iter()
        .map(|plugin| plugin.meta().name.to_string())
        .collect();
    let refused = refused.into_iter().map(|refused| {
        (
            refused.path.display().to_string(),
            refused.error.code(),
            refused.error.to_string(),
        )
    });
    (names, refused.collect())
}

#[test]
fn plugins_start_after_what_they_name_then_by_priority_then_by_name() {
    let (names, refused) = order(vec![
        Stub::new("d"),
        Stub::new("c").with("after", "z,absent"),
        Stub::new("b").with("priority", "5"),
        Stub::new("a").with("requires", "b"),
        Stub::new("z").with("priority", "-1"),
    ]);
    assert_eq!(names, ["z", "c", "d", "b", "a"]);
    assert!(refused.is_empty());
}

#[test]
fn the_first_of_two_with_one_name_wins() {
    let second = Stub {
        path: "more/a.so".into(),
        ..Stub::new("a")
    };
    let (names, refused) = order(vec![Stub::new("a"), second]);
    assert_eq!(names, ["a"]);
    let (path, code, text) = &refused[0];
    assert_eq!((path.as_str(), *code), ("more/a.so", "duplicate-name"));
    assert!(text.contains("plugins/a.so"), "{text}");
}

#[test]
fn what_requires_a_refused_plugin_is_refused() {
    let (names, refused) = order(vec![
        Stub::new("a").with("requires", "b"),
        Stub::new("b").with("requires", "c"),
        Stub::new("d"),
    ]);
    assert_eq!(names, ["d"]);
    assert_eq!(
        refused.iter().map(|refused| refused.1).collect::<Vec<_>>(),
        ["requires-missing"; 2]
    );
}

#[test]
fn a_circle_is_refused_and_nothing_else() {
    let (names, refused) = order(vec![
        Stub::new("a").with("after", "b"),
        Stub::new("b").with("after", "c"),
        Stub::new("c").with("requires", "a"),
        Stub::new("before").with("priority", "-1"),
        Stub::new("behind").with("after", "c"),
        Stub::new("itself").with("after", "itself"),
    ]);
    assert_eq!(names, ["before", "behind"]);
    let mut codes: Vec<_> = refused
        .iter()
        .map(|refused| (refused.0.as_str(), refused.1))
        .collect();
    codes.sort_unstable();
    assert_eq!(
        codes,
        [
            ("plugins/a.so", "order-cycle"),
            ("plugins/b.so", "order-cycle"),
            ("plugins/c.so", "order-cycle"),
            ("plugins/itself.so", "order-cycle"),
        ]
    );
    let of_b = refused
        .iter()
        .find(|refused| refused.0 == "plugins/b.so")
        .unwrap();
    assert!(of_b.2.contains("b after c after a after b"), "{}", of_b.2);
}

/// Pins `hello` as it is, with these grants.
fn pinning(grants: &[&str]) -> Policy {
    let hello = Stub::new("hello").inspected();
    let mut pins = Pins::default();
    let grants = grants.iter().map(|grant| grant.parse().unwrap());
    let pin = Pin {
        version: hello.meta().version.clone(),
        hash: hello.hash().into(),
        grants: grants.collect(),
    };
    pins.insert(hello.meta().name.clone(), pin);
    Policy {
        pins: Some(pins),
        ..policy()
    }
}

#[test]
fn only_what_is_pinned_is_accepted() {
    let policy = pinning(&[]);
    granted(Stub::new("hello"), &policy);
    let (code, text) = refusal(Stub::new("notes"), &policy);
    assert_eq!(code, "not-pinned", "{text}");
    assert!(text.contains("exthost pin notes"), "{text}");
    let other = Stub::new("hello").with("needs", "db/1,log/1");
    let (code, text) = refusal(other, &policy);
    assert_eq!(code, "pin-differs", "{text}");
    let cure = "exthost pin hello --grant db/1 --grant log/1";
    assert!(text.ends_with(cure), "{text}");
}

#[test]
fn a_pin_grants_no_more_than_it_says() {
    let stub = || {
        Stub::new("hello")
            .with("needs", "db/1")
            .with("wants", "log/1")
    };
    let pinned = |grants: &[&str]| {
        let mut policy = pinning(grants);
        let pins = policy.pins.as_mut().unwrap();
        let mut pin = pins.of("hello").unwrap().clone();
        pin.hash = stub().inspected().hash().into();
        pins.insert(PluginName::parse("hello").unwrap(), pin);
        policy
    };
    assert_eq!(
        granted(stub(), &pinned(&["db/1", "log/1"])),
        ["db/1", "log/1"]
    );
    assert_eq!(granted(stub(), &pinned(&["db/1"])), ["db/1"]);
    let (code, text) = refusal(stub(), &pinned(&["log/1"]));
    assert_eq!(code, "not-granted", "{text}");
    assert!(
        text.contains("needs db/1, exthost.lock grants it log/1"),
        "{text}"
    );
}

#[test]
fn a_file_that_others_can_write_is_refused() {
    let policy = Policy {
        user: Some(1000),
        ..policy()
    };
    let with = |user, mode| Stub {
        ownership: Some(Ownership {
            user,
            group: 100,
            mode,
        }),
        ..Stub::new("hello")
    };
    granted(Stub::new("hello"), &policy);
    granted(with(0, 0o755), &policy);
    let (code, text) = refusal(with(1000, 0o775), &policy);
    assert_eq!(code, "writable-by-others", "{text}");
    assert!(
        text.contains("0775") && text.contains("chmod go-w"),
        "{text}"
    );
    let (code, text) = refusal(with(1001, 0o755), &policy);
    assert_eq!(code, "foreign-owner", "{text}");
    assert!(text.contains("1001") && text.contains("1000"), "{text}");
}
