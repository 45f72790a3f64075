//! What one node has every node do.

use super::Hub;
use crate::realtime::relay::{Command, Envelope, Sockets};
use crate::realtime::session::End;

impl Hub {
    /// Does a command here and has every other node do it.
    pub fn command(&self, command: Command) {
        self.obey(command);
        self.relay.publish(&Envelope::Command(command));
    }

    /// Watchers first: a socket that is let in meanwhile must find that its session has ended.
    fn obey(&self, command: Command) {
        self.watching(|watcher| watcher.commanded(command));
        match command {
            Command::EndLogin(login) => {
                let sessions = self.audiences.sessions(&[login.audience()]);
                sessions.iter().for_each(|session| self.end(session, End::Unauthenticated));
            }
            Command::EndSockets { of, why } => {
                let sessions = match of {
                    Sockets::One(no) => self.socket(no).into_iter().collect(),
                    Sockets::Of(user) => self.audiences.sessions(&[user.audience()]),
                };
                sessions.iter().for_each(|session| self.end(session, why));
            }
            Command::ReplaceSockets { of, newest } => {
                let sessions = self.audiences.sessions(&[of]);
                // A newer one may have come meanwhile; those of another node are all older.
                let newer = sessions.iter().map(|one| one.no).filter(|no| no.is_after(newest));
                let stays = newer.max().unwrap_or(newest);
                for session in sessions.iter().filter(|session| session.no != stays) {
                    self.end(session, End::Replaced);
                }
            }
            Command::ExtendLogin(login, until) => {
                self.audiences
                    .sessions(&[login.audience()])
                    .iter()
                    .for_each(|session| session.extend(until));
            }
            Command::ForgetAccount(_)
            | Command::ForgetRoom(_)
            | Command::CloseRoom(_)
            | Command::LeaveRoom { .. } => {}
        }
    }
}
