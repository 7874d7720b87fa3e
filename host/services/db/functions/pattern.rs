//! LIKE and GLOB.

use rusqlite::{Error, Result, ffi};

use super::value::{Answer, char_bytes, until_nul};
use super::{Call, Toll};

/// `like(pattern, text [, escape])`.
pub(super) fn like(call: &mut Call<'_>) -> Result<Answer> {
    let mut rules = Rules {
        all: u32::from(b'%'),
        one: u32::from(b'_'),
        other: 0,
        sets: false,
        folds: true,
    };
    check_length(call)?;
    if call.context.len() == 3 {
        let Some(escape) = call.texts.of(call.context.get_raw(2))? else {
            return Ok(Answer::Null);
        };
        let mut escape = Chars(until_nul(&escape));
        rules.other = escape.read();
        if rules.other == 0 || !escape.0.is_empty() {
            return Err(failure("ESCAPE expression must be a single character"));
        }
        if rules.other == rules.all {
            rules.all = 0;
        }
        if rules.other == rules.one {
            rules.one = 0;
        }
    }
    compare(call, &rules)
}

/// `glob(pattern, text)`.
pub(super) fn glob(call: &mut Call<'_>) -> Result<Answer> {
    check_length(call)?;
    let rules = Rules {
        all: u32::from(b'*'),
        one: u32::from(b'?'),
        other: u32::from(b'['),
        sets: true,
        folds: false,
    };
    compare(call, &rules)
}

/// The longest pattern, in bytes: SQLite's own default.
const PATTERN_BYTES_MAX: usize = 50_000;

fn check_length(call: &Call<'_>) -> Result<()> {
    let pattern = call.texts.of(call.context.get_raw(0))?;
    if pattern.is_some_and(|pattern| pattern.len() > PATTERN_BYTES_MAX) {
        return Err(failure("LIKE or GLOB pattern too complex"));
    }
    Ok(())
}

fn failure(message: &str) -> Error {
    Error::SqliteFailure(ffi::Error::new(ffi::SQLITE_ERROR), Some(message.to_owned()))
}

fn compare(call: &mut Call<'_>, rules: &Rules) -> Result<Answer> {
    let pattern = call.texts.of(call.context.get_raw(0))?;
    let text = call.texts.of(call.context.get_raw(1))?;
    let (Some(pattern), Some(text)) = (pattern, text) else {
        return Ok(Answer::Null);
    };
    let (pattern, text) = (Chars(until_nul(&pattern)), Chars(until_nul(&text)));
    let matches = rules.matches(pattern, text, call.toll)?;
    Ok(Answer::Integer(i64::from(matches)))
}

/// What the special characters are; zero stands for none.
struct Rules {
    all: u32,
    one: u32,
    /// The escape of LIKE, or the `[` of GLOB.
    other: u32,
    /// Whether `other` opens a set.
    sets: bool,
    /// Whether ASCII letters match in either case.
    folds: bool,
}

/// What became of a stretch of pattern without "match all".
enum Outcome<'t> {
    Match,
    /// Not here, but perhaps further on in the text.
    NoMatch,
    /// Nowhere further on either.
    Never,
    /// A "match all" was reached; go on from there.
    All(Retry<'t>),
}

/// Where to go on in the text after the last "match all". An earlier one never
/// needs another try: whatever it could yield, the last one yields too.
struct Retry<'t> {
    pattern: Chars<'t>,
    text: Chars<'t>,
    /// The character that must come first, or any when the pattern goes on with a
    /// set.
    first: Option<u32>,
}

impl<'t> Retry<'t> {
    /// The next place in the text to try the pattern at.
    fn next(&mut self, rules: &Rules, toll: &mut Toll<'_>) -> Result<Option<Chars<'t>>> {
        let Some(first) = self.first else {
            let here = self.text;
            self.text.skip();
            toll.pay(1)?;
            return Ok((!here.0.is_empty()).then_some(here));
        };
        let found = if let Some(first) = u8::try_from(first).ok().filter(u8::is_ascii) {
            self.text.find(first, rules.folds, toll)?
        } else {
            loop {
                toll.pay(1)?;
                match self.text.read() {
                    0 => break false,
                    char if char == first => break true,
                    _ => {}
                }
            }
        };
        Ok(found.then_some(self.text))
    }
}

impl Rules {
    fn matches(&self, pattern: Chars<'_>, text: Chars<'_>, toll: &mut Toll<'_>) -> Result<bool> {
        let mut retry: Option<Retry<'_>> = None;
        let mut outcome = self.stretch(pattern, text, toll)?;
        loop {
            match outcome {
                Outcome::Match => return Ok(true),
                Outcome::Never => return Ok(false),
                Outcome::All(next) => retry = Some(next),
                Outcome::NoMatch => {}
            }
            let Some(retry) = &mut retry else {
                return Ok(false);
            };
            let Some(text) = retry.next(self, toll)? else {
                return Ok(false);
            };
            outcome = self.stretch(retry.pattern, text, toll)?;
        }
    }

