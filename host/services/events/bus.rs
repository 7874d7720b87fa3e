//! What all plugins hear, as it stands: under one lock, so that a change is seen
//! whole.

use std::sync::Arc;

use crate::config::Pattern;
use crate::services::events::event::Event;
use crate::services::events::mailbox::Mailbox;
use crate::services::events::matches::{Listing, Matches};
use crate::services::events::retained::Retained;
use crate::services::events::state::Listed;
use crate::services::events::subscription::Subscription;
use crate::services::events::targets::Targets;
use crate::services::events::trie::Trie;

/// Who hears what, which plugins can be sent something, and what is retained.
#[derive(Debug, Default)]
pub(super) struct Bus {
    pub(super) trie: Trie<Listing>,
    pub(super) targets: Targets,
    pub(super) retained: Retained,
}

impl Bus {
    pub(super) fn list(&mut self, mailbox: &Arc<Mailbox>, listed: &Listed) {
        let listing = Listing {
            mailbox: mailbox.clone(),
            id: listed.id,
            subscription: listed.subscription.clone(),
            order: listed.order,
        };
        self.trie.insert(&listed.subscription.pattern, listing);
    }

    pub(super) fn unlist(&mut self, mailbox: &Arc<Mailbox>, pattern: &Pattern, id: u64) {
        let is = |listing: &Listing| listing.id == id && Arc::ptr_eq(&listing.mailbox, mailbox);
        self.trie.remove(pattern, is);
    }

    /// Lets no more events come to a mailbox, and forgets those subscriptions of it
    /// that `goes` tells.
    pub(super) fn withdraw(
        &mut self,
        mailbox: &Arc<Mailbox>,
        goes: impl Fn(&Subscription) -> bool,
    ) {
        for Listed {
            id, subscription, ..
        } in mailbox.withdraw()
        {
            if goes(&subscription) {
                self.unlist(mailbox, &subscription.pattern, id);
            }
        }
    }

    /// The subscriptions of one mailbox that hear an event.
    pub(super) fn hearing(
        &self,
        mailbox: &Arc<Mailbox>,
        event: &Event,
    ) -> impl Iterator<Item = u64> + use<> {
        let mut ids = Vec::new();
        let matches = Matches::find(&self.trie, &event.name, 0);
        for group in &matches.observers {
            if Arc::ptr_eq(&group.mailbox, mailbox) {
                ids.extend(group.hearing(event));
            }
        }
        ids.into_iter()
    }
}
