//! Listening: which addresses are safe to listen on, and the listeners themselves.

use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpListener;

use crate::error::ServeError;

/// Refuses addresses others can reach, unless the operator of the process said that is fine.
pub(crate) fn check(bind_host: &str, insecure: bool) -> Result<(), ServeError> {
    let loopback = match bind_host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => bind_host == "localhost",
    };
    if loopback || insecure { Ok(()) } else { Err(ServeError::Unprotected { address: bind_host.to_owned() }) }
}

/// Listens on a port; 0 picks a free one.
pub(crate) async fn listen(bind_host: &str, port: u16) -> Result<TcpListener, ServeError> {
    let address = format!("{}:{port}", bracketed(bind_host));
    TcpListener::bind(&address).await.map_err(|source| ServeError::Listen { address, source })
}

/// Where a listener listens.
pub(crate) fn address(listener: &TcpListener) -> Result<SocketAddr, ServeError> {
    listener.local_addr().map_err(|source| ServeError::Listen { address: "unknown".into(), source })
}

fn bracketed(host: &str) -> String {
    if host.contains(':') && !host.starts_with('[') { format!("[{host}]") } else { host.to_owned() }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_loopback_is_safe_without_protection() {
        assert!(check("127.0.0.1", false).is_ok());
        assert!(check("::1", false).is_ok());
        assert!(check("localhost", false).is_ok());
        assert!(check("0.0.0.0", false).is_err());
        assert!(check("10.0.0.7", false).is_err());
        assert!(check("0.0.0.0", true).is_ok());
    }
}
