//! Takes over other settings, and files that came, changed or went, while the
//! host serves.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;

use serde::Serialize;

use crate::error::{Refusal, RefusedBy};
use crate::host::pipeline::Pipeline;
use crate::host::settings::Settings;
use crate::instance::Generation;
use crate::name::PluginName;
use crate::pins::{ContentHash, PinsError};
use crate::registry::{RefusedStatus, Registry};
use crate::services::webhooks::WebhooksError;
use crate::verify::{Policy, Verified, VerifyError};

/// What became of plugins when all files were looked at again.
#[derive(Debug, Clone, Default, PartialEq, Eq, Serialize)]
#[non_exhaustive]
pub struct Reconfigured {
    /// The plugins that serve for the first time.
    pub loaded: Vec<String>,
    /// Those that serve with a new generation: their file or what is said of
    /// them has changed.
    pub reloaded: Vec<String>,
    /// Those that serve no longer: their file is gone, or the operator does not
    /// want them any more.
    pub retired: Vec<String>,
    /// The files that were refused. One that served goes on with the generation
    /// before, unless the operator's word is the reason.
    pub refused: Vec<RefusedStatus>,
}

/// Why other settings do not hold; nothing has changed then.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum ReconfigureError {
    /// The endpoints cannot be as they are now.
    #[error(transparent)]
    Webhooks(#[from] WebhooksError),
    /// The pins cannot be used.
    #[error(transparent)]
    Pins(#[from] PinsError),
}

impl Pipeline {
    /// Lets `settings` hold, with the `policy` that they make, and makes what serves
    /// what they say. Whoever calls holds the lock of changes.
    pub(super) async fn reconfigure(&self, settings: Settings, policy: Policy) -> Reconfigured {
        let mut outcome = Reconfigured::default();
        let settings = Arc::new(settings.spelled());
        let known = self.found();
        self.set_settings(settings.clone());
        self.services.databases().set(settings.databases());
        self.events().set_aliases(settings.all_aliases());

        let revoked = self.revoked(&policy);
        let examined = self.examine(settings.clone(), policy).await;
        self.registry.forget_all();
        self.registry
            .set_absent(examined.disabled, examined.missing);
        for refusal in &examined.refused {
            self.refuse(refusal, &mut outcome);
        }
        let fate = Fate {
            admitted: examined.admitted.iter().map(name_of).collect(),
            unusable: Vec::new(),
            known,
            revoked,
        };
        let fate = fate.with(&examined.refused, &self.registry);
        for verified in examined.admitted {
            self.renew(verified, &settings, &fate, &mut outcome).await;
        }
        for serving in self.registry.all_serving() {
            if !fate.stays(&serving) {
                self.take_away(&serving, &mut outcome);
            }
        }
        outcome
    }

    /// Lets a plugin serve as its file and the settings say, if it does not yet.
    async fn renew(
        &self,
        verified: Verified,
        settings: &Settings,
        fate: &Fate,
        outcome: &mut Reconfigured,
    ) {
        let name = verified.meta().name.clone();
        let serving = self.registry.serving(name.as_str());
        if let Some(serving) = &serving {
            let inspected = verified.inspected();
            let is_same = serving.hash == inspected.hash() && serving.file == inspected.path();
            let is_same = is_same && serving.context().granted() == verified.granted();
            if is_same && self.is_made_with(serving, &settings.of(name.as_str())) {
                return;
            }
            let file = inspected.path().to_owned();
            if fate.is_of_application(serving) && serving.file != file {
                let winner = serving.file.clone();
                let why = VerifyError::DuplicateName { name, winner };
                return self.refuse(&Refusal::new(file, why), outcome);
            }
            if inspected.restart_only() {
                let why = VerifyError::RestartOnly { name };
                return self.refuse(&Refusal::new(file, why), outcome);
            }
        }
        match self.replace(verified).await {
            Err(refusal) => self.refuse(&refusal, outcome),
            Ok(()) if serving.is_some() => outcome.reloaded.push(name.to_string()),
            Ok(()) => outcome.loaded.push(name.to_string()),
        }
    }

    /// The plugins that serve with a file, or with grants, that the operator does
    /// not agree to by now.
    fn revoked(&self, policy: &Policy) -> BTreeSet<String> {
        let Some(pins) = &policy.pins else {
            return BTreeSet::new();
        };
        let serving = self.registry.all_serving().into_iter();
        let files = serving.filter(|serving| self.embedded_at(&serving.file).is_none());
        let revoked = files.filter(|serving| {
            let context = serving.context();
            let pin = pins.of(context.name.as_str());
            !pin.is_some_and(|pin| {
                let mut granted = context.granted().iter();
                let is_same = pin.hash == ContentHash::from(serving.hash);
                is_same && granted.all(|granted| pin.grants.contains(granted))
            })
        });
        revoked
            .map(|serving| serving.context().name.to_string())
            .collect()
    }

    /// Retires a plugin without a successor.
    fn take_away(&self, serving: &Generation, outcome: &mut Reconfigured) {
        let name = &serving.context().name;
        let plugin = self.registry.plugin(name);
        if let Some(serving) = plugin.take() {
            self.retire_beside(plugin, serving);
            outcome.retired.push(name.to_string());
        }
    }

    fn refuse(&self, refusal: &Refusal, outcome: &mut Reconfigured) {
        self.refused(refusal);
        outcome.refused.push(RefusedStatus::of(refusal));
    }
}

/// What becomes of the plugins that serve.
struct Fate {
    /// The names that files were found for.
    admitted: BTreeSet<String>,
    /// Files, and folders of files, that were refused for what they are by now.
    unusable: Vec<PathBuf>,
    /// The files that were ever found where the settings said.
    known: BTreeSet<PathBuf>,
    /// The names of those that serve with what the operator does not agree to.
    revoked: BTreeSet<String>,
}

impl Fate {
    /// Adds the files that are unusable by now, and those that are refused only
    /// because they require one that goes on from a file which is.
    fn with(mut self, refused: &[Refusal], registry: &Registry) -> Self {
        let unusable = refused.iter().filter(|refusal| !is_operators_word(refusal));
        let unusable = unusable.map(|refusal| refusal.file().to_owned());
        self.unusable.extend(unusable);
        loop {
            let required = |name: &PluginName| registry.serving(name.as_str());
            let more = refused.iter().find(|refusal| {
                let is_new = !self.unusable.iter().any(|file| file == refusal.file());
                let required = requirement(refusal).and_then(required);
                is_new && required.is_some_and(|required| self.stays(&required))
            });
            match more {
                Some(refusal) => self.unusable.push(refusal.file().to_owned()),
                None => return self,
            }
        }
    }

    /// Whether a generation goes on, or its successor does.
    fn stays(&self, serving: &Generation) -> bool {
        let is_below = |path: &PathBuf| serving.file.starts_with(path);
        self.is_of_application(serving)
            || self.admitted.contains(serving.context().name.as_str())
            || !self.is_revoked(serving) && self.unusable.iter().any(is_below)
    }

    /// Whether the application named the file, no settings led to it, and the
    /// operator has nothing against it.
    fn is_of_application(&self, serving: &Generation) -> bool {
        !self.known.contains(&serving.file) && !self.is_revoked(serving)
    }

    fn is_revoked(&self, serving: &Generation) -> bool {
        self.revoked.contains(serving.context().name.as_str())
    }
}

/// The plugin for the want of which one was refused.
fn requirement(refusal: &Refusal) -> Option<&PluginName> {
    match refusal.why() {
        RefusedBy::Verify(VerifyError::RequiresMissing { requires, .. }) => Some(requires),
        _ => None,
    }
}

fn is_operators_word(refusal: &Refusal) -> bool {
    matches!(refusal.why(), RefusedBy::Verify(why) if why.is_operators_word())
}

fn name_of(verified: &Verified) -> String {
    verified.meta().name.to_string()
}
