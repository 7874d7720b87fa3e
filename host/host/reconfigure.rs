//! Takes over other settings, and files that came, changed or went, while the
//! host serves.

use std::collections::BTreeSet;
use std::path::PathBuf;
use std::sync::Arc;
use std::sync::atomic::Ordering;

use serde::Serialize;

use crate::error::{Refusal, RefusedBy};
use crate::host::pipeline::Pipeline;
use crate::host::settings::Settings;
use crate::instance::Generation;
use crate::registry::RefusedStatus;
use crate::verify::{Verified, VerifyError};

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

impl Pipeline {
    /// Lets `settings` hold, and makes what serves what they say.
    pub(super) async fn reconfigure(&self, settings: Settings) -> Reconfigured {
        let _change = self.changes.lock().await;
        let mut outcome = Reconfigured::default();
        if self.ending.load(Ordering::Acquire) {
            return outcome;
        }
        let settings = Arc::new(settings.spelled());
        let known = self.found();
        self.set_settings(settings.clone());
        self.services.databases().set(settings.databases());
        self.events().set_aliases(settings.all_aliases());

        let examined = self.examine(settings.clone()).await;
        self.registry.forget_all();
        self.registry
            .set_absent(examined.disabled, examined.missing);
        let mut keep: BTreeSet<PathBuf> = BTreeSet::new();
        for refusal in &examined.refused {
            if !is_operators_word(refusal) {
                keep.insert(refusal.file().to_owned());
            }
            self.refuse(refusal, &mut outcome);
        }
        let admitted: BTreeSet<_> = examined.admitted.iter().map(name_of).collect();
        for verified in examined.admitted {
            self.renew(verified, &settings, &mut outcome).await;
        }
        for serving in self.registry.all_serving() {
            let name = &serving.context().name;
            let is_found = known.contains(&serving.file);
            if is_found && !admitted.contains(name.as_str()) && !keep.contains(&serving.file) {
                self.take_away(&serving, &mut outcome);
            }
        }
        outcome
    }

    /// Lets a plugin serve as its file and the settings say, if it does not yet.
    async fn renew(&self, verified: Verified, settings: &Settings, outcome: &mut Reconfigured) {
        let name = verified.meta().name.clone();
        let serving = self.registry.serving(name.as_str());
        if let Some(serving) = &serving {
            let inspected = verified.inspected();
            let is_same = serving.hash == inspected.hash() && serving.file == inspected.path();
            if is_same && self.is_made_with(serving, &settings.of(name.as_str())) {
                return;
            }
            if inspected.restart_only() {
                let file = inspected.path().to_owned();
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

fn is_operators_word(refusal: &Refusal) -> bool {
    matches!(refusal.why(), RefusedBy::Verify(why) if why.is_operators_word())
}

fn name_of(verified: &Verified) -> String {
    verified.meta().name.to_string()
}
