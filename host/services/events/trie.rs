//! Patterns, so kept that finding those which match a name takes the name's
//! tokens and not all patterns.

use std::collections::HashMap;

use crate::config::Pattern;

/// Values under patterns: one level of tokens.
#[derive(Debug)]
pub(super) struct Trie<T> {
    /// What goes on with a token of its own.
    tokens: HashMap<Box<str>, Trie<T>>,
    /// What goes on with `*`.
    any: Option<Box<Trie<T>>>,
    /// Values whose pattern ends here.
    here: Vec<T>,
    /// Values whose pattern ends here with `>`.
    rest: Vec<T>,
}

impl<T> Default for Trie<T> {
    fn default() -> Self {
        Trie {
            tokens: HashMap::new(),
            any: None,
            here: Vec::new(),
            rest: Vec::new(),
        }
    }
}

impl<T> Trie<T> {
    /// Adds a value under `pattern`.
    pub(super) fn insert(&mut self, pattern: &Pattern, value: T) {
        let mut node = self;
        for token in pattern.as_str().split('.') {
            node = match token {
                ">" => return node.rest.push(value),
                "*" => node.any.get_or_insert_default(),
                token => node.tokens.entry(token.into()).or_default(),
            };
        }
        node.here.push(value);
    }

    /// Removes the values under `pattern` that `is` tells, and what is empty
    /// then.
    pub(super) fn remove(&mut self, pattern: &Pattern, is: impl Fn(&T) -> bool) {
        self.remove_at(pattern.as_str(), &is);
    }

    fn remove_at(&mut self, pattern: &str, is: &impl Fn(&T) -> bool) {
        let (token, more) = match pattern.split_once('.') {
            Some((token, more)) => (token, Some(more)),
            None => (pattern, None),
        };
        if token == ">" {
            return self.rest.retain(|value| !is(value));
        }
        let next = match token {
            "*" => self.any.as_deref_mut(),
            token => self.tokens.get_mut(token),
        };
        let Some(next) = next else { return };
        match more {
            Some(more) => next.remove_at(more, is),
            None => next.here.retain(|value| !is(value)),
        }
        if next.is_empty() {
            match token {
                "*" => self.any = None,
                token => drop(self.tokens.remove(token)),
            }
        }
    }

    /// Shows `found` every value whose pattern matches `name`, in no order.
    pub(super) fn matching<'a>(&'a self, name: &str, found: &mut impl FnMut(&'a T)) {
        let (token, more) = match name.split_once('.') {
            Some((token, more)) => (token, Some(more)),
            None => (name, None),
        };
        self.rest.iter().for_each(&mut *found);
        let next = [self.tokens.get(token), self.any.as_deref()];
        for next in next.into_iter().flatten() {
            match more {
                Some(more) => next.matching(more, found),
                None => next.here.iter().for_each(&mut *found),
            }
        }
    }

    fn is_empty(&self) -> bool {
        self.tokens.is_empty() && self.any.is_none() && self.here.is_empty() && self.rest.is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn it_finds_what_the_patterns_match() {
        let seed = fastrand::u64(..);
        let mut random = fastrand::Rng::with_seed(seed);
        let tokens = ["a", "b", "*", "core"];
        let mut patterns = Vec::new();
        let mut trie = Trie::default();
        for id in 0..2_000 {
            let mut pattern: Vec<&str> = (0..random.usize(1..5))
                .map(|_| tokens[random.usize(0..tokens.len())])
                .collect();
            if random.u8(0..4) == 0 {
                pattern.push(">");
            }
            let pattern = Pattern::parse(&pattern.join(".")).unwrap();
            trie.insert(&pattern, id);
            patterns.push((pattern, id));
            if random.bool() {
                let (pattern, id) = patterns.swap_remove(random.usize(..patterns.len()));
                trie.remove(&pattern, |other| *other == id);
            }
            let name: Vec<&str> = (0..random.usize(1..6))
                .map(|_| ["a", "b", "c", "core"][random.usize(0..4)])
                .collect();
            let name = name.join(".");
            let mut found = Vec::new();
            trie.matching(&name, &mut |id| found.push(*id));
            found.sort_unstable();
            let matching = patterns
                .iter()
                .filter(|(pattern, _)| pattern.matches(&name));
            let mut expected: Vec<i32> = matching.map(|(_, id)| *id).collect();
            expected.sort_unstable();
            assert_eq!(found, expected, "{name}, seed {seed}");
        }
        for (pattern, id) in patterns {
            trie.remove(&pattern, |other| *other == id);
        }
        assert!(trie.is_empty());
    }
}
