//! What a library's memory will be, as its segments say.

use object::elf as raw;
use object::read::elf::{FileHeader, ProgramHeader};

use crate::inspect::error::InspectError;
use crate::inspect::image::{Blob, part};

/// Most loadable segments; linkers make four or five.
const LOADS_MAX: usize = 64;

/// The loadable segments, checked: inside the file, ascending, apart from each
/// other, placed as the loader requires.
pub(super) struct Memory<'data> {
    bytes: &'data [u8],
    loads: Vec<Load>,
    /// Bytes of a pointer.
    pub(super) word: u64,
}

struct Load {
    address: u64,
    /// Bytes in memory; those beyond `file_size` are zero.
    size: u64,
    offset: u64,
    file_size: u64,
    flags: u32,
}

/// A section to compare with the segments.
pub(super) struct Section {
    pub(super) address: u64,
    pub(super) offset: u64,
    pub(super) size: u64,
    pub(super) flags: u64,
    pub(super) in_file: bool,
}

impl<'data> Memory<'data> {
    pub(super) fn read<Elf: FileHeader>(
        bytes: &'data [u8],
        endian: Elf::Endian,
        programs: &[Elf::ProgramHeader],
    ) -> Result<Self, InspectError> {
        let word = size_of::<Elf::Word>() as u64;
        let mut memory = Self {
            bytes,
            loads: Vec::new(),
            word,
        };
        let segments = || {
            programs
                .iter()
                .map(|program| (program.p_type(endian), program))
        };
        for (kind, program) in segments() {
            let load = Load {
                address: program.p_vaddr(endian).into(),
                size: program.p_memsz(endian).into(),
                offset: program.p_offset(endian).into(),
                file_size: program.p_filesz(endian).into(),
                flags: program.p_flags(endian).0,
            };
            let what = format!("its segment of type {:#x}", kind.0);
            part(bytes, &what, load.offset, load.file_size)?;
            if kind == raw::PT_LOAD {
                memory.push(load, program.p_align(endian).into())?;
            }
        }
        if memory.loads.is_empty() {
            return Err(InspectError::malformed("it has no loadable segment"));
        }
        for (kind, program) in segments().filter(|(kind, _)| lies_in_memory(*kind)) {
            memory.check_inner::<Elf>(kind, program, endian)?;
        }
        Ok(memory)
    }

    /// Adds a loadable segment after checking it against the one before it.
    fn push(&mut self, load: Load, align: u64) -> Result<(), InspectError> {
        let bad = |what: &str| {
            InspectError::malformed(format!("its segment at address {:#x} {what}", load.address))
        };
        let end = load.address.checked_add(load.size);
        if end.is_none() {
            return Err(bad("ends beyond all memory"));
        }
        if load.file_size > load.size {
            return Err(bad("has more bytes in the file than in memory"));
        }
        if self.loads.len() == LOADS_MAX {
            return Err(bad("is one more than any library has"));
        }
        if !align.is_power_of_two() || load.address % align != load.offset % align {
            return Err(bad("is not aligned as it says"));
        }
        if load.flags & raw::PF_R.0 == 0 {
            return Err(bad("cannot be read"));
        }
        if self
            .loads
            .last()
            .is_some_and(|last| last.address + last.size > load.address)
        {
            return Err(bad("overlaps the one before it"));
        }
        self.loads.push(load);
        Ok(())
    }

    /// Checks a segment that is a part of a loadable one.
    fn check_inner<Elf: FileHeader>(
        &self,
        kind: raw::ProgramType,
        program: &Elf::ProgramHeader,
        endian: Elf::Endian,
    ) -> Result<(), InspectError> {
        let address = program.p_vaddr(endian).into();
        let offset: u64 = program.p_offset(endian).into();
        let file_size: u64 = program.p_filesz(endian).into();
        let size: u64 = program.p_memsz(endian).into();
        let align: u64 = program.p_align(endian).into();
        // The zeros of thread-local data lie in no segment, and what becomes
        // read-only may be rounded up to a page; nobody asks where that lies in
        // the file, and mold says 0 when it begins with thread-local zeros.
        let mapped = match kind {
            raw::PT_TLS | raw::PT_GNU_RELRO => file_size,
            _ => size,
        };
        // Where there are thread-local zeros only, nothing is read.
        let unread = kind == raw::PT_TLS && file_size == 0 && align.is_power_of_two();
        let placed = size == 0
            || unread
            || self.find(address, mapped).is_some_and(|load| {
                file_size <= size
                    && (file_size == 0
                        || kind == raw::PT_GNU_RELRO
                        || load.offset + (address - load.address) == offset)
                    && (align == 0 || align.is_power_of_two())
                    && (kind != raw::PT_GNU_RELRO || self.may_protect(load, address, size))
            });
        match placed {
            true => Ok(()),
            false => Err(InspectError::malformed(format!(
                "its segment of type {:#x}, {size} bytes at address {address:#x}, is not part of a \
                 loadable one",
                kind.0
            ))),
        }
    }

