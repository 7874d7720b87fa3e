//! PE libraries.

use std::borrow::Cow;

use exthost_abi::door::DOOR_SYMBOL;
use exthost_abi::layout::LAYOUT_SYMBOL;
use exthost_abi::meta::{SECTION_PE, SYMBOL};
use object::LittleEndian as LE;
use object::pe as raw;
use object::read::coff::SectionTable;
use object::read::pe::{
    DataDirectories, DelayLoadImportTable, ImageNtHeaders, ImageOptionalHeader,
    optional_header_magic,
};

use super::error::InspectError;
use super::image::{Blob, Image, part, text};
use super::target::{Format, Target};

/// Most sections of a library, by the loader of Windows.
const SECTIONS_MAX: usize = 96;

/// Most exports of a library, for their numbers have 16 bits.
const EXPORTS_MAX: usize = 1 << 16;

/// Most libraries that one may import.
const NEEDED_MAX: usize = 1024;

/// Reads a PE library of either width.
pub(super) fn read(bytes: &[u8]) -> Result<Image<'_>, InspectError> {
    part(
        bytes,
        "its header",
        0,
        size_of::<raw::ImageDosHeader>() as u64,
    )?;
    match optional_header_magic(bytes).map_err(damaged)? {
        raw::IMAGE_NT_OPTIONAL_HDR32_MAGIC => read_width::<raw::ImageNtHeaders32>(bytes, 32),
        raw::IMAGE_NT_OPTIONAL_HDR64_MAGIC => read_width::<raw::ImageNtHeaders64>(bytes, 64),
        other => Err(InspectError::malformed(format!(
            "its PE header has the magic {other:#x}"
        ))),
    }
}

fn read_width<Pe: ImageNtHeaders>(bytes: &[u8], bits: u32) -> Result<Image<'_>, InspectError> {
    let dos = raw::ImageDosHeader::parse(bytes).map_err(damaged)?;
    let mut offset = dos.nt_headers_offset().into();
    let (headers, directories) = Pe::parse(bytes, &mut offset).map_err(damaged)?;
    let header = headers.file_header();
    if header.characteristics.get(LE).0 & raw::IMAGE_FILE_DLL.0 == 0 {
        return Err(InspectError::NotShared {
            kind: "an executable".to_owned(),
        });
    }
    let sections = headers.sections(bytes, offset).map_err(damaged)?;
    let file = File {
        bytes,
        directories,
        sections,
    };
    let optional = headers.optional_header();
    part(bytes, "its headers", 0, optional.size_of_headers().into())?;
    let metas = file.check_sections(optional.size_of_image())?;
    file.check_directories()?;

    Ok(Image {
        target: Target::new(Format::Pe, "windows", machine(header.machine.get(LE)), bits),
        needed: file.needed()?,
        hazards: Vec::new(),
        glibc: None,
        restart_only: false,
        door: file.export(DOOR_SYMBOL)?.is_some(),
        layouts: file.export(LAYOUT_SYMBOL)?.is_some(),
        meta_sections: metas,
        meta_symbol: file.export(SYMBOL)?.and_then(|address| file.blob(address)),
    })
}

struct File<'data> {
    bytes: &'data [u8],
    directories: DataDirectories<'data>,
    sections: SectionTable<'data>,
}

