//! The demo drivers of seed 000 (CONTRACT §8). For development: everybody knows their passwords.

use super::Auth;
use crate::auth::model::{Account, LOCKED, LoginName};
use crate::auth::requests::Register;
use crate::caller::Role;
use crate::credentials::{Email, Password, Username};
use crate::error::{Error, Result};
use crate::ids::UserId;
use crate::realtime::relay::Command;

/// Username, password, name and picture of each.
const DEMO: [[&str; 4]; 3] = [
    ["driver1", "pass1", "Josh", "driver1.png"],
    ["driver2", "pass2", "Ana", "driver2.png"],
    ["driver3", "pass3", "Mike", "driver3.png"],
];

fn address(username: &str) -> String {
    format!("{username}@demo.example")
}

impl Auth {
    /// Lets the demo drivers in: those whose names nobody else has are created.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn ensure_demo_drivers(&self) -> Result<()> {
        for [username, password, name, image] in DEMO {
            let password = Password::of_demo(password);
            match self.demo_driver(username).await? {
                Found::Nobody => {}
                Found::Somebody => continue,
                Found::Demo(account) if account.password_hash == LOCKED => {
                    let hash = self.passwords.hash(password).await?;
                    self.set_password(account.id, &hash).await?;
                    continue;
                }
                Found::Demo(_) => continue,
            }
            let wanted = Register {
                username: username.parse::<Username>().map_err(Error::internal)?,
                email: address(username).parse::<Email>().map_err(Error::internal)?,
                password,
                name: Some(name.to_owned()),
                image: Some(image.to_owned()),
                role: Role::Driver,
            };
            let account = self.insert(wanted).await?;
            tracing::info!(username, user = %account.id, "a demo driver was created");
        }
        Ok(())
    }

    /// Keeps demo drivers out who are there from a time when they were let in, and ends their
    /// sessions.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn lock_demo_drivers(&self) -> Result<()> {
        for [username, ..] in DEMO {
            if let Found::Demo(account) = self.demo_driver(username).await?
                && account.password_hash != LOCKED
            {
                self.set_password(account.id, LOCKED).await?;
                self.end_logins(account.id).await?;
                tracing::warn!(username, "a demo driver was locked out");
            }
        }
        Ok(())
    }

    async fn demo_driver(&self, username: &str) -> Result<Found> {
        let name = LoginName::Username(username.to_owned());
        Ok(match self.store.account_by_login(&name).await? {
            None => Found::Nobody,
            Some(account) if account.email == address(username) => Found::Demo(account),
            Some(_) => Found::Somebody,
        })
    }

    async fn set_password(&self, user: UserId, hash: &str) -> Result<()> {
        self.store.set_password(user, hash).await?;
        self.hub.command(Command::ForgetAccount(user));
        Ok(())
    }
}

/// Who has the name of a demo driver.
enum Found {
    Nobody,
    /// A person.
    Somebody,
    Demo(Account),
}