    /// Whether `size` bytes at `address` may become read-only: they end in
    /// `load`, which is writable, or in the last of its pages, which have at
    /// most 64 KiB, but before the segment that follows.
    fn may_protect(&self, load: &Load, address: u64, size: u64) -> bool {
        let starts = self.loads.iter().map(|other| other.address);
        let next = starts.filter(|start| *start > load.address).min();
        let page_end = (load.address + load.size).checked_next_multiple_of(64 * 1024);
        let last = page_end.map(|end| end.min(next.unwrap_or(u64::MAX)));
        let end = address.checked_add(size);
        load.flags & raw::PF_W.0 != 0 && end.zip(last).is_some_and(|(end, last)| end <= last)
    }

    /// Checks that a section that is loaded lies in a segment, at the same
    /// distance in the file as in memory, with the rights it needs.
    pub(super) fn check_section(&self, what: &str, section: &Section) -> Result<(), InspectError> {
        let is = |flag: raw::SectionFlags| section.flags & flag.0 != 0;
        let thread_zeros = is(raw::SHF_TLS) && !section.in_file;
        if !is(raw::SHF_ALLOC) || section.size == 0 || thread_zeros {
            return Ok(());
        }
        let placed = self
            .find(section.address, section.size)
            .is_some_and(|load| {
                let within = section.address - load.address;
                let can = |flag: raw::ProgramFlags| load.flags & flag.0 != 0;
                (!is(raw::SHF_WRITE) || can(raw::PF_W))
                    && (!is(raw::SHF_EXECINSTR) || can(raw::PF_X))
                    && (!section.in_file
                        || load.offset + within == section.offset
                            && within + section.size <= load.file_size)
            });
        match placed {
            true => Ok(()),
            false => Err(InspectError::malformed(format!(
                "{what}, {} bytes at address {:#x}, does not fit the segments",
                section.size, section.address
            ))),
        }
    }

    /// Returns `size` bytes at `address`, all from the file.
    pub(super) fn slice(
        &self,
        what: &str,
        address: u64,
        size: u64,
    ) -> Result<&'data [u8], InspectError> {
        let bytes = self
            .blob(address)
            .and_then(|blob| blob.bytes.get(..usize::try_from(size).ok()?));
        bytes.ok_or_else(|| outside(what, address, size))
    }

    /// Returns what the file has from `address` to the end of its segment.
    pub(super) fn blob(&self, address: u64) -> Option<Blob<'data>> {
        let load = self.find(address, 1)?;
        let within = address - load.address;
        let size = load.file_size.checked_sub(within)?;
        let offset = load.offset + within;
        let bytes = part(self.bytes, "its segment", offset, size).ok()?;
        Some(Blob { offset, bytes })
    }

    /// Checks that `size` bytes at `address` are in memory, zeros included.
    pub(super) fn check_mapped(
        &self,
        what: &str,
        address: u64,
        size: u64,
    ) -> Result<(), InspectError> {
        self.find(address, size)
            .map(|_| ())
            .ok_or_else(|| outside(what, address, size))
    }

    /// Whether the loader may write `size` bytes at `address`.
    pub(super) fn is_writable(&self, address: u64, size: u64) -> bool {
        self.find(address, size)
            .is_some_and(|load| load.flags & raw::PF_W.0 != 0)
    }

    /// Whether code may lie at `address`.
    pub(super) fn is_executable(&self, address: u64) -> bool {
        self.find(address, 1)
            .is_some_and(|load| load.flags & raw::PF_X.0 != 0)
    }

    fn find(&self, address: u64, size: u64) -> Option<&Load> {
        let end = address.checked_add(size)?;
        self.loads
            .iter()
            .find(|load| load.address <= address && end <= load.address + load.size)
    }
}

/// Whether the loader reads a segment of this kind where it lies in memory.
fn lies_in_memory(kind: raw::ProgramType) -> bool {
    matches!(
        kind,
        raw::PT_DYNAMIC
            | raw::PT_PHDR
            | raw::PT_TLS
            | raw::PT_GNU_EH_FRAME
            | raw::PT_GNU_RELRO
            | raw::PT_GNU_PROPERTY
            | raw::PT_NOTE
    )
}

fn outside(what: &str, address: u64, size: u64) -> InspectError {
    InspectError::malformed(format!(
        "{what}, {size} bytes at address {address:#x}, is not in its segments"
    ))
}
