//! Is a token taken, and nothing else that is like it?

use super::*;
use crate::support::count;

/// What is like `token` and is not: each of its characters changed, left out,
/// doubled, in the other case, and the whole of it framed.
fn near(token: &str) -> Vec<String> {
    let alphabet = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";
    let (step, others) = (count(9, 1), count(2, 63));
    let mut near = Vec::new();
    for at in (0..token.len()).step_by(step) {
        let (before, rest) = token.split_at(at);
        let (own, after) = rest.split_at(1);
        let place = alphabet.find(own).unwrap();
        for other in 1..=others {
            let other = (place + other) % alphabet.len();
            near.push(format!("{before}{}{after}", &alphabet[other..=other]));
        }
        near.push(format!("{before}{after}"));
        near.push(format!("{before}{own}{own}{after}"));
        near.push(format!("{before} {rest}"));
        near.push(format!("{before}%{after}"));
        near.push(before.to_owned());
        let flipped = match own.to_ascii_lowercase() == own {
            true => own.to_ascii_uppercase(),
            false => own.to_ascii_lowercase(),
        };
        near.push(format!("{before}{flipped}{after}"));
    }
    for (before, after) in [
        ("", "="),
        ("", "A"),
        ("", "."),
        ("", ","),
        ("A", ""),
        ("\"", "\""),
        ("'", "'"),
        ("<", ">"),
        ("Bearer ", ""),
        ("token=", ""),
    ] {
        near.push(format!("{before}{token}{after}"));
    }
    near.push(format!("{token}{token}"));
    near.push(format!("{token},{token}"));
    near.push(token.to_ascii_uppercase());
    near.push(token.to_ascii_lowercase());
    near.push(token.replace('_', "-"));
    // The end of one that begins alike.
    near.push(token["exthost_".len()..].to_owned());
    near.push(format!("exthost_{}", "A".repeat(43)));
    near.retain(|near| near.trim() != token);
    near
}

#[test]
fn a_token_opens_every_way_and_nothing_like_it_opens_one() {
    let site = Site::start();
    let token = site.token("all", &ALL_SCOPES);
    let (mut tried, mut accepted) = (0, Vec::new());
    for (way, status, is_public) in WAYS {
        for scheme in ["Bearer ", "bearer ", "BEARER ", "bEaReR   "] {
            let credentials = Credentials::header(format!("{scheme}{token}"));
            let answer = way.ask(&site.server, &credentials);
            assert_eq!(answer.0, status, "{way:?} {scheme}: {}", answer.1);
        }
        let takes_parameter = !matches!(way, Way::Http(..));
        let by_parameter = way.ask(&site.server, &Credentials::parameter(&token)).0;
        let expected = if takes_parameter || is_public {
            status
        } else {
            401
        };
        assert_eq!(by_parameter, expected, "{way:?}");

        let mut all = vec![Credentials::default()];
        for near in near(&token) {
            all.push(Credentials::header(format!("Bearer {near}")));
            if takes_parameter {
                all.push(Credentials::parameter(near));
            }
        }
        for scheme in ["", "Bearer", "Bearer\t", "Basic ", "Token ", "Bearer: "] {
            all.push(Credentials::header(format!("{scheme}{token}")));
        }
        for credentials in all {
            tried += 1;
            let (status, body) = way.ask(&site.server, &credentials);
            let sent = format!("{credentials:?}").to_ascii_lowercase();
            // What does not look like a token of the host's is none of its business.
            let is_anonymous = is_public && !sent.contains("exthost_");
            let is_refused = status == 401 || (status == 400 && !credentials.parameters.is_empty());
            let is_nobody = body.is_empty() || body.contains("\"anonymous\":true");
            if !(is_refused || is_anonymous && status == 200 && is_nobody) {
                accepted.push(format!("{way:?} {credentials:?}: {status} {body}"));
            }
        }
    }
    println!("{tried} near tokens, {} accepted", accepted.len());
    assert!(accepted.is_empty(), "{}", accepted.join("\n"));
}

#[test]
fn who_sends_two_credentials_is_refused_even_if_both_are_good() {
    let site = Site::start();
    let token = site.token("all", &ALL_SCOPES);
    let bearer = format!("Bearer {token}");
    for (way, ..) in WAYS {
        for second in [&*bearer, "Basic YTpi", ""] {
            for credentials in [
                Credentials::header(&bearer).and_header(second),
                Credentials::header(second).and_header(&bearer),
            ] {
                let (status, body) = way.ask(&site.server, &credentials);
                assert_eq!(status, 400, "{way:?} {credentials:?}: {body}");
            }
        }
        if matches!(way, Way::Http(..)) {
            continue;
        }
        for credentials in [
            Credentials::bearer(&token).and_parameter(&token),
            Credentials::header("Basic YTpi").and_parameter(&token),
            Credentials::parameter(&token).and_parameter(&token),
            Credentials::parameter(&token).and_parameter(""),
        ] {
            let (status, body) = way.ask(&site.server, &credentials);
            assert_eq!(status, 400, "{way:?} {credentials:?}: {body}");
        }
    }
}

#[test]
fn what_is_wrong_with_a_token_is_told_to_nobody() {
    let site = Site::start();
    let revoked = site.token("revoked", &ALL_SCOPES);
    site.file.revoke("revoked").unwrap();
    let path = "/api/ext/faulty/asked";
    let malformed = "exthost_x";
    let unknown = format!("exthost_{}", "A".repeat(43));
    for bad in [&*revoked, malformed, &unknown] {
        let response = get(&site.server, path, bad);
        assert_eq!(
            (response.status, &*response.code()),
            (401, "bad-credentials"),
            "{response:?}"
        );
        assert_eq!(
            response.header("www-authenticate"),
            Some("Bearer error=\"invalid_token\"")
        );
        let detail = response.json()["detail"].clone();
        assert_eq!(
            detail,
            "this token is not known here; it is wrong, was revoked, or belongs to another host"
        );
        assert!(response.header("x-request-id").is_some());
    }
}
