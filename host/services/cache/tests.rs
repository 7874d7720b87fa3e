//! What holds of the cache.

use std::time::Duration;

use super::*;
use crate::services::kv::When;

fn cache(bytes_max: usize) -> (Cache, Clock) {
    let clock = Clock::movable();
    let limits = CacheLimits {
        bytes_max,
        ..CacheLimits::default()
    };
    (Cache::new(clock.clone(), limits), clock)
}

fn set(key: &str, value: &str, ttl_ms: u64) -> KeyWrite {
    write(key, When::Always, value, ttl_ms)
}

fn write(key: &str, when: When, value: &str, ttl_ms: u64) -> KeyWrite {
    KeyWrite {
        key: key.to_owned(),
        when,
        change: Change::Set {
            value: value.as_bytes().to_vec(),
            ttl_ms,
            keep_ttl: false,
        },
    }
}

fn delete(key: &str) -> KeyWrite {
    KeyWrite {
        key: key.to_owned(),
        when: When::Always,
        change: Change::Delete,
    }
}

fn value(cache: &Cache, key: &str) -> Option<String> {
    let entry = cache.get(&[key.to_owned()]).unwrap().pop()?;
    Some(String::from_utf8(entry.value).unwrap())
}

fn bytes(cache: &Cache) -> usize {
    cache.state().memory.bytes()
}

#[test]
fn what_was_used_longest_ago_goes_and_the_bound_holds_to_the_byte() {
    let each = memory::cost("a", b"1");
    let (cache, _) = cache(3 * each);
    for key in ["a", "b", "c"] {
        cache.write(vec![set(key, "1", 0)]).unwrap();
    }
    assert_eq!(bytes(&cache), 3 * each);
    assert!(value(&cache, "a").is_some());
    cache.write(vec![set("d", "1", 0)]).unwrap();
    assert_eq!(value(&cache, "b"), None, "it was used longest ago");
    assert!(value(&cache, "a").is_some() && bytes(&cache) == 3 * each);
    cache.write(vec![set("c", "12", 0)]).unwrap();
    assert_eq!(bytes(&cache), 2 * each + 1);
    let all = "x".repeat(3 * each - memory::cost("a", b""));
    cache.write(vec![set("a", &all, 0)]).unwrap();
    assert_eq!((bytes(&cache), value(&cache, "d")), (3 * each, None));
    let error = cache.write(vec![delete("a"), set("a", &format!("{all}x"), 0)]);
    assert_eq!(error.unwrap_err().code, "value-too-large");
    assert_eq!(value(&cache, "a"), Some(all));
    assert_eq!(cache.flush("").unwrap(), 1);
    let long = cache.flush(&"k".repeat(1025)).unwrap_err();
    assert_eq!(long.code, "key-too-large");
    assert_eq!(bytes(&cache), 0);
}

#[test]
fn what_is_over_goes_before_what_is_not() {
    let each = memory::cost("a", b"1");
    let (cache, clock) = cache(3 * each);
    let writes = vec![set("o", "1", 0), set("b", "1", 1000), set("c", "1", 5000)];
    assert_eq!(cache.write(writes).unwrap(), 3);
    clock.advance(Duration::from_secs(1));
    assert_eq!(value(&cache, "b"), None);
    cache.write(vec![set("b", "1", 1000)]).unwrap();
    clock.advance(Duration::from_secs(1));
    cache.write(vec![set("d", "1", 0)]).unwrap();
    let status = cache.state().memory.evicted();
    assert_eq!((status, value(&cache, "o").as_deref()), (0, Some("1")));
    assert!(value(&cache, "c").is_some());
}

#[test]
fn conditions_decide_and_all_or_none_is_written() {
    let (cache, clock) = cache(1 << 20);
    cache
        .write(vec![write("lock", When::IfAbsent, "me", 500)])
        .unwrap();
    let taken = vec![set("a", "1", 0), write("lock", When::IfAbsent, "you", 0)];
    let error = cache.write(taken).unwrap_err();
    assert_eq!(
        (&*error.code, &*error.detail),
        ("cache-condition", r#"{"key":"lock"}"#)
    );
    assert_eq!(value(&cache, "a"), None);
    let equal = |expected: &str| write("lock", When::IfEqual(expected.into()), "new", 0);
    assert!(cache.write(vec![equal("you")]).is_err());
    // A later write sees those before.
    let writes = vec![
        delete("lock"),
        write("lock", When::IfAbsent, "you", 500),
        equal("you"),
    ];
    assert_eq!(cache.write(writes).unwrap(), 3);
    assert_eq!(value(&cache, "lock").as_deref(), Some("new"));
    cache.expire("lock", 500).unwrap();
    clock.advance(Duration::from_millis(500));
    assert!(
        cache
            .write(vec![write("lock", When::IfPresent, "x", 0)])
            .is_err()
    );
    assert_eq!(
        cache.write(vec![delete("lock"), delete("none")]).unwrap(),
        0
    );
    assert_eq!(
        cache.expire("lock", 0).unwrap_err().status,
        Status::NOT_FOUND
    );
}

#[test]
fn numbers_keep_their_time() {
    let (cache, clock) = cache(1 << 20);
    let add = |amount, ttl_ms| cache.add("n".to_owned(), amount, ttl_ms);
    assert_eq!(add(2, 1000), Ok(2));
    assert_eq!(add(-5, 60_000), Ok(-3));
    let left = cache.get(&["n".to_owned()]).unwrap()[0].ttl_ms;
    assert!((1..=1000).contains(&left), "{left}");
    clock.advance(Duration::from_secs(1));
    assert_eq!(add(1, 0), Ok(1));
    cache.write(vec![set("n", "one", 0)]).unwrap();
    assert_eq!(add(1, 0).unwrap_err().code, "cache-not-a-number");
    cache
        .write(vec![set("n", &i64::MIN.to_string(), 0)])
        .unwrap();
    assert_eq!(add(-1, 0).unwrap_err().code, "cache-overflow");
}

#[test]
fn a_smaller_limit_holds_at_once_and_generations_share_one_cache() {
    let caches = Caches::default();
    let name = crate::name::PluginName::parse("notes").unwrap();
    let limits = |bytes_max| CacheLimits {
        bytes_max,
        ..CacheLimits::default()
    };
    let first = caches.of(&name, &Clock::real(), limits(10_000));
    for number in 0..20 {
        first
            .write(vec![set(&format!("k{number}"), "v", 0)])
            .unwrap();
    }
    let second = caches.of(&name, &Clock::real(), limits(1000));
    assert_eq!(value(&second, "k19").as_deref(), Some("v"));
    let status = &caches.status()[0];
    assert!(status.bytes <= 1000 && status.entries < 20, "{status:?}");
    assert_eq!(status.evicted + status.entries, 20);
}
