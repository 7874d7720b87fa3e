//! The dynamic section: what the loader is told to do.

use std::ops::Range;

use object::elf as raw;
use object::read::elf::{Dyn, FileHeader, ProgramHeader};

use super::memory::{Memory, Section};
use crate::inspect::error::InspectError;
use crate::inspect::image::{Hazard, text};

/// Most entries of a dynamic section; real ones have some thirty.
const ENTRIES_MAX: usize = 1024;

/// Entries that make sense together only, a table, its size, the size of its
/// rows; the loader asserts it.
const TOGETHER: [&[raw::DynamicTag]; 10] = [
    &[raw::DT_STRTAB, raw::DT_STRSZ],
    &[raw::DT_SYMTAB, raw::DT_SYMENT],
    &[raw::DT_RELA, raw::DT_RELASZ, raw::DT_RELAENT],
    &[raw::DT_REL, raw::DT_RELSZ, raw::DT_RELENT],
    &[raw::DT_RELR, raw::DT_RELRSZ, raw::DT_RELRENT],
    &[raw::DT_JMPREL, raw::DT_PLTRELSZ, raw::DT_PLTREL],
    &[raw::DT_INIT_ARRAY, raw::DT_INIT_ARRAYSZ],
    &[raw::DT_FINI_ARRAY, raw::DT_FINI_ARRAYSZ],
    &[raw::DT_VERNEED, raw::DT_VERNEEDNUM],
    &[raw::DT_VERDEF, raw::DT_VERDEFNUM],
];

/// The entries of the dynamic section. As for the loader, the last entry of a
/// kind counts, but for those that may stand several times.
pub(super) struct Dynamic<'data> {
    address: u64,
    size: u64,
    entries: Vec<(raw::DynamicTag, u64)>,
    strings: &'data [u8],
    needed: Vec<String>,
}

impl<'data> Dynamic<'data> {
    pub(super) fn read<Elf: FileHeader>(
        endian: Elf::Endian,
        programs: &[Elf::ProgramHeader],
        memory: &Memory<'data>,
    ) -> Result<Self, InspectError> {
        let mut found = programs
            .iter()
            .filter(|p| p.p_type(endian) == raw::PT_DYNAMIC);
        let (Some(program), None) = (found.next(), found.next()) else {
            return Err(InspectError::malformed(
                "it has not exactly one dynamic section",
            ));
        };
        let address = program.p_vaddr(endian).into();
        let size = program.p_filesz(endian).into();
        let bytes = memory.slice("its dynamic section", address, size)?;
        if !memory.is_writable(address, size) {
            return Err(InspectError::malformed(
                "its dynamic section cannot be written to",
            ));
        }
        let count = bytes.len() / size_of::<Elf::Dyn>();
        let (entries, _) = object::slice_from_bytes::<Elf::Dyn>(bytes, count)
            .map_err(|()| InspectError::malformed("its dynamic section is not aligned"))?;
        let end = entries
            .iter()
            .position(|entry| entry.tag(endian) == raw::DT_NULL);
        let Some(end) = end.filter(|end| *end <= ENTRIES_MAX) else {
            return Err(InspectError::malformed(format!(
                "its dynamic section has no end within {ENTRIES_MAX} entries"
            )));
        };
        let entries = entries[..end]
            .iter()
            .map(|e| (e.tag(endian), e.val(endian)))
            .collect();

        let mut dynamic = Self {
            address,
            size,
            entries,
            strings: &[],
            needed: Vec::new(),
        };
        dynamic.strings = dynamic
            .table(memory, "its string table", raw::DT_STRTAB, raw::DT_STRSZ)?
            .filter(|strings| strings.last() == Some(&0))
            .ok_or_else(|| InspectError::malformed("its string table is missing or has no end"))?;
        dynamic.needed = dynamic.texts(raw::DT_NEEDED)?;
        // The loader compares it with the name of all that is loaded later.
        dynamic.texts(raw::DT_SONAME)?;
        dynamic.check(memory)?;
        Ok(dynamic)
    }

