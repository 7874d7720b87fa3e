//! `upper`, `lower`, `length` and `hex`: one call ends soon, many in a
//! row do not.

use rusqlite::Result;
use rusqlite::types::ValueRef;

use super::Call;
use super::search::too_big;
use super::value::{Answer, continuation_bytes, until_nul};

/// The work between two looks at the clock.
const PIECE: usize = 64 * 1024;

pub(super) fn upper(call: &mut Call<'_>) -> Result<Answer> {
    fold(call, <[u8]>::make_ascii_uppercase)
}

pub(super) fn lower(call: &mut Call<'_>) -> Result<Answer> {
    fold(call, <[u8]>::make_ascii_lowercase)
}

fn fold(call: &mut Call<'_>, change: fn(&mut [u8])) -> Result<Answer> {
    let Some(text) = call.texts.of(call.context.get_raw(0))? else {
        return Ok(Answer::Null);
    };
    let mut text = text.into_owned();
    for piece in text.chunks_mut(PIECE) {
        call.toll.pay(piece.len())?;
        change(piece);
    }
    Ok(Answer::Text(text))
}

/// `length(x)`: characters of a text up to the first NUL, bytes of anything else.
pub(super) fn length(call: &mut Call<'_>) -> Result<Answer> {
    let value = call.context.get_raw(0);
    let Some(text) = call.texts.of(value)? else {
        return Ok(Answer::Null);
    };
    if !matches!(value, ValueRef::Text(_)) {
        return Ok(Answer::Integer(count(text.len())));
    }
    let mut rest = until_nul(&text);
    let mut chars = 0;
    while !rest.is_empty() {
        let bytes = 1 + match rest[0] {
            ..0x80 => 0,
            _ => continuation_bytes(&rest[1..]),
        };
        call.toll.pay(bytes)?;
        rest = &rest[bytes..];
        chars += 1;
    }
    Ok(Answer::Integer(count(chars)))
}

/// A length is below the longest value, and so fits.
fn count(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}

/// `hex(x)`: the bytes of a blob, or of what else it is as text.
pub(super) fn hex(call: &mut Call<'_>) -> Result<Answer> {
    const DIGITS: &[u8; 16] = b"0123456789ABCDEF";
    let Some(bytes) = call.texts.of(call.context.get_raw(0))? else {
        return Ok(Answer::Text(Vec::new()));
    };
    if bytes.len() > call.limit / 2 {
        return Err(too_big());
    }
    let mut out = Vec::with_capacity(2 * bytes.len());
    for piece in bytes.chunks(PIECE) {
        call.toll.pay(piece.len())?;
        for byte in piece {
            out.push(DIGITS[usize::from(byte >> 4)]);
            out.push(DIGITS[usize::from(byte & 15)]);
        }
    }
    Ok(Answer::Text(out))
}
