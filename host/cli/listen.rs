//! Listens, or says what stands in the way.

use std::io::ErrorKind;
use std::net::SocketAddr;

use tokio::net::TcpListener;

use crate::cli::Result;

/// Listens at `address`.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| told(address, &error).into())
}

fn told(address: SocketAddr, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => format!(
            "{address} is in use; end what listens there (another exthost?), or choose another \
             address with --listen, as in --listen {}",
            SocketAddr::new(address.ip(), address.port().checked_add(1).unwrap_or(0))
        ),
        _ => format!("cannot listen on {address}: {error}; choose another with --listen"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_port_in_use_is_named() {
        let first = bind(([127, 0, 0, 1], 0).into()).await.unwrap();
        let address = first.local_addr().unwrap();
        let error = bind(address).await.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{address} is in use; ")),
            "{error}"
        );
    }
}
