//! The table of exports of a Mach-O library: a trie of names.

use crate::inspect::error::InspectError;

/// Regular symbols have kind 0; absolute and thread-local ones are no data.
const KIND: u64 = 0x03;
/// The symbol is another library's.
const REEXPORT: u64 = 0x08;

/// Returns the offset of the symbol `name` from the library's header.
///
/// It walks down to the one name, and never round in a circle, for each edge
/// must use up some of the name.
pub(super) fn find(trie: &[u8], name: &[u8]) -> Result<Option<u64>, InspectError> {
    let mut rest = name;
    let mut node = trie;
    loop {
        let size = number(&mut node)?;
        let (terminal, edges) = usize::try_from(size)
            .ok()
            .and_then(|size| node.split_at_checked(size))
            .ok_or_else(damaged)?;
        if rest.is_empty() {
            return target(terminal);
        }
        match child(edges, rest)? {
            Some((left, offset)) => {
                rest = left;
                node = trie.get(offset..).ok_or_else(damaged)?;
            }
            None => return Ok(None),
        }
    }
}

/// Returns what follows the edge that `name` begins with: the rest of the name
/// and the offset of the node.
fn child<'name>(
    mut edges: &[u8],
    name: &'name [u8],
) -> Result<Option<(&'name [u8], usize)>, InspectError> {
    let (&count, rest) = edges.split_first().ok_or_else(damaged)?;
    edges = rest;
    for _ in 0..count {
        let end = edges
            .iter()
            .position(|&byte| byte == 0)
            .ok_or_else(damaged)?;
        let edge = &edges[..end];
        edges = &edges[end + 1..];
        let offset = usize::try_from(number(&mut edges)?).map_err(|_| damaged())?;
        match name.strip_prefix(edge) {
            Some(left) if !edge.is_empty() => return Ok(Some((left, offset))),
            _ => {}
        }
    }
    Ok(None)
}

fn target(mut terminal: &[u8]) -> Result<Option<u64>, InspectError> {
    if terminal.is_empty() {
        return Ok(None);
    }
    let flags = number(&mut terminal)?;
    match flags & (KIND | REEXPORT) {
        0 => number(&mut terminal).map(Some),
        _ => Ok(None),
    }
}

/// Takes a ULEB128 number.
fn number(bytes: &mut &[u8]) -> Result<u64, InspectError> {
    let mut value = 0;
    for shift in (0..64).step_by(7) {
        let (&byte, rest) = bytes.split_first().ok_or_else(damaged)?;
        *bytes = rest;
        value |= u64::from(byte & 0x7f) << shift;
        if byte & 0x80 == 0 {
            return Ok(value);
        }
    }
    Err(damaged())
}

fn damaged() -> InspectError {
    InspectError::malformed("its table of exports is damaged")
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `_a` at 0x90, and `_ab` from another library.
    const TRIE: &[u8] = &[
        0, 1, b'_', b'a', 0, 6, // The root, with one edge.
        3, 0, 0x90, 1, 1, b'b', 0, 14, // `_a`.
        2, 8, 0, 0, // `_ab`.
    ];

    #[test]
    fn a_name_is_found_whole() {
        assert_eq!(find(TRIE, b"_a").unwrap(), Some(0x90));
        for absent in [&b"_"[..], b"_ab", b"_abc", b"_b", b""] {
            assert_eq!(
                find(TRIE, absent).unwrap(),
                None,
                "{}",
                absent.escape_ascii()
            );
        }
    }

    #[test]
    fn circles_and_ends_are_survived() {
        assert_eq!(find(&[0, 1, 0, 0], b"_a").unwrap(), None);
        assert_eq!(find(&[0, 1, b'_', 0, 0], b"__a").unwrap(), None);
        for length in 0..TRIE.len() {
            let _ = find(&TRIE[..length], b"_ab");
        }
        assert!(find(&[0xff; 32], b"_a").is_err());
    }
}
