//! Where `exthost dev` listens: on loopback, because it asks nobody who he is.

use std::net::SocketAddr;

use exthost::config::ListenAddress;

/// Reads an address with port, which must be a loopback one.
pub(crate) fn parse(text: &str) -> Result<SocketAddr, String> {
    let address: ListenAddress = text.parse().map_err(|error| format!("{error}"))?;
    match address.is_loopback() {
        true => Ok(address.into()),
        false => Err(format!(
            "`exthost dev` serves without authentication, so it listens on loopback only; use \
             127.0.0.1:{}, or serve with tokens by `exthost serve`",
            SocketAddr::from(address).port()
        )),
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
            assert!(error.contains("use 127.0.0.1:7700, "), "{text}: {error}");
        }
        for text in ["", "7700", "127.0.0.1", "example.org:80", "localhost:x"] {
            let error = parse(text).unwrap_err();
            assert!(
                error.contains(" is no address with a port"),
                "{text}: {error}"
            );
        }
    }
}
