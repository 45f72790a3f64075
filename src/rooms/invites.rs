//! Invite tokens: signed, so that they cannot be guessed, and of no use for anything else.
//! Whether one can still be used is in the store.

use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use secrecy::{ExposeSecret, SecretString};
use serde::{Deserialize, Serialize};
use sha2::Sha256;

use super::model::Invite;
use crate::clock::Clock;
use crate::config::Secrets;
use crate::error::{Error, Result};
use crate::ids::{InviteId, RoomId, UserId};

/// What a token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
pub(super) struct Claims {
    /// Which invite.
    #[serde(rename = "inv")]
    pub(super) invite: InviteId,
    /// To which room.
    pub(super) room: RoomId,
    /// Who alone can use it.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub(super) user: Option<UserId>,
    exp: i64,
}

/// Makes and reads invite tokens.
pub(super) struct InviteTokens {
    encoding: EncodingKey,
    /// The current one first.
    decoding: Vec<DecodingKey>,
    validation: Validation,
    clock: Clock,
}

impl InviteTokens {
    pub(super) fn new(secrets: &Secrets, clock: &Clock) -> Self {
        let keys: Vec<_> = secrets.verifying().map(key).collect();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp"]);
        // The time is the clock's, not the library's: checked in `has_expired`.
        validation.validate_exp = false;
        Self {
            encoding: EncodingKey::from_secret(&keys[0]),
            decoding: keys.iter().map(|key| DecodingKey::from_secret(key)).collect(),
            validation,
            clock: clock.clone(),
        }
    }

    /// The token of an invite.
    pub(super) fn sign(&self, invite: &Invite) -> Result<String> {
        let claims = Claims {
            invite: invite.id,
            room: invite.room,
            user: invite.user,
            exp: invite.expires_at.seconds(),
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).map_err(Error::internal)
    }

    /// What a token of ours says; `None` for any other text.
    pub(super) fn read(&self, token: &str) -> Option<Claims> {
        let decode = |key| decode::<Claims>(token, key, &self.validation).ok();
        self.decoding.iter().find_map(decode).map(|token| token.claims)
    }

    pub(super) fn has_expired(&self, claims: &Claims) -> bool {
        claims.exp <= self.clock.now().seconds()
    }
}

/// A key of their own: no invite is an access token, nor the other way round.
fn key(secret: &SecretString) -> [u8; 32] {
    <Hmac<Sha256> as KeyInit>::new_from_slice(secret.expose_secret().as_bytes())
        .expect("HMAC takes keys of any length")
        .chain_update(b"invite")
        .finalize()
        .into_bytes()
        .into()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::clock::Timestamp;

    proptest! {
        #[test]
        fn an_invite_says_what_was_signed_and_no_other_text_says_anything(
            ids: [[u8; 12]; 4],
            seconds in 0..4_000_000_000_i64,
            text in prop_oneof![any::<String>(), "[A-Za-z0-9_.-]{0,300}"],
            at: prop::sample::Index,
            byte in b'-'..b'{',
        ) {
            let secrets = Secrets { current: "0123456789abcdef0123456789abcdef".into(), previous: Vec::new() };
            let tokens = InviteTokens::new(&secrets, &Clock::system());
            let invite = Invite {
                id: InviteId::from_bytes(ids[0]),
                room: RoomId::from_bytes(ids[1]),
                created_by: UserId::from_bytes(ids[2]),
                user: Some(UserId::from_bytes(ids[3])),
                max_uses: None,
                uses: 0,
                created_at: Timestamp::from_millis(0),
                expires_at: Timestamp::from_millis(seconds * 1000),
            };
            let token = tokens.sign(&invite).unwrap();
            let claims = tokens.read(&token).unwrap();
            let said = (claims.invite, claims.room, claims.user, claims.exp);
            prop_assert_eq!(said, (invite.id, invite.room, invite.user, seconds));
            prop_assert!(tokens.read(&text).is_none());
            let mut bent = token.clone().into_bytes();
            let at = at.index(bent.len());
            bent[at] = byte;
            let bent = String::from_utf8(bent).unwrap();
            prop_assert_eq!(tokens.read(&bent).is_some(), bent == token);
        }
    }
}
