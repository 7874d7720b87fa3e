//! Resolves the names of endpoints, and leaves only addresses that may be
//! connected to.
//!
//! The connection goes to what this returns, so that a name cannot mean one
//! address when it is checked and another when it is used.

use std::net::SocketAddr;
use std::sync::Arc;

use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::services::webhooks::address::Allowed;

/// The resolver of one endpoint's client.
#[derive(Debug)]
pub(crate) struct Resolver(pub Arc<Allowed>);

impl Resolve for Resolver {
    fn resolve(&self, name: Name) -> Resolving {
        let allowed = self.0.clone();
        Box::pin(async move {
            let name = name.as_str();
            let found = tokio::net::lookup_host((name, 0)).await?;
            let admitted = allowed.admit(name, found.map(|address| address.ip()))?;
            // The client puts the URL's port in the place of 0.
            let addresses = admitted.into_iter().map(|ip| SocketAddr::new(ip, 0));
            Ok(Box::new(addresses) as Addrs)
        })
    }
}