impl<'data> File<'data> {
    /// Checks that sections lie in the file and, ascending, in the image, and
    /// returns those of the meta.
    fn check_sections(&self, image_size: u32) -> Result<Vec<Blob<'data>>, InspectError> {
        let mut metas = Vec::new();
        let mut end = 0;
        if self.sections.len() > SECTIONS_MAX {
            return Err(InspectError::malformed(format!(
                "it has {} sections, a library has at most {SECTIONS_MAX}",
                self.sections.len()
            )));
        }
        for section in self.sections.iter() {
            let name = section.raw_name();
            let what = format!("its section {}", name.escape_ascii());
            let offset = section.pointer_to_raw_data.get(LE).into();
            part(
                self.bytes,
                &what,
                offset,
                section.size_of_raw_data.get(LE).into(),
            )?;
            let (address, size) = section.pe_address_range();
            let next = u64::from(address) + u64::from(size);
            if u64::from(address) < end || next > u64::from(image_size) {
                return Err(InspectError::malformed(format!(
                    "{what}, {size} bytes at address {address:#x}, does not fit the image"
                )));
            }
            end = next;
            if name == SECTION_PE.as_bytes() {
                let bytes = section.pe_data(self.bytes).map_err(damaged)?;
                metas.push(Blob { offset, bytes });
            }
        }
        Ok(metas)
    }

    fn check_directories(&self) -> Result<(), InspectError> {
        for (index, directory) in self.directories.enumerate() {
            let (address, size) = directory.address_range();
            match index {
                _ if size == 0 => {}
                // The signature is the one directory that is told by its place
                // in the file.
                raw::IMAGE_DIRECTORY_ENTRY_SECURITY => {
                    part(self.bytes, "its signature", address.into(), size.into())?;
                }
                raw::IMAGE_DIRECTORY_ENTRY_COM_DESCRIPTOR => {
                    return Err(InspectError::NotShared {
                        kind: "a .NET assembly".to_owned(),
                    });
                }
                _ => {
                    let room = self.blob(address).map_or(0, |blob| blob.bytes.len() as u64);
                    if room < size.into() {
                        return Err(InspectError::malformed(format!(
                            "its directory {index}, {size} bytes at address {address:#x}, is in \
                             no section"
                        )));
                    }
                }
            }
        }
        Ok(())
    }

    /// Returns the address of the exported symbol `name`, unless it stands for
    /// another library's.
    fn export(&self, name: &str) -> Result<Option<u32>, InspectError> {
        let table = self
            .directories
            .export_table(self.bytes, &self.sections)
            .map_err(damaged)?;
        let Some(table) = table else {
            return Ok(None);
        };
        for (pointer, index) in table.name_iter().take(EXPORTS_MAX) {
            let found = self.blob(pointer).ok_or_else(|| {
                InspectError::malformed(format!(
                    "an exported name at address {pointer:#x} is in no section"
                ))
            })?;
            let rest = found.bytes.strip_prefix(name.as_bytes());
            if rest.is_some_and(|rest| rest.starts_with(b"\0")) {
                let address = table.address_by_index(index).map_err(damaged)?;
                return Ok((!table.is_forward(address)).then_some(address));
            }
        }
        Ok(None)
    }

    /// Returns the libraries loaded with this one, at once or at first use.
    fn needed(&self) -> Result<Vec<String>, InspectError> {
        let mut needed = Vec::new();
        let table = self
            .directories
            .import_table(self.bytes, &self.sections)
            .map_err(damaged)?;
        if let Some(table) = table {
            let mut descriptors = table.descriptors().map_err(damaged)?;
            while let Some(descriptor) = descriptors.next().map_err(damaged)? {
                needed.push(self.library(descriptor.name.get(LE))?);
            }
        }
        if let Some(table) = self.delayed()? {
            let mut descriptors = table.descriptors().map_err(damaged)?;
            while let Some(descriptor) = descriptors.next().map_err(damaged)? {
                needed.push(self.library(descriptor.dll_name_rva.get(LE))?);
            }
        }
        match needed.len() {
            0..=NEEDED_MAX => Ok(needed),
            count => Err(InspectError::malformed(format!(
                "it imports from {count} libraries, at most {NEEDED_MAX} are read"
            ))),
        }
    }

    fn delayed(&self) -> Result<Option<DelayLoadImportTable<'data>>, InspectError> {
        let directories = &self.directories;
        directories
            .delay_load_import_table(self.bytes, &self.sections)
            .map_err(damaged)
    }

    fn library(&self, address: u32) -> Result<String, InspectError> {
        let blob = self.blob(address).ok_or_else(|| {
            InspectError::malformed(format!(
                "the name of a library at address {address:#x} is in no section"
            ))
        })?;
        text(blob.bytes, "the name of a library")
    }

    /// Returns what the file has from `address` to the end of its section.
    fn blob(&self, address: u32) -> Option<Blob<'data>> {
        let (offset, size) = self.sections.pe_file_range_at(address)?;
        let offset = offset.into();
        let bytes = part(self.bytes, "its section", offset, size.into()).ok()?;
        Some(Blob { offset, bytes })
    }
}

fn machine(machine: raw::Machine) -> Cow<'static, str> {
    match machine {
        raw::IMAGE_FILE_MACHINE_AMD64 => "x86-64".into(),
        raw::IMAGE_FILE_MACHINE_I386 => "x86".into(),
        raw::IMAGE_FILE_MACHINE_ARM64 => "aarch64".into(),
        other => format!("machine-{:#x}", other.0).into(),
    }
}

/// Says what `object` found, which names the field.
fn damaged(error: object::Error) -> InspectError {
    InspectError::malformed(format!("its PE headers are damaged ({error})"))
}
