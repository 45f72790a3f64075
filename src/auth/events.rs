//! The socket events of tokens, in every namespace.

use std::sync::Arc;

use super::requests::{ExtendSocket, SocketExtended};
use super::service::Auth;
use crate::error::{Error, Fields};
use crate::realtime::events::{EVERYWHERE, ErrorEvent, EventTable, ServerEvent};
use crate::realtime::hub::{SERVER_SHUTDOWN, TOKEN_EXPIRED, TOKEN_EXPIRING};

/// What every namespace understands and emits.
pub fn table(auth: &Arc<Auth>) -> EventTable {
    let extending = auth.clone();
    EventTable::new(EVERYWHERE, &["error"])
        .on(
            "refresh_token",
            "Lets this socket live as long as a newer access token of the same user.",
            {
                move |session, payload: ExtendSocket| {
                    let auth = extending.clone();
                    async move {
                        let mut fields = Fields::new();
                        let token = fields.require("token", payload.token, Ok::<_, Error>);
                        let token = fields.into_result(token)?;
                        let expires_at = auth.extend_socket(&session, &token).await?;
                        Ok(SocketExtended { expires_at })
                    }
                }
            },
        )
        .emits(
            &TOKEN_EXPIRING,
            "The socket's token ends in a minute: refresh it, or the socket ends too.",
        )
        .emits(&TOKEN_EXPIRED, "The socket's token has ended; the socket is disconnected.")
        .emits(&ServerEvent::<ErrorEvent>::reliable("error", EVERYWHERE), "An event failed.")
        .emits(&SERVER_SHUTDOWN, "The server stops; the client reconnects by itself.")
}
