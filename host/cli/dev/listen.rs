//! Where `exthost dev` listens: on loopback, because it asks nobody who he is.

use std::io::ErrorKind;
use std::net::{IpAddr, Ipv4Addr, SocketAddr};

use tokio::net::TcpListener;

use crate::cli::Result;

/// Reads an address with port, which must be a loopback one.
pub(crate) fn parse(text: &str) -> std::result::Result<SocketAddr, String> {
    let localhost = SocketAddr::new(IpAddr::V4(Ipv4Addr::LOCALHOST), 0);
    let address: SocketAddr = match text.strip_prefix("localhost:").map(str::parse) {
        Some(Ok(port)) => SocketAddr::new(localhost.ip(), port),
        _ => text
            .parse()
            .map_err(|_| "not an address with a port, as in 127.0.0.1:7700".to_owned())?,
    };
    match address.ip().to_canonical().is_loopback() {
        true => Ok(address),
        false => Err(format!(
            "`exthost dev` serves without authentication, so it listens on loopback only; use \
             127.0.0.1:{}",
            address.port()
        )),
    }
}

/// Listens at `address`.
pub(crate) async fn bind(address: SocketAddr) -> Result<TcpListener> {
    let bound = TcpListener::bind(address).await;
    bound.map_err(|error| told(address, &error).into())
}

fn told(address: SocketAddr, error: &std::io::Error) -> String {
    match error.kind() {
        ErrorKind::AddrInUse => format!(
            "{address} is in use; end what listens there (another `exthost dev`?), or choose \
             another address with --listen, as in --listen {}",
            SocketAddr::new(address.ip(), address.port().checked_add(1).unwrap_or(0))
        ),
        _ => format!("cannot listen on {address}: {error}; choose another with --listen"),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn loopback_is_served() {
        for text in [
            "127.0.0.1:7700",
            "127.1.2.3:0",
            "[::1]:80",
            "localhost:7700",
        ] {
            assert!(parse(text).is_ok(), "{text}");
        }
        assert_eq!(parse("localhost:1").unwrap().to_string(), "127.0.0.1:1");
    }

    #[test]
    fn nothing_else_is() {
        for text in [
            "0.0.0.0:7700",
            "[::]:7700",
            "10.0.0.1:7700",
            "[::ffff:10.0.0.1]:7700",
        ] {
            let error = parse(text).unwrap_err();
            assert!(error.ends_with("use 127.0.0.1:7700"), "{text}: {error}");
        }
        for text in ["", "7700", "127.0.0.1", "example.org:80", "localhost:x"] {
            let error = parse(text).unwrap_err();
            assert!(error.starts_with("not an address"), "{text}: {error}");
        }
    }

    #[tokio::test]
    async fn a_port_in_use_is_named() {
        let first = bind(parse("127.0.0.1:0").unwrap()).await.unwrap();
        let address = first.local_addr().unwrap();
        let error = bind(address).await.unwrap_err().to_string();
        assert!(
            error.starts_with(&format!("{address} is in use; ")),
            "{error}"
        );
    }
}
