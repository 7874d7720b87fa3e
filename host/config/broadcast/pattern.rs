//! Patterns of channels: a plugin or all of them, and a pattern of their
//! channels.

use std::fmt;
use std::str::FromStr;

use serde::{Deserialize, Serialize};

use crate::config::{BroadcastError, Pattern, is_event_type};
use crate::name::PluginName;

/// Longest name of a channel in bytes, without the plugin's.
pub const CHANNEL_BYTES_MAX: usize = 128;

/// Which channels a client listens to: `notes/changed`, `notes/>`, `*/>`.
#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct ChannelPattern {
    /// The plugin; nothing for all of them.
    plugin: Option<PluginName>,
    channels: Pattern,
}

impl ChannelPattern {
    /// Checks `text`.
    ///
    /// # Errors
    /// [`BroadcastError::Pattern`].
    pub fn parse(text: &str) -> Result<Self, BroadcastError> {
        Self::read(text).ok_or_else(|| BroadcastError::Pattern {
            pattern: text.to_owned(),
        })
    }

    fn read(text: &str) -> Option<Self> {
        let (plugin, channels) = text.split_once('/')?;
        let plugin = match plugin {
            "*" => None,
            plugin => Some(PluginName::parse(plugin).ok()?),
        };
        let channels = Pattern::parse(channels).ok()?;
        Some(ChannelPattern { plugin, channels })
    }

    /// Whether the channel `channel` of `plugin` matches.
    pub fn matches(&self, plugin: &str, channel: &str) -> bool {
        self.of_plugin(plugin) && self.channels.matches(channel)
    }

    /// Whether every channel that matches this matches `wider` as well.
    pub fn is_within(&self, wider: &ChannelPattern) -> bool {
        let plugins = wider.plugin.is_none() || wider.plugin == self.plugin;
        plugins && self.channels.is_within(&wider.channels)
    }

    fn of_plugin(&self, plugin: &str) -> bool {
        let named = self.plugin.as_ref();
        named.is_none_or(|named| named.as_str() == plugin)
    }
}

/// Whether `channel` is tokens `[A-Za-z0-9_-]+` joined by dots, at most
/// [`CHANNEL_BYTES_MAX`].
pub(crate) fn is_channel(channel: &str) -> bool {
    channel.len() <= CHANNEL_BYTES_MAX && is_event_type(channel)
}

impl fmt::Display for ChannelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let plugin = self.plugin.as_ref().map_or("*", PluginName::as_str);
        write!(f, "{plugin}/{}", self.channels)
    }
}

impl fmt::Debug for ChannelPattern {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "\"{self}\"")
    }
}

impl FromStr for ChannelPattern {
    type Err = BroadcastError;

    fn from_str(text: &str) -> Result<Self, BroadcastError> {
        Self::parse(text)
    }
}

impl TryFrom<String> for ChannelPattern {
    type Error = BroadcastError;

    fn try_from(text: String) -> Result<Self, BroadcastError> {
        Self::parse(&text)
    }
}

impl From<ChannelPattern> for String {
    fn from(pattern: ChannelPattern) -> Self {
        pattern.to_string()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_matches() {
        for (pattern, plugin, channel, expected) in [
            ("notes/changed", "notes", "changed", true),
            ("notes/changed", "notes", "changed.late", false),
            ("notes/>", "notes", "changed.late", true),
            ("notes/>", "notes-b", "changed", false),
            ("*/>", "notes-b", "changed", true),
            ("*/*.late", "notes", "changed.late", true),
            ("*/*.late", "notes", "late", false),
        ] {
            let matches = ChannelPattern::parse(pattern)
                .unwrap()
                .matches(plugin, channel);
            assert_eq!(matches, expected, "{pattern} {plugin}/{channel}");
        }
    }

    #[test]
    fn one_within_another() {
        for (narrow, wide, expected) in [
            ("a/b", "a/b", true),
            ("a/b", "*/>", true),
            ("*/b", "a/>", false),
            ("*/b", "*/*", true),
            ("a/>", "a/>", true),
            ("a/>", "a/*", false),
            ("a/*", "a/>", true),
            ("a/*", "a/b", false),
            ("a/b.>", "a/>", true),
            ("a/b.>", "a/b.*", false),
            ("a/b.>", "a/b.*.>", false),
            ("a/b.*.>", "a/b.>", true),
            ("a/b", "a/b.>", false),
            ("a/b.c", "a/b", false),
            ("a/b", "c/b", false),
        ] {
            let (narrow, wide) = (ChannelPattern::parse(narrow), ChannelPattern::parse(wide));
            let (narrow, wide) = (narrow.unwrap(), wide.unwrap());
            assert_eq!(narrow.is_within(&wide), expected, "{narrow} in {wide}");
        }
    }

    #[test]
    fn what_is_no_pattern() {
        for text in [
            "",
            "/",
            "notes",
            "notes/",
            "/a",
            "Notes/a",
            "notes/a b",
            "notes/>.a",
            "**/a",
            ">/a",
            "notes/a/b",
        ] {
            let error = ChannelPattern::parse(text).unwrap_err();
            assert_eq!(error.code(), "bad-channel-pattern", "{text}");
            assert!(error.to_string().ends_with("as in `notes/>`"), "{error}");
        }
        assert!(is_channel(&"a".repeat(CHANNEL_BYTES_MAX)));
        assert!(!is_channel(&"a".repeat(CHANNEL_BYTES_MAX + 1)));
    }
}
