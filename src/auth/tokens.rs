//! Tokens: access tokens are JWTs, HS256 and nothing else; refresh and reset tokens are opaque, and
//! only their hash is stored (CONTRACT §2).

use base64::Engine as _;
use base64::engine::general_purpose::URL_SAFE_NO_PAD as BASE64;
use hmac::{Hmac, KeyInit, Mac};
use jsonwebtoken::{Algorithm, DecodingKey, EncodingKey, Header, Validation, decode, encode};
use secrecy::ExposeSecret;
use serde::{Deserialize, Serialize};
use sha2::{Digest, Sha256};

use super::model::{Account, TokenHash};
use crate::caller::Role;
use crate::clock::{Clock, Timestamp};
use crate::config::Secrets;
use crate::error::{Error, Result};
use crate::ids::{LoginId, UserId};

/// What an access token says.
#[derive(Debug, Clone, Serialize, Deserialize)]
#[serde(rename_all = "camelCase")]
pub(super) struct Claims {
    pub(super) sub: UserId,
    user_id: UserId,
    role: Role,
    pub(super) sid: LoginId,
    iat: i64,
    pub(super) exp: i64,
    jti: String,
    #[serde(skip_serializing_if = "Option::is_none")]
    driver_id: Option<String>,
    #[serde(rename = "driver_id", skip_serializing_if = "Option::is_none")]
    driver_number: Option<i64>,
}

/// Makes and reads tokens.
pub(super) struct Tokens {
    encoding: EncodingKey,
    /// The current one first.
    decoding: Vec<DecodingKey>,
    validation: Validation,
    chain: Hmac<Sha256>,
    clock: Clock,
}

impl Tokens {
    pub(super) fn new(secrets: &Secrets, clock: &Clock) -> Self {
        let secret = secrets.current.expose_secret().as_bytes();
        let mut validation = Validation::new(Algorithm::HS256);
        validation.set_required_spec_claims(&["exp", "sub"]);
        // The time is the clock's, not the library's: checked in `read_access`.
        validation.validate_exp = false;
        let chain = <Hmac<Sha256> as KeyInit>::new_from_slice(secret)
            .expect("HMAC takes keys of any length");
        Self {
            encoding: EncodingKey::from_secret(secret),
            decoding: secrets
                .verifying()
                .map(|secret| DecodingKey::from_secret(secret.expose_secret().as_bytes()))
                .collect(),
            validation,
            chain: chain.chain_update(b"refresh token"),
            clock: clock.clone(),
        }
    }

    /// An access token that holds until `expires_at`.
    pub(super) fn access(
        &self,
        account: &Account,
        login: LoginId,
        expires_at: Timestamp,
    ) -> Result<String> {
        let driver = account.role == Role::Driver;
        let claims = Claims {
            sub: account.id,
            user_id: account.id,
            role: account.role,
            sid: login,
            iat: self.clock.now().seconds(),
            exp: expires_at.seconds(),
            jti: BASE64.encode(rand::random::<[u8; 12]>()),
            driver_id: driver.then(|| account.username.clone()),
            driver_number: account.driver_number,
        };
        encode(&Header::new(Algorithm::HS256), &claims, &self.encoding).map_err(Error::internal)
    }

    /// What an access token of ours says.
    pub(super) fn read_access(&self, token: &str) -> Result<Claims> {
        let decode = |key| decode::<Claims>(token, key, &self.validation).ok();
        let decoded = self.decoding.iter().find_map(decode);
        let claims =
            decoded.ok_or_else(|| Error::unauthenticated("The token is not valid"))?.claims;
        if claims.exp <= self.clock.now().seconds() {
            Err(Error::token_expired())
        } else {
            Ok(claims)
        }
    }

    /// A new opaque token: 32 random bytes.
    pub(super) fn opaque(&self) -> String {
        BASE64.encode(rand::random::<[u8; 32]>())
    }

    /// The refresh token that follows `token`. Derived rather than stored, so that the same token
    /// shown again within its grace gets the same successor while only hashes are stored.
    pub(super) fn successor(&self, token: &str) -> String {
        BASE64.encode(self.chain.clone().chain_update(token).finalize().into_bytes())
    }
}

/// What is stored of an opaque token.
pub(super) fn hash(token: &str) -> TokenHash {
    Sha256::digest(token).into()
}

