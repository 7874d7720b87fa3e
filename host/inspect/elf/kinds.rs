//! What kinds of relocations a shared library has, machine by machine.

use object::elf as raw;

/// What the loader does for a relocation.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(super) enum Kind {
    /// Nothing; linkers pad tables with it.
    Nothing,
    /// It writes this library's address plus a number.
    Relative,
    /// It calls a function and writes what that returns.
    Resolver,
    /// It writes the address of a symbol that one row of the kind fills in.
    Address,
    /// It writes two words that find a thread-local.
    Descriptor,
    /// It writes something else.
    Other,
}

/// Returns what `kind` is on `machine`: nothing where no linker gives a shared
/// library such a relocation. Other machines than these can be told little of.
pub(super) fn kind(machine: raw::Machine, bits: u32, kind: u32) -> Option<Kind> {
    // Kind 0 is no relocation on every machine.
    if kind == 0 {
        return Some(Kind::Nothing);
    }
    let kind = raw::RelocationType(kind);
    match (machine, bits) {
        (raw::EM_X86_64, 64) => match kind {
            raw::R_X86_64_RELATIVE => Some(Kind::Relative),
            raw::R_X86_64_IRELATIVE => Some(Kind::Resolver),
            raw::R_X86_64_GLOB_DAT | raw::R_X86_64_JUMP_SLOT => Some(Kind::Address),
            raw::R_X86_64_TLSDESC => Some(Kind::Descriptor),
            raw::R_X86_64_64
            | raw::R_X86_64_DTPMOD64
            | raw::R_X86_64_DTPOFF64
            | raw::R_X86_64_TPOFF64 => Some(Kind::Other),
            _ => None,
        },
        (raw::EM_AARCH64, 64) => match kind {
            raw::R_AARCH64_RELATIVE => Some(Kind::Relative),
            raw::R_AARCH64_IRELATIVE => Some(Kind::Resolver),
            raw::R_AARCH64_GLOB_DAT | raw::R_AARCH64_JUMP_SLOT => Some(Kind::Address),
            raw::R_AARCH64_TLSDESC => Some(Kind::Descriptor),
            raw::R_AARCH64_ABS64
            | raw::R_AARCH64_TLS_DTPMOD
            | raw::R_AARCH64_TLS_DTPREL
            | raw::R_AARCH64_TLS_TPREL => Some(Kind::Other),
            _ => None,
        },
        _ => Some(Kind::Other),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_copy_has_no_place_in_a_library() {
        let copy = raw::R_X86_64_COPY.0;
        assert_eq!(kind(raw::EM_X86_64, 64, copy), None);
        assert_eq!(kind(raw::EM_AARCH64, 64, raw::R_AARCH64_COPY.0), None);
        assert_eq!(kind(raw::EM_RISCV, 64, copy), Some(Kind::Other));
        assert_eq!(kind(raw::EM_X86_64, 64, 0), Some(Kind::Nothing));
    }
}
