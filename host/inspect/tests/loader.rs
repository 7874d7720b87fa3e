//! What brought the loader down, or a thread after it, before it was refused.

use object::elf as raw;

use super::native::compile_with;
use super::*;

/// A library with all that the cases need, as its parts lie in the file.
struct Library {
    bytes: Vec<u8>,
}

impl Library {
    /// Nothing where there is no C compiler for it.
    fn build() -> Option<Self> {
        let source = "__thread int per_thread = 1; int *f(void) { return &per_thread; } \
                      int written = 1; int puts(const char *); int g(void) { return puts(\"\"); }";
        let flags = ["-Wl,-soname,library.so", "-Wl,--hash-style=sysv"];
        let bytes = compile_with("library.c", source, &flags)?;
        assert!(facts(&bytes).is_ok());
        Some(Self { bytes })
    }

    fn number<const SIZE: usize>(&self, at: usize) -> usize {
        let mut word = [0; 8];
        word[..SIZE].copy_from_slice(&self.bytes[at..at + SIZE]);
        u64::from_le_bytes(word) as usize
    }

    /// Returns where the content of the first section of `kind` begins.
    fn section(&self, kind: raw::SectionType) -> usize {
        let mut headers = (self.number::<8>(40)..).step_by(64);
        let header = headers.find(|at| self.number::<4>(at + 4) == kind.0 as usize);
        self.number::<8>(header.unwrap() + 24)
    }

    fn segment(&self, kind: raw::ProgramType) -> usize {
        let mut headers = (self.number::<8>(32)..).step_by(56);
        headers
            .find(|at| self.number::<4>(*at) == kind.0 as usize)
            .unwrap()
    }

    fn entry(&self, tag: raw::DynamicTag) -> usize {
        let mut entries = (self.section(raw::SHT_DYNAMIC)..).step_by(16);
        let tag = tag.0.cast_unsigned() as usize;
        entries.find(|at| self.number::<8>(*at) == tag).unwrap() + 8
    }

    /// Returns the rows of relocations that fill in a symbol's address.
    fn addresses(&self) -> [usize; 2] {
        let rows = (self.section(raw::SHT_RELA)..).step_by(24);
        let mut rows = rows.filter(|at| self.number::<4>(at + 8) == GLOB_DAT.0 as usize);
        [rows.next().unwrap(), rows.next().unwrap()]
    }

    /// Checks that it is refused once `value` stands at `at`.
    fn refuses<const SIZE: usize>(&self, what: &str, at: usize, value: u64) {
        let mut damaged = self.bytes.clone();
        damaged[at..at + SIZE].copy_from_slice(&value.to_le_bytes()[..SIZE]);
        let error = facts(&damaged).expect_err(what);
        assert_eq!(error.code(), "malformed", "{what}: {error}");
    }
}

#[cfg(target_arch = "x86_64")]
const GLOB_DAT: raw::RelocationType = raw::R_X86_64_GLOB_DAT;
#[cfg(target_arch = "x86_64")]
const COPY: raw::RelocationType = raw::R_X86_64_COPY;
#[cfg(target_arch = "x86_64")]
const IRELATIVE: raw::RelocationType = raw::R_X86_64_IRELATIVE;
#[cfg(target_arch = "x86_64")]
const RELATIVE: raw::RelocationType = raw::R_X86_64_RELATIVE;
#[cfg(target_arch = "aarch64")]
const GLOB_DAT: raw::RelocationType = raw::R_AARCH64_GLOB_DAT;
#[cfg(target_arch = "aarch64")]
const COPY: raw::RelocationType = raw::R_AARCH64_COPY;
#[cfg(target_arch = "aarch64")]
const IRELATIVE: raw::RelocationType = raw::R_AARCH64_IRELATIVE;
#[cfg(target_arch = "aarch64")]
const RELATIVE: raw::RelocationType = raw::R_AARCH64_RELATIVE;

#[test]
fn imported_symbols_are_not_its_own() {
    let Some(library) = Library::build() else {
        return;
    };
    let [row, _] = library.addresses();
    let symbol = library.section(raw::SHT_DYNSYM) + 24 * library.number::<4>(row + 12);
    let none = library.section(raw::SHT_DYNSYM);
    library.refuses::<1>("a symbol for none", none + 4, 0x10);
    library.refuses::<1>("a local import", symbol + 4, 0);
    library.refuses::<1>("a hidden import", symbol + 5, raw::STV_HIDDEN.0.into());
    library.refuses::<8>("an import with an address", symbol + 8, 8);
}

