//! TLS in the server's own process: HTTP/1.1 over TLS 1.2 and 1.3, with a certificate that is read
//! again when its files have changed. Connections that stand keep the one they began with.

use std::fmt::{self, Debug};
use std::io;
use std::sync::{Arc, RwLock};
use std::time::Duration;

use rustls::crypto::{CryptoProvider, ring};
use rustls::pki_types::pem::{self, PemObject};
use rustls::pki_types::{CertificateDer, PrivateKeyDer};
use rustls::server::{ClientHello, ResolvesServerCert, ServerConfig};
use rustls::sign::CertifiedKey;
use tokio::io::{AsyncReadExt, AsyncWriteExt};
use tokio::net::TcpStream;
use tokio::signal::unix::{SignalKind, signal};
use tokio::time::timeout;
use tokio_rustls::TlsAcceptor;
use tokio_rustls::server::TlsStream;
use tokio_util::sync::CancellationToken;

use super::guard::Guarded;
use crate::config::TlsConfig;

/// How often the files are looked at; SIGHUP has them looked at right away.
const BETWEEN_LOOKS: Duration = Duration::from_secs(30);

/// The first byte of a TLS handshake (RFC 8446 §5.1).
const HANDSHAKE: u8 = 22;

/// What who speaks HTTP here is told.
const PLAIN_HTTP: &str = "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\n\
    Content-Length: 30\r\nConnection: close\r\n\r\nThis port speaks HTTPS, use it";

/// Why a certificate cannot be used.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A file that cannot be read, or holds nothing of use.
    #[error("{name} ({path}): {problem}")]
    File {
        /// Which variable names it.
        name: &'static str,
        /// Where it is.
        path: String,
        /// What is wrong.
        problem: pem::Error,
    },
    /// A key of a kind that is not known, or of another certificate.
    #[error("TLS_CERT and TLS_KEY: {0}")]
    Pair(#[from] rustls::Error),
}

/// Reads the certificate and its key as a start does, and uses them for nothing.
///
/// # Errors
/// Why a server would not start with them.
pub fn check(config: &TlsConfig) -> Result<(), TlsError> {
    Tls::new(config).map(|_| ())
}

/// What ends TLS.
#[derive(Clone)]
pub(super) struct Tls {
    acceptor: TlsAcceptor,
    certificate: Arc<Certificate>,
    patience: Duration,
}

impl Tls {
    /// Reads the certificate and its key.
    pub(super) fn new(config: &TlsConfig) -> Result<Self, TlsError> {
        let provider = Arc::new(ring::default_provider());
        let current = RwLock::new(Arc::new(load(config, &provider)?));
        let certificate =
            Arc::new(Certificate { config: config.clone(), provider: provider.clone(), current });
        let mut server = ServerConfig::builder_with_provider(provider)
            .with_safe_default_protocol_versions()?
            .with_no_client_auth()
            .with_cert_resolver(certificate.clone());
        server.alpn_protocols = vec![b"http/1.1".to_vec()];
        let acceptor = TlsAcceptor::from(Arc::new(server));
        Ok(Self { acceptor, certificate, patience: config.handshake_timeout })
    }

    /// Does the handshake, or tells who speaks HTTP that this is the wrong port for it.
    pub(super) async fn accept(
        &self,
        stream: TcpStream,
        guard: impl FnOnce(TcpStream) -> Guarded,
        stop: &CancellationToken,
    ) -> Option<TlsStream<Guarded>> {
        let handshake = async {
            let mut first = [0];
            match stream.peek(&mut first).await {
                Ok(1) if first[0] == HANDSHAKE => self.acceptor.accept(guard(stream)).await,
                Ok(1) => Err(refuse_http(stream).await),
                Ok(_) => Err(io::ErrorKind::UnexpectedEof.into()),
                Err(problem) => Err(problem),
            }
        };
        // Nobody waits at a stop for who has said nothing yet.
        let done = timeout(self.patience, handshake);
        let done = stop.run_until_cancelled(done).await?;
        let done = done.unwrap_or_else(|late| Err(io::Error::new(io::ErrorKind::TimedOut, late)));
        done.inspect_err(|problem| {
            metrics::counter!("waggle_tls_failures_total", "reason" => reason(problem))
                .increment(1);
            tracing::debug!(%problem, "a TLS handshake failed");
        })
        .ok()
    }

