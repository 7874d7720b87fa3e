//! What makes an endpoint, and what does not.

use super::*;

const SECRET: &str = "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD";

fn endpoint(url: &str) -> Endpoint {
    Endpoint::new(url).secret(SECRET)
}

#[test]
fn its_name_is_its_host() {
    for (url, name) in [
        ("https://hooks.example.com/x", "hooks.example.com"),
        ("http://HOOKS.example.com:8080", "hooks.example.com"),
        ("http://[2001:db8::1]/", "2001:db8::1"),
        ("http://0x7f.1/", "127.0.0.1"),
    ] {
        assert_eq!(endpoint(url).check().unwrap().name(), name);
    }
    assert_eq!(endpoint("http://a").named("b").check().unwrap().name(), "b");
}

#[test]
fn the_first_bad_value_is_told() {
    for (endpoint, code) in [
        (endpoint("nowhere"), "bad-url"),
        (endpoint("ftp://a/"), "bad-url"),
        (endpoint("file:///etc/passwd"), "bad-url"),
        (endpoint("http://"), "bad-url"),
        (endpoint("http://me@a/"), "url-with-userinfo"),
        (endpoint("http://me:pw@a/"), "url-with-userinfo"),
        (endpoint("http://a/").named(""), "bad-endpoint-name"),
        (endpoint("http://a/").named("a/b"), "bad-endpoint-name"),
        (endpoint("http://a/").events(["a..b"]), "bad-pattern"),
        (endpoint("http://a/").events([]), "no-events"),
        (endpoint("http://a/").plugins(["A"]), "bad-name"),
        (endpoint("http://a/").secret("x").allow("y"), "bad-secret"),
        (Endpoint::new("http://a/"), "secrets-count"),
        (
            endpoint("http://a/").secret(SECRET).secret(SECRET),
            "secrets-count",
        ),
        (endpoint("http://a/").rate_per_second(0.0), "bad-rate"),
        (endpoint("http://a/").rate_per_second(f64::NAN), "bad-rate"),
        (endpoint("http://a/").allow("localhost"), "bad-range"),
    ] {
        assert_eq!(endpoint.check().unwrap_err().code(), code);
    }
}

#[test]
fn what_it_wants() {
    let endpoint = endpoint("http://a/").events(["note.*"]).plugins(["notes"]);
    assert!(endpoint.wants("notes", "note.created"));
    assert!(!endpoint.wants("other", "note.created"));
    assert!(!endpoint.wants("notes", "user.created"));
}

#[test]
fn secrets_paths_and_queries_are_not_shown() {
    let endpoint = endpoint("https://a.example/...en=hidden#hidden");
    let shown = format!("{endpoint:?}");
    assert!(shown.contains("https://a.example/..."), "{shown}");
    assert!(
        !shown.contains("hidden") && !shown.contains("C2FV"),
        "{shown}"
    );
}

#[test]
fn a_fingerprint_follows_the_configuration() {
    let base = || endpoint("https://a.example/?a");
    let same = base().fingerprint();
    assert_eq!(base().fingerprint(), same);
    let secret = Secret::generate().unwrap().reveal();
    for other in [
        base().secret(&secret),
        base().fifo(true),
        base().events(["a"]),
        endpoint("https://a.example/?b"),
    ] {
        assert_ne!(other.fingerprint(), same);
    }
}
