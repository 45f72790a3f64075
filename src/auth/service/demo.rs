//! The demo drivers of seed 000 (CONTRACT §8). For development: everybody knows their passwords.

use super::Auth;
use crate::auth::model::LoginName;
use crate::auth::requests::Register;
use crate::caller::Role;
use crate::credentials::{Email, Password, Username};
use crate::error::{Error, Result};

/// Username, password, name and picture of each.
const DEMO: [[&str; 4]; 3] = [
    ["driver1", "pass1", "Josh", "driver1.png"],
    ["driver2", "pass2", "Ana", "driver2.png"],
    ["driver3", "pass3", "Mike", "driver3.png"],
];

impl Auth {
    /// Creates the demo drivers whose names nobody has.
    ///
    /// # Errors
    /// Those of the store.
    pub async fn ensure_demo_drivers(&self) -> Result<()> {
        for [username, password, name, image] in DEMO {
            let name_key = LoginName::Username(username.to_owned());
            if self.store.account_by_login(&name_key).await?.is_some() {
                continue;
            }
            let email = format!("{username}@demo.example");
            let wanted = Register {
                username: username.parse::<Username>().map_err(Error::internal)?,
                email: email.parse::<Email>().map_err(Error::internal)?,
                password: Password::of_demo(password),
                name: Some(name.to_owned()),
                image: Some(image.to_owned()),
                role: Role::Driver,
            };
            let account = self.insert(wanted).await?;
            tracing::info!(username, user = %account.id, "a demo driver was created");
        }
        Ok(())
    }
}
