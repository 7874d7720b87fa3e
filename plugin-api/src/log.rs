//! Structured lines in the host's log, tagged with the plugin and the request.
//!
//! Within a handler, a task or a timer, the functions here and
//! [`Services::log`](crate::Services::log) tag the line with what is being
//! served, without being told.
//!
//! # Examples
//! ```
//! use exthost_plugin::log;
//!
//! log::info("saved").field("id", 3).field("by", "Ada");
//! ```

use std::borrow::Cow;

use exthost_abi as abi;

use crate::export::host::Host;

/// How much a line matters.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum Level {
    /// A failure that someone must look at.
    Error,
    /// Something unexpected that was dealt with.
    Warn,
    /// What an operator wants to see by default.
    Info,
    /// What an author wants to see while writing.
    Debug,
    /// Everything.
    Trace,
}

impl Level {
    pub(crate) fn as_raw(self) -> u32 {
        match self {
            Level::Error => abi::log::LEVEL_ERROR,
            Level::Warn => abi::log::LEVEL_WARN,
            Level::Info => abi::log::LEVEL_INFO,
            Level::Debug => abi::log::LEVEL_DEBUG,
            Level::Trace => abi::log::LEVEL_TRACE,
        }
    }
}

/// The host's log.
#[derive(Debug, Clone, Copy)]
pub struct Log {
    host: Option<&'static Host>,
}

impl Log {
    pub(crate) fn new(host: &'static Host) -> Self {
        Log { host: Some(host) }
    }

    fn current() -> Self {
        Log {
            host: Host::current(),
        }
    }

    /// A failure that someone must look at.
    pub fn error<'a>(&self, message: impl Into<Cow<'a, str>>) -> Line<'a> {
        self.line(Level::Error, message)
    }

    /// Something unexpected that was dealt with.
    pub fn warn<'a>(&self, message: impl Into<Cow<'a, str>>) -> Line<'a> {
        self.line(Level::Warn, message)
    }

    /// What an operator wants to see by default.
    pub fn info<'a>(&self, message: impl Into<Cow<'a, str>>) -> Line<'a> {
        self.line(Level::Info, message)
    }

    /// What an author wants to see while writing.
    pub fn debug<'a>(&self, message: impl Into<Cow<'a, str>>) -> Line<'a> {
        self.line(Level::Debug, message)
    }

    /// Everything.
    pub fn trace<'a>(&self, message: impl Into<Cow<'a, str>>) -> Line<'a> {
        self.line(Level::Trace, message)
    }

    /// A line of the given level.
    pub fn line<'a>(&self, level: Level, message: impl Into<Cow<'a, str>>) -> Line<'a> {
        Line {
            host: self.host,
            level,
            message: message.into(),
            fields: Vec::new(),
        }
    }

    /// Whether a line of `level` would be kept, so that an expensive one need
    /// not be built.
    pub fn enabled(&self, level: Level) -> bool {
        self.host.is_some_and(|host| host.keeps(level))
    }
}

/// One line, written when it is dropped: at the end of the statement, unless it
/// is kept in a variable.
#[derive(Debug)]
pub struct Line<'a> {
    host: Option<&'static Host>,
    level: Level,
    message: Cow<'a, str>,
    fields: Vec<(&'a str, FieldValue)>,
}

impl<'a> Line<'a> {
    /// Adds a named value; the host keeps the first 64.
    pub fn field(mut self, name: &'a str, value: impl Into<FieldValue>) -> Self {
        self.fields.push((name, value.into()));
        self
    }
}

impl Drop for Line<'_> {
    fn drop(&mut self) {
        if let Some(host) = self.host {
            host.write_line(self.level, &self.message, &self.fields);
        }
    }
}

/// The value of a line's field.
#[derive(Debug, Clone, PartialEq)]
pub enum FieldValue {
    /// No value.
    Null,
    /// A whole number.
    Integer(i64),
    /// A number.
    Real(f64),
    /// Text.
    Text(String),
}

impl From<&str> for FieldValue {
    fn from(text: &str) -> Self {
        FieldValue::Text(text.to_owned())
    }
}

impl From<String> for FieldValue {
    fn from(text: String) -> Self {
        FieldValue::Text(text)
    }
}

impl From<bool> for FieldValue {
    fn from(truth: bool) -> Self {
        FieldValue::Text(truth.to_string())
    }
}

impl From<i32> for FieldValue {
    fn from(integer: i32) -> Self {
        FieldValue::Integer(integer.into())
    }
}

impl From<i64> for FieldValue {
    fn from(integer: i64) -> Self {
        FieldValue::Integer(integer)
    }
}

impl From<u32> for FieldValue {
    fn from(integer: u32) -> Self {
        FieldValue::Integer(integer.into())
    }
}

impl From<u64> for FieldValue {
    fn from(integer: u64) -> Self {
        match i64::try_from(integer) {
            Ok(integer) => FieldValue::Integer(integer),
            Err(_) => FieldValue::Text(integer.to_string()),
        }
    }
}

impl From<usize> for FieldValue {
    fn from(integer: usize) -> Self {
        FieldValue::from(integer as u64)
    }
}

impl From<f64> for FieldValue {
    fn from(real: f64) -> Self {
        FieldValue::Real(real)
    }
}

impl<T: Into<FieldValue>> From<Option<T>> for FieldValue {
    fn from(value: Option<T>) -> Self {
        value.map_or(FieldValue::Null, Into::into)
    }
}

/// Logs a failure that someone must look at.
pub fn error<'a>(message: impl Into<Cow<'a, str>>) -> Line<'a> {
    Log::current().error(message)
}

/// Logs something unexpected that was dealt with.
pub fn warn<'a>(message: impl Into<Cow<'a, str>>) -> Line<'a> {
    Log::current().warn(message)
}

/// Logs what an operator wants to see by default.
pub fn info<'a>(message: impl Into<Cow<'a, str>>) -> Line<'a> {
    Log::current().info(message)
}

/// Logs what an author wants to see while writing.
pub fn debug<'a>(message: impl Into<Cow<'a, str>>) -> Line<'a> {
    Log::current().debug(message)
}

/// Logs everything.
pub fn trace<'a>(message: impl Into<Cow<'a, str>>) -> Line<'a> {
    Log::current().trace(message)
}
