//! All files of plugins, as far as can be told before any of their code runs.

use std::collections::BTreeSet;

use crate::discovery::{Candidate, at, discover};
use crate::error::Refusal;
use crate::host::settings::Settings;
use crate::inspect::{Inspected, inspect, inspect_embedded, nameless};
use crate::registry::DisabledStatus;
use crate::verify::{Policy, Verified, VerifyError, admit, verify};

/// All files of plugins, as far as can be told before any of their code runs.
#[derive(Debug)]
#[non_exhaustive]
pub struct Examined {
    /// Those that may be loaded, in the order of their start.
    pub admitted: Vec<Verified>,
    /// Those that may not.
    pub refused: Vec<Refusal>,
    /// Those that the operator does not want.
    pub disabled: Vec<DisabledStatus>,
    /// Plugins of which something is said and that were not found.
    pub missing: Vec<String>,
}

impl Examined {
    /// Takes every candidate as far as can be.
    pub(super) fn of(settings: &Settings, policy: Policy) -> Self {
        let mut examining = Examining {
            settings,
            policy,
            verified: Vec::new(),
            refused: Vec::new(),
            disabled: Vec::new(),
            found: BTreeSet::new(),
        };
        for plugin in &settings.embedded {
            match inspect_embedded(*plugin) {
                Ok(inspected) => examining.inspected(inspected, None),
                Err(why) => examining.refused.push(Refusal::new(nameless(), why)),
            }
        }
        for (name, path) in settings.paths() {
            match (settings.disabled(&name), at(&path)) {
                // Nobody misses a file that is not wanted.
                (Some(reason), _) => examining.disabled.push(DisabledStatus {
                    name: name.clone(),
                    file: path,
                    reason,
                }),
                (None, Ok(candidate)) => examining.candidate(candidate, Some(&name)),
                (None, Err(error)) => examining.refused.push(Refusal::new(path, error)),
            }
            examining.found.insert(name);
        }
        let (candidates, errors) = discover(&settings.directories);
        for error in errors {
            let file = error.path().to_owned();
            examining.refused.push(Refusal::new(file, error));
        }
        for candidate in candidates {
            examining.candidate(candidate, None);
        }
        examining.admit()
    }
}

struct Examining<'a> {
    settings: &'a Settings,
    policy: Policy,
    verified: Vec<Verified>,
    refused: Vec<Refusal>,
    disabled: Vec<DisabledStatus>,
    found: BTreeSet<String>,
}

impl Examining<'_> {
    /// Inspects and verifies one candidate, which has to be `expected`.
    fn candidate(&mut self, candidate: Candidate, expected: Option<&str>) {
        let file = candidate.path().to_owned();
        match inspect(candidate) {
            Err(why) => self.refused.push(Refusal::new(file, why)),
            Ok(inspected) => self.inspected(inspected, expected),
        }
    }

    fn inspected(&mut self, inspected: Inspected, expected: Option<&str>) {
        let file = inspected.path().to_owned();
        if let Err(why) = self.judge(inspected, expected) {
            self.refused.push(Refusal::new(file, why));
        }
    }

    fn judge(&mut self, inspected: Inspected, expected: Option<&str>) -> Result<(), VerifyError> {
        let name = inspected.meta().name.clone();
        if let Some(expected) = expected.filter(|expected| *expected != name.as_str()) {
            return Err(VerifyError::OtherName {
                expected: expected.to_owned(),
                found: name,
            });
        }
        self.found.insert(name.to_string());
        match self.settings.disabled(name.as_str()) {
            Some(reason) => self.disabled.push(DisabledStatus {
                name: name.to_string(),
                file: inspected.path().to_owned(),
                reason,
            }),
            None => {
                let verified = verify(inspected, &self.policy);
                self.verified
                    .push(verified.map_err(|why| self.beside_another(why))?);
            }
        }
        Ok(())
    }

    /// The refusal of a file that is not the pinned one: beside that, no pin would
    /// make it the one that is loaded.
    fn beside_another(&self, why: VerifyError) -> VerifyError {
        let VerifyError::PinDiffers(differs) = &why else {
            return why;
        };
        let mut verified = self.verified.iter();
        match verified.find(|first| first.meta().name == differs.name) {
            Some(first) => VerifyError::DuplicateName {
                name: differs.name.clone(),
                winner: first.inspected().path().to_owned(),
            },
            None => why,
        }
    }

    /// Settles which of them run together.
    fn admit(mut self) -> Examined {
        let (admitted, turned_away) = admit(self.verified);
        let turned_away = turned_away.into_iter();
        self.refused
            .extend(turned_away.map(|refused| Refusal::new(refused.path, refused.error)));
        let named = self.settings.named().into_iter();
        let missing = named.filter(|name| !self.found.contains(*name));
        Examined {
            admitted,
            refused: self.refused,
            disabled: self.disabled,
            missing: missing.map(str::to_owned).collect(),
        }
    }
}
