//! What one client listens to.

use crate::config::ChannelPattern;
use crate::services::broadcast::ListenError;

/// Most patterns of one client.
pub(crate) const PATTERNS_MAX: usize = 64;

/// The patterns of a client, sorted, each once. Clients with the same patterns
/// share one `Interest`.
#[derive(Debug, Clone, Default, PartialEq, Eq, Hash)]
pub(crate) struct Patterns(Vec<ChannelPattern>);

impl Patterns {
    /// Checks patterns.
    ///
    /// # Errors
    /// [`ListenError::Pattern`] or [`ListenError::Patterns`].
    pub(crate) fn parse<'a>(texts: impl IntoIterator<Item = &'a str>) -> Result<Self, ListenError> {
        let mut patterns = Patterns::default();
        for text in texts {
            patterns.add(ChannelPattern::parse(text)?);
            if patterns.0.len() > PATTERNS_MAX {
                let count = patterns.0.len();
                return Err(ListenError::Patterns { count });
            }
        }
        Ok(patterns)
    }

    /// These and those of `others`.
    ///
    /// # Errors
    /// [`ListenError::Patterns`].
    pub(crate) fn with(&self, others: &Patterns) -> Result<Self, ListenError> {
        let mut all = self.clone();
        for other in &others.0 {
            all.add(other.clone());
        }
        match all.0.len() {
            count if count > PATTERNS_MAX => Err(ListenError::Patterns { count }),
            _ => Ok(all),
        }
    }

    /// These without those of `others`.
    pub(crate) fn without(&self, others: &Patterns) -> Self {
        let kept = self.0.iter().filter(|pattern| !others.0.contains(pattern));
        Patterns(kept.cloned().collect())
    }

    /// The patterns.
    pub(crate) fn all(&self) -> &[ChannelPattern] {
        &self.0
    }

    /// Whether the channel `channel` of `owner` matches any.
    pub(super) fn matches(&self, owner: &str, channel: &str) -> bool {
        self.0.iter().any(|pattern| pattern.matches(owner, channel))
    }

    fn add(&mut self, pattern: ChannelPattern) {
        if let Err(at) = self.0.binary_search(&pattern) {
            self.0.insert(at, pattern);
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_set_of_patterns() {
        let patterns = Patterns::parse(["b/>", "a/x", "b/>"]).unwrap();
        assert_eq!(patterns, Patterns::parse(["a/x", "b/>"]).unwrap());
        let more = patterns.with(&Patterns::parse(["c/>"]).unwrap()).unwrap();
        assert_eq!(more.all().len(), 3);
        assert_eq!(more.without(&Patterns::parse(["c/>"]).unwrap()), patterns);
        assert!(more.matches("c", "x") && !patterns.matches("c", "x"));
    }

    #[test]
    fn there_is_a_limit() {
        let texts: Vec<_> = (0..=PATTERNS_MAX).map(|n| format!("a/{n}")).collect();
        let parse = |texts: &[String]| Patterns::parse(texts.iter().map(String::as_str));
        assert_eq!(parse(&texts).unwrap_err().code(), "patterns-max");
        let (first, last) = (parse(&texts[1..]).unwrap(), parse(&texts[..1]).unwrap());
        assert_eq!(first.with(&last).unwrap_err().code(), "patterns-max");
        assert_eq!(
            parse(&["a".to_owned()]).unwrap_err().code(),
            "bad-channel-pattern"
        );
    }
}