#[cfg(test)]
mod tests {
    use std::time::Duration;

    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_other_text_is_an_access_token(text in prop_oneof![any::<String>(), "[A-Za-z0-9_.-]{0,300}"], at: prop::sample::Index, byte in b'-'..b'{') {
            let clock = Clock::manual(Timestamp::from_millis(1_700_000_000_000));
            let (tokens, account) = (tokens(&clock), account(&clock));
            prop_assert!(tokens.read_access(&text).is_err());
            let until = clock.now() + Duration::from_secs(60);
            let token = tokens.access(&account, LoginId::generate(clock.now()), until).unwrap();
            let mut bent = token.clone().into_bytes();
            let at = at.index(bent.len());
            bent[at] = byte;
            let bent = String::from_utf8(bent).unwrap();
            prop_assert_eq!(tokens.read_access(&bent).is_ok(), bent == token);
        }
    }

    const SECRET: &str = "0123456789abcdef0123456789abcdef";

    fn signed_with(current: &str, previous: &[&str], clock: &Clock) -> Tokens {
        let previous = previous.iter().copied().map(Into::into).collect();
        Tokens::new(&Secrets { current: current.into(), previous }, clock)
    }

    fn tokens(clock: &Clock) -> Tokens {
        signed_with(SECRET, &[], clock)
    }

    fn account(clock: &Clock) -> Account {
        let now = clock.now();
        Account {
            id: UserId::generate(now),
            username: "driver1".into(),
            email: "driver1@example.com".into(),
            name: None,
            image: None,
            role: Role::Driver,
            driver_number: Some(7),
            password_hash: String::new(),
            created_at: now,
            ban: None,
        }
    }

    #[test]
    fn an_access_token_holds_until_its_time_and_not_a_second_longer() {
        let clock = Clock::manual(Timestamp::from_millis(1_700_000_000_000));
        let (tokens, account) = (tokens(&clock), account(&clock));
        let login = LoginId::generate(clock.now());
        let token = tokens.access(&account, login, clock.now() + Duration::from_secs(60)).unwrap();
        clock.advance(Duration::from_secs(59));
        assert_eq!(tokens.read_access(&token).unwrap().sid, login);
        clock.advance(Duration::from_secs(1));
        assert_eq!(tokens.read_access(&token).unwrap_err(), Error::token_expired());
    }

    #[test]
    fn a_drivers_token_names_the_driver_twice() {
        let clock = Clock::manual(Timestamp::from_millis(1_700_000_000_000));
        let tokens = tokens(&clock);
        let until = clock.now() + Duration::from_secs(60);
        let token = tokens.access(&account(&clock), LoginId::generate(clock.now()), until).unwrap();
        let claims = token.split('.').nth(1).map(|part| BASE64.decode(part).unwrap()).unwrap();
        let claims: serde_json::Value = serde_json::from_slice(&claims).unwrap();
        assert_eq!(claims["driverId"], "driver1");
        assert_eq!(claims["driver_id"], 7);
        assert_eq!(claims["sub"], claims["userId"]);
    }

    #[test]
    fn only_hs256_with_our_secret_is_accepted() {
        let clock = Clock::manual(Timestamp::from_millis(1_700_000_000_000));
        let (ours, account) = (tokens(&clock), account(&clock));
        let until = clock.now() + Duration::from_secs(60);
        let token = ours.access(&account, LoginId::generate(clock.now()), until).unwrap();
        let (head, rest) = token.split_once('.').unwrap();
        let (claims, _) = rest.split_once('.').unwrap();
        let none = BASE64.encode(br#"{"alg":"none","typ":"JWT"}"#);
        let theirs = signed_with("another secret of thirty-two bytes", &[], &clock);
        for bad in ["", "x.y.z", &format!("{none}.{claims}."), &format!("{head}.{claims}.")] {
            assert!(ours.read_access(bad).is_err(), "{bad}");
        }
        assert!(theirs.read_access(&token).is_err());
    }

    #[test]
    fn a_token_outlives_a_change_of_the_secret_while_the_old_one_is_known() {
        let clock = Clock::manual(Timestamp::from_millis(1_700_000_000_000));
        let (old, account) = (tokens(&clock), account(&clock));
        let (login, until) = (LoginId::generate(clock.now()), clock.now() + Duration::from_secs(9));
        let token = old.access(&account, login, until).unwrap();
        let new = "a new secret of thirty-two bytes";
        let rotated = signed_with(new, &["yet another", SECRET], &clock);
        assert_eq!(rotated.read_access(&token).unwrap().sid, login);
        let fresh = rotated.access(&account, login, until).unwrap();
        assert!(old.read_access(&fresh).is_err(), "the new one signs");
        assert!(signed_with(new, &[], &clock).read_access(&token).is_err());
        clock.advance(Duration::from_secs(9));
        assert_eq!(rotated.read_access(&token).unwrap_err(), Error::token_expired());
    }

    #[test]
    fn a_refresh_token_has_one_successor() {
        let tokens = tokens(&Clock::system());
        let token = tokens.opaque();
        assert_eq!(tokens.successor(&token), tokens.successor(&token));
        assert_ne!(tokens.successor(&token), tokens.successor(&tokens.opaque()));
    }
}
