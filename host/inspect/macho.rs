//! Mach-O libraries, alone or in a universal file.

use exthost_abi::door::DOOR_SYMBOL;
use exthost_abi::layout::LAYOUT_SYMBOL;
use exthost_abi::meta::{SECTION_MACHO, SYMBOL};
use object::macho as raw;
use object::read::macho::{
    FatArch, LoadCommandData, LoadCommandVariant, MachHeader, MachOFatFile, MachOFatFile32,
    MachOFatFile64, Section, Segment,
};
use object::{Endianness, ReadRef};

use super::error::InspectError;
use super::image::{Blob, Hazard, Image, part, text};
use super::target::{Format, Target};

mod trie;

/// Reads a Mach-O library; of a universal file, the one for this machine, else
/// the first.
pub(super) fn read(bytes: &[u8]) -> Result<Image<'_>, InspectError> {
    match bytes.get(..4) {
        Some([0xca, 0xfe, 0xba, 0xbe]) => read_thin(slice(
            bytes,
            &MachOFatFile32::parse(bytes).map_err(damaged)?,
        )?),
        Some([0xca, 0xfe, 0xba, 0xbf]) => read_thin(slice(
            bytes,
            &MachOFatFile64::parse(bytes).map_err(damaged)?,
        )?),
        _ => read_thin(bytes),
    }
}

fn slice<'data, Fat: FatArch>(
    bytes: &'data [u8],
    file: &MachOFatFile<'data, Fat>,
) -> Result<&'data [u8], InspectError> {
    let mut slices = Vec::new();
    for arch in file.arches() {
        let (offset, size) = arch.file_range();
        let machine = machine(arch.cputype(), arch.cpusubtype());
        slices.push((
            machine,
            part(bytes, "a library in the universal file", offset, size)?,
        ));
    }
    let current = Target::current();
    let fitting = slices
        .iter()
        .find(|(machine, _)| machine == current.machine());
    fitting
        .or(slices.first())
        .map(|(_, bytes)| *bytes)
        .ok_or_else(|| InspectError::malformed("it is a universal file with nothing in it"))
}

fn read_thin(bytes: &[u8]) -> Result<Image<'_>, InspectError> {
    match bytes.get(..4) {
        Some([0xfe, 0xed, 0xfa, 0xcf] | [0xcf, 0xfa, 0xed, 0xfe]) => {
            Reader::<raw::MachHeader64<Endianness>>::read(bytes, 64)
        }
        Some([0xfe, 0xed, 0xfa, 0xce] | [0xce, 0xfa, 0xed, 0xfe]) => {
            Reader::<raw::MachHeader32<Endianness>>::read(bytes, 32)
        }
        _ => Err(InspectError::malformed(
            "it is a universal file, but not of Mach-O libraries",
        )),
    }
}

/// What the load commands have told so far.
struct Reader<'data, Mach: MachHeader> {
    bytes: &'data [u8],
    endian: Mach::Endian,
    segments: Vec<&'data Mach::Segment>,
    trie: Option<&'data [u8]>,
    needed: Vec<String>,
    hazards: Vec<Hazard>,
    metas: Vec<Blob<'data>>,
    os: &'static str,
}

