//! How visitors go who do not say so.

use std::time::Duration;

use anyhow::Result;
use tokio::net::TcpStream;
use tokio::time::sleep;

use super::dice::Dice;
use super::world::World;

/// How long one who has fallen silent holds its end of the connection: longer than the server waits for a heartbeat.
const SILENCE: Duration = Duration::from_secs(70);

/// A way to go.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Exit {
    /// As the protocol has it.
    Close,
    /// The connection is closed, and nothing said before.
    Fin,
    /// It is reset.
    Reset,
    /// Nothing more is sent and nothing read, as by a phone in a tunnel.
    Silent,
}

impl Exit {
    /// Any of them.
    pub fn any(dice: &mut Dice) -> Self {
        *dice.pick(&[Self::Close, Self::Close, Self::Fin, Self::Reset, Self::Silent])
    }

    /// Any but the proper one.
    pub fn rude(dice: &mut Dice) -> Self {
        *dice.pick(&[Self::Fin, Self::Reset, Self::Silent])
    }

    /// Ends a connection so.
    pub async fn take(self, world: &World, stream: TcpStream) -> Result<()> {
        match self {
            Self::Close | Self::Fin => {}
            Self::Reset => stream.set_zero_linger()?,
            Self::Silent => {
                world.tally.silent.add();
                tokio::select! {
                    () = sleep(SILENCE) => {}
                    () = world.leave.cancelled() => {}
                }
            }
        }
        drop(stream);
        Ok(())
    }
}
