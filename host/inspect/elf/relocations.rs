//! Relocations: what the loader writes before any code runs.

use object::elf as raw;
use object::read::elf::{FileHeader, Rel, Rela, Relr};
use object::{Endianness, Pod, ReadRef};

use super::dynamic::Dynamic;
use super::kinds::{Kind, kind};
use super::memory::Memory;
use super::written::Written;
use crate::inspect::error::InspectError;

/// Checks that every relocation is of a kind that a library for `machine` has,
/// writes to a writable segment where no other writes, or to any segment where the
/// library is to be refused for relocations in its code, names one of the first
/// `limit` symbols, and that all functions the loader calls are filled in.
pub(super) fn check<Elf: FileHeader<Endian = Endianness>>(
    machine: raw::Machine,
    endian: Endianness,
    dynamic: &Dynamic<'_>,
    memory: &Memory<'_>,
    limit: usize,
) -> Result<(), InspectError> {
    dynamic.check_row::<Elf::Rela>(raw::DT_RELAENT)?;
    dynamic.check_row::<Elf::Rel>(raw::DT_RELENT)?;
    dynamic.check_row::<Elf::Relr>(raw::DT_RELRENT)?;
    let from_rela = |rela: &Elf::Rela| Relocation {
        address: rela.r_offset(endian).into(),
        kind: rela.r_type(endian, false).0,
        symbol: rela.r_sym(endian, false),
        addend: Some(rela.r_addend(endian).into()),
    };
    let from_rel = |rel: &Elf::Rel| Relocation {
        address: rel.r_offset(endian).into(),
        kind: rel.r_type(endian).0,
        symbol: rel.r_sym(endian),
        addend: None,
    };
    let table = |address, size| dynamic.table(memory, "its relocation table", address, size);
    let rela = rows::<Elf::Rela>(table(raw::DT_RELA, raw::DT_RELASZ)?)?;
    let rel = rows::<Elf::Rel>(table(raw::DT_REL, raw::DT_RELSZ)?)?;
    let functions = table(raw::DT_JMPREL, raw::DT_PLTRELSZ)?;

    let mut checker = Checker::new(machine, memory, limit, dynamic);
    checker.relative(dynamic.value(raw::DT_RELACOUNT), rela.iter().map(from_rela))?;
    checker.relative(dynamic.value(raw::DT_RELCOUNT), rel.iter().map(from_rel))?;
    rela.iter()
        .map(from_rela)
        .try_for_each(|row| checker.check(&row))?;
    rel.iter()
        .map(from_rel)
        .try_for_each(|row| checker.check(&row))?;
    match dynamic.value(raw::DT_PLTREL) {
        Some(kind) if kind == raw::DT_RELA.0.cast_unsigned() => {
            let mut rows = rows::<Elf::Rela>(functions)?.iter().map(from_rela);
            rows.try_for_each(|row| checker.check(&row))?;
        }
        Some(kind) if kind == raw::DT_REL.0.cast_unsigned() => {
            let mut rows = rows::<Elf::Rel>(functions)?.iter().map(from_rel);
            rows.try_for_each(|row| checker.check(&row))?;
        }
        Some(kind) => return Err(bad(format!("of functions are of kind {kind:#x}"))),
        None => {}
    }
    let packed = rows::<Elf::Relr>(table(raw::DT_RELR, raw::DT_RELRSZ)?)?;
    checker.check_packed(packed.iter().map(|row| row.get(endian).into()))?;
    checker.check_filled()
}

/// One row, of either kind of table.
struct Relocation {
    address: u64,
    kind: u32,
    symbol: u32,
    addend: Option<i64>,
}

struct Checker<'a, 'data> {
    machine: raw::Machine,
    memory: &'a Memory<'data>,
    limit: usize,
    /// Whether the loader makes everything writable for as long as it writes.
    anywhere: bool,
    /// The kind of the rows that a table says are relative.
    relative: Option<u32>,
    /// Where something was written already.
    written: Written,
    /// What is filled in once for each symbol, by kind and symbol.
    filled: Written,
    /// The arrays of functions that the loader calls.
    calls: [Calls; 2],
}

struct Calls {
    address: u64,
    size: u64,
    filled: u64,
}

impl<'a, 'data> Checker<'a, 'data> {
    fn new(
        machine: raw::Machine,
        memory: &'a Memory<'data>,
        limit: usize,
        dynamic: &Dynamic<'_>,
    ) -> Self {
        let calls = |address, size| Calls {
            address: dynamic.value(address).unwrap_or(0),
            size: dynamic.value(size).unwrap_or(0),
            filled: 0,
        };
        let mut written = Written::new(memory.word);
        // The loader reads its orders there while it follows them.
        written.add_all(dynamic.range());
        Self {
            machine,
            memory,
            limit,
            anywhere: dynamic.relocates_text(),
            relative: None,
            written,
            filled: Written::new(1),
            calls: [
                calls(raw::DT_INIT_ARRAY, raw::DT_INIT_ARRAYSZ),
                calls(raw::DT_FINI_ARRAY, raw::DT_FINI_ARRAYSZ),
            ],
        }
    }