impl<'data, Mach: MachHeader<Endian = Endianness>> Reader<'data, Mach> {
    fn read(bytes: &'data [u8], bits: u32) -> Result<Image<'data>, InspectError> {
        part(bytes, "its header", 0, size_of::<Mach>() as u64)?;
        let header = Mach::parse(bytes, 0).map_err(damaged)?;
        let endian = header.endian().map_err(damaged)?;
        check_type(header.filetype(endian))?;
        let size = header.sizeofcmds(endian).into();
        part(bytes, "its load commands", size_of::<Mach>() as u64, size)?;
        let mut reader = Self {
            bytes,
            endian,
            segments: Vec::new(),
            trie: None,
            needed: Vec::new(),
            hazards: Vec::new(),
            metas: Vec::new(),
            os: "macos",
        };
        let mut commands = header.load_commands(endian, bytes, 0).map_err(damaged)?;
        while let Some(command) = commands.next().map_err(damaged)? {
            reader.command(command)?;
        }
        let door = reader.find(DOOR_SYMBOL)?.is_some();
        let layouts = reader.find(LAYOUT_SYMBOL)?.is_some();
        let meta_symbol = reader
            .find(SYMBOL)?
            .and_then(|address| reader.blob(address));
        let machine = machine(header.cputype(endian), header.cpusubtype(endian));
        Ok(Image {
            target: Target::new(Format::MachO, reader.os, machine, bits),
            needed: reader.needed,
            hazards: reader.hazards,
            glibc: None,
            restart_only: false,
            door,
            layouts,
            meta_sections: reader.metas,
            meta_symbol,
        })
    }

    fn command(&mut self, command: LoadCommandData<'data, Endianness>) -> Result<(), InspectError> {
        let endian = self.endian;
        if let Some((segment, sections)) = Mach::Segment::from_command(command).map_err(damaged)? {
            return self.segment(segment, sections);
        }
        match command.variant().map_err(damaged)? {
            LoadCommandVariant::Symtab(table) => {
                let size = u64::from(table.nsyms.get(endian)) * size_of::<Mach::Nlist>() as u64;
                self.check("its symbol table", table.symoff.get(endian), size)?;
                let size = table.strsize.get(endian);
                self.check("its string table", table.stroff.get(endian), size.into())?;
            }
            LoadCommandVariant::Dysymtab(table) => {
                for (offset, count, row) in [
                    (table.tocoff, table.ntoc, 8),
                    (table.extrefsymoff, table.nextrefsyms, 4),
                    (table.indirectsymoff, table.nindirectsyms, 4),
                    (table.extreloff, table.nextrel, 8),
                    (table.locreloff, table.nlocrel, 8),
                ] {
                    let size = u64::from(count.get(endian)) * row;
                    self.check("its dynamic symbol table", offset.get(endian), size)?;
                }
            }
            LoadCommandVariant::DyldInfo(info) => {
                for (offset, size) in [
                    (info.rebase_off, info.rebase_size),
                    (info.bind_off, info.bind_size),
                    (info.weak_bind_off, info.weak_bind_size),
                    (info.lazy_bind_off, info.lazy_bind_size),
                ] {
                    self.check("its fixups", offset.get(endian), size.get(endian).into())?;
                }
                let size = info.export_size.get(endian);
                self.exports(info.export_off.get(endian), size)?;
            }
            LoadCommandVariant::LinkeditData(data) => {
                let (offset, size) = (data.dataoff.get(endian), data.datasize.get(endian));
                match command.cmd() {
                    raw::LC_DYLD_EXPORTS_TRIE => self.exports(offset, size)?,
                    _ => self.check("a part of its link data", offset, size.into())?,
                }
            }
            LoadCommandVariant::Dylib(dylib) => {
                self.needed.push(string(command, endian, dylib.dylib.name)?);
            }
            LoadCommandVariant::Rpath(rpath) => {
                self.hazards
                    .push(Hazard::SearchPath(string(command, endian, rpath.path)?));
            }
            LoadCommandVariant::BuildVersion(build, _) => {
                self.os = match build.platform.get(endian) {
                    raw::PLATFORM_MACOS => "macos",
                    _ => "apple-other",
                };
            }
            _ => {}
        }
        Ok(())
    }

    /// Checks a segment and its sections against the file.
    fn segment(
        &mut self,
        segment: &'data Mach::Segment,
        sections: &'data [u8],
    ) -> Result<(), InspectError> {
        let endian = self.endian;
        let (offset, file_size) = segment.file_range(endian);
        let (address, size) = memory_range::<Mach>(segment, endian);
        let name = segment.name().escape_ascii();
        let what = format!("its segment {name}");
        part(self.bytes, &what, offset, file_size)?;
        if address.checked_add(size).is_none() || file_size > size {
            return Err(InspectError::malformed(format!(
                "{what} does not fit into its memory"
            )));
        }
        let (section_name, meta) = (SECTION_MACHO.0.as_bytes(), SECTION_MACHO.1.as_bytes());
        for section in segment.sections(endian, sections).map_err(damaged)? {
            let start: u64 = section.addr(endian).into();
            let length: u64 = section.size(endian).into();
            let what = format!("its section {name},{}", section.name().escape_ascii());
            let outside = || InspectError::malformed(format!("{what} is not in its segment"));
            let end = start.checked_add(length).ok_or_else(outside)?;
            if start < address || end > address + size {
                return Err(outside());
            }
            if section.file_size(endian).is_none() {
                continue;
            }
            let at = section.offset(endian).into();
            let content = part(self.bytes, &what, at, length)?;
            // The loader maps segments; the offset of a section is for tools.
            if length > 0 && offset + (start - address) != at {
                return Err(outside());
            }
            if segment.name() == section_name && section.name() == meta {
                self.metas.push(Blob {
                    offset: at,
                    bytes: content,
                });
            }
        }
        self.segments.push(segment);
        Ok(())
    }

    fn exports(&mut self, offset: u32, size: u32) -> Result<(), InspectError> {
        let trie = part(
            self.bytes,
            "its table of exports",
            offset.into(),
            size.into(),
        )?;
        if !trie.is_empty() {
            self.trie = Some(trie);
        }
        Ok(())
    }

    /// Returns the address of the exported symbol `name`. Every linker since
    /// macOS 10.6 makes a trie, which is what the loader uses.
    fn find(&self, name: &str) -> Result<Option<u64>, InspectError> {
        let Some(trie) = self.trie else {
            return Ok(None);
        };
        let text = self
            .segments
            .iter()
            .find(|segment| segment.name() == b"__TEXT");
        let base = text.map_or(0, |segment| memory_range::<Mach>(segment, self.endian).0);
        let offset = trie::find(trie, format!("_{name}").as_bytes())?;
        Ok(offset.and_then(|offset| base.checked_add(offset)))
    }

    /// Returns what the file has from `address` to the end of its segment.
    fn blob(&self, address: u64) -> Option<Blob<'data>> {
        self.segments.iter().find_map(|segment| {
            let (start, _) = memory_range::<Mach>(segment, self.endian);
            let (offset, size) = segment.file_range(self.endian);
            let within = address.checked_sub(start).filter(|within| *within < size)?;
            let bytes = self
                .bytes
                .read_bytes_at(offset + within, size - within)
                .ok()?;
            Some(Blob {
                offset: offset + within,
                bytes,
            })
        })
    }

