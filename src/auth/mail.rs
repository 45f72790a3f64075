//! Mail: over SMTP where it is configured; in development the text is logged instead.

use std::time::Duration;

use lettre::message::{Mailbox, header::ContentType};
use lettre::{AsyncSmtpTransport, AsyncTransport, Message, Tokio1Executor};
use secrecy::ExposeSecret;
use tokio::sync::Semaphore;

use crate::config::{AppEnv, SmtpConfig};

/// How long a mail server may take.
const PATIENCE: Duration = Duration::from_secs(30);

/// Mails on their way at once: looking up the name of the mail server may keep a thread for blocking
/// work each.
static TURNS: Semaphore = Semaphore::const_new(4);

/// Sends mail.
pub enum Mailer {
    /// Over SMTP.
    Smtp {
        /// The connection pool.
        transport: Box<AsyncSmtpTransport<Tokio1Executor>>,
        /// The sender.
        from: Mailbox,
    },
    /// Into the log, for development.
    Log,
    /// Nowhere: not configured.
    Nowhere,
}

impl Mailer {
    /// A mailer as configured.
    ///
    /// # Errors
    /// What is wrong with `SMTP_URL` or `SMTP_FROM`.
    pub fn new(smtp: Option<&SmtpConfig>, env: AppEnv) -> Result<Self, String> {
        let Some(smtp) = smtp else {
            return Ok(if env == AppEnv::Production { Self::Nowhere } else { Self::Log });
        };
        let transport = AsyncSmtpTransport::<Tokio1Executor>::from_url(smtp.url.expose_secret());
        let transport = transport
            .map_err(|problem| format!("SMTP_URL: {problem}"))?
            .timeout(Some(PATIENCE))
            .build();
        let from = smtp.from.parse().map_err(|problem| format!("SMTP_FROM: {problem}"))?;
        Ok(Self::Smtp { transport: Box::new(transport), from })
    }

    /// Sends the link with which a password can be reset.
    pub async fn send_reset_link(&self, to: &str, link: &str) {
        match self {
            Self::Log => {
                tracing::info!(%to, %link, "password reset (development: no mail is sent)");
            }
            Self::Nowhere => {
                tracing::warn!("a password reset was asked for, but SMTP_URL is not set");
            }
            Self::Smtp { transport, from } => {
                if let Err(problem) = deliver(transport, from, to, link).await {
                    tracing::error!(%problem, "a password reset mail could not be sent");
                }
            }
        }
    }
}

async fn deliver(
    transport: &AsyncSmtpTransport<Tokio1Executor>,
    from: &Mailbox,
    to: &str,
    link: &str,
) -> Result<(), Box<dyn std::error::Error + Send + Sync>> {
    let text = format!(
        "Somebody, hopefully you, asked to reset the password of this account.\n\n\
         Open this link to choose a new one:\n{link}\n\n\
         If it was not you, nothing has to be done.\n"
    );
    let mail = Message::builder()
        .from(from.clone())
        .to(to.parse()?)
        .subject("Reset your password")
        .header(ContentType::TEXT_PLAIN)
        .body(text)?;
    let sent = tokio::time::timeout(PATIENCE, async {
        let _turn = TURNS.acquire().await?;
        Ok::<_, Box<dyn std::error::Error + Send + Sync>>(transport.send(mail).await?)
    });
    sent.await??;
    Ok(())
}
