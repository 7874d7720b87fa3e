//! What was done, as whoever did it tells.

use exthost_abi::Status;
use serde_json::value::RawValue;

use crate::config::is_event_type;
use crate::services::error::ServiceError;

/// What was done to what. Who did it, and when, is added by the host.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct AuditEntry {
    pub(super) action: String,
    pub(super) target_kind: String,
    pub(super) target_id: String,
    /// JSON, or empty.
    pub(super) detail: String,
}

/// Longest action, and longest kind of target, in bytes.
const NAME_BYTES_MAX: usize = 128;

/// Longest id of a target, in bytes.
const ID_BYTES_MAX: usize = 1024;

/// Longest detail, in bytes.
const DETAIL_BYTES_MAX: usize = 64 * 1024;

impl AuditEntry {
    /// Checks what a plugin tells.
    ///
    /// # Errors
    /// `invalid` and `too-large`.
    pub(crate) fn new(
        action: &str,
        target_kind: &str,
        target_id: &str,
        detail: Vec<u8>,
    ) -> Result<Self, ServiceError> {
        for (what, bytes, max) in [
            ("an action", action.len(), NAME_BYTES_MAX),
            ("a kind of target", target_kind.len(), NAME_BYTES_MAX),
            ("an id of a target", target_id.len(), ID_BYTES_MAX),
            ("a detail", detail.len(), DETAIL_BYTES_MAX),
        ] {
            if bytes > max {
                return Err(ServiceError::new(
                    Status::TOO_LARGE,
                    "too-large",
                    format!("{what} of {bytes} bytes is larger than {max}"),
                ));
            }
        }
        if !is_event_type(action) {
            return Err(ServiceError::invalid(format!(
                "`{}` is not an action; join tokens of a-z, A-Z, 0-9, `_`, `-` with dots, as in \
                 `item.created`",
                action.escape_debug()
            )));
        }
        let detail = String::from_utf8(detail)
            .map_err(|_| ServiceError::invalid("the detail is not UTF-8, so it is no JSON"))?;
        if !detail.is_empty()
            && let Err(error) = serde_json::from_str::<&RawValue>(&detail)
        {
            return Err(ServiceError::invalid(format!(
                "the detail is no JSON: {error}"
            )));
        }
        Ok(AuditEntry {
            action: action.to_owned(),
            target_kind: target_kind.to_owned(),
            target_id: target_id.to_owned(),
            detail,
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_a_plugin_tells_is_checked() {
        let long = |bytes: usize| "a".repeat(bytes);
        let json = |bytes: usize| format!("\"{}\"", long(bytes - 2)).into_bytes();
        let good = AuditEntry::new(&long(128), &long(128), &long(1024), json(64 * 1024));
        assert!(good.is_ok());
        assert!(AuditEntry::new("a.b", "", "", Vec::new()).is_ok());
        for (action, kind, id, detail, code) in [
            ("", "", "", Vec::new(), "invalid"),
            ("a b", "", "", Vec::new(), "invalid"),
            ("a..b", "", "", Vec::new(), "invalid"),
            (&*long(129), "", "", Vec::new(), "too-large"),
            ("a", &*long(129), "", Vec::new(), "too-large"),
            ("a", "", &*long(1025), Vec::new(), "too-large"),
            ("a", "", "", json(64 * 1024 + 1), "too-large"),
            ("a", "", "", b"{} {}".to_vec(), "invalid"),
            ("a", "", "", b"\xff".to_vec(), "invalid"),
        ] {
            let error = AuditEntry::new(action, kind, id, detail).unwrap_err();
            assert_eq!(error.code, code, "{error}");
        }
    }
}
