//! Where the server listens, and how it is reached.

use std::collections::HashSet;
use std::net::{IpAddr, SocketAddr};
use std::path::PathBuf;
use std::str::FromStr;
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
    /// Whether who listens there leaves no room for it. `::` is every address of both versions.
    fn is_taken_by(self, other: SocketAddr) -> bool {
        let Self::Own(own) = self else { return false };
        let (host, other_host) = (own.ip(), other.ip());
        let holds =
            |all: IpAddr, one: IpAddr| all.is_unspecified() && (all.is_ipv6() || one.is_ipv4());
        let overlap = host == other_host || holds(host, other_host) || holds(other_host, host);
        own.port() != 0 && own.port() == other.port() && overlap
    }

    fn read(vars: &mut Vars) -> Self {
        let host = vars.address("OPERATIONS_HOST", "127.0.0.1");
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
        let ports = read_ports(vars);
        let tls = TlsConfig::read(vars);
        let scheme = if tls.is_some() { "https" } else { "http" };
        let default_url = format!("{scheme}://localhost:{}", ports.first().unwrap_or(&3000));
        let host = vars.address("HOST", "::");
        let operations = OperationsPort::read(vars);
        if ports.iter().any(|port| operations.is_taken_by(SocketAddr::new(host, *port))) {
            vars.reject("OPERATIONS_PORT", "must be another port than those in PORT");
        }
        Self {
            host,
            ports,
            trusted_proxies: vars.list("TRUSTED_PROXIES", ""),
            tls,
            operations,
            public_url: read_public_url(vars).unwrap_or(default_url),
        }
    }
}

fn read_ports(vars: &mut Vars) -> Vec<u16> {
    let ports: Vec<u16> = vars.list("PORT", "3000").into_iter().map(|Port(port)| port).collect();
    if ports.is_empty() {
        vars.reject("PORT", "must name at least one port");
    }
    let mut seen = HashSet::new();
    if let Some(twice) = ports.iter().find(|port| **port != 0 && !seen.insert(**port)) {
        vars.reject("PORT", format!("{twice}: must be named only once"));
    }
    ports
}

/// One of the ports in a list.
struct Port(u16);

impl FromStr for Port {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        text.parse()
            .map(Self)
            .map_err(|_| "must be a port from 0 to 65535, or a comma list of them")
    }
}

/// Without query and fragment: links are made by writing on behind it.
fn read_public_url(vars: &mut Vars) -> Option<String> {
    let url = vars.optional("PUBLIC_URL")?.trim().to_owned();
    let rest = url.strip_prefix("https://").or_else(|| url.strip_prefix("http://"));
    let has_host = rest.is_some_and(|rest| !rest.is_empty() && !rest.starts_with(['/', ':']));
    if !has_host || url.contains(|c: char| c.is_whitespace() || c.is_control() || "?#".contains(c))
    {
        vars.reject("PUBLIC_URL", "must be a URL as in https://chat.example.com");
    }
    Some(url)
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
