//! A pinned plugin with one byte changed, a wrong pin, and files that others can
//! write.

use std::collections::BTreeMap;
use std::path::Path;

use exthost::discovery::Candidate;
use exthost::inspect::inspect;
use exthost::name::PluginName;
use exthost::pins::{ContentHash, LOCK_FILE, Pin, Pins};
use exthost::verify::{Policy, verify};

use super::super::support::count;
use super::super::support::server::Server;
use super::super::support::site::{Site, hang_up, text};
use super::{pin, version_of, versioned};

/// What the file at `path` is refused with under `policy`; nothing if it is not.
fn refusal(path: &Path, policy: &Policy) -> Option<(&'static str, String)> {
    let inspected = match inspect(Candidate::file(path)) {
        Ok(inspected) => inspected,
        Err(why) => return Some((why.code(), why.to_string())),
    };
    let why = verify(inspected, policy).err()?;
    Some((why.code(), why.to_string()))
}

/// A policy that has agreed to exactly this file.
fn pinned(path: &Path) -> Policy {
    let inspected = inspect(Candidate::file(path)).unwrap();
    let meta = inspected.meta();
    let mut pins = Pins::default();
    let grants = meta.needs.iter().chain(&meta.wants).cloned();
    let pin = Pin {
        version: meta.version.clone(),
        hash: ContentHash::from(inspected.hash()),
        grants: grants.collect(),
    };
    pins.insert(meta.name.clone(), pin);
    Policy {
        pins: Some(pins),
        ..Policy::default()
    }
}

#[test]
fn every_byte_of_a_pinned_plugin_counts() {
    let folder = tempfile::tempdir().unwrap();
    let Some(library) = versioned(folder.path(), "1.0.0", "routes/1", "log/1") else {
        return;
    };
    let policy = pinned(&library);
    assert_eq!(refusal(&library, &policy), None);
    let good = std::fs::read(&library).unwrap();
    let file = folder.path().join("tampered.so");
    // Each bit of a byte at the full count, else one that the place chooses.
    let bits = count(1, 8);
    let mut codes: BTreeMap<&str, usize> = BTreeMap::new();
    let mut bytes = good.clone();
    for at in 0..good.len() {
        for bit in 0..bits {
            bytes[at] = good[at] ^ (1 << ((at + bit) % 8));
            std::fs::write(&file, &bytes).unwrap();
            let (code, message) = refusal(&file, &policy)
                .unwrap_or_else(|| panic!("byte {at} of {} was not missed", good.len()));
            if code == "pin-differs" {
                assert!(message.contains("exthost pin versioned"), "{message}");
            }
            *codes.entry(code).or_default() += 1;
        }
        bytes[at] = good[at];
    }
    println!("{} bytes, {bits} bits of each: {codes:?}", good.len());
    assert_eq!(codes.values().sum::<usize>(), good.len() * bits);
    // The reason is the pin wherever the file is a plugin still.
    assert!(codes["pin-differs"] > good.len() * bits / 2, "{codes:?}");

    // Bytes that are added or missing count as well.
    bytes.push(0);
    std::fs::write(&file, &bytes).unwrap();
    assert_eq!(refusal(&file, &policy).unwrap().0, "pin-differs");
    std::fs::write(&file, &good[..good.len() - 1]).unwrap();
    assert!(refusal(&file, &policy).is_some());
}

#[test]
fn a_wrong_pin_is_told_with_both_values() {
    let folder = tempfile::tempdir().unwrap();
    let Some(first) = versioned(folder.path(), "1.0.0", "routes/1", "log/1") else {
        return;
    };
    let second = versioned(folder.path(), "1.1.0", "routes/1", "log/1").unwrap();
    let policy = pinned(&first);
    let (code, message) = refusal(&second, &policy).unwrap();
    let digits = |path: &Path| {
        let hash = blake3::hash(&std::fs::read(path).unwrap());
        hash.to_hex()[..16].to_owned()
    };
    assert_eq!(
        (code, message),
        (
            "pin-differs",
            format!(
                "plugin versioned 1.1.0 has the hash {}.., exthost.lock pins 1.0.0 with {}..; put \
                 the pinned file back, or look at the new one and agree to it with exthost pin \
                 versioned",
                digits(&second),
                digits(&first)
            )
        )
    );

    // The pin of another name is no pin.
    let mut pins = Pins::default();
    let pin = policy.pins.as_ref().unwrap().of("versioned").unwrap();
    pins.insert(PluginName::parse("other").unwrap(), pin.clone());
    let policy = Policy {
        pins: Some(pins),
        ..Policy::default()
    };
    assert_eq!(refusal(&first, &policy).unwrap().0, "not-pinned");
}

