//! A library as bytes, and what can be changed in them without a linker.

use std::ops::Range;
use std::path::Path;

use object::read::elf::ElfFile64;
use object::{NativeEndian, Object, ObjectSection, ObjectSymbol};

/// An ELF library of 64 bits, as this machine's C compiler makes them.
#[derive(Debug, Clone)]
pub(crate) struct Library {
    pub(crate) bytes: Vec<u8>,
}

impl Library {
    pub(crate) fn read(path: &Path) -> Self {
        let bytes = std::fs::read(path).unwrap();
        Library { bytes }
    }

    /// Has its constructor make the file `mark`.
    pub(crate) fn marking(self, mark: &Path) -> Self {
        self.fill("MARK=", mark.to_str().unwrap())
    }

    /// Has it go wrong in the way that leads to a refusal with `code`.
    pub(crate) fn told(self, code: &str) -> Self {
        self.fill("ORDER=", code)
    }

    /// Writes into the slot of `name`, which is empty.
    fn fill(self, name: &str, text: &str) -> Self {
        let empty = format!("{name}\0\0\0\0");
        let at = self.find(empty.as_bytes()).next();
        let at = at.unwrap_or_else(|| panic!("no empty slot {name}")) + name.len();
        self.patched(at, text.as_bytes())
    }

    /// Has its meta say `key` as `value`, in place of what it said.
    pub(crate) fn with(self, key: &str, value: &str) -> Self {
        let mut entries = self.entries();
        let entry = format!("{key}={value}").into_bytes();
        match entries.iter().position(|entry| is_of(entry, key)) {
            Some(at) => entries[at] = entry,
            None => entries.push(entry),
        }
        self.with_entries(&entries)
    }

    /// Has its meta say nothing of `key`.
    pub(crate) fn without(self, key: &str) -> Self {
        let mut entries = self.entries();
        entries.retain(|entry| !is_of(entry, key));
        self.with_entries(&entries)
    }

    /// Has its meta end with `entry`, whatever that is.
    pub(crate) fn saying(self, entry: &[u8]) -> Self {
        let mut entries = self.entries();
        entries.push(entry.to_vec());
        self.with_entries(&entries)
    }

    /// The entries of its meta, the magic first.
    fn entries(&self) -> Vec<Vec<u8>> {
        let meta = &self.bytes[self.meta_section()];
        let entries = meta.split(|&byte| byte == 0);
        let entries = entries.take_while(|entry| !entry.is_empty());
        entries.map(<[u8]>::to_vec).collect()
    }

    fn with_entries(self, entries: &[Vec<u8>]) -> Self {
        let mut meta = entries.join(&0);
        meta.extend([0, 0]);
        self.with_meta(&meta)
    }

    /// The bytes of its meta, up to and with the empty entry.
    pub(crate) fn meta(&self) -> Vec<u8> {
        let mut meta = self.entries().join(&0);
        meta.extend([0, 0]);
        meta
    }

    /// Puts `meta` in place of its meta.
    pub(crate) fn with_meta(mut self, meta: &[u8]) -> Self {
        let section = self.meta_section();
        let room = section.len();
        assert!(meta.len() <= room, "a meta of {} bytes", meta.len());
        let section = &mut self.bytes[section];
        section.fill(0);
        section[..meta.len()].copy_from_slice(meta);
        self
    }

    /// Where the section of the meta lies.
    pub(crate) fn meta_section(&self) -> Range<usize> {
        let file = self.parsed();
        let section = file.section_by_name(".exthost").unwrap();
        range(section.file_range().unwrap())
    }

    /// Says `to` wherever it says `from`, which is as long.
    pub(crate) fn renamed(mut self, from: &str, to: &str) -> Self {
        assert_eq!(from.len(), to.len(), "{from:?} {to:?}");
        let found: Vec<_> = self.find(from.as_bytes()).collect();
        assert!(!found.is_empty(), "no {from:?} in the library");
        for at in found {
            self = self.patched(at, to.as_bytes());
        }
        self
    }

    /// Says `bytes` at the offset `at`.
    pub(crate) fn patched(mut self, at: usize, bytes: &[u8]) -> Self {
        self.bytes[at..at + bytes.len()].copy_from_slice(bytes);
        self
    }

    /// Says `bytes` at the offset `at` of the data of a dynamic symbol.
    pub(crate) fn with_data(self, symbol: &str, at: usize, bytes: &[u8]) -> Self {
        let file = self.parsed();
        let symbol = file.dynamic_symbols().find(|s| s.name() == Ok(symbol));
        let symbol = symbol.unwrap();
        let section = file.section_by_index(symbol.section_index().unwrap());
        let section = section.unwrap();
        let (start, _) = section.file_range().unwrap();
        let start = start + (symbol.address() - section.address());
        self.patched(start as usize + at, bytes)
    }

    /// Says `bytes` at the offset `at` of the entry of a dynamic symbol, an
    /// `Elf64_Sym`.
    pub(crate) fn with_entry(self, symbol: &str, at: usize, bytes: &[u8]) -> Self {
        /// Bytes of an `Elf64_Sym`.
        const SIZE: usize = 24;
        let file = self.parsed();
        let symbol = file.dynamic_symbols().find(|s| s.name() == Ok(symbol));
        let index = symbol.unwrap().index().0;
        let table = file.section_by_name(".dynsym").unwrap();
        let table = range(table.file_range().unwrap());
        self.patched(table.start + index * SIZE + at, bytes)
    }

    /// Where `text` stands in the file.
    fn find(&self, text: &[u8]) -> impl Iterator<Item = usize> {
        let windows = self.bytes.windows(text.len()).enumerate();
        windows.filter_map(move |(at, window)| (window == text).then_some(at))
    }

    fn parsed(&self) -> ElfFile64<'_, NativeEndian> {
        ElfFile64::parse(&*self.bytes).unwrap()
    }
}

/// Whether an entry of a meta is that of `key`.
fn is_of(entry: &[u8], key: &str) -> bool {
    entry
        .strip_prefix(key.as_bytes())
        .is_some_and(|rest| rest.starts_with(b"="))
}

/// The bytes from an offset on, as `object` gives them with their size.
fn range((start, size): (u64, u64)) -> Range<usize> {
    start as usize..(start + size) as usize
}
