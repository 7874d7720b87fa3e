//! The built-in functions that can run for long within one call, in versions that
//! look at the clock.
//!
//! SQLite consults neither its progress handler nor an interrupt inside a
//! function or between two of them, so `instr` over two large texts, or sixty in
//! a row, outlive any deadline. These give the same answers, and `interrupted`
//! once the clock is over.

mod delegate;
mod linear;
mod pattern;
mod search;
mod value;

#[cfg(test)]
mod tests;

use std::ffi::c_int;
use std::sync::Arc;

use rusqlite::functions::{Context, FunctionFlags};
use rusqlite::{Connection, Result};

use self::value::{Answer, Texts};
use crate::services::db::guard::Clock;

/// Puts the functions in place of SQLite's own on this connection. No answer is
/// longer than `value_bytes_max`.
pub(crate) fn install(conn: &Connection, clock: &Arc<Clock>, value_bytes_max: i32) -> Result<()> {
    let limit = usize::try_from(value_bytes_max).unwrap_or(0);
    let scalar = |name: &str, arguments: c_int, run: Run| {
        let (clock, texts) = (Arc::clone(clock), Texts::default());
        conn.create_scalar_function(name, arguments, flags(), move |context| {
            let mut toll = Toll::new(&clock)?;
            let mut call = Call {
                context,
                texts: &texts,
                limit,
                toll: &mut toll,
            };
            run(&mut call)
        })
    };
    scalar("instr", 2, search::instr)?;
    scalar("replace", 3, search::replace)?;
    for arguments in [1, 2] {
        scalar("trim", arguments, search::trim)?;
        scalar("ltrim", arguments, search::ltrim)?;
        scalar("rtrim", arguments, search::rtrim)?;
    }
    scalar("like", 2, pattern::like)?;
    scalar("like", 3, pattern::like)?;
    scalar("glob", 2, pattern::glob)?;
    scalar("upper", 1, linear::upper)?;
    scalar("lower", 1, linear::lower)?;
    scalar("length", 1, linear::length)?;
    scalar("hex", 1, linear::hex)?;
    delegate::install(conn, clock, value_bytes_max)
}

type Run = fn(&mut Call<'_>) -> Result<Answer>;

/// One call of a function.
struct Call<'c> {
    context: &'c Context<'c>,
    texts: &'c Texts,
    /// The longest answer, in bytes.
    limit: usize,
    toll: &'c mut Toll<'c>,
}

/// The same as SQLite's own have: allowed in indexes, views and triggers.
fn flags() -> FunctionFlags {
    FunctionFlags::SQLITE_UTF8
        | FunctionFlags::SQLITE_DETERMINISTIC
        | FunctionFlags::SQLITE_INNOCUOUS
}

/// Looks at the clock once in so many bytes of work.
struct Toll<'c> {
    clock: &'c Clock,
    unpaid: usize,
}

impl<'c> Toll<'c> {
    /// The work between two looks: some ten microseconds.
    const STRETCH: usize = 64 * 1024;

    /// Looks at once, so that no call begins after the end.
    fn new(clock: &'c Clock) -> Result<Self> {
        clock.check()?;
        Ok(Toll { clock, unpaid: 0 })
    }

    /// Adds work that is about to be done, in bytes.
    fn pay(&mut self, work: usize) -> Result<()> {
        self.unpaid += work;
        if self.unpaid >= Self::STRETCH {
            self.unpaid = 0;
            self.clock.check()?;
        }
        Ok(())
    }
}