    /// Checks the rows that a table says come first and are relative; the loader
    /// takes its word and does not look at their kind.
    fn relative(
        &mut self,
        count: Option<u64>,
        mut rows: impl ExactSizeIterator<Item = Relocation>,
    ) -> Result<(), InspectError> {
        let count = count.unwrap_or(0);
        if count > rows.len() as u64 {
            return Err(bad(format!(
                "are {}, of which {count} are relative",
                rows.len()
            )));
        }
        for _ in 0..count {
            let Some(row) = rows.next() else { break };
            let kind = *self.relative.get_or_insert(row.kind);
            if row.symbol != 0 || row.kind != kind {
                return Err(bad(format!(
                    "are not relative at address {:#x}",
                    row.address
                )));
            }
        }
        Ok(())
    }

    fn check(&mut self, row: &Relocation) -> Result<(), InspectError> {
        let (address, bits) = (row.address, self.memory.word as u32 * 8);
        let kind = kind(self.machine, bits, row.kind)
            .ok_or_else(|| bad(format!("are of kind {} at address {address:#x}", row.kind)))?;
        if kind == Kind::Nothing {
            return Ok(());
        }
        let symbol = row.symbol as usize;
        if symbol > 0 && symbol >= self.limit {
            return Err(bad(format!(
                "name symbol {symbol}, there are {}",
                self.limit
            )));
        }
        if matches!(kind, Kind::Relative | Kind::Resolver) && symbol != 0 {
            return Err(bad(format!(
                "name symbol {symbol} at address {address:#x}, where none counts"
            )));
        }
        let filled = u64::from(row.kind) << 32 | u64::from(row.symbol);
        if kind == Kind::Address && (symbol == 0 || !self.filled.add(filled)) {
            return Err(bad(format!(
                "fill in the address of symbol {symbol} at {address:#x} and elsewhere"
            )));
        }
        let relative = kind == Kind::Relative || Some(row.kind) == self.relative;
        let target = row.addend.map(i64::cast_unsigned);
        let inside = |target| self.memory.check_mapped("", target, 0).is_ok();
        let is_code = |target| self.memory.is_executable(target);
        match target {
            Some(target) if relative && !inside(target) => {
                return Err(bad(format!("point out of the library at {address:#x}")));
            }
            Some(target) if kind == Kind::Resolver && !is_code(target) => {
                return Err(bad(format!("call data at {target:#x}")));
            }
            _ => {}
        }
        if kind == Kind::Descriptor {
            self.check_place(address.saturating_add(self.memory.word), None)?;
        }
        self.check_place(address, target.filter(|_| relative))
    }

    /// Checks that `address` may be written to, once; a function to call that is
    /// written there must be code.
    fn check_place(&mut self, address: u64, target: Option<u64>) -> Result<(), InspectError> {
        let word = self.memory.word;
        let mapped = self.anywhere && self.memory.check_mapped("", address, word).is_ok();
        if !mapped && !self.memory.is_writable(address, word) {
            return Err(bad(format!(
                "write to address {address:#x}, which is not writable"
            )));
        }
        if !self.written.add(address) {
            return Err(bad(format!(
                "write to address {address:#x} and over it, or over the dynamic section"
            )));
        }
        let array = self.calls.iter_mut().find(|calls| {
            address
                .checked_sub(calls.address)
                .is_some_and(|within| within < calls.size)
        });
        if let Some(array) = array {
            array.filled += 1;
            let aligned = address.is_multiple_of(self.memory.word);
            if !aligned || target.is_some_and(|target| !self.memory.is_executable(target)) {
                return Err(bad(format!("make a function of data at {address:#x}")));
            }
        }
        Ok(())
    }

    /// Checks packed relative relocations: an even row is an address, an odd one
    /// a bit for each of the words that follow.
    fn check_packed(&mut self, rows: impl Iterator<Item = u64>) -> Result<(), InspectError> {
        let word = self.memory.word;
        let mut next: Option<u64> = None;
        for row in rows {
            if row & 1 == 0 {
                self.check_place(row, None)?;
                next = row.checked_add(word);
                continue;
            }
            let Some(base) = next else {
                return Err(bad("are packed and begin nowhere".to_owned()));
            };
            for bit in (1..word * 8).filter(|bit| (row >> bit) & 1 == 1) {
                self.check_place(base.saturating_add((bit - 1) * word), None)?;
            }
            next = base.checked_add((word * 8 - 1) * word);
        }
        Ok(())
    }

    /// Checks that no function the loader calls is left at its place in the
    /// file, which is not where it is in memory.
    fn check_filled(&self) -> Result<(), InspectError> {
        let word = self.memory.word;
        match self
            .calls
            .iter()
            .find(|calls| calls.filled != calls.size / word)
        {
            Some(calls) => Err(bad(format!(
                "fill {} of the {} functions to call at {:#x}",
                calls.filled,
                calls.size / word,
                calls.address
            ))),
            None => Ok(()),
        }
    }
}

fn rows<Row: Pod>(table: Option<&[u8]>) -> Result<&[Row], InspectError> {
    let table = table.unwrap_or_default();
    if !table.len().is_multiple_of(size_of::<Row>()) {
        let (size, row) = (table.len(), size_of::<Row>());
        return Err(bad(format!("have {size} bytes, not rows of {row}")));
    }
    let count = table.len() / size_of::<Row>();
    table
        .read_slice_at(0, count)
        .map_err(|()| bad("are not aligned".to_owned()))
}

fn bad(what: String) -> InspectError {
    InspectError::malformed(format!("its relocations {what}"))
}
