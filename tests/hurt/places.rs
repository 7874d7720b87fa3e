//! Where a library can be damaged: every field of every table, and the rest.

use std::fmt;

/// What of a library a place belongs to.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord)]
pub(crate) enum Part {
    /// The file's header; of Mach-O and PE all headers.
    Header,
    /// The program headers.
    Programs,
    /// The section headers and their names.
    Sections,
    /// The dynamic section.
    Dynamic,
    /// The dynamic symbols.
    Symbols,
    /// The versions of symbols.
    Versions,
    /// The hash tables of symbols.
    Hash,
    /// The kinds of relocations.
    Relocations,
    /// The string table.
    Names,
    /// Notes.
    Notes,
    /// Which pointers of the library relocations fill in, and where they lead.
    Pointers,
    /// The meta.
    Meta,
    /// Code, data, and what no loader reads.
    Contents,
    /// The file as a whole.
    Whole,
}

impl Part {
    /// Whether nothing but a hash of the bytes may be able to tell that one is wrong.
    pub(crate) fn is_content(self) -> bool {
        matches!(self, Self::Pointers | Self::Meta | Self::Contents)
    }
}

impl fmt::Display for Part {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.pad(&format!("{self:?}").to_lowercase())
    }
}

/// A field, or a stretch of bytes without fields.
#[derive(Debug, Clone, Copy)]
pub(crate) struct Place {
    pub(crate) part: Part,
    pub(crate) offset: usize,
    pub(crate) size: usize,
}

/// Returns the places of a library of any format.
pub(crate) fn places(bytes: &[u8]) -> Vec<Place> {
    match bytes {
        [0x7f, b'E', b'L', b'F', 2, 1, ..] => elf(bytes),
        [0xcf, 0xfa, 0xed, 0xfe, ..] => headed(bytes, 32 + number(bytes, 20, 4)),
        [b'M', b'Z', ..] => headed(bytes, 0x400),
        _ => panic!("a library of a format that has no places here"),
    }
}

/// The sizes of the fields of an ELF file's header, of a program header, of a
/// section header, of a symbol.
const HEADER: &[usize] = &[4, 1, 1, 1, 1, 8, 2, 2, 4, 8, 8, 8, 4, 2, 2, 2, 2, 2, 2];
const PROGRAM: &[usize] = &[4, 4, 8, 8, 8, 8, 8, 8];
const SECTION: &[usize] = &[4, 4, 8, 8, 8, 8, 4, 4, 8, 8];
const SYMBOL: &[usize] = &[4, 1, 1, 2, 8, 8];

fn elf(bytes: &[u8]) -> Vec<Place> {
    let mut places = Vec::new();
    let (programs, sections) = (number(bytes, 32, 8), number(bytes, 40, 8));
    let (program_count, section_count) = (number(bytes, 56, 2), number(bytes, 60, 2));
    rows(&mut places, Part::Header, 0, 64, HEADER);
    rows(
        &mut places,
        Part::Programs,
        programs,
        program_count * 56,
        PROGRAM,
    );
    rows(
        &mut places,
        Part::Sections,
        sections,
        section_count * 64,
        SECTION,
    );
    for header in (sections..).step_by(64).take(section_count) {
        let field = |at, size| number(bytes, header + at, size);
        let (kind, loaded) = (field(4, 4), field(8, 8) & 2 != 0);
        let (offset, size) = (field(24, 8), field(32, 8));
        let mut add = |part, fields| rows(&mut places, part, offset, size, fields);
        match kind {
            SHT_NULL | SHT_NOBITS => {}
            SHT_RELA => relocations(&mut places, offset, size),
            SHT_RELR => add(Part::Pointers, &[8]),
            SHT_DYNAMIC => add(Part::Dynamic, &[8, 8]),
            SHT_DYNSYM => add(Part::Symbols, SYMBOL),
            SHT_HASH | SHT_GNU_HASH => add(Part::Hash, &[4]),
            SHT_VERSYM | SHT_VERNEED | SHT_VERDEF => add(Part::Versions, &[2]),
            SHT_STRTAB if loaded => add(Part::Names, &[1]),
            SHT_STRTAB => add(Part::Sections, &[1]),
            SHT_NOTE => add(Part::Notes, &[4]),
            _ if bytes[offset..].starts_with(b"EXTHOST1\0") => add(Part::Meta, &[1]),
            _ => add(Part::Contents, &[8]),
        }
    }
    places
}

const SHT_NULL: usize = 0;
const SHT_STRTAB: usize = 3;
const SHT_RELA: usize = 4;
const SHT_HASH: usize = 5;
const SHT_DYNAMIC: usize = 6;
const SHT_NOTE: usize = 7;
const SHT_NOBITS: usize = 8;
const SHT_DYNSYM: usize = 11;
const SHT_RELR: usize = 19;
const SHT_GNU_HASH: usize = 0x6fff_fff6;
const SHT_VERDEF: usize = 0x6fff_fffd;
const SHT_VERNEED: usize = 0x6fff_fffe;
const SHT_VERSYM: usize = 0x6fff_ffff;

/// Of each relocation the pointer that it fills in, its kind, the symbol and the
/// number that it writes.
fn relocations(places: &mut Vec<Place>, offset: usize, size: usize) {
    for row in (offset..offset + size).step_by(24) {
        rows(places, Part::Pointers, row, 8, &[8]);
        rows(places, Part::Relocations, row + 8, 4, &[4]);
        rows(places, Part::Pointers, row + 12, 12, &[4, 8]);
    }
}

/// A file that begins with `size` bytes of headers, in words of four bytes.
fn headed(bytes: &[u8], size: usize) -> Vec<Place> {
    let mut places = Vec::new();
    rows(&mut places, Part::Header, 0, size, &[4]);
    rows(&mut places, Part::Contents, size, bytes.len() - size, &[8]);
    places
}

/// Adds the fields of each row of a table, as far as they are whole.
fn rows(places: &mut Vec<Place>, part: Part, offset: usize, size: usize, fields: &[usize]) {
    let mut at = offset;
    for field in fields.iter().cycle() {
        if at + field > offset + size {
            break;
        }
        places.push(Place {
            part,
            offset: at,
            size: *field,
        });
        at += field;
    }
}

/// Returns the number of `size` bytes at `offset`, the lowest first.
fn number(bytes: &[u8], offset: usize, size: usize) -> usize {
    let digits = bytes[offset..offset + size].iter().rev();
    digits.fold(0, |number, byte| number << 8 | usize::from(*byte))
}
