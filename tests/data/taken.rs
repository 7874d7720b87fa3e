//! Is it told who has a data directory, and what to do about it?

use exthost::Host;
use exthost::auth::Actor;

use super::super::support::exthost;
use super::super::support::site::text;
use super::{Kept, SCHEMA, done};

#[test]
fn who_has_the_directory_is_told() {
    let kept = Kept::new();
    let running = kept.site.serve(&[]);
    done(&running, SCHEMA);
    let lost = exthost()
        .args(["data", "list"])
        .current_dir(kept.site.folder.path())
        .env("EXTHOST_URL", "http://127.0.0.1:1")
        .output()
        .unwrap();
    let (said, id) = (text(&lost.stderr), running.id());
    let told = format!("is in use by process {id}, and no host answers at http://127.0.0.1:1");
    assert!(said.contains(&told), "{said}");
    running.signal("-TERM");
    running.wait();

    let runtime = tokio::runtime::Runtime::new().unwrap();
    let _entered = runtime.enter();
    let taken = Host::builder()
        .data(kept.site.path("data"))
        .take_data(Actor::user("u1", "Ada"));
    let id = std::process::id();
    for arguments in [
        &["data", "list"][..],
        &["data", "vacuum", "faulty"],
        &["serve", "--listen", "127.0.0.1:0"],
    ] {
        let output = kept.site.run(arguments);
        let said = text(&output.stderr);
        assert_eq!(output.status.code(), Some(1), "{arguments:?}: {said}");
        let told = format!("process {id} works on the data in ");
        assert!(said.contains(&told), "{arguments:?}: {said}");
        let cure = "wait until it is done, or end it";
        assert!(
            said.contains(cure) && !said.contains("no host answers"),
            "{said}"
        );
    }
    drop(taken.unwrap());
    assert_eq!(kept.listed(None, "faulty")["state"], "not-serving");
}
