//! Who hears a name: found once, and kept until a subscription comes or goes.

use std::sync::Arc;

use crate::name::PluginName;
use crate::services::events::event::Event;
use crate::services::events::mailbox::Mailbox;
use crate::services::events::subscription::{Mode, Subscription};
use crate::services::events::trie::Trie;

/// Where a subscription stands.
#[derive(Debug, Clone)]
pub(super) struct Listing {
    pub(super) mailbox: Arc<Mailbox>,
    pub(super) id: u64,
    pub(super) subscription: Arc<Subscription>,
    /// Registrations of the same plugin before it.
    pub(super) order: u64,
}

/// Who hears one name.
#[derive(Debug)]
pub(super) struct Matches {
    /// The version of the subscriptions that it was found in.
    pub(super) version: u64,
    /// The name, after the aliases that hold for all.
    pub(super) name: Arc<str>,
    /// Filters, in the order in which they are asked.
    pub(super) filters: Vec<Listing>,
    /// Observers, those of one plugin together.
    pub(super) observers: Vec<Group>,
}

/// The observers of one plugin, in their order.
#[derive(Debug)]
pub(super) struct Group {
    pub(super) mailbox: Arc<Mailbox>,
    observers: Vec<Listing>,
}

impl Matches {
    pub(super) fn find(trie: &Trie<Listing>, name: &str, version: u64) -> Self {
        let mut found = Vec::new();
        trie.matching(name, &mut |listing: &Listing| found.push(listing.clone()));
        found.sort_by_cached_key(Listing::rank);
        let (filters, observers): (Vec<_>, Vec<_>) = found
            .into_iter()
            .partition(|listing| listing.subscription.mode == Mode::Filter);
        let mut groups: Vec<Group> = Vec::new();
        for observer in observers {
            let same = groups
                .iter_mut()
                .find(|group| Arc::ptr_eq(&group.mailbox, &observer.mailbox));
            match same {
                Some(group) => group.observers.push(observer),
                None => groups.push(Group {
                    mailbox: observer.mailbox.clone(),
                    observers: vec![observer],
                }),
            }
        }
        Matches {
            version,
            name: name.into(),
            filters,
            observers: groups,
        }
    }

    /// Whether anybody hears it.
    pub(super) fn is_heard(&self) -> bool {
        !self.filters.is_empty() || !self.observers.is_empty()
    }

    /// Whether only the host and its application may emit it.
    pub(super) fn is_reserved(&self) -> bool {
        &*self.name == "core" || self.name.starts_with("core.")
    }

    /// What stands here for the filters `asked` of an earlier version: those that are
    /// still there, and the equal ones of a plugin that was reloaded.
    pub(super) fn following(&self, asked: &[Listing]) -> Vec<Listing> {
        let mut left: Vec<&Listing> = self.filters.iter().collect();
        let following = asked.iter().filter_map(|asked| {
            let follows = |filter: &&Listing| filter.is(asked) || filter.continues(asked);
            let at = left.iter().position(follows)?;
            Some(left.remove(at).clone())
        });
        following.collect()
    }

    /// The observers of the plugin `name`.
    pub(super) fn of_plugin(&self, name: &str) -> Option<&Group> {
        let mut groups = self.observers.iter();
        groups.find(|group| group.mailbox.context.name.as_str() == name)
    }
}

impl Group {
    /// The subscriptions that hear an event of this name.
    pub(super) fn hearing(&self, event: &Event) -> impl Iterator<Item = u64> + '_ {
        let own = event.is_of(&self.mailbox.context.name);
        let hearing = self.observers.iter();
        hearing
            .filter(move |observer| !(own && observer.subscription.not_own))
            .map(|observer| observer.id)
    }
}

impl Listing {
    /// Its place in the order: lower priority first, ties by plugin name, then
    /// registration.
    fn rank(&self) -> (i32, PluginName, u64) {
        let plugin = self.mailbox.context.name.clone();
        (self.subscription.priority, plugin, self.order)
    }

    /// Whether it hears an event of this name.
    pub(super) fn hears(&self, event: &Event) -> bool {
        !(self.subscription.not_own && event.is_of(&self.mailbox.context.name))
    }

    /// Whether both are the same subscription.
    pub(super) fn is(&self, other: &Listing) -> bool {
        self.id == other.id && Arc::ptr_eq(&self.mailbox, &other.mailbox)
    }

    /// Whether it stands in another generation of its plugin for what `other` is in
    /// its own.
    pub(super) fn continues(&self, other: &Listing) -> bool {
        !Arc::ptr_eq(&self.mailbox, &other.mailbox)
            && self.mailbox.context.name == other.mailbox.context.name
            && self.subscription.continues(&other.subscription)
    }
}
