//! Which records are listed.

use std::path::Path;
use std::time::{Duration, Instant};

use serde_json::Value;

use crate::config::Pattern;
use crate::services::audit::error::AuditError;
use crate::services::audit::record::Record;
use crate::services::audit::store::{open_to_read, unusable};
use crate::services::error::ServiceError;

/// Which records to list; `None` is all.
#[derive(Debug, Clone, Default)]
pub struct AuditQuery {
    /// Recorded by this plugin; by the host, if it is empty.
    pub plugin: Option<String>,
    /// With such an action: a pattern, as in `item.*` or `item.>`.
    pub action: Option<Pattern>,
    /// By this actor, or on its behalf: its id or its name.
    pub actor: Option<String>,
    /// Done to this: a kind, or a kind and an id as in `item:7`.
    pub target: Option<String>,
    /// In the course of this request.
    pub request: Option<String>,
    /// Recorded at this time or later, in milliseconds since 1970.
    pub since_ms: Option<i64>,
    /// Recorded at this time or earlier.
    pub until_ms: Option<i64>,
    /// The newest of those, at most so many; 50 if there is no word of it, 1,000 at
    /// most.
    pub n: Option<usize>,
}

/// Most records that one list has.
const LIST_MAX: usize = 1000;

/// Most bytes that the records of a list have together, but for the last.
const LIST_BYTES_MAX: usize = 16 * 1024 * 1024;

impl AuditQuery {
    /// Sets a parameter by its name in a URL.
    ///
    /// # Errors
    /// `invalid`.
    pub(crate) fn set(&mut self, name: &str, value: String) -> Result<(), ServiceError> {
        match name {
            "plugin" => self.plugin = Some(value),
            "action" => {
                let pattern = Pattern::parse(&value);
                let pattern = pattern.map_err(|error| ServiceError::invalid(error.to_string()))?;
                self.action = Some(pattern);
            }
            "actor" => self.actor = Some(value),
            "target" => self.target = Some(value),
            "request" => self.request = Some(value),
            "since" => self.since_ms = Some(number(name, &value)?),
            "until" => self.until_ms = Some(number(name, &value)?),
            "n" => self.n = Some(number(name, &value)?),
            name => {
                return Err(ServiceError::invalid(format!(
                    "there is no parameter `{}`; there are plugin, action, actor, target, request, \
                     since, until and n",
                    name.escape_debug()
                )));
            }
        }
        Ok(())
    }

    fn matches(&self, record: &Record) -> bool {
        let is = |wanted: &Option<String>, found: &str| {
            wanted.as_ref().is_none_or(|wanted| wanted == found)
        };
        let is_target = |wanted: &String| {
            let rest = wanted.strip_prefix(&*record.target_kind);
            let id = rest.and_then(|rest| rest.strip_prefix(':'));
            rest == Some("") || id == Some(&*record.target_id)
        };
        is(&self.plugin, &record.plugin)
            && is(&self.request, &record.request_id)
            && self.since_ms.is_none_or(|since| record.time_ms >= since)
            && self.until_ms.is_none_or(|until| record.time_ms <= until)
            && (self.action.as_ref()).is_none_or(|action| action.matches(&record.action))
            && self.target.as_ref().is_none_or(is_target)
            && (self.actor.as_ref()).is_none_or(|actor| is_actor(&record.actor, actor))
    }
}

/// The newest records in `file` that match, oldest first; what is not found within
/// `time` is not there.
///
/// # Threading
/// Blocks on the disk.
///
/// # Errors
/// [`AuditError`].
pub fn list(file: &Path, query: &AuditQuery, time: Duration) -> Result<Listed, AuditError> {
    let failed = |error: rusqlite::Error| unusable(file, &error);
    let until = Instant::now() + time;
    let most = query.n.unwrap_or(50).min(LIST_MAX);
    let mut listed = Listed::default();
    let connection = open_to_read(file)?;
    let select = format!("SELECT {} FROM records ORDER BY seq DESC", Record::COLUMNS);
    let mut select = connection.prepare(&select).map_err(failed)?;
    let mut rows = select.query([]).map_err(failed)?;
    let mut bytes = 0;
    while listed.records.len() < most && bytes < LIST_BYTES_MAX {
        let Some(row) = rows.next().map_err(failed)? else {
            break;
        };
        if Instant::now() > until {
            listed.gave_up = true;
            break;
        }
        let record = Record::read(row).map_err(failed)?;
        if query.matches(&record) {
            bytes += record.actor.len() + record.detail.len();
            listed.records.push(record);
        }
    }
    listed.records.reverse();
    Ok(listed)
}

/// Records that were found.
#[derive(Debug, Clone, Default, serde::Serialize)]
#[non_exhaustive]
pub struct Listed {
    /// Oldest first.
    pub records: Vec<Record>,
    /// Whether there was no time to look at the oldest.
    pub gave_up: bool,
}

/// Whether `wanted` is the actor, or one on whose behalf it acts.
fn is_actor(json: &str, wanted: &str) -> bool {
    let actor: Value = serde_json::from_str(json).unwrap_or_default();
    let mut actor = &actor;
    while actor.is_object() {
        if [&actor["id"], &actor["name"]].contains(&&Value::from(wanted)) {
            return true;
        }
        actor = &actor["on_behalf_of"];
    }
    false
}

fn number<T: std::str::FromStr>(name: &str, value: &str) -> Result<T, ServiceError> {
    value.parse().map_err(|_| {
        ServiceError::invalid(format!(
            "`{}` is no number for {name}; give one, as in {name}=50",
            value.escape_debug()
        ))
    })
}
