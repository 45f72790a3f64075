//! Where the server listens, and how it is reached.

use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::time::Duration;

use super::{AddressRange, Vars};

/// Where to listen.
#[derive(Debug, Clone)]
pub struct Listen {
    /// `HOST`.
    pub host: IpAddr,
    /// `PORT`, a comma list; 0 lets the system choose.
    pub ports: Vec<u16>,
    /// `TRUSTED_PROXIES`: whose `X-Forwarded-For` is believed.
    pub trusted_proxies: Vec<AddressRange>,
    /// `TLS_CERT` and `TLS_KEY`: the server ends TLS itself.
    pub tls: Option<TlsConfig>,
    /// `OPERATIONS_PORT`: where metrics and documents are.
    pub operations: OperationsPort,
    /// `PUBLIC_URL`: how clients reach this server; links in mails start with it.
    pub public_url: String,
}

/// Where metrics and documents are served; health is served everywhere.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum OperationsPort {
    /// Where everything else is.
    Shared,
    /// There, in plain HTTP, and nowhere else (`OPERATIONS_HOST`).
    Own(SocketAddr),
    /// Nowhere.
    Off,
}

impl OperationsPort {
    fn read(vars: &mut Vars) -> Self {
        let host = vars.parsed("OPERATIONS_HOST", "127.0.0.1");
        match vars.optional("OPERATIONS_PORT").as_deref().map(str::trim) {
            None => Self::Shared,
            Some("off") => Self::Off,
            Some(port) => match port.parse() {
                Ok(port) => Self::Own(SocketAddr::new(host, port)),
                Err(_) => {
                    vars.reject("OPERATIONS_PORT", "must be a port, or off");
                    Self::Shared
                }
            },
        }
    }
}

/// A certificate of the server's own.
#[derive(Debug, Clone)]
pub struct TlsConfig {
    /// `TLS_CERT`: a PEM file with the certificate, and those up to its authority's.
    pub certificate: PathBuf,
    /// `TLS_KEY`: a PEM file with its key.
    pub key: PathBuf,
    /// `TLS_HANDSHAKE_TIMEOUT`: how long a client may take from connecting to the handshake's end.
    pub handshake_timeout: Duration,
}

impl Listen {
    pub(super) fn read(vars: &mut Vars) -> Self {
        let ports = vars.list("PORT", "3000");
        if ports.is_empty() {
            vars.reject("PORT", "must name at least one port");
        }
        let tls = TlsConfig::read(vars);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let default_url = format!("{scheme}://localhost:{}", ports.first().unwrap_or(&3000));
        Self {
            host: vars.parsed("HOST", "::"),
            ports,
            trusted_proxies: vars.list("TRUSTED_PROXIES", ""),
            tls,
            operations: OperationsPort::read(vars),
            public_url: vars.optional("PUBLIC_URL").unwrap_or(default_url),
        }
    }
}

impl TlsConfig {
    fn read(vars: &mut Vars) -> Option<Self> {
        let (certificate, key) = (vars.optional("TLS_CERT"), vars.optional("TLS_KEY"));
        let handshake_timeout = vars.duration("TLS_HANDSHAKE_TIMEOUT", "10s");
        match (certificate, key) {
            (Some(certificate), Some(key)) => {
                Some(Self { certificate: certificate.into(), key: key.into(), handshake_timeout })
            }
            (None, None) => None,
            (Some(_), None) => {
                vars.reject("TLS_KEY", "must be set where TLS_CERT is");
                None
            }
            (None, Some(_)) => {
                vars.reject("TLS_CERT", "must be set where TLS_KEY is");
                None
            }
        }
    }
}