    /// Checks what is not a table: functions, and arrays of them.
    fn check(&self, memory: &Memory<'_>) -> Result<(), InspectError> {
        for tags in TOGETHER {
            let present = tags
                .iter()
                .filter(|tag| self.value(**tag).is_some())
                .count();
            if present != 0 && present != tags.len() {
                return Err(InspectError::malformed(format!(
                    "its dynamic section has {present} of the {} entries from {:#x} that belong \
                     together",
                    tags.len(),
                    tags[0].0
                )));
            }
        }
        for (what, tag) in [("initialiser", raw::DT_INIT), ("finaliser", raw::DT_FINI)] {
            match self.value(tag) {
                Some(address) if !memory.is_executable(address) => {
                    return Err(InspectError::malformed(format!(
                        "its {what} at address {address:#x} is not code"
                    )));
                }
                _ => {}
            }
        }
        for (what, array, size) in [
            (
                "its array of initialisers",
                raw::DT_INIT_ARRAY,
                raw::DT_INIT_ARRAYSZ,
            ),
            (
                "its array of finalisers",
                raw::DT_FINI_ARRAY,
                raw::DT_FINI_ARRAYSZ,
            ),
        ] {
            if let Some(address) = self.value(array) {
                let size = self.value(size).unwrap_or(0);
                memory.check_mapped(what, address, size)?;
                if !size.is_multiple_of(memory.word) || !address.is_multiple_of(memory.word) {
                    return Err(InspectError::malformed(format!("{what} has {size} bytes")));
                }
            }
        }
        match self.value(raw::DT_PLTGOT) {
            Some(address) => memory.check_mapped("its table of addresses", address, memory.word),
            None => Ok(()),
        }
    }

    /// Checks that a section holds what the entry of its kind refers to. When
    /// they disagree one of them is damaged, and the loader trusts the entry.
    pub(super) fn check_section(
        &self,
        what: &str,
        name: &[u8],
        kind: raw::SectionType,
        section: &Section,
    ) -> Result<(), InspectError> {
        if section.flags & raw::SHF_ALLOC.0 == 0 {
            return Ok(());
        }
        let begins = |tag| self.value(tag) == Some(section.address);
        let within = |tag, size| {
            let start = self.value(tag).unwrap_or(0);
            let end = start.checked_add(self.value(size).unwrap_or(0));
            let section_end = section.address.checked_add(section.size);
            start <= section.address && section_end <= end
        };
        let functions = |kind: raw::DynamicTag| {
            within(raw::DT_JMPREL, raw::DT_PLTRELSZ)
                && self.value(raw::DT_PLTREL) == Some(kind.0.cast_unsigned())
        };
        let agrees = match (kind, name) {
            _ if section.size == 0 => true,
            (raw::SHT_DYNAMIC, _) => section.address == self.address,
            (raw::SHT_DYNSYM, _) => begins(raw::DT_SYMTAB),
            (raw::SHT_STRTAB, _) => within(raw::DT_STRTAB, raw::DT_STRSZ),
            (raw::SHT_GNU_HASH, _) => begins(raw::DT_GNU_HASH),
            (raw::SHT_HASH, _) => begins(raw::DT_HASH),
            (raw::SHT_GNU_VERSYM, _) => begins(raw::DT_VERSYM),
            (raw::SHT_GNU_VERNEED, _) => begins(raw::DT_VERNEED),
            (raw::SHT_GNU_VERDEF, _) => begins(raw::DT_VERDEF),
            (raw::SHT_INIT_ARRAY, _) => within(raw::DT_INIT_ARRAY, raw::DT_INIT_ARRAYSZ),
            (raw::SHT_FINI_ARRAY, _) => within(raw::DT_FINI_ARRAY, raw::DT_FINI_ARRAYSZ),
            (raw::SHT_RELR, _) => within(raw::DT_RELR, raw::DT_RELRSZ),
            (raw::SHT_RELA, _) => within(raw::DT_RELA, raw::DT_RELASZ) || functions(raw::DT_RELA),
            (raw::SHT_REL, _) => within(raw::DT_REL, raw::DT_RELSZ) || functions(raw::DT_REL),
            // A damaged address of code is told by nothing else; a plugin linked
            // with -init or -fini is refused for it.
            (raw::SHT_PROGBITS, b".init") => begins(raw::DT_INIT),
            (raw::SHT_PROGBITS, b".fini") => begins(raw::DT_FINI),
            _ => true,
        };
        match agrees {
            true => Ok(()),
            false => Err(InspectError::malformed(format!(
                "{what}, {} bytes at address {:#x}, is not what its dynamic section refers to",
                section.size, section.address
            ))),
        }
    }

