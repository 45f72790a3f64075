//! A Socket.IO client over either transport, as a visit has it.

use anyhow::Result;
use serde::Serialize;
use tokio::net::TcpStream;

use crate::client::{Dialer, LeanClient, Poller};

/// A connected client.
pub enum Line {
    Socket(LeanClient),
    Polling(Poller),
}

impl Line {
    /// Connects.
    pub async fn connect(dialer: &Dialer, token: &str, polling: bool) -> Result<Self> {
        Ok(if polling {
            Self::Polling(Poller::connect(dialer, token).await?)
        } else {
            Self::Socket(dialer.connect_lean(token).await?)
        })
    }

    /// Sends an event and waits for its answer.
    pub async fn ask(&mut self, event: &str, payload: &impl Serialize) -> Result<String> {
        match self {
            Self::Socket(client) => client.ask(event, payload).await,
            Self::Polling(client) => client.ask(event, payload).await,
        }
    }

    /// Leaves as it should.
    pub async fn close(self) -> Result<()> {
        match self {
            Self::Socket(client) => {
                client.close().await;
                Ok(())
            }
            Self::Polling(client) => client.close().await,
        }
    }

    /// Gives up what is below, in the middle of a frame or of a request where `half`; else a poller waits in a poll.
    pub async fn abandon(self, half: bool) -> Result<TcpStream> {
        Ok(match self {
            Self::Socket(mut client) => {
                if half {
                    client.write_part().await?;
                }
                client.into_tcp()
            }
            Self::Polling(mut client) => {
                if half {
                    client.begin_post().await?;
                } else {
                    client.begin_poll().await?;
                }
                client.into_tcp()
            }
        })
    }
}
