//! Meta: what a plugin says of itself, as data in its file.
//!
//! The exported data symbol [`SYMBOL`] lies in a section of its own
//! ([`SECTION_ELF`], [`SECTION_PE`], [`SECTION_MACHO`]). Its bytes are
//! [`MAGIC`], then `key=value` entries, each ended by a zero byte, then one
//! empty entry. There are no pointers in it, so it reads the same on disk as in
//! memory, and with `strings`.

/// The first bytes of a meta.
pub const MAGIC: &[u8; 9] = b"EXTHOST1\0";

/// Largest meta in bytes.
pub const BYTES_MAX: usize = 64 * 1024;

/// Name of the exported data symbol.
pub const SYMBOL: &str = "exthost_meta";

/// Section of the meta in an ELF file.
pub const SECTION_ELF: &str = ".exthost";
/// Section of the meta in a PE file.
pub const SECTION_PE: &str = ".exthost";
/// Segment and section of the meta in a Mach-O file.
pub const SECTION_MACHO: (&str, &str) = ("__DATA", "__exthost");

/// Longest plugin name in bytes.
pub const NAME_BYTES_MAX: usize = 64;

/// Whether `name` has the form of a plugin name,
/// `[a-z][a-z0-9]*(-[a-z0-9]+)*` and at most [`NAME_BYTES_MAX`] bytes.
pub const fn is_plugin_name(name: &str) -> bool {
    let bytes = name.as_bytes();
    if bytes.is_empty() || bytes.len() > NAME_BYTES_MAX || !bytes[0].is_ascii_lowercase() {
        return false;
    }
    let mut i = 1;
    while i < bytes.len() {
        let dash = bytes[i] == b'-';
        let last = i + 1 == bytes.len();
        if dash && (last || bytes[i + 1] == b'-') {
            return false;
        }
        if !dash && !bytes[i].is_ascii_lowercase() && !bytes[i].is_ascii_digit() {
            return false;
        }
        i += 1;
    }
    true
}

/// Length in bytes of the meta that [`build`] makes of `entries`.
pub const fn length(entries: &[(&str, &str)]) -> usize {
    let mut total = MAGIC.len() + 1;
    let mut i = 0;
    while i < entries.len() {
        let (key, value) = entries[i];
        if !value.is_empty() {
            total += key.len() + 1 + value.len() + 1;
        }
        i += 1;
    }
    total
}

/// Builds a meta at compile time; entries with an empty value are left out.
///
/// # Panics
/// When `N` is not [`length`] of the same entries, when it exceeds
/// [`BYTES_MAX`], or when a key or value contains a zero byte.
pub const fn build<const N: usize>(entries: &[(&str, &str)]) -> [u8; N] {
    assert!(N == length(entries), "N must be length(entries)");
    assert!(N <= BYTES_MAX, "a meta is at most 64 KiB");
    let mut meta = [0; N];
    let mut at = put(&mut meta, 0, MAGIC);
    let mut i = 0;
    while i < entries.len() {
        let (key, value) = entries[i];
        if !value.is_empty() {
            at = put(&mut meta, at, key.as_bytes());
            at = put(&mut meta, at, b"=");
            at = put(&mut meta, at, value.as_bytes());
            at += 1;
        }
        i += 1;
    }
    meta
}

const fn put(meta: &mut [u8], at: usize, bytes: &[u8]) -> usize {
    let mut i = 0;
    while i < bytes.len() {
        assert!(bytes[i] != 0 || at == 0, "no zero byte in a key or value");
        meta[at + i] = bytes[i];
        i += 1;
    }
    at + bytes.len()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn entries_are_ended_by_zero_bytes() {
        const ENTRIES: &[(&str, &str)] = &[("name", "a"), ("license", ""), ("api", "1.0.0")];
        const META: [u8; length(ENTRIES)] = build(ENTRIES);
        assert_eq!(&META, b"EXTHOST1\0name=a\0api=1.0.0\0\0");
    }

    #[test]
    fn names() {
        for good in ["a", "hello", "my-extension", "a1-2b"] {
            assert!(is_plugin_name(good), "{good}");
        }
        let long = "a".repeat(65);
        for bad in ["", "1a", "A", "a_b", "a-", "-a", "a--b", "a.b", "ä", &long] {
            assert!(!is_plugin_name(bad), "{bad}");
        }
    }
}