#[test]
fn relocations_write_what_and_where_linkers_do() {
    let Some(library) = Library::build() else {
        return;
    };
    let [row, other] = library.addresses();
    let dynamic = library.number::<8>(library.segment(raw::PT_DYNAMIC) + 16);
    library.refuses::<4>("a copy", row + 8, COPY.0.into());
    library.refuses::<4>("a resolver of a symbol", row + 8, IRELATIVE.0.into());
    library.refuses::<4>("this library, by a symbol", row + 8, RELATIVE.0.into());
    library.refuses::<8>("a resolver that is data", row + 8, IRELATIVE.0.into());
    library.refuses::<4>("the address of nothing", row + 12, 0);
    let symbol = library.number::<4>(other + 12) as u64;
    library.refuses::<4>("a symbol twice", row + 12, symbol);
    let place = library.number::<8>(other) as u64;
    library.refuses::<8>("a place twice", row, place);
    library.refuses::<8>("over the dynamic section", row, dynamic as u64 + 8);
}

#[test]
fn tables_lead_somewhere() {
    let Some(library) = Library::build() else {
        return;
    };
    library.refuses::<8>("its own name", library.entry(raw::DT_SONAME), 1 << 40);
    let hash = library.section(raw::SHT_HASH);
    let buckets = library.number::<4>(hash);
    let first = (0..buckets)
        .map(|bucket| library.number::<4>(hash + 8 + 4 * bucket))
        .find(|first| *first != 0)
        .unwrap();
    let link = hash + 8 + 4 * (buckets + first);
    library.refuses::<4>("a circle of symbols", link, first as u64);
}

#[test]
fn threads_get_what_they_need() {
    let Some(library) = Library::build() else {
        return;
    };
    let threads = library.segment(raw::PT_TLS);
    library.refuses::<8>("too much for each thread", threads + 40, 1 << 40);
    library.refuses::<8>("too little for each thread", threads + 40, 1);
    library.refuses::<8>("an alignment that none has", threads + 48, 1 << 40);
}

#[test]
fn zeros_of_threads_may_lie_nowhere() {
    let source = "__thread int zero; int *f(void) { return &zero; }";
    let Some(mut bytes) = compile_with("zeros.c", source, &[]) else {
        return;
    };
    let library = Library {
        bytes: bytes.clone(),
    };
    // Between two segments, where linkers for large pages put them.
    let threads = library.segment(raw::PT_TLS);
    let address = library.number::<8>(threads + 16).to_le_bytes();
    let elsewhere = (1_u64 << 40).to_le_bytes();
    let headers = library.number::<8>(40);
    let count = library.number::<2>(60);
    let is_zeros =
        |at: &usize| bytes[at + 16..at + 24] == address && library.number::<4>(at + 4) == 8;
    let section = (headers..).step_by(64).take(count).find(is_zeros).unwrap();
    bytes[threads + 16..threads + 24].copy_from_slice(&elsewhere);
    bytes[section + 16..section + 24].copy_from_slice(&elsewhere);
    facts(&bytes).unwrap();
}

#[test]
fn what_is_written_to_stays_writable() {
    let Some(library) = Library::build() else {
        return;
    };
    let protected = library.segment(raw::PT_GNU_RELRO);
    let size = library.number::<8>(protected + 40) as u64;
    library.refuses::<8>("protected data", protected + 40, size + 4096);
    // Where it lies in the file is asked by nobody, and some linkers say 0.
    let mut elsewhere = library.bytes.clone();
    elsewhere[protected + 8..protected + 16].fill(0);
    facts(&elsewhere).unwrap();
}

#[test]
fn packed_relocations_have_rows_of_a_word() {
    let packed = ["-Wl,-z,pack-relative-relocs"];
    let Some(bytes) = compile_with("none.c", "int none;", &packed) else {
        return;
    };
    let library = Library { bytes };
    let entries = library.section(raw::SHT_DYNAMIC);
    let row = raw::DT_RELRENT.0.cast_unsigned() as usize;
    let found = (entries..entries + 64 * 16)
        .step_by(16)
        .find(|at| library.number::<8>(*at) == row);
    match found {
        Some(entry) => library.refuses::<8>("rows of nine bytes", entry + 8, 9),
        None => super::native::skip("no linker that packs relocations"),
    }
}
