//! The dynamic symbols: what a library exports and imports.

use object::elf as raw;
use object::read::elf::{FileHeader, GnuHashTable, HashTable, Sym};
use object::{Endianness, ReadRef};

use super::damaged;
use super::dynamic::Dynamic;
use super::memory::Memory;
use crate::inspect::error::InspectError;

/// The dynamic symbols, each with a name inside the string table.
pub(super) struct Symbols<'a, 'data, Elf: FileHeader> {
    endian: Elf::Endian,
    dynamic: &'a Dynamic<'data>,
    symbols: &'data [Elf::Sym],
    limit: usize,
}

impl<'a, 'data, Elf: FileHeader<Endian = Endianness>> Symbols<'a, 'data, Elf> {
    pub(super) fn read(
        endian: Endianness,
        dynamic: &'a Dynamic<'data>,
        memory: &Memory<'data>,
    ) -> Result<Self, InspectError> {
        let Some(address) = dynamic.value(raw::DT_SYMTAB) else {
            return Err(InspectError::malformed("it has no dynamic symbol table"));
        };
        dynamic.check_row::<Elf::Sym>(raw::DT_SYMENT)?;
        let what = "its dynamic symbol table";
        let rest = memory.blob(address).ok_or_else(|| {
            InspectError::malformed("its dynamic symbol table is not in its segments")
        })?;
        let room = rest.bytes.len() / size_of::<Elf::Sym>();
        let (count, limit) = match count::<Elf>(endian, dynamic, memory)? {
            Count::Exactly(count) => (count, count),
            Count::AtLeast(count) => (count, room),
        };
        let size = count as u64 * size_of::<Elf::Sym>() as u64;
        let symbols = memory
            .slice(what, address, size)?
            .read_slice_at::<Elf::Sym>(0, count)
            .map_err(|()| InspectError::malformed("its dynamic symbol table is not aligned"))?;
        // The first symbol stands for none, and is used as one all the same.
        if symbols
            .first()
            .is_some_and(|first| !is_null::<Elf>(endian, first))
        {
            return Err(InspectError::malformed("its first symbol is not empty"));
        }
        for symbol in symbols.iter().skip(1) {
            dynamic.string(symbol.st_name(endian).into())?;
            check_symbol::<Elf>(endian, symbol, memory)?;
        }
        Ok(Self {
            endian,
            dynamic,
            symbols,
            limit,
        })
    }

    /// Returns how many there are.
    pub(super) fn len(&self) -> usize {
        self.symbols.len()
    }

    /// Returns the index that a relocation must not reach.
    pub(super) fn limit(&self) -> usize {
        self.limit
    }

    /// Returns the address of the exported data symbol `name`. One that is there
    /// twice may be another for the loader than here.
    pub(super) fn find_data(&self, name: &str) -> Result<Option<u64>, InspectError> {
        let is_named = |symbol: &Elf::Sym| {
            let found = self.dynamic.string(symbol.st_name(self.endian).into());
            let rest = found
                .ok()
                .and_then(|found| found.strip_prefix(name.as_bytes()));
            rest.is_some_and(|rest| rest.starts_with(b"\0"))
        };
        let is_data = |symbol: &Elf::Sym| {
            symbol.st_shndx(self.endian) != raw::SHN_UNDEF
                && symbol.st_bind() != raw::STB_LOCAL
                && matches!(symbol.st_type(), raw::STT_OBJECT | raw::STT_NOTYPE)
        };
        let mut named = self.symbols.iter().filter(|symbol| is_named(symbol));
        match (named.next(), named.next()) {
            (Some(_), Some(_)) => Err(InspectError::malformed(format!(
                "it has two symbols {name}"
            ))),
            (Some(symbol), None) if is_data(symbol) => {
                Ok(Some(symbol.st_value(self.endian).into()))
            }
            _ => Ok(None),
        }
    }

    /// Whether it defines a symbol that all libraries of the process share,
    /// whatever their scope.
    pub(super) fn any_unique(&self) -> bool {
        self.symbols.iter().any(|symbol| {
            symbol.st_bind() == raw::STB_GNU_UNIQUE
                && symbol.st_shndx(self.endian) != raw::SHN_UNDEF
        })
    }
}

/// Whether a symbol has no name, no kind and no address.
fn is_null<Elf: FileHeader>(endian: Elf::Endian, symbol: &Elf::Sym) -> bool {
    let address: u64 = symbol.st_value(endian).into();
    symbol.st_name(endian) == 0
        && symbol.st_info() == raw::SymbolInfo(0)
        && symbol.st_shndx(endian) == raw::SHN_UNDEF
        && address == 0
}