    fn check(&self, what: &str, offset: u32, size: u64) -> Result<(), InspectError> {
        part(self.bytes, what, offset.into(), size).map(|_| ())
    }
}

fn memory_range<Mach: MachHeader>(segment: &Mach::Segment, endian: Mach::Endian) -> (u64, u64) {
    (segment.vmaddr(endian).into(), segment.vmsize(endian).into())
}

fn string(
    command: LoadCommandData<'_, Endianness>,
    endian: Endianness,
    offset: raw::LcStr<Endianness>,
) -> Result<String, InspectError> {
    let at = offset.offset.get(endian) as usize;
    let bytes = command.raw_data().get(at..).unwrap_or_default();
    // A name may fill its command to the last byte.
    let bytes = [bytes, b"\0"].concat();
    text(&bytes, "a name in its load commands")
}

fn machine(cpu: raw::CpuType, subtype: raw::CpuSubtype) -> String {
    match cpu {
        raw::CPU_TYPE_X86_64 => "x86-64".to_owned(),
        raw::CPU_TYPE_X86 => "x86".to_owned(),
        raw::CPU_TYPE_ARM => "arm".to_owned(),
        raw::CPU_TYPE_ARM64 if subtype.0 & !raw::CPU_SUBTYPE_MASK == raw::CPU_SUBTYPE_ARM64E.0 => {
            "aarch64-e".to_owned()
        }
        raw::CPU_TYPE_ARM64 => "aarch64".to_owned(),
        other => format!("machine-{}", other.0),
    }
}

fn check_type(kind: raw::FileType) -> Result<(), InspectError> {
    let kind = match kind {
        raw::MH_DYLIB | raw::MH_BUNDLE => return Ok(()),
        raw::MH_EXECUTE => "an executable".to_owned(),
        raw::MH_OBJECT => "an object file".to_owned(),
        other => format!("a Mach-O file of type {}", other.0),
    };
    Err(InspectError::NotShared { kind })
}

/// Says what `object` found, which names the field.
fn damaged(error: object::Error) -> InspectError {
    InspectError::malformed(format!("its Mach-O headers are damaged ({error})"))
}
