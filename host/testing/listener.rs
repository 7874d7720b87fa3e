//! A client of a host in a test that listens to what is published.

use percent_encoding::{NON_ALPHANUMERIC, utf8_percent_encode};
use serde::Deserialize;
use serde_json::Value;

use crate::testing::{Answer, TestHost};

/// A client that is connected to [`TestHost`], and hears all that is published from
/// then on.
#[derive(Debug)]
pub struct Listener {
    answer: Answer,
    patterns: String,
}

/// A message that was published.
#[derive(Debug, Clone, PartialEq, Eq, Deserialize)]
#[non_exhaustive]
pub struct Published {
    /// The channel, with the plugin that it is of.
    pub channel: String,
    /// What happened; empty if the plugin says none.
    pub event: String,
    /// Its number in the channel, from 1.
    pub sequence: u64,
    /// What it carries.
    pub data: Value,
}

impl Listener {
    pub(super) async fn connect(host: &TestHost, patterns: &str) -> Self {
        let channels = utf8_percent_encode(patterns, NON_ALPHANUMERIC);
        let mut answer = host
            .get(&format!("/api/broadcast?channels={channels}"))
            .await;
        assert!(
            answer.status().is_success(),
            "cannot listen to {patterns}: {answer}"
        );
        let first = answer.next_event().await;
        assert!(
            first.as_ref().is_some_and(|first| first.event == "ready"),
            "not ready to listen to {patterns}: {first:?}"
        );
        Listener {
            answer,
            patterns: patterns.to_owned(),
        }
    }

    /// Waits for the next message; nothing once the host has ended.
    ///
    /// # Panics
    /// When none comes for a minute, and when so many came before that some are
    /// lost.
    pub async fn next(&mut self) -> Option<Published> {
        let event = self.answer.next_event().await?;
        match &*event.event {
            "message" => Some(event.json()),
            _ => panic!("messages of {} were lost: {event:?}", self.patterns),
        }
    }
}
