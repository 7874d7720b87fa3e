//! `instr`, `replace` and the three trims.

use rusqlite::types::ValueRef;
use rusqlite::{Error, Result, ffi};

use super::value::{Answer, char_bytes, until_nul};
use super::{Call, Toll};

/// `instr(haystack, needle)`: characters for text, bytes when both are blobs.
pub(super) fn instr(call: &mut Call<'_>) -> Result<Answer> {
    let (haystack, needle) = (call.context.get_raw(0), call.context.get_raw(1));
    let is_text = !matches!((haystack, needle), (ValueRef::Blob(_), ValueRef::Blob(_)));
    let (Some(haystack), Some(needle)) = (call.texts.of(haystack)?, call.texts.of(needle)?) else {
        return Ok(Answer::Null);
    };
    let mut rest: &[u8] = &haystack;
    let mut position = 1;
    while needle.len() <= rest.len() {
        if starts_with(rest, &needle, call.toll)? {
            return Ok(Answer::Integer(position));
        }
        position += 1;
        rest = &rest[1..];
        while is_text && rest.first().is_some_and(|byte| byte & 0xc0 == 0x80) {
            rest = &rest[1..];
        }
    }
    Ok(Answer::Integer(0))
}

/// `replace(text, pattern, replacement)`.
pub(super) fn replace(call: &mut Call<'_>) -> Result<Answer> {
    let Some(text) = call.texts.of(call.context.get_raw(0))? else {
        return Ok(Answer::Null);
    };
    let Some(pattern) = call.texts.of(call.context.get_raw(1))? else {
        return Ok(Answer::Null);
    };
    if pattern.first().is_none_or(|byte| *byte == 0) {
        return Ok(Answer::Text(text.into_owned()));
    }
    let Some(replacement) = call.texts.of(call.context.get_raw(2))? else {
        return Ok(Answer::Null);
    };
    let mut out = Vec::with_capacity(text.len());
    let mut rest: &[u8] = &text;
    while pattern.len() <= rest.len() {
        if starts_with(rest, &pattern, call.toll)? {
            call.toll.pay(replacement.len())?;
            out.extend_from_slice(&replacement);
            rest = &rest[pattern.len()..];
            if out.len() + rest.len() > call.limit.max(text.len()) {
                return Err(too_big());
            }
        } else {
            out.push(rest[0]);
            rest = &rest[1..];
        }
    }
    out.extend_from_slice(rest);
    Ok(Answer::Text(out))
}

pub(super) fn trim(call: &mut Call<'_>) -> Result<Answer> {
    trim_ends(call, true, true)
}

pub(super) fn ltrim(call: &mut Call<'_>) -> Result<Answer> {
    trim_ends(call, true, false)
}

pub(super) fn rtrim(call: &mut Call<'_>) -> Result<Answer> {
    trim_ends(call, false, true)
}

fn trim_ends(call: &mut Call<'_>, left: bool, right: bool) -> Result<Answer> {
    let Some(text) = call.texts.of(call.context.get_raw(0))? else {
        return Ok(Answer::Null);
    };
    let set = if call.context.len() == 1 {
        b" ".as_slice().into()
    } else {
        match call.texts.of(call.context.get_raw(1))? {
            Some(set) => set,
            None => return Ok(Answer::Null),
        }
    };
    let mut chars = Vec::new();
    let mut set = until_nul(&set);
    while !set.is_empty() {
        let (char, after) = set.split_at(char_bytes(set));
        call.toll.pay(char.len())?;
        chars.push(char);
        set = after;
    }
    let mut rest: &[u8] = &text;
    while left && !rest.is_empty() {
        match find(&chars, |char| rest.starts_with(char), call.toll)? {
            Some(char) => rest = &rest[char.len()..],
            None => break,
        }
    }
    while right && !rest.is_empty() {
        match find(&chars, |char| rest.ends_with(char), call.toll)? {
            Some(char) => rest = &rest[..rest.len() - char.len()],
            None => break,
        }
    }
    Ok(Answer::Text(rest.to_vec()))
}

fn find<'s>(
    chars: &[&'s [u8]],
    fits: impl Fn(&[u8]) -> bool,
    toll: &mut Toll<'_>,
) -> Result<Option<&'s [u8]>> {
    for char in chars {
        toll.pay(8)?;
        if fits(char) {
            return Ok(Some(char));
        }
    }
    Ok(None)
}

/// Compares in pieces, since one comparison of two long texts is long too.
fn starts_with(text: &[u8], start: &[u8], toll: &mut Toll<'_>) -> Result<bool> {
    const PIECE: usize = 4096;
    toll.pay(1)?;
    let (Some(text), false) = (text.get(..start.len()), start.is_empty()) else {
        return Ok(start.is_empty());
    };
    if text[0] != start[0] {
        return Ok(false);
    }
    for (text, start) in text.chunks(PIECE).zip(start.chunks(PIECE)) {
        toll.pay(start.len())?;
        if text != start {
            return Ok(false);
        }
    }
    Ok(true)
}

/// What SQLite says of a value over the limit.
pub(super) fn too_big() -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_TOOBIG), None)
}
