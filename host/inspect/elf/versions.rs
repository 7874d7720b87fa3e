//! Symbol versions: which releases of other libraries are needed.

use object::elf as raw;
use object::{Endianness, ReadRef};

use super::dynamic::Dynamic;
use super::memory::Memory;
use crate::inspect::error::InspectError;
use crate::inspect::glibc::Glibc;
use crate::inspect::image::text;

/// Versions of one library, at most. The records are linked by distances that a
/// damaged file can make overlap, so that following them all would take hours.
const RECORDS_MAX: usize = 16 * 1024;

/// What the symbol versions tell.
#[derive(Default)]
pub(super) struct Versions {
    /// The highest release of the GNU C library that it imports from.
    pub(super) glibc: Option<Glibc>,
    /// The highest one that it is, when it is that library itself.
    pub(super) defined: Option<Glibc>,
    /// The highest index that a symbol may refer to.
    last: u16,
    records: usize,
}

/// Reads the versions that `count` symbols refer to.
pub(super) fn read(
    endian: Endianness,
    dynamic: &Dynamic<'_>,
    memory: &Memory<'_>,
    count: usize,
) -> Result<Versions, InspectError> {
    // Indices 0 and 1 mean no version at all.
    let mut versions = Versions {
        last: 1,
        ..Versions::default()
    };
    if let Some(address) = dynamic.value(raw::DT_VERNEED) {
        versions.read_needed(endian, dynamic, tail(memory, address)?)?;
    }
    if let Some(address) = dynamic.value(raw::DT_VERDEF) {
        versions.read_defined(endian, dynamic, tail(memory, address)?)?;
    }
    if let Some(address) = dynamic.value(raw::DT_VERSYM) {
        let bytes = memory.slice("its table of symbol versions", address, count as u64 * 2)?;
        let indices: &[object::U16<Endianness>] = bytes
            .read_slice_at(0, count)
            .map_err(|()| bad("are not aligned"))?;
        let index = |symbol: &object::U16<Endianness>| symbol.get(endian) & raw::VERSYM_VERSION;
        if let Some(index) = indices
            .iter()
            .map(index)
            .find(|index| *index > versions.last)
        {
            return Err(InspectError::malformed(format!(
                "a symbol has version {index}, the last is {}",
                versions.last
            )));
        }
    }
    Ok(versions)
}

impl Versions {
    fn read_needed(
        &mut self,
        endian: Endianness,
        dynamic: &Dynamic<'_>,
        bytes: &[u8],
    ) -> Result<(), InspectError> {
        let mut at = 0;
        loop {
            let need: &raw::Verneed<Endianness> = record(bytes, at)?;
            let library = text(
                dynamic.string(need.vn_file.get(endian).into())?,
                "a library",
            )?;
            // The loader asserts it.
            if !dynamic.needed().contains(&library) {
                return Err(InspectError::malformed(format!(
                    "it has versions of {library}, which it does not load"
                )));
            }
            let mut aux_at = at + u64::from(need.vn_aux.get(endian));
            loop {
                self.count()?;
                let aux: &raw::Vernaux<Endianness> = record(bytes, aux_at)?;
                let name = text(
                    dynamic.string(aux.vna_name.get(endian).into())?,
                    "a version",
                )?;
                self.glibc = self.glibc.max(Glibc::from_symbol_version(&name));
                self.last = self
                    .last
                    .max(aux.vna_other.get(endian).0 & raw::VERSYM_VERSION);
                match aux.vna_next.get(endian) {
                    0 => break,
                    next => aux_at += u64::from(next),
                }
            }
            match need.vn_next.get(endian) {
                0 => return Ok(()),
                next => at += u64::from(next),
            }
        }
    }

    fn read_defined(
        &mut self,
        endian: Endianness,
        dynamic: &Dynamic<'_>,
        bytes: &[u8],
    ) -> Result<(), InspectError> {
        let mut at = 0;
        loop {
            self.count()?;
            let defined: &raw::Verdef<Endianness> = record(bytes, at)?;
            let aux_at = at + u64::from(defined.vd_aux.get(endian));
            let aux: &raw::Verdaux<Endianness> = record(bytes, aux_at)?;
            let name = text(
                dynamic.string(aux.vda_name.get(endian).into())?,
                "a version",
            )?;
            self.defined = self.defined.max(Glibc::from_symbol_version(&name));
            self.last = self
                .last
                .max(defined.vd_ndx.get(endian).0 & raw::VERSYM_VERSION);
            match defined.vd_next.get(endian) {
                0 => return Ok(()),
                next => at += u64::from(next),
            }
        }
    }

    fn count(&mut self) -> Result<(), InspectError> {
        self.records += 1;
        match self.records {
            0..=RECORDS_MAX => Ok(()),
            _ => Err(bad("are more than any library has")),
        }
    }
}

fn tail<'data>(memory: &Memory<'data>, address: u64) -> Result<&'data [u8], InspectError> {
    let blob = memory
        .blob(address)
        .ok_or_else(|| bad("are not in its segments"))?;
    Ok(blob.bytes)
}

fn record<Record: object::Pod>(bytes: &[u8], at: u64) -> Result<&Record, InspectError> {
    bytes
        .read_at(at)
        .map_err(|()| bad("are not in its segments or not aligned"))
}

fn bad(what: &str) -> InspectError {
    InspectError::malformed(format!("its symbol versions {what}"))
}
