//! Who is told how deliveries end.

use std::fmt;
use std::sync::OnceLock;

use serde::Serialize;

/// The end of a delivery.
#[derive(Debug, Serialize)]
pub(crate) struct Ended<'a> {
    /// The message.
    pub(crate) id: &'a str,
    /// The plugin that fired it.
    pub(crate) plugin: &'a str,
    /// What happened, as tokens joined by dots.
    pub(crate) event: &'a str,
    /// The endpoint's name.
    pub(crate) endpoint: &'a str,
    /// Attempts in all.
    pub(crate) attempts: u32,
    /// What the receiver answered last.
    pub(crate) status: Option<u16>,
    /// Why it is dead; none when it was delivered.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(crate) reason: Option<&'a str>,
    /// The endpoint wants nothing more at all: what waits for it is dead as well.
    pub(crate) endpoint_disabled: bool,
}

/// Hears how each delivery ends.
type Listener = Box<dyn Fn(&Ended<'_>) + Send + Sync>;

/// Who hears how deliveries end, once somebody does.
#[derive(Default)]
pub(crate) struct Told(OnceLock<Listener>);

impl Told {
    /// Tells `listener` from here on, unless another one is told.
    pub(crate) fn to(&self, listener: Listener) {
        let _ = self.0.set(listener);
    }

    /// Tells of an end.
    pub(crate) fn tell(&self, ended: &Ended<'_>) {
        if let Some(listener) = self.0.get() {
            listener(ended);
        }
    }
}

impl fmt::Debug for Told {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_tuple("Told")
            .field(&self.0.get().is_some())
            .finish()
    }
}