/// Checks what the loader would take for a symbol's address, and call.
fn check_symbol<Elf: FileHeader>(
    endian: Elf::Endian,
    symbol: &Elf::Sym,
    memory: &Memory<'_>,
) -> Result<(), InspectError> {
    let address: u64 = symbol.st_value(endian).into();
    let defined = symbol.st_shndx(endian) != raw::SHN_UNDEF;
    let resolver = symbol.st_type() == raw::STT_GNU_IFUNC;
    let hidden = matches!(symbol.st_visibility(), raw::STV_HIDDEN | raw::STV_INTERNAL);
    match (defined, resolver) {
        (false, _) if hidden || symbol.st_bind() == raw::STB_LOCAL => Err(InspectError::malformed(
            "a symbol that it imports is one of its own",
        )),
        (false, _) if address != 0 => Err(InspectError::malformed(format!(
            "a symbol that it imports has the address {address:#x}"
        ))),
        (true, true) if !memory.is_executable(address) => Err(InspectError::malformed(format!(
            "the function at address {address:#x} that chooses a symbol is not code"
        ))),
        _ => Ok(()),
    }
}

/// How many symbols there are, which only the hash table tells.
enum Count {
    Exactly(usize),
    /// The hash table is empty, so nothing is exported.
    AtLeast(usize),
}

/// Checks the hash table that the loader will use, and counts symbols by it.
fn count<Elf: FileHeader<Endian = Endianness>>(
    endian: Endianness,
    dynamic: &Dynamic<'_>,
    memory: &Memory<'_>,
) -> Result<Count, InspectError> {
    let bad = |what: String| InspectError::malformed(format!("its hash table {what}"));
    let table = |address| {
        let blob = memory.blob(address);
        blob.ok_or_else(|| bad(format!("at address {address:#x} is not in its segments")))
    };
    if let Some(address) = dynamic.value(raw::DT_GNU_HASH) {
        let bytes = table(address)?.bytes;
        let gnu = GnuHashTable::<Elf>::parse(endian, bytes).map_err(damaged)?;
        let header: &raw::GnuHashHeader<Endianness> =
            bytes.read_at(0).map_err(|()| misaligned())?;
        let blooms = header.bloom_count.get(endian);
        if !blooms.is_power_of_two() {
            return Err(bad(format!("has {blooms} bloom words, not a power of two")));
        }
        let base = gnu.symbol_base();
        let start = size_of_val(header) as u64 + u64::from(blooms) * size_of::<Elf::Word>() as u64;
        let buckets: &[object::U32<Endianness>] = bytes
            .read_slice_at(start, header.bucket_count.get(endian) as usize)
            .map_err(|()| misaligned())?;
        let mut firsts = buckets
            .iter()
            .map(|bucket| bucket.get(endian))
            .filter(|first| *first != 0);
        if let Some(first) = firsts.clone().find(|first| *first < base) {
            return Err(bad(format!(
                "has a bucket from symbol {first}, the first is {base}"
            )));
        }
        if firsts.next().is_none() {
            return Ok(Count::AtLeast(1));
        }
        let count = gnu
            .symbol_table_length(endian)
            .ok_or_else(|| bad("has no end".to_owned()))?;
        return Ok(Count::Exactly(count as usize));
    }
    let Some(address) = dynamic.value(raw::DT_HASH) else {
        return Err(bad("is missing".to_owned()));
    };
    let bytes = table(address)?.bytes;
    let count = HashTable::<Elf>::parse(endian, bytes)
        .map_err(damaged)?
        .symbol_table_length();
    let header: &raw::HashHeader<Endianness> = bytes.read_at(0).map_err(|()| misaligned())?;
    let links: &[object::U32<Endianness>] = bytes
        .read_slice_at(
            size_of_val(header) as u64,
            header.bucket_count.get(endian) as usize + count as usize,
        )
        .map_err(|()| misaligned())?;
    if let Some(link) = links
        .iter()
        .map(|link| link.get(endian))
        .find(|link| *link >= count)
    {
        return Err(bad(format!(
            "has a link to symbol {link}, there are {count}"
        )));
    }
    let (buckets, chains) = links.split_at(header.bucket_count.get(endian) as usize);
    let mut seen = vec![false; count as usize];
    for bucket in buckets {
        let mut link = bucket.get(endian) as usize;
        while link != 0 {
            if std::mem::replace(&mut seen[link], true) {
                return Err(bad(format!("leads to symbol {link} twice")));
            }
            link = chains[link].get(endian) as usize;
        }
    }
    Ok(Count::Exactly(count as usize))
}

fn misaligned() -> InspectError {
    InspectError::malformed("its hash table is not aligned")
}
