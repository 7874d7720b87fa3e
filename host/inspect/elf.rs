//! ELF libraries.
//!
//! glibc's loader trusts a file's numbers: one in five damaged program headers
//! brings the process down with it. So whatever it follows is followed here
//! first.

use std::borrow::Cow;
use std::fs;

use exthost_abi::PluginTable;
use exthost_abi::door::DOOR_SYMBOL;
use exthost_abi::layout::{LAYOUT_SYMBOL, LibHeader};
use exthost_abi::meta::{SECTION_ELF, SYMBOL};
use object::elf as raw;
use object::read::elf::{FileHeader, ProgramHeader, SectionHeader};
use object::{Endian, Endianness};

use super::error::InspectError;
use super::glibc::Glibc;
use super::image::{Blob, Hazard, Image, part};
use super::target::{Format, Target};

mod dynamic;
mod kinds;
mod memory;
mod relocations;
mod segments;
mod symbols;
mod versions;
mod written;

use dynamic::Dynamic;
use memory::{Memory, Section};
use segments::Segments;
use symbols::Symbols;

/// Reads an ELF library of either width and byte order.
pub(super) fn read(bytes: &[u8]) -> Result<Image<'_>, InspectError> {
    match bytes.get(4) {
        Some(&class) if class == raw::ELFCLASS32.0 => {
            read_class::<raw::FileHeader32<Endianness>>(bytes)
        }
        Some(&class) if class == raw::ELFCLASS64.0 => {
            read_class::<raw::FileHeader64<Endianness>>(bytes)
        }
        Some(class) => Err(InspectError::malformed(format!(
            "its ELF class is {class}, not 1 or 2"
        ))),
        None => Err(InspectError::Truncated {
            what: "its header".to_owned(),
            end: 64,
            size: bytes.len() as u64,
        }),
    }
}

fn read_class<Elf: FileHeader<Endian = Endianness>>(
    bytes: &[u8],
) -> Result<Image<'_>, InspectError> {
    let bits = if size_of::<Elf>() == size_of::<raw::FileHeader64<Endianness>>() {
        64
    } else {
        32
    };
    part(bytes, "its header", 0, size_of::<Elf>() as u64)?;
    let header = Elf::parse(bytes).map_err(damaged)?;
    let endian = header.endian().map_err(damaged)?;
    check_type(header.e_type(endian))?;
    let programs = program_headers(header, endian, bytes)?;
    let memory = Memory::read::<Elf>(bytes, endian, programs)?;
    let dynamic = Dynamic::read::<Elf>(endian, programs, &memory)?;
    if dynamic.is_executable() || programs.iter().any(|p| p.p_type(endian) == raw::PT_INTERP) {
        return Err(not_shared("an executable"));
    }
    let segments = Segments::read::<Elf>(bytes, endian, programs, header.e_phoff(endian).into())?;
    let meta_sections = sections(header, endian, bytes, &memory, &segments, &dynamic)?;
    let symbols = Symbols::<Elf>::read(endian, &dynamic, &memory)?;
    let versions = versions::read(endian, &dynamic, &memory, symbols.len())?;
    let target = Target::new(Format::Elf, os(header), machine(header, endian, bits), bits);
    // What another machine's loader does is no danger here, where the file is told
    // to be that machine's.
    let loader = match target == Target::current() {
        true => header.e_machine(endian),
        false => raw::EM_NONE,
    };
    relocations::check::<Elf>(loader, endian, &dynamic, &memory, symbols.limit())?;

    let mut hazards = dynamic.hazards()?;
    let stack = programs
        .iter()
        .find(|program| program.p_type(endian) == raw::PT_GNU_STACK);
    // Without this header the stack is executable too.
    if stack.is_none_or(|stack| stack.p_flags(endian).0 & raw::PF_X.0 != 0) {
        hazards.push(Hazard::ExecutableStack);
    }
    // What the loader will say of where these are is believed.
    let exports = |name, words: u64| match symbols.find_data(name)? {
        Some(address) => memory
            .check_mapped(&format!("its table {name}"), address, words * memory.word)
            .map(|()| true),
        None => Ok(false),
    };
    let meta_symbol = symbols
        .find_data(SYMBOL)?
        .and_then(|address| memory.blob(address));
    Ok(Image {
        target,
        needed: dynamic.needed().to_vec(),
        hazards,
        glibc: versions.glibc,
        restart_only: symbols.any_unique(),
        door: exports(DOOR_SYMBOL, words::<PluginTable>())?,
        layouts: exports(LAYOUT_SYMBOL, words::<LibHeader>())?,
        meta_sections,
        meta_symbol,
    })
}

/// Returns the version of the GNU C library this process runs with, or nothing
/// where there is none. It is read from the library's own file.
pub fn running_glibc() -> Option<Glibc> {
    let maps = fs::read_to_string("/proc/self/maps").ok()?;
    let path = maps
        .lines()
        .filter_map(|line| line.split_ascii_whitespace().nth(5))
        .find(|path| path.ends_with("/libc.so.6"))?;
    let bytes = fs::read(path).ok()?;
    match usize::BITS {
        32 => defined_glibc::<raw::FileHeader32<Endianness>>(&bytes),
        _ => defined_glibc::<raw::FileHeader64<Endianness>>(&bytes),
    }
}

fn defined_glibc<Elf: FileHeader<Endian = Endianness>>(bytes: &[u8]) -> Option<Glibc> {
    let header = Elf::parse(bytes).ok()?;
    let endian = header.endian().ok()?;
    let programs = program_headers(header, endian, bytes).ok()?;
    let memory = Memory::read::<Elf>(bytes, endian, programs).ok()?;
    let dynamic = Dynamic::read::<Elf>(endian, programs, &memory).ok()?;
    versions::read(endian, &dynamic, &memory, 0).ok()?.defined
}

