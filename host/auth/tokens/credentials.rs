//! Finds a token of the host's in the headers of a request.

use http::HeaderMap;
use http::header::AUTHORIZATION;

use crate::auth::AuthError;
use crate::auth::tokens::token::PREFIX;

/// The token that a request brings, if it brings one of the host's.
///
/// # Errors
/// [`AuthError::Malformed`] for several headers, of which any may be meant, and
/// [`AuthError::Rejected`] for a token that is not sent as one is.
pub(super) fn token_in(headers: &HeaderMap) -> Result<Option<&[u8]>, AuthError> {
    let mut all = headers.get_all(AUTHORIZATION).iter();
    let Some(value) = all.next().map(|value| value.as_bytes()) else {
        return Ok(None);
    };
    if all.next().is_some() {
        let reason = "there are several headers `authorization`; send one";
        return Err(AuthError::malformed(reason));
    }
    match bearer(value) {
        Some(token) if token.starts_with(PREFIX.as_bytes()) => Ok(Some(token)),
        _ if holds_token(value) => Err(unknown()),
        _ => Ok(None),
    }
}

/// The refusal of a token, in the same words whatever is wrong with it.
pub(super) fn unknown() -> AuthError {
    AuthError::rejected(
        "this token is not known here; it is wrong, was revoked, or belongs to another host",
    )
}

/// The token of the scheme `Bearer`, which is written in any case and ends with
/// spaces (RFC 9110, section 11.4).
fn bearer(value: &[u8]) -> Option<&[u8]> {
    let (scheme, rest) = value.split_at_checked(b"bearer".len())?;
    let spaces = rest.iter().take_while(|byte| **byte == b' ').count();
    (scheme.eq_ignore_ascii_case(b"bearer") && spaces > 0).then_some(&rest[spaces..])
}

/// Whether `value` has in it what tokens begin with, in any case. Whoever forgets the
/// scheme or adds quotes means the host all the same, and a plugin must not see it.
fn holds_token(value: &[u8]) -> bool {
    let mut parts = value.windows(PREFIX.len());
    parts.any(|part| part.eq_ignore_ascii_case(PREFIX.as_bytes()))
}
