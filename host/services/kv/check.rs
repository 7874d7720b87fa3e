//! What keys, values and numbers may be, for durable ones and those in memory.

use exthost_abi::Status;
use serde_json::json;

use crate::services::error::ServiceError;
use crate::services::kv::{Change, KeyWrite, ListQuery};

/// Longest key in bytes.
const KEY_BYTES_MAX: usize = 1024;

/// Most keys, writes or listed entries of one call.
pub(crate) const ENTRIES_MAX: usize = 1000;

/// What the values of one call may hold together, in bytes, unless it is one.
pub(crate) const CALL_BYTES_MAX: usize = 16 * 1024 * 1024;

/// The stable codes of one of the two services.
#[derive(Debug)]
pub(crate) struct Codes {
    pub(crate) condition: &'static str,
    pub(crate) not_a_number: &'static str,
    pub(crate) overflow: &'static str,
}

/// Those of the durable one.
pub(crate) const KV: Codes = Codes {
    condition: "kv-condition",
    not_a_number: "kv-not-a-number",
    overflow: "kv-overflow",
};

/// Those of the one in memory.
pub(crate) const CACHE: Codes = Codes {
    condition: "cache-condition",
    not_a_number: "cache-not-a-number",
    overflow: "cache-overflow",
};

/// Refuses a key that is empty or too long.
pub(crate) fn check_key(key: &str) -> Result<(), ServiceError> {
    match key.len() {
        0 => Err(ServiceError::invalid(
            "a key is empty; give one of at least a byte",
        )),
        bytes if bytes > KEY_BYTES_MAX => Err(too_large(
            "key-too-large",
            format!("a key of {bytes} bytes is longer than {KEY_BYTES_MAX}; take a shorter one"),
        )),
        _ => Ok(()),
    }
}

/// Refuses keys that are too many, or one of which is no good.
pub(crate) fn check_keys(keys: &[String]) -> Result<(), ServiceError> {
    check_count(keys.len())?;
    keys.iter().try_for_each(|key| check_key(key))
}

/// Refuses writes that are too many or too large, or one of which is no good.
pub(crate) fn check_writes(
    writes: &[KeyWrite],
    value_bytes_max: usize,
) -> Result<(), ServiceError> {
    check_count(writes.len())?;
    let mut together = 0;
    for write in writes {
        check_key(&write.key)?;
        if let Change::Set { value, .. } = &write.change {
            let bytes = value.len();
            if bytes > value_bytes_max {
                let message = format!(
                    "the value of `{}` has {bytes} bytes, more than {value_bytes_max}; divide it",
                    shown(&write.key)
                );
                return Err(too_large("value-too-large", message));
            }
            together += bytes;
        }
    }
    check_together(writes.len(), together)
}

/// Refuses a list that begins where no key could.
pub(crate) fn check_list(query: &ListQuery) -> Result<(), ServiceError> {
    check_prefix(&query.prefix)?;
    check_prefix(&query.after)
}

/// Refuses what no key could begin with.
pub(crate) fn check_prefix(prefix: &str) -> Result<(), ServiceError> {
    let bytes = prefix.len();
    match bytes > KEY_BYTES_MAX {
        false => Ok(()),
        true => Err(too_large(
            "key-too-large",
            format!(
                "the beginning of a key has {bytes} bytes, more than {KEY_BYTES_MAX}; shorten it"
            ),
        )),
    }
}

/// Refuses entries that hold more together than one call may take or give.
pub(crate) fn check_together(entries: usize, bytes: usize) -> Result<(), ServiceError> {
    match entries > 1 && bytes > CALL_BYTES_MAX {
        false => Ok(()),
        true => Err(too_large(
            "entries-too-large",
            format!(
                "the values of one call hold more than {CALL_BYTES_MAX} bytes together; make \
                 several calls"
            ),
        )),
    }
}

fn check_count(count: usize) -> Result<(), ServiceError> {
    match count > ENTRIES_MAX {
        false => Ok(()),
        true => Err(too_large(
            "too-many-keys",
            format!("{count} keys in one call are more than {ENTRIES_MAX}; make several calls"),
        )),
    }
}

impl Codes {
    /// The refusal of a write whose condition does not hold.
    pub(crate) fn condition(&self, key: &str) -> ServiceError {
        let message = format!(
            "the condition on `{}` does not hold; nothing was written",
            shown(key)
        );
        self.about(self.condition, key, message)
    }