    /// Reads the files again on SIGHUP and from time to time, until `stop`.
    pub(super) async fn keep_current(self, stop: CancellationToken) {
        let Ok(mut hang_up) = signal(SignalKind::hangup()) else { return };
        let mut last_problem = String::new();
        loop {
            tokio::select! {
                () = stop.cancelled() => return,
                _ = hang_up.recv() => last_problem.clear(),
                () = tokio::time::sleep(BETWEEN_LOOKS) => {}
            }
            let certificate = self.certificate.clone();
            let looked = tokio::task::spawn_blocking(move || certificate.renew()).await;
            match looked {
                Ok(Ok(true)) => tracing::info!("a new TLS certificate is used from here on"),
                Ok(Ok(false)) => {}
                Ok(Err(problem)) if problem.to_string() == last_problem => continue,
                Ok(Err(problem)) => {
                    tracing::error!(%problem, "the TLS certificate cannot be renewed, the old one stays");
                    last_problem = problem.to_string();
                    continue;
                }
                Err(panicked) => tracing::error!(%panicked, "the TLS certificate was not read"),
            }
            last_problem.clear();
        }
    }
}

/// Answers plain HTTP, and reads what came of it: who closes a connection with something unread
/// resets it, and the answer is lost with that.
async fn refuse_http(mut stream: TcpStream) -> io::Error {
    let told = async {
        stream.write_all(PLAIN_HTTP.as_bytes()).await?;
        stream.shutdown().await?;
        let mut unread = [0; 2048];
        while stream.read(&mut unread).await? > 0 {}
        Ok::<_, io::Error>(())
    };
    match told.await {
        Ok(()) => io::Error::new(io::ErrorKind::Unsupported, "plain HTTP"),
        Err(problem) => problem,
    }
}

/// What metrics call a failure.
fn reason(problem: &io::Error) -> &'static str {
    match problem.kind() {
        io::ErrorKind::TimedOut => "timeout",
        io::ErrorKind::Unsupported => "plain_http",
        io::ErrorKind::InvalidData => "refused",
        _ => "gone",
    }
}

/// The certificate in use, and where it came from.
struct Certificate {
    config: TlsConfig,
    provider: Arc<CryptoProvider>,
    current: RwLock<Arc<CertifiedKey>>,
}

impl Certificate {
    /// Reads the files, and says whether they hold another certificate than before.
    fn renew(&self) -> Result<bool, TlsError> {
        let fresh = load(&self.config, &self.provider)?;
        let mut current = self.current.write().expect("no panic under this lock");
        let is_new = current.cert != fresh.cert;
        if is_new {
            *current = Arc::new(fresh);
        }
        Ok(is_new)
    }
}

impl ResolvesServerCert for Certificate {
    fn resolve(&self, _hello: ClientHello<'_>) -> Option<Arc<CertifiedKey>> {
        Some(self.current.read().expect("no panic under this lock").clone())
    }
}

impl Debug for Certificate {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("Certificate").field("file", &self.config.certificate).finish()
    }
}

fn load(config: &TlsConfig, provider: &CryptoProvider) -> Result<CertifiedKey, TlsError> {
    let wrong = |name, path: &std::path::Path| {
        let path = path.display().to_string();
        move |problem| TlsError::File { name, path, problem }
    };
    let chain: Vec<_> = CertificateDer::pem_file_iter(&config.certificate)
        .and_then(Iterator::collect)
        .and_then(
            |chain: Vec<_>| {
                if chain.is_empty() { Err(pem::Error::NoItemsFound) } else { Ok(chain) }
            },
        )
        .map_err(wrong("TLS_CERT", &config.certificate))?;
    let key = PrivateKeyDer::from_pem_file(&config.key).map_err(wrong("TLS_KEY", &config.key))?;
    Ok(CertifiedKey::from_der(chain, key, provider)?)
}
