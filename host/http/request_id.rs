//! The id of a request in logs, error bodies and the header `x-request-id`.

use std::collections::hash_map::RandomState;
use std::hash::BuildHasher;
use std::sync::OnceLock;
use std::sync::atomic::{AtomicU64, Ordering};

use http::{HeaderMap, HeaderName, HeaderValue};

const NAME: HeaderName = HeaderName::from_static("x-request-id");

/// The client's id, if it is 1 to 64 letters, digits, `-`, `_` or `.`, else a
/// new one.
pub(super) fn of(headers: &HeaderMap) -> String {
    let given = headers.get(NAME).and_then(|value| value.to_str().ok());
    match given {
        Some(given) if is_sane(given) => given.to_owned(),
        _ => new(),
    }
}

/// Tells the client the id.
pub(super) fn tell(headers: &mut HeaderMap, id: &str) {
    if let Ok(value) = HeaderValue::from_str(id)
        && !id.is_empty()
    {
        headers.insert(NAME, value);
    }
}

fn is_sane(id: &str) -> bool {
    let legal = |byte: u8| byte.is_ascii_alphanumeric() || b"-_.".contains(&byte);
    (1..=64).contains(&id.len()) && id.bytes().all(legal)
}

/// Unique in this process, and most likely beyond it; not a secret.
fn new() -> String {
    static PROCESS: OnceLock<u64> = OnceLock::new();
    static REQUESTS: AtomicU64 = AtomicU64::new(1);
    let process = PROCESS.get_or_init(|| RandomState::new().hash_one(std::process::id()));
    let request = REQUESTS.fetch_add(1, Ordering::Relaxed);
    format!("{:08x}-{request:x}", process >> 32)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_sane_id_of_the_client_is_kept() {
        let mut headers = HeaderMap::new();
        headers.insert(NAME, HeaderValue::from_static("order-7.b_C"));
        assert_eq!(of(&headers), "order-7.b_C");
    }

    #[test]
    fn any_other_is_replaced() {
        let long = "a".repeat(65);
        for given in ["", "a b", "a\u{e4}", "<script>", &long] {
            let mut headers = HeaderMap::new();
            headers.insert(NAME, HeaderValue::from_bytes(given.as_bytes()).unwrap());
            assert_ne!(of(&headers), given);
        }
        assert_ne!(of(&HeaderMap::new()), of(&HeaderMap::new()));
    }
}
