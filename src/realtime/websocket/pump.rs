//! The task of one socket: what comes goes into its session's queue, what waits in its pipe goes
//! out, and silence has its ends.

use std::pin::pin;
use std::sync::Arc;
use std::time::Duration;

use serde_json::Value;
use serde_json::value::RawValue;
use tokio::time::{Instant, sleep_until};
use tokio_tungstenite::tungstenite::Message;

use super::framing::{self, Frame};
use super::pipe::Pipe;
use super::socket::{Close, Heard, Socket};
use super::{RawDoors, Surface};
use crate::realtime::events::{Acknowledge, Incoming};
use crate::realtime::hub::Sign;
use crate::realtime::session::{Sent, Session};

pub(super) struct Pump<'a> {
    doors: &'a RawDoors,
    surface: Surface,
    session: &'a Arc<Session>,
    pipe: &'a Arc<Pipe>,
    /// When the client last sent a frame of its own.
    active: Instant,
    /// When anything came from it, the answers to our pings included.
    alive: Instant,
    /// When it was asked whether it lives, if it has not answered since.
    asked: Option<Instant>,
}

impl<'a> Pump<'a> {
    pub(super) fn new(
        doors: &'a RawDoors,
        surface: Surface,
        session: &'a Arc<Session>,
        pipe: &'a Arc<Pipe>,
    ) -> Self {
        let now = Instant::now();
        Self { doors, surface, session, pipe, active: now, alive: now, asked: None }
    }

    /// Runs until the socket is to be closed, and says how.
    pub(super) async fn run(mut self, socket: &mut Socket) -> Close {
        let close = self.serve(socket).await;
        self.pipe.close();
        close
    }

    async fn serve(&mut self, socket: &mut Socket) -> Close {
        let mut silence = pin!(sleep_until(self.next_check()));
        loop {
            tokio::select! {
                heard = socket.hear() => {
                    let was_asked = self.asked.is_some();
                    if let Err(close) = self.take(heard) {
                        // What was sent before the client closed may be on its way to it.
                        return close;
                    }
                    if was_asked {
                        silence.as_mut().reset(self.next_check());
                    }
                }
                () = self.pipe.wake.notified() => {
                    let (frames, close) = self.pipe.take();
                    if let Err(lost) = socket.write(frames).await {
                        return lost;
                    }
                    if let Some(close) = close {
                        return close;
                    }
                }
                () = silence.as_mut() => {
                    if let Err(close) = self.check_silence(socket).await {
                        return close;
                    }
                    silence.as_mut().reset(self.next_check());
                }
            }
        }
    }

    fn take(&mut self, heard: Heard) -> Result<(), Close> {
        self.alive = Instant::now();
        self.asked = None;
        let frame = match heard {
            Heard::Text(text) => self.pipe.framing().decode(&text),
            Heard::Binary => framing::binary(),
            Heard::Ping => {
                self.active = self.alive;
                self.doors.hub.heard(self.session, Sign::Frame);
                return Ok(());
            }
            Heard::Pong(payload) => {
                let probe = payload.try_into().map(u64::from_be_bytes);
                let sign = probe.map_or(Sign::Frame, Sign::Probe);
                self.doors.hub.heard(self.session, sign);
                return Ok(());
            }
            Heard::End(close) => return Err(close),
        };
        self.active = self.alive;
        self.doors.dispatcher.receive(self.session, incoming(self.pipe, frame));
        Ok(())
    }

    /// Closes a socket whose client has nothing to say, asks one that is silent whether it lives,
    /// and cuts one that does not answer.
    async fn check_silence(&mut self, socket: &mut Socket) -> Result<(), Close> {
        let now = Instant::now();
        if self.pipe.is_paused() {
            // Whom we do not listen to is not silent.
            (self.active, self.alive, self.asked) = (now, now, None);
        }
        if self.surface.idle.is_some_and(|idle| now >= self.active + idle) {
            return Err(Close::IDLE);
        }
        match self.asked {
            Some(asked) if now >= asked + self.doors.config.ping_timeout => Err(Close::LOST),
            None if now >= self.alive + self.doors.config.ping_interval => {
                self.asked = Some(now);
                socket.write([Message::Ping(Vec::new().into())]).await
            }
            _ => Ok(()),
        }
    }

    fn next_check(&self) -> Instant {
        let life = match self.asked {
            Some(asked) => asked + self.doors.config.ping_timeout,
            None => self.alive + self.doors.config.ping_interval,
        };
        let idle = self.surface.idle.map(|idle| self.active + idle);
        // Frames push these back without resetting the timer, which then finds nothing to do.
        idle.map_or(life, |idle| idle.min(life)).max(Instant::now() + Duration::from_millis(1))
    }
}

fn incoming(pipe: &Arc<Pipe>, Frame { name, payload, id }: Frame) -> Incoming {
    Incoming { name, payload, ack: Box::new(RawAck { pipe: pipe.clone(), id }) }
}

/// Answers a frame that had an `id`; others hear of failures only.
struct RawAck {
    pipe: Arc<Pipe>,
    id: Option<Value>,
}

impl Acknowledge for RawAck {
    fn acknowledge(&self, body: &RawValue) -> Sent {
        match self.pipe.framing().ack(self.id.as_ref(), body) {
            Some(frame) => self.pipe.answer(frame),
            None => Sent::Queued,
        }
    }
}
