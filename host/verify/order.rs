//! Which of the verified plugins run together, and in which order they start.

use std::collections::{BTreeMap, BTreeSet};
use std::path::PathBuf;

use super::{Verified, VerifyError};
use crate::name::PluginName;

/// A verified plugin that does not run, because of others.
#[derive(Debug)]
#[non_exhaustive]
pub struct Refused {
    /// Its file.
    pub path: PathBuf,
    /// Its name.
    pub name: PluginName,
    /// Why.
    pub error: VerifyError,
}

/// Decides which of `plugins`, given in the order they were found, run together,
/// and returns them in the order they start.
///
/// A plugin starts after those in its `after` and `requires`, if they are
/// present; among those that may start next, the one with the lowest `priority`
/// does, then the one whose name comes first. Of two with one name the one found
/// first runs. One that requires another that is missing or refused is refused,
/// and so is each that would start after itself.
pub fn admit(plugins: Vec<Verified>) -> (Vec<Verified>, Vec<Refused>) {
    let mut set = Set::default();
    for plugin in plugins {
        set.insert(plugin);
    }
    loop {
        set.refuse_unmet();
        let order = set.order();
        if order.len() == set.present.len() {
            let mut present = set.present;
            let ordered = order
                .iter()
                .filter_map(|name| present.remove(name))
                .collect();
            return (ordered, set.refused);
        }
        set.refuse_cycle(&order);
    }
}

#[derive(Default)]
struct Set {
    present: BTreeMap<PluginName, Verified>,
    refused: Vec<Refused>,
}

impl Set {
    fn insert(&mut self, plugin: Verified) {
        let name = plugin.meta().name.clone();
        match self.present.get(&name) {
            Some(first) => {
                let winner = first.inspected().path().to_owned();
                self.refused.push(refused(
                    &plugin,
                    VerifyError::DuplicateName { name, winner },
                ));
            }
            None => {
                self.present.insert(name, plugin);
            }
        }
    }

    fn refuse(&mut self, name: &PluginName, error: VerifyError) {
        if let Some(plugin) = self.present.remove(name) {
            self.refused.push(refused(&plugin, error));
        }
    }

    /// Refuses what requires a plugin that is not there, until nothing does.
    fn refuse_unmet(&mut self) {
        while let Some((name, requires)) = self.unmet() {
            let error = VerifyError::RequiresMissing {
                name: name.clone(),
                requires,
            };
            self.refuse(&name, error);
        }
    }

    fn unmet(&self) -> Option<(PluginName, PluginName)> {
        self.present.iter().find_map(|(name, plugin)| {
            let requires = &plugin.meta().requires;
            let missing = requires
                .iter()
                .find(|other| !self.present.contains_key(*other))?;
            Some((name.clone(), missing.clone()))
        })
    }

    /// Returns the names in the order they start, without those that wait for
    /// each other.
    fn order(&self) -> Vec<PluginName> {
        let mut waits: BTreeMap<&PluginName, usize> = BTreeMap::new();
        let mut followers: BTreeMap<&PluginName, Vec<&PluginName>> = BTreeMap::new();
        for name in self.present.keys() {
            let before = self.before(name);
            waits.insert(name, before.len());
            for other in before {
                followers.entry(other).or_default().push(name);
            }
        }
        let rank = |name: &'_ PluginName| self.present[name].meta().priority;
        let mut ready: BTreeSet<(i32, &PluginName)> = waits
            .iter()
            .filter(|(_, count)| **count == 0)
            .map(|(name, _)| (rank(name), *name))
            .collect();
        let mut order = Vec::new();
        while let Some((_, name)) = ready.pop_first() {
            order.push(name.clone());
            for follower in followers.remove(name).unwrap_or_default() {
                if let Some(count) = waits.get_mut(follower) {
                    *count -= 1;
                    if *count == 0 {
                        ready.insert((rank(follower), follower));
                    }
                }
            }
        }
        order
    }

    /// Returns the present plugins that start before `name`.
    fn before(&self, name: &PluginName) -> BTreeSet<&PluginName> {
        let named = self.present.get(name).map(Verified::meta);
        named
            .into_iter()
            .flat_map(|meta| meta.after.iter().chain(&meta.requires))
            .filter(|other| self.present.contains_key(*other))
            .collect()
    }

    /// Refuses the plugins of one circle among those that `order` left out.
    fn refuse_cycle(&mut self, order: &[PluginName]) {
        let left_out = |name: &&PluginName| !order.contains(name);
        // Each one left out waits for another one left out, so a walk from one
        // to the next comes back to where it has been.
        let mut path: Vec<PluginName> = Vec::new();
        let mut next = self.present.keys().find(left_out).cloned();
        while let Some(name) = next {
            if let Some(start) = path.iter().position(|seen| *seen == name) {
                path.drain(..start);
                break;
            }
            next = self.before(&name).into_iter().find(left_out).cloned();
            path.push(name);
        }
        for index in 0..path.len() {
            let mut round: Vec<_> = path.iter().map(PluginName::as_str).collect();
            round.rotate_left(index);
            round.extend(round.first().copied());
            let name = path[index].clone();
            let cycle = round.join(" after ");
            self.refuse(
                &name,
                VerifyError::OrderCycle {
                    name: name.clone(),
                    cycle,
                },
            );
        }
    }
}

fn refused(plugin: &Verified, error: VerifyError) -> Refused {
    Refused {
        path: plugin.inspected().path().to_owned(),
        name: plugin.meta().name.clone(),
        error,
    }
}
