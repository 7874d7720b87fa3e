//! Events of the host that tell a lasting state, kept for those who come later.

use std::sync::Arc;

use crate::config::Pattern;
use crate::name::PluginName;
use crate::services::events::event::Event;

/// What a late subscriber is told.
#[derive(Debug, Default)]
pub(super) struct Retained(Vec<(Option<PluginName>, Arc<Event>)>);

impl Retained {
    /// Keeps an event, in place of an earlier one of the same name about the same
    /// plugin.
    pub(super) fn keep(&mut self, plugin: Option<&PluginName>, event: Arc<Event>) {
        self.0
            .retain(|(about, other)| about.as_ref() != plugin || other.name != event.name);
        self.0.push((plugin.cloned(), event));
    }

    /// Drops what is kept about a plugin.
    pub(super) fn release(&mut self, plugin: &PluginName) {
        self.0.retain(|(about, _)| about.as_ref() != Some(plugin));
    }

    /// What is about the host, or about other plugins than this.
    pub(super) fn of_others(&self, plugin: &PluginName) -> Vec<Arc<Event>> {
        let others = self.0.iter();
        others
            .filter(|(about, _)| about.as_ref() != Some(plugin))
            .map(|(_, event)| event.clone())
            .collect()
    }

    /// What a pattern matches.
    pub(super) fn matching(&self, pattern: &Pattern) -> Vec<Arc<Event>> {
        let all = self.0.iter().map(|(_, event)| event);
        all.filter(|event| pattern.matches(&event.name))
            .cloned()
            .collect()
    }
}
