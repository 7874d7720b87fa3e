//! Verification: whether a plugin may be loaded here.
//!
//! A pure function of what was inspected and of a [`Policy`]; nothing is read,
//! nothing runs. So every refusal given here is given before any of the
//! plugin's code runs. [`verify`] looks at one plugin, [`admit`] at all that are
//! to run together.

use exthost_abi::door::DOOR_SYMBOL;
use exthost_abi::layout::LAYOUT_SYMBOL;
use semver::{Comparator, Op};

use crate::config::Grant;
use crate::inspect::{Capability, Inspected, Meta, PanicStrategy};
use crate::pins::ContentHash;

mod error;
mod order;
mod policy;

pub use error::{PinDiffers, VerifyError};
pub use order::{Refused, admit};
pub use policy::{Policy, needed_here};

/// A plugin that may be loaded here.
///
/// Only [`verify`] makes one, so holding it is the proof that its checks ran.
#[derive(Debug)]
pub struct Verified {
    inspected: Inspected,
    granted: Vec<Capability>,
}

impl Verified {
    /// Returns what was inspected.
    pub fn inspected(&self) -> &Inspected {
        &self.inspected
    }

    /// Returns what the plugin says of itself.
    pub fn meta(&self) -> &Meta {
        self.inspected.meta()
    }

    /// Returns what it may use: all it needs, and what of its wants this host
    /// has and the operator grants.
    pub fn granted(&self) -> &[Capability] {
        &self.granted
    }
}

/// Checks `inspected` against `policy`; the first check that fails is told.
///
/// # Errors
/// [`VerifyError`], but for its variants that concern several plugins.
pub fn verify(inspected: Inspected, policy: &Policy) -> Result<Verified, VerifyError> {
    check_target(&inspected, policy)?;
    check_owner(&inspected, policy)?;
    check_pin(&inspected, policy)?;
    check_exports(&inspected)?;
    check_api(inspected.meta(), policy)?;
    check_tables(inspected.meta(), policy)?;
    check_libraries(&inspected, policy)?;
    check_panic(inspected.meta(), policy)?;
    let granted = grant(&inspected, policy)?;
    Ok(Verified { inspected, granted })
}

fn check_target(inspected: &Inspected, policy: &Policy) -> Result<(), VerifyError> {
    if *inspected.target() == policy.target {
        return Ok(());
    }
    Err(VerifyError::WrongTarget {
        plugin: inspected.target().to_string(),
        host: policy.target.to_string(),
    })
}

fn check_owner(inspected: &Inspected, policy: &Policy) -> Result<(), VerifyError> {
    let (Some(user), Some(ownership)) = (policy.user, inspected.ownership()) else {
        return Ok(());
    };
    match ownership.distrust(user) {
        Some(why) => Err(VerifyError::Untrusted { why }),
        None => Ok(()),
    }
}

fn check_pin(inspected: &Inspected, policy: &Policy) -> Result<(), VerifyError> {
    let Some(pins) = policy.pins_for(inspected) else {
        return Ok(());
    };
    let meta = inspected.meta();
    let (name, version) = (meta.name.clone(), meta.version.clone());
    let Some(pin) = pins.of(name.as_str()) else {
        return Err(VerifyError::NotPinned { name, version });
    };
    let hash = ContentHash::from(inspected.hash());
    if hash == pin.hash {
        return Ok(());
    }
    let more = meta.needs.iter().filter(|need| !pin.grants.contains(need));
    Err(VerifyError::PinDiffers(Box::new(PinDiffers {
        name,
        pinned_version: pin.version.clone(),
        pinned_hash: pin.hash,
        version,
        hash,
        more: more.cloned().collect(),
    })))
}

fn check_exports(inspected: &Inspected) -> Result<(), VerifyError> {
    if !inspected.has_door() {
        return Err(VerifyError::NoDoor {
            symbol: DOOR_SYMBOL,
        });
    }
    if !inspected.exports_meta() {
        return Err(VerifyError::MetaNotExported {
            symbol: exthost_abi::meta::SYMBOL,
        });
    }
    let sdk = &inspected.meta().sdk;
    match sdk.starts_with("rust/1.") && !inspected.has_layouts() {
        true => Err(VerifyError::NoLayouts {
            sdk: sdk.clone(),
            symbol: LAYOUT_SYMBOL,
        }),
        false => Ok(()),
    }
}