    /// `amount` more than the number that `value` is.
    pub(crate) fn sum(
        &self,
        key: &str,
        value: Option<&[u8]>,
        amount: i64,
    ) -> Result<i64, ServiceError> {
        let number = match value {
            None => Some(0),
            Some(value) => str::from_utf8(value)
                .ok()
                .and_then(|text| text.parse().ok()),
        };
        let number: i64 = number.ok_or_else(|| {
            let message = format!(
                "the value of `{}` is no decimal number of 64 bits",
                shown(key)
            );
            self.about(self.not_a_number, key, message)
        })?;
        number.checked_add(amount).ok_or_else(|| {
            let message = format!(
                "{number} and {amount} make more than `{}` can hold, 64 bits",
                shown(key)
            );
            self.about(self.overflow, key, message)
        })
    }

    fn about(&self, code: &'static str, key: &str, message: String) -> ServiceError {
        ServiceError {
            detail: json!({ "key": key }).to_string(),
            ..ServiceError::new(Status::CONFLICT, code, message)
        }
    }
}

/// The refusal of a call about an entry that is not there.
pub(crate) fn no_entry(key: &str) -> ServiceError {
    ServiceError::new(
        Status::NOT_FOUND,
        "no-such-key",
        format!("there is no entry `{}`, or its time is up", shown(key)),
    )
}

fn too_large(code: &'static str, message: String) -> ServiceError {
    ServiceError::new(Status::TOO_LARGE, code, message)
}

/// A key in a message, which is not to grow with it.
fn shown(key: &str) -> String {
    let mut shown: String = key.chars().take(64).flat_map(char::escape_debug).collect();
    if key.chars().nth(64).is_some() {
        shown += "...";
    }
    shown
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::services::kv::When;

    fn set(key: &str, bytes: usize) -> KeyWrite {
        KeyWrite {
            key: key.to_owned(),
            when: When::Always,
            change: Change::Set {
                value: vec![0; bytes],
                ttl_ms: 0,
                keep_ttl: false,
            },
        }
    }

    #[test]
    fn bounds_hold_to_the_byte() {
        assert!(check_key(&"k".repeat(1024)).is_ok());
        for (key, code) in [
            (String::new(), "invalid"),
            ("k".repeat(1025), "key-too-large"),
        ] {
            assert_eq!(check_key(&key).unwrap_err().code, code);
        }
        let keys = vec!["a".to_owned(); 1001];
        assert!(check_keys(&keys[1..]).is_ok());
        assert_eq!(check_keys(&keys).unwrap_err().code, "too-many-keys");
        assert!(check_writes(&[set("a", 8)], 8).is_ok());
        let larger = check_writes(&[set("a", 9)], 8).unwrap_err();
        assert_eq!(larger.code, "value-too-large");
        assert!(larger.message.contains("9 bytes, more than 8"), "{larger}");
    }

    #[test]
    fn what_one_call_holds_is_bounded_unless_it_is_one_value() {
        let half = CALL_BYTES_MAX / 2;
        assert!(check_writes(&[set("a", half), set("b", half)], half).is_ok());
        assert!(check_writes(&[set("a", CALL_BYTES_MAX + 1)], usize::MAX).is_ok());
        let together = check_writes(&[set("a", half), set("b", half + 1)], usize::MAX);
        assert_eq!(together.unwrap_err().code, "entries-too-large");
    }

    #[test]
    fn numbers_are_decimal_and_have_64_bits() {
        assert_eq!(KV.sum("n", None, -3), Ok(-3));
        assert_eq!(
            KV.sum("n", Some(b"-9223372036854775808"), 1),
            Ok(i64::MIN + 1)
        );
        for (value, amount, code) in [
            (&b"9223372036854775807"[..], 1, "kv-overflow"),
            (b"-9223372036854775808", -1, "kv-overflow"),
            (b"9223372036854775808", 0, "kv-not-a-number"),
            (b"", 0, "kv-not-a-number"),
            (b" 1", 0, "kv-not-a-number"),
            (b"1.0", 0, "kv-not-a-number"),
            (b"\xff", 0, "kv-not-a-number"),
        ] {
            let error = KV.sum("n", Some(value), amount).unwrap_err();
            assert_eq!(error.code, code, "{value:?}");
            assert_eq!(error.detail, r#"{"key":"n"}"#);
        }
    }

    #[test]
    fn a_key_in_a_message_is_short_and_safe() {
        let message = no_entry(&format!("\u{1b}{}", "k".repeat(1000))).message;
        assert!(
            message.contains(r"\u{1b}") && message.len() < 200,
            "{message}"
        );
    }
}
