//! Listening: which addresses are safe to listen on, and the listeners themselves.

use std::net::{IpAddr, SocketAddr};

use tokio::net::TcpListener;

use crate::error::ServeError;

/// What keeps strangers out.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Protection {
    /// Nothing.
    None,
    /// Every door wants a token.
    Tokens,
    /// The doors of clients want a token; the one of executors is open.
    TokensButExecutors,
}

/// Refuses addresses others can reach, unless tokens protect them or the operator of the process said that is fine.
pub(crate) fn check(bind_host: &str, insecure: bool, protection: Protection) -> Result<(), ServeError> {
    let loopback = match bind_host.trim_matches(['[', ']']).parse::<IpAddr>() {
        Ok(address) => address.is_loopback(),
        Err(_) => bind_host == "localhost",
    };
    if loopback || insecure {
        return Ok(());
    }
    let address = bind_host.to_owned();
    match protection {
        Protection::Tokens => Ok(()),
        Protection::TokensButExecutors => Err(ServeError::UnprotectedExecutors { address }),
        Protection::None => Err(ServeError::Unprotected { address }),
    }
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
        use Protection::{None, Tokens, TokensButExecutors};
        for loopback in ["127.0.0.1", "::1", "localhost"] {
            assert!(check(loopback, false, None).is_ok());
        }
        for public in ["0.0.0.0", "10.0.0.7", "[::]", "example.org"] {
            assert!(matches!(check(public, false, None), Err(ServeError::Unprotected { .. })));
            let executors = check(public, false, TokensButExecutors);
            assert!(matches!(executors, Err(ServeError::UnprotectedExecutors { .. })));
            assert!(check(public, false, Tokens).is_ok());
            assert!(check(public, true, None).is_ok());
        }
    }
}