    /// Returns the addresses that the dynamic section has in memory.
    pub(super) fn range(&self) -> Range<u64> {
        self.address..self.address + self.size
    }

    /// Returns the value of the last entry of kind `tag`.
    pub(super) fn value(&self, tag: raw::DynamicTag) -> Option<u64> {
        self.entries
            .iter()
            .rev()
            .find(|entry| entry.0 == tag)
            .map(|entry| entry.1)
    }

    /// Returns the bytes that one entry gives the address and another the size
    /// of, if there is the first.
    pub(super) fn table(
        &self,
        memory: &Memory<'data>,
        what: &str,
        address: raw::DynamicTag,
        size: raw::DynamicTag,
    ) -> Result<Option<&'data [u8]>, InspectError> {
        let Some(address) = self.value(address) else {
            return Ok(None);
        };
        let size = self.value(size).unwrap_or(0);
        match size {
            0 => Ok(Some(&[])),
            _ => memory.slice(what, address, size).map(Some),
        }
    }

    /// Checks that the entry that tells the size of a table's rows, if there is
    /// one, tells the size that the loader asserts.
    pub(super) fn check_row<Row>(&self, tag: raw::DynamicTag) -> Result<(), InspectError> {
        match self.value(tag) {
            Some(size) if size != size_of::<Row>() as u64 => Err(InspectError::malformed(format!(
                "a dynamic table has rows of {size} bytes, expected {}",
                size_of::<Row>()
            ))),
            _ => Ok(()),
        }
    }

    /// Returns the text at `offset` in the string table.
    pub(super) fn string(&self, offset: u64) -> Result<&'data [u8], InspectError> {
        usize::try_from(offset)
            .ok()
            .and_then(|offset| self.strings.get(offset..))
            .filter(|rest| !rest.is_empty())
            .ok_or_else(|| {
                InspectError::malformed(format!(
                    "a text at byte {offset} is not in its string table of {} bytes",
                    self.strings.len()
                ))
            })
    }

    /// Returns the libraries that are loaded with this one.
    pub(super) fn needed(&self) -> &[String] {
        &self.needed
    }

    /// Whether it is an executable that can be loaded anywhere.
    pub(super) fn is_executable(&self) -> bool {
        self.flags(raw::DT_FLAGS_1) & raw::DF_1_PIE.0 != 0
    }

    /// Whether it says that the loader will have to write into its code.
    pub(super) fn relocates_text(&self) -> bool {
        let flag = self.flags(raw::DT_FLAGS) & raw::DF_TEXTREL.0 != 0;
        flag || self.value(raw::DT_TEXTREL).is_some()
    }

    pub(super) fn hazards(&self) -> Result<Vec<Hazard>, InspectError> {
        let mut hazards = Vec::new();
        for tag in [raw::DT_RPATH, raw::DT_RUNPATH] {
            hazards.extend(self.texts(tag)?.into_iter().map(Hazard::SearchPath));
        }
        for tag in [raw::DT_AUDIT, raw::DT_DEPAUDIT] {
            hazards.extend(self.texts(tag)?.into_iter().map(Hazard::Audit));
        }
        for tag in [raw::DT_FILTER, raw::DT_AUXILIARY] {
            hazards.extend(self.texts(tag)?.into_iter().map(Hazard::Filter));
        }
        if self.relocates_text() {
            hazards.push(Hazard::TextRelocations);
        }
        Ok(hazards)
    }

    fn flags(&self, tag: raw::DynamicTag) -> u64 {
        self.value(tag).unwrap_or(0)
    }

    fn texts(&self, tag: raw::DynamicTag) -> Result<Vec<String>, InspectError> {
        let entries = self.entries.iter().filter(|entry| entry.0 == tag);
        entries
            .map(|entry| text(self.string(entry.1)?, "a name in its dynamic section"))
            .collect()
    }
}
