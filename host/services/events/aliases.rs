//! Names of events that the operator gave other names.

use std::collections::BTreeMap;

use crate::config::{EventName, Pattern};
use crate::name::PluginName;

/// Which names stand for which others: of one plugin first, then of all. A name
/// is replaced once by each, so there are no circles.
#[derive(Debug, Clone, Default)]
pub(crate) struct Aliases {
    all: BTreeMap<EventName, EventName>,
    of_plugin: BTreeMap<String, BTreeMap<EventName, EventName>>,
}

impl Aliases {
    /// Adds names that stand for others whoever uses them.
    pub(crate) fn extend(&mut self, aliases: BTreeMap<EventName, EventName>) {
        self.all.extend(aliases);
    }

    /// Adds names that stand for others when `plugin` uses them.
    pub(crate) fn extend_of(&mut self, plugin: &str, aliases: BTreeMap<EventName, EventName>) {
        if !aliases.is_empty() {
            let own = self.of_plugin.entry(plugin.to_owned()).or_default();
            own.extend(aliases);
        }
    }

    /// What `plugin` means by `name`, before what all mean by it.
    pub(super) fn of<'a>(&'a self, plugin: Option<&PluginName>, name: &'a str) -> &'a str {
        if self.of_plugin.is_empty() {
            return name;
        }
        let own = plugin.and_then(|plugin| self.of_plugin.get(plugin.as_str()));
        own.and_then(|own| own.get(name))
            .map_or(name, EventName::as_ref)
    }

    /// What all mean by `name`.
    pub(super) fn of_all<'a>(&'a self, name: &'a str) -> &'a str {
        self.all.get(name).map_or(name, EventName::as_ref)
    }

    /// The pattern that `plugin` means; one with wildcards is left as it is.
    pub(super) fn pattern(&self, plugin: &PluginName, pattern: &Pattern) -> Pattern {
        let name = self.of_all(self.of(Some(plugin), pattern.as_str()));
        // An event's name is a pattern that only it matches.
        Pattern::parse(name).unwrap_or_else(|_| pattern.clone())
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn aliases(pairs: &[(&str, &str)]) -> BTreeMap<EventName, EventName> {
        let name = |text: &str| EventName::parse(text).unwrap();
        pairs
            .iter()
            .map(|(old, new)| (name(old), name(new)))
            .collect()
    }

    #[test]
    fn a_plugins_own_come_first_and_each_once() {
        let mut all = Aliases::default();
        let notes = PluginName::parse("notes").unwrap();
        all.extend(aliases(&[("a", "b"), ("b", "a")]));
        all.extend_of("notes", aliases(&[("saved", "a")]));
        assert_eq!(all.of(Some(&notes), "saved"), "a");
        assert_eq!(all.of(None, "saved"), "saved");
        assert_eq!(all.of_all("a"), "b");
        let pattern = |text| {
            all.pattern(&notes, &Pattern::parse(text).unwrap())
                .to_string()
        };
        assert_eq!(pattern("saved"), "b");
        assert_eq!(pattern("b"), "a");
        assert_eq!(pattern("saved.*"), "saved.*");
    }
}
