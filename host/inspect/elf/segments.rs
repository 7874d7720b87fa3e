//! Segments that the loader reads where they lie in memory, against the sections.

use object::elf as raw;
use object::read::elf::{FileHeader, ProgramHeader};

use super::memory::Section;
use crate::inspect::error::InspectError;
use crate::inspect::image::part;

/// Most bytes of thread-local data: the loader ends the process when a thread
/// cannot have them.
const THREAD_BYTES_MAX: u64 = 16 * 1024 * 1024;

/// Largest alignment of thread-local data in bytes, for the same reason.
const THREAD_ALIGN_MAX: u64 = 64 * 1024;

/// The smallest page in bytes; protection ends at one.
const PAGE: u64 = 4096;

/// The segments that sections must agree with, each where it is in memory.
pub(super) struct Segments {
    threads: Option<Span>,
    read_only: Option<Span>,
}

struct Span {
    start: u64,
    end: u64,
}

impl Segments {
    /// Reads and checks them; the program headers are at `offset` in the file.
    pub(super) fn read<Elf: FileHeader>(
        bytes: &[u8],
        endian: Elf::Endian,
        programs: &[Elf::ProgramHeader],
        offset: u64,
    ) -> Result<Self, InspectError> {
        let mut segments = Self {
            threads: None,
            read_only: None,
        };
        for program in programs {
            let start: u64 = program.p_vaddr(endian).into();
            let size: u64 = program.p_memsz(endian).into();
            let align: u64 = program.p_align(endian).into();
            let at: u64 = program.p_offset(endian).into();
            let end = start.saturating_add(size);
            match program.p_type(endian) {
                raw::PT_PHDR if at != offset => {
                    return Err(InspectError::malformed(format!(
                        "its program headers are at byte {offset}, and at {at} by their own word"
                    )));
                }
                raw::PT_TLS if size > THREAD_BYTES_MAX || align > THREAD_ALIGN_MAX => {
                    return Err(InspectError::malformed(format!(
                        "it has {size} bytes for each thread, aligned to {align}; at most \
                         {THREAD_BYTES_MAX} and {THREAD_ALIGN_MAX} are served"
                    )));
                }
                raw::PT_TLS => segments.threads = Some(Span { start, end }),
                raw::PT_GNU_RELRO => {
                    let end = end - end % PAGE;
                    segments.read_only = Some(Span { start, end });
                }
                raw::PT_NOTE | raw::PT_GNU_PROPERTY => {
                    let size = program.p_filesz(endian).into();
                    notes(endian, part(bytes, "its notes", at, size)?, align)?;
                }
                _ => {}
            }
        }
        Ok(segments)
    }

    /// Checks that thread-local data is where threads look for it, and that what
    /// is written to stays writable.
    pub(super) fn check_section(
        &self,
        what: &str,
        name: &[u8],
        section: &Section,
    ) -> Result<(), InspectError> {
        let is = |flag: raw::SectionFlags| section.flags & flag.0 != 0;
        if section.size == 0 || !is(raw::SHF_ALLOC) {
            return Ok(());
        }
        let (start, end) = (
            section.address,
            section.address.saturating_add(section.size),
        );
        let span = |span: &Span| span.start <= start && end <= span.end;
        let placed = !is(raw::SHF_TLS) || self.threads.as_ref().is_some_and(span);
        let written = matches!(name, b".data" | b".bss");
        let protects = |span: &Span| start < span.end && span.start < end;
        let protected = written && self.read_only.as_ref().is_some_and(protects);
        match placed && !protected {
            true => Ok(()),
            false => Err(InspectError::malformed(format!(
                "{what}, {} bytes at address {start:#x}, does not fit the segments",
                section.size
            ))),
        }
    }
}

/// Checks that each note ends in its segment.
fn notes<E: object::Endian>(endian: E, bytes: &[u8], align: u64) -> Result<(), InspectError> {
    let align = align.max(4);
    let number = |at: u64| {
        let at = usize::try_from(at).ok()?;
        let digits = bytes.get(at..)?.first_chunk()?;
        Some(u64::from(endian.read_u32(*digits)))
    };
    let mut at = 0;
    while at + 12 <= bytes.len() as u64 {
        let (Some(name), Some(size)) = (number(at), number(at + 4)) else {
            break;
        };
        let end = (at + 12 + name).checked_next_multiple_of(align);
        let end = end.map_or(u64::MAX, |start| start.saturating_add(size));
        if end > bytes.len() as u64 {
            return Err(InspectError::malformed(format!(
                "a note ends at byte {end} of the {} that its notes have",
                bytes.len()
            )));
        }
        at = end.next_multiple_of(align);
    }
    Ok(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn notes_end_where_they_may() {
        let little = object::Endianness::Little;
        let note = |name: u32, size: u32| {
            let mut bytes = [name, size, 5].map(u32::to_le_bytes).concat();
            bytes.resize(12 + 4 + 8, 0);
            bytes
        };
        assert!(notes(little, &note(4, 8), 4).is_ok());
        assert!(notes(little, &note(4, 9), 4).is_err());
        assert!(notes(little, &note(u32::MAX, u32::MAX), 8).is_err());
        assert!(notes(little, &[0; 11], 0).is_ok());
    }
}