/// How many pointers a table has the size of.
fn words<Table>() -> u64 {
    (size_of::<Table>() / size_of::<usize>()) as u64
}

fn check_type(kind: raw::FileType) -> Result<(), InspectError> {
    match kind {
        raw::ET_DYN => Ok(()),
        raw::ET_EXEC => Err(not_shared("an executable")),
        raw::ET_REL => Err(not_shared("an object file")),
        raw::ET_CORE => Err(not_shared("a core dump")),
        other => Err(not_shared(&format!("an ELF file of type {}", other.0))),
    }
}

fn program_headers<'data, Elf: FileHeader>(
    header: &Elf,
    endian: Elf::Endian,
    bytes: &'data [u8],
) -> Result<&'data [Elf::ProgramHeader], InspectError> {
    let count = u64::from(header.e_phnum(endian));
    let size = count * size_of::<Elf::ProgramHeader>() as u64;
    part(
        bytes,
        "its program header table",
        header.e_phoff(endian).into(),
        size,
    )?;
    header.program_headers(endian, bytes).map_err(damaged)
}

/// Checks every section against the file, the segments and the dynamic section,
/// and returns those of the meta. Sections are of no use to the loader, but when
/// they and what it does use disagree, one of them is damaged.
fn sections<'data, Elf: FileHeader>(
    header: &Elf,
    endian: Elf::Endian,
    bytes: &'data [u8],
    memory: &Memory<'data>,
    segments: &Segments,
    dynamic: &Dynamic<'data>,
) -> Result<Vec<Blob<'data>>, InspectError> {
    let count = u64::from(header.e_shnum(endian));
    let size = count * size_of::<Elf::SectionHeader>() as u64;
    part(
        bytes,
        "its section header table",
        header.e_shoff(endian).into(),
        size,
    )?;
    let table = header.section_headers(endian, bytes).map_err(damaged)?;
    let names = match header.shstrndx(endian, bytes).map_err(damaged)? {
        0 => &[],
        index => table
            .get(index as usize)
            .and_then(|section| section.data(endian, bytes).ok())
            .ok_or_else(|| InspectError::malformed("its table of section names is missing"))?,
    };
    let mut metas = Vec::new();
    for section in table {
        let kind = section.sh_type(endian);
        if kind == raw::SHT_NULL {
            continue;
        }
        let name = section_name(names, section.sh_name(endian))?;
        let what = format!("its section {}", name.escape_ascii());
        let section = Section {
            address: section.sh_addr(endian).into(),
            offset: section.sh_offset(endian).into(),
            size: section.sh_size(endian).into(),
            flags: section.sh_flags(endian).0,
            in_file: kind != raw::SHT_NOBITS,
        };
        memory.check_section(&what, &section)?;
        segments.check_section(&what, name, &section)?;
        dynamic.check_section(&what, name, kind, &section)?;
        if section.in_file {
            let content = part(bytes, &what, section.offset, section.size)?;
            if name == SECTION_ELF.as_bytes() {
                metas.push(Blob {
                    offset: section.offset,
                    bytes: content,
                });
            }
        }
    }
    Ok(metas)
}

/// Returns the name at `offset`, cut off where no name is that long.
fn section_name(names: &[u8], offset: u32) -> Result<&[u8], InspectError> {
    let rest = names.get(offset as usize..).ok_or_else(|| {
        InspectError::malformed(format!(
            "the name of a section is at byte {offset} of {}",
            names.len()
        ))
    })?;
    let rest = &rest[..rest.len().min(64)];
    Ok(rest.split(|&byte| byte == 0).next().unwrap_or_default())
}

fn os<Elf: FileHeader>(header: &Elf) -> &'static str {
    match header.e_ident().os_abi {
        raw::ELFOSABI_SYSV | raw::ELFOSABI_GNU => "linux",
        raw::ELFOSABI_FREEBSD => "freebsd",
        raw::ELFOSABI_SOLARIS => "solaris",
        _ => "unknown",
    }
}

fn machine<Elf: FileHeader>(header: &Elf, endian: Elf::Endian, bits: u32) -> Cow<'static, str> {
    let known = match (header.e_machine(endian), bits, endian.is_little_endian()) {
        (raw::EM_X86_64, 64, true) => "x86-64",
        (raw::EM_X86_64, 32, true) => "x86-64-x32",
        (raw::EM_386, 32, true) => "x86",
        (raw::EM_AARCH64, 64, true) => "aarch64",
        (raw::EM_AARCH64, 64, false) => "aarch64-be",
        (raw::EM_ARM, 32, true) => "arm",
        (raw::EM_RISCV, 64, true) => "riscv64",
        (raw::EM_RISCV, 32, true) => "riscv32",
        (raw::EM_PPC64, 64, true) => "powerpc64-le",
        (raw::EM_PPC64, 64, false) => "powerpc64",
        (raw::EM_S390, 64, false) => "s390x",
        (raw::EM_LOONGARCH, 64, true) => "loongarch64",
        (other, _, little) => {
            let order = if little { "le" } else { "be" };
            return format!("machine-{}-{bits}-{order}", other.0).into();
        }
    };
    known.into()
}

fn not_shared(kind: &str) -> InspectError {
    InspectError::NotShared {
        kind: kind.to_owned(),
    }
}

/// Says what `object` found, which names the field.
fn damaged(error: object::Error) -> InspectError {
    InspectError::malformed(format!("its ELF headers are damaged ({error})"))
}

#[cfg(test)]
mod tests {
    #[cfg(all(target_os = "linux", target_env = "gnu"))]
    #[test]
    fn this_process_runs_with_a_glibc() {
        use super::*;

        assert!(running_glibc() > Some(Glibc::new(2, 16)));
    }
}