#[test]
fn a_single_reload_asks_the_lock_as_it_is_now() {
    let folder = tempfile::tempdir().unwrap();
    let Some(first) = versioned(folder.path(), "1.0.0", "routes/1", "log/1") else {
        return;
    };
    let second = versioned(folder.path(), "1.1.0", "routes/1", "log/1").unwrap();
    let lock = folder.path().join("pins");
    pinned(&first).pins.unwrap().write(&lock).unwrap();
    let server = Server::start_with(&[&first], |builder| builder.locked(&lock));
    let version = || server.get("/api/ext/versioned/version").text().to_owned();
    assert_eq!(version(), "1.0.0");
    let reload = || server.block_on(server.host.reload("versioned"));

    std::fs::copy(&second, server.plugin_file(&first)).unwrap();
    let refused = reload().unwrap_err().to_string();
    assert!(refused.contains("pin-differs"), "{refused}");
    std::fs::remove_file(&lock).unwrap();
    let refused = reload().unwrap_err().to_string();
    assert!(refused.contains("lock-unreadable"), "{refused}");
    assert_eq!(version(), "1.0.0");
    pinned(&second).pins.unwrap().write(&lock).unwrap();
    reload().unwrap();
    assert_eq!(version(), "1.1.0");
}

#[test]
fn what_serves_is_retired_when_the_lock_has_another_content() {
    let builds = tempfile::tempdir().unwrap();
    let Some(first) = versioned(builds.path(), "1.0.0", "routes/1", "log/1") else {
        return;
    };
    let second = versioned(builds.path(), "1.1.0", "routes/1", "log/1").unwrap();
    let site = Site::new("");
    site.put_file(&second, "plugins");
    let running = site.serve(&[]);
    assert_eq!(version_of(&running), (200, "1.1.0".to_owned()));

    // It serves already when its operator finds out that it is the wrong file.
    let pins = pinned(&first).pins.unwrap();
    pins.write(&site.path(LOCK_FILE)).unwrap();
    site.write("[plugins]\nlocked = true\n");
    hang_up(&running);
    assert!(running.said().contains("pin-differs"), "{}", running.said());
    assert_eq!(version_of(&running).0, 404);
    site.put_file(&first, "plugins");
    hang_up(&running);
    assert_eq!(version_of(&running), (200, "1.0.0".to_owned()));
}

#[cfg(unix)]
#[test]
fn a_file_that_others_can_write_is_refused() {
    use std::os::unix::fs::{PermissionsExt, chown};

    let folder = tempfile::tempdir().unwrap();
    let Some(library) = versioned(folder.path(), "1.0.0", "routes/1", "log/1") else {
        return;
    };
    let site = Site::new("");
    let file = site.put_file(&library, "plugins");
    let mode = |mode| std::fs::set_permissions(&file, PermissionsExt::from_mode(mode)).unwrap();
    let check = || {
        let output = site.run(&["config", "check"]);
        text(&output.stdout)
    };
    mode(0o644);
    assert!(check().contains("ok  versioned"), "{}", check());
    mode(0o646);
    assert!(check().contains("no  writable-by-others"), "{}", check());
    assert!(check().contains("mode 0646"), "{}", check());
    let inspected = site.run(&["inspect", file.to_str().unwrap()]);
    let inspected = text(&inspected.stdout);
    assert!(inspected.contains("no, writable-by-others"), "{inspected}");
    let lock = site.path(LOCK_FILE);
    pinned(&file).pins.unwrap().write(&lock).unwrap();
    let open = || std::fs::set_permissions(&lock, PermissionsExt::from_mode(0o666)).unwrap();
    open();
    site.write("[plugins]\ncheck_owners = false\nlocked = true\n");
    assert!(check().contains("ok  versioned"), "{}", check());
    assert_eq!(pin(&site, &[]).0, Some(0));
    open();
    site.write("[plugins]\nlocked = true\n");
    let refused = text(&site.run(&["config", "check"]).stderr);
    assert!(refused.contains("exthost.lock can be written"), "{refused}");
    assert!(refused.contains("set check_owners = false"), "{refused}");
    assert_eq!(pin(&site, &["--check"]).0, Some(1));
    site.write("");
    mode(0o755);

    // Only root can give a file away.
    match chown(&file, Some(65_534), Some(65_534)) {
        Ok(()) => {
            let printed = check();
            assert!(printed.contains("no  foreign-owner"), "{printed}");
            assert!(printed.contains("belongs to user 65534"), "{printed}");
        }
        Err(why) => println!("skipped: files cannot be given to another user here ({why})"),
    }
}