    /// Matches from here to the next "match all" or the end of the pattern.
    fn stretch<'t>(
        &self,
        mut pattern: Chars<'t>,
        mut text: Chars<'t>,
        toll: &mut Toll<'_>,
    ) -> Result<Outcome<'t>> {
        loop {
            toll.pay(1)?;
            let mut char = pattern.read();
            if char == 0 {
                let ended = text.0.is_empty();
                return Ok(if ended {
                    Outcome::Match
                } else {
                    Outcome::NoMatch
                });
            }
            if char == self.all {
                return self.after_all(pattern, text, toll);
            }
            let mut escaped = false;
            if char == self.other {
                if self.sets {
                    if !in_set(&mut pattern, &mut text, toll)? {
                        return Ok(Outcome::NoMatch);
                    }
                    continue;
                }
                char = pattern.read();
                if char == 0 {
                    return Ok(Outcome::NoMatch);
                }
                escaped = true;
            }
            let actual = text.read();
            let same = char == actual
                || self.folds && char < 0x80 && fold(char) == fold(actual)
                || char == self.one && !escaped && actual != 0;
            if !same {
                return Ok(Outcome::NoMatch);
            }
        }
    }

    fn after_all<'t>(
        &self,
        mut pattern: Chars<'t>,
        mut text: Chars<'t>,
        toll: &mut Toll<'_>,
    ) -> Result<Outcome<'t>> {
        let mut before = pattern;
        let mut char = pattern.read();
        while char != 0 && (char == self.all || char == self.one) {
            toll.pay(1)?;
            if char == self.one && text.read() == 0 {
                return Ok(Outcome::Never);
            }
            before = pattern;
            char = pattern.read();
        }
        let mut first = Some(char);
        if char == 0 {
            return Ok(Outcome::Match);
        } else if char == self.other && self.sets {
            (pattern, first) = (before, None);
        } else if char == self.other {
            match pattern.read() {
                0 => return Ok(Outcome::Never),
                literal => first = Some(literal),
            }
        }
        Ok(Outcome::All(Retry {
            pattern,
            text,
            first,
        }))
    }
}

/// Matches one character against the set that follows its `[`.
fn in_set(pattern: &mut Chars<'_>, text: &mut Chars<'_>, toll: &mut Toll<'_>) -> Result<bool> {
    let char = text.read();
    if char == 0 {
        return Ok(false);
    }
    let (mut seen, mut prior) = (false, 0);
    let mut member = pattern.read();
    let inverted = member == u32::from(b'^');
    if inverted {
        member = pattern.read();
    }
    if member == u32::from(b']') {
        seen = char == member;
        member = pattern.read();
    }
    while member != 0 && member != u32::from(b']') {
        toll.pay(1)?;
        let ranges = !matches!(pattern.0.first(), None | Some(b']'));
        if member == u32::from(b'-') && ranges && prior > 0 {
            member = pattern.read();
            seen |= char >= prior && char <= member;
            prior = 0;
        } else {
            seen |= char == member;
            prior = member;
        }
        member = pattern.read();
    }
    Ok(member != 0 && seen != inverted)
}

fn fold(char: u32) -> u32 {
    match u8::try_from(char) {
        Ok(byte) => u32::from(byte.to_ascii_lowercase()),
        Err(_) => char,
    }
}

/// A text without NUL, read character by character as SQLite reads it.
#[derive(Clone, Copy)]
struct Chars<'t>(&'t [u8]);

impl Chars<'_> {
    /// The next character, or zero at the end.
    fn read(&mut self) -> u32 {
        let Some(&lead) = self.0.first() else {
            return 0;
        };
        if lead < 0xc0 {
            self.0 = &self.0[1..];
            return u32::from(lead);
        }
        let (char, rest) = self.0.split_at(char_bytes(self.0));
        self.0 = rest;
        let lead = match lead {
            0xc0..0xe0 => lead & 0x1f,
            0xe0..0xf0 => lead & 0x0f,
            0xf0..0xf8 => lead & 0x07,
            0xf8..0xfc => lead & 0x03,
            0xfc..0xfe => lead & 0x01,
            _ => 0,
        };
        let value = char[1..].iter().fold(u32::from(lead), |value, byte| {
            (value << 6).wrapping_add(u32::from(byte & 0x3f))
        });
        match value {
            0..0x80 | 0xd800..0xe000 => 0xfffd,
            value => value,
        }
    }

    fn skip(&mut self) {
        self.0 = &self.0[char_bytes(self.0)..];
    }

    /// Moves past the next such byte.
    fn find(&mut self, byte: u8, folds: bool, toll: &mut Toll<'_>) -> Result<bool> {
        const PIECE: usize = 4096;
        loop {
            let piece = &self.0[..self.0.len().min(PIECE)];
            let found = piece
                .iter()
                .position(|at| *at == byte || folds && at.eq_ignore_ascii_case(&byte));
            let passed = found.map_or(piece.len(), |found| found + 1);
            toll.pay(passed)?;
            self.0 = &self.0[passed..];
            if found.is_some() || self.0.is_empty() {
                return Ok(found.is_some());
            }
        }
    }
}