/// The host's API must satisfy `^api`: the same major, and no older.
fn check_api(meta: &Meta, policy: &Policy) -> Result<(), VerifyError> {
    let (plugin, host) = (meta.api.clone(), policy.api.clone());
    let caret = Comparator {
        op: Op::Caret,
        major: plugin.major,
        minor: Some(plugin.minor),
        patch: Some(plugin.patch),
        pre: plugin.pre.clone(),
    };
    if caret.matches(&host) {
        Ok(())
    } else if plugin.major == host.major && plugin > host {
        Err(VerifyError::ApiTooNew { plugin, host })
    } else {
        Err(VerifyError::ApiMajor { plugin, host })
    }
}

/// A table that this host does not have is no business of this check: the
/// plugin asks for it by name, and `needs` says whether it can do without.
fn check_tables(meta: &Meta, policy: &Policy) -> Result<(), VerifyError> {
    for table in &meta.tables {
        let name = format!("{}/{}", table.id, table.revision);
        let own = policy.tables.iter().find(|(own, _)| *own == name);
        match own {
            Some((_, host)) if *host != table.fingerprint => {
                return Err(VerifyError::TableChanged {
                    table: name,
                    plugin: table.fingerprint.clone(),
                    host: (*host).to_owned(),
                });
            }
            _ => {}
        }
    }
    Ok(())
}

fn check_libraries(inspected: &Inspected, policy: &Policy) -> Result<(), VerifyError> {
    if let Some(hazard) = inspected.hazards().first() {
        return Err(VerifyError::Hazard {
            hazard: hazard.clone(),
        });
    }
    if let Some(library) = inspected
        .needed()
        .iter()
        .find(|library| !policy.may_need(library))
    {
        return Err(VerifyError::NeedsLibrary {
            library: library.clone(),
            allowed: policy.needed.join(", "),
        });
    }
    match (inspected.glibc(), policy.glibc) {
        (Some(plugin), Some(host)) if plugin > host => {
            Err(VerifyError::NeedsGlibc { plugin, host })
        }
        _ => Ok(()),
    }
}

fn check_panic(meta: &Meta, policy: &Policy) -> Result<(), VerifyError> {
    match meta.panic == PanicStrategy::Abort && !policy.allow_abort {
        true => Err(VerifyError::PanicAbort {
            name: meta.name.clone(),
        }),
        false => Ok(()),
    }
}

fn grant(inspected: &Inspected, policy: &Policy) -> Result<Vec<Capability>, VerifyError> {
    let meta = inspected.meta();
    let grants = policy.grants.get(meta.name.as_str());
    let pins = policy.pins_for(inspected);
    let agreed = pins.and_then(|pins| Some(&pins.of(meta.name.as_str())?.grants));
    let is_agreed = |wanted: &Capability| agreed.is_none_or(|agreed| agreed.contains(wanted));
    let is_granted = |wanted: &Capability| {
        let covers = |grant: &Grant| grant.covers(&wanted.id, wanted.revision);
        grants.is_none_or(|grants| grants.iter().any(covers))
    };
    let mut granted = Vec::new();
    for need in &meta.needs {
        if !policy.capabilities.contains(need) {
            return Err(VerifyError::UnknownNeed {
                capability: need.clone(),
                api: policy.api.clone(),
            });
        }
        if !is_granted(need) {
            return Err(VerifyError::NotGranted {
                name: meta.name.clone(),
                capability: need.clone(),
                granted: list(grants.map_or(&[], Vec::as_slice)),
            });
        }
        if !is_agreed(need) {
            return Err(VerifyError::NotAgreed {
                name: meta.name.clone(),
                capability: need.clone(),
                granted: list(agreed.map_or(&[], Vec::as_slice)),
            });
        }
        granted.push(need.clone());
    }
    let wants = meta
        .wants
        .iter()
        .filter(|want| policy.capabilities.contains(want));
    let wants = wants.filter(|want| is_granted(want) && is_agreed(want));
    granted.extend(wants.cloned());
    granted.sort();
    granted.dedup();
    Ok(granted)
}

fn list(grants: &[impl ToString]) -> String {
    let names: Vec<_> = grants.iter().map(ToString::to_string).collect();
    match names.is_empty() {
        true => "nothing".to_owned(),
        false => names.join(", "),
    }
}

#[cfg(test)]
mod tests;
