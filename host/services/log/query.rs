//! Which lines of the log are asked for.

use std::time::UNIX_EPOCH;

use tracing::Level;

use crate::services::error::ServiceError;
use crate::services::log::KeptLine;

/// Which kept lines to list; `None` is all.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(crate) struct LineQuery {
    /// Of this plugin, or about it.
    pub(crate) plugin: Option<String>,
    /// Not before this time, in milliseconds since 1970.
    pub(crate) since_ms: Option<u64>,
    /// Before this time, in milliseconds since 1970.
    pub(crate) until_ms: Option<u64>,
    /// As important as this at least.
    pub(crate) level: Option<Level>,
    /// With a greater number.
    pub(crate) after: Option<u64>,
    /// The latest of those, at most so many.
    pub(crate) n: usize,
}

impl Default for LineQuery {
    fn default() -> Self {
        LineQuery {
            plugin: None,
            since_ms: None,
            until_ms: None,
            level: None,
            after: None,
            n: 100,
        }
    }
}

impl LineQuery {
    /// Takes one parameter of a request.
    ///
    /// # Errors
    /// `invalid` for a name or a value that is not understood.
    pub(crate) fn set(&mut self, name: &str, value: String) -> Result<(), ServiceError> {
        match name {
            "plugin" => self.plugin = Some(value),
            "since" => self.since_ms = Some(time_ms(&value)?),
            "until" => self.until_ms = Some(time_ms(&value)?),
            "level" => self.level = Some(level_of(&value)?),
            "after" => self.after = Some(number(&value)?),
            "n" => self.n = usize::try_from(number(&value)?).unwrap_or(usize::MAX),
            name => {
                return Err(ServiceError::invalid(format!(
                    "there is no parameter `{}`; there are plugin, since, until, level, after and n",
                    name.escape_debug()
                )));
            }
        }
        Ok(())
    }

    pub(super) fn matches(&self, line: &KeptLine) -> bool {
        let plugin = self.plugin.as_deref();
        plugin.is_none_or(|plugin| line.plugin() == Some(plugin))
            && self.since_ms.is_none_or(|since| line.time_ms() >= since)
            && self.until_ms.is_none_or(|until| line.time_ms() < until)
            // More important levels are lower.
            && self.level.is_none_or(|level| line.level() <= level)
            && self.after.is_none_or(|after| line.number() > after)
    }
}

/// The level of a name in lower case.
///
/// # Errors
/// `invalid` when there is none.
pub(crate) fn level_of(name: &str) -> Result<Level, ServiceError> {
    Ok(match name {
        "error" => Level::ERROR,
        "warn" => Level::WARN,
        "info" => Level::INFO,
        "debug" => Level::DEBUG,
        "trace" => Level::TRACE,
        other => {
            return Err(ServiceError::invalid(format!(
                "`{}` is no level; there are error, warn, info, debug and trace",
                other.escape_debug()
            )));
        }
    })
}

fn number(text: &str) -> Result<u64, ServiceError> {
    text.parse().map_err(|_| {
        ServiceError::invalid(format!(
            "`{}` is no number of lines; give one, as in n=50",
            text.escape_debug()
        ))
    })
}

/// A time, as milliseconds since 1970 or as people write it.
fn time_ms(text: &str) -> Result<u64, ServiceError> {
    if let Ok(time_ms) = text.parse() {
        return Ok(time_ms);
    }
    let time = humantime::parse_rfc3339(text).ok();
    let since = time.and_then(|time| time.duration_since(UNIX_EPOCH).ok());
    since.map(|since| since.as_millis() as u64).ok_or_else(|| {
        ServiceError::invalid(format!(
            "`{}` is no time; give milliseconds since 1970, or a time in UTC as in \
             2026-01-31T23:59:59Z",
            text.escape_debug()
        ))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn query(pairs: &[(&str, &str)]) -> Result<LineQuery, ServiceError> {
        let mut query = LineQuery::default();
        for (name, value) in pairs {
            query.set(name, (*value).to_owned())?;
        }
        Ok(query)
    }

    #[test]
    fn times_are_numbers_or_text() {
        let by_text = query(&[("since", "1970-01-01T00:00:01.5Z")]).unwrap();
        assert_eq!(by_text, query(&[("since", "1500")]).unwrap());
    }

    #[test]
    fn what_is_not_understood_is_named() {
        for (name, value) in [
            ("since", "yesterday"),
            ("until", "-1"),
            ("level", "loud"),
            ("level", "WARN"),
            ("n", "x"),
            ("after", ""),
            ("since_ms", "1"),
        ] {
            let error = query(&[(name, value)]).unwrap_err();
            let named = if name == "since_ms" { name } else { value };
            assert!(error.message.contains(&format!("`{named}`")), "{error}");
        }
    }

    #[test]
    fn each_condition_holds() {
        let line = KeptLine::new(Level::WARN, "exthost", "m").of_plugin(Some("notes"), Some(1));
        for (name, value, matches) in [
            ("plugin", "notes", true),
            ("plugin", "note", false),
            ("level", "warn", true),
            ("level", "trace", true),
            ("level", "error", false),
            ("since", "1970-01-01T00:00:00Z", true),
            ("since", "9999-01-01T00:00:00Z", false),
            ("until", "9999-01-01T00:00:00Z", true),
            ("until", "0", false),
            ("after", "0", false),
        ] {
            let asked = query(&[(name, value)]).unwrap();
            assert_eq!(asked.matches(&line), matches, "{name}={value}");
        }
    }
}
