//! Files that nobody agreed to, or that others can write.

use std::fs;
use std::path::{Path, PathBuf};

use exthost::Refusal;
use exthost::discovery::Candidate;
use exthost::inspect::inspect;
use exthost::pins::{ContentHash, LOCK_FILE, Pin, Pins};

use super::apart::told;
use super::zoo::Zoo;
use crate::support::server::Server;

/// A host that loads what a lock file pins, which is nothing yet.
fn locked(zoo: &Zoo) -> (Server, PathBuf) {
    let lock = zoo.folder().join(LOCK_FILE);
    Pins::default().write(&lock).unwrap();
    let server = Server::start_with(&[], |builder| builder.locked(&lock).development(false));
    (server, lock)
}

fn install(server: &Server, path: &Path) -> Refusal {
    server.block_on(server.host.install(path)).unwrap_err()
}

/// Pins the file at `path` as it is.
fn pin(lock: &Path, path: &Path) {
    let inspected = inspect(Candidate::file(path)).unwrap();
    let meta = inspected.meta();
    let mut pins = Pins::default();
    let pin = Pin {
        version: meta.version.clone(),
        hash: ContentHash::from(inspected.hash()),
        grants: meta.needs.clone(),
    };
    pins.insert(meta.name.clone(), pin);
    pins.write(lock).unwrap();
}

pub(super) fn a_lock_that_cannot_be_used() {
    let Some(zoo) = Zoo::new() else { return };
    let path = zoo.place(zoo.plugins().join("marked.so"), zoo.sound.clone());
    let (server, lock) = locked(&zoo);

    fs::write(&lock, "[plugin.marked]\nhash = 1\n").unwrap();
    let refusal = install(&server, &path);
    assert_eq!(refusal.code(), "lock-malformed");
    told(&refusal, &["exthost.lock:2:8", "exthost pin"]);

    #[cfg(unix)]
    {
        use std::os::unix::fs::PermissionsExt;
        fs::set_permissions(&lock, PermissionsExt::from_mode(0o622)).unwrap();
        let refusal = install(&server, &path);
        assert_eq!(refusal.code(), "lock-untrusted");
        told(&refusal, &["exthost.lock", "mode 0622", "chmod go-w"]);
    }

    fs::remove_file(&lock).unwrap();
    let refusal = install(&server, &path);
    assert_eq!(refusal.code(), "lock-unreadable");
    told(&refusal, &["exthost.lock", "write it with exthost pin"]);
    assert!(zoo.marks().is_empty());
}

pub(super) fn a_file_that_was_not_agreed_to() {
    let Some(zoo) = Zoo::new() else { return };
    let path = zoo.place(zoo.plugins().join("marked.so"), zoo.sound.clone());
    let (server, lock) = locked(&zoo);
    let refusal = install(&server, &path);
    assert_eq!(refusal.code(), "not-pinned");
    told(
        &refusal,
        &["plugin marked", "exthost.lock", "exthost pin marked"],
    );

    pin(&lock, &path);
    let pinned = fs::read(&path).unwrap();
    fs::write(&path, [&*pinned, b"\0"].concat()).unwrap();
    let refusal = install(&server, &path);
    assert_eq!(refusal.code(), "pin-differs");
    told(&refusal, &["has the hash", "pins", "exthost pin marked"]);
    assert!(zoo.marks().is_empty());

    fs::write(&path, pinned).unwrap();
    server.block_on(server.host.install(&path)).unwrap();
    assert!(zoo.marks().contains("marked.so"));
}

pub(super) fn a_file_that_others_can_write() {
    use std::os::unix::fs::{PermissionsExt, chown};

    let Some(zoo) = Zoo::new() else { return };
    let path = zoo.place(zoo.plugins().join("marked.so"), zoo.sound.clone());
    let mode = |mode| fs::set_permissions(&path, PermissionsExt::from_mode(mode)).unwrap();
    let server = Server::start_with(&[], |builder| builder.development(false));
    mode(0o757);
    let refusal = install(&server, &path);
    assert_eq!(refusal.code(), "writable-by-others");
    told(&refusal, &["mode 0757", "chmod go-w", "check_owners"]);
    mode(0o755);
    match chown(&path, Some(65_534), Some(65_534)) {
        Ok(()) => {
            let refusal = install(&server, &path);
            assert_eq!(refusal.code(), "foreign-owner");
            told(&refusal, &["user 65534", "chown", "check_owners"]);
        }
        Err(why) => println!("skipped: files cannot be given to another user here ({why})"),
    }
    assert!(zoo.marks().is_empty());
}
