//! What operators do with all that is stored of one person: give it out, and erase it. On either
//! store, and while a server runs on it.

use std::fs::{self, File};
use std::io::{self, BufWriter};
use std::os::unix::fs::OpenOptionsExt;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::time::Duration;

use super::domains::{DomainStores, Domains};
use super::open::{self, OpenError};
use crate::auth::model::{Account, LoginName};
use crate::clock::Clock;
use crate::config::{Config, Secrets};
use crate::error::Error;
use crate::ids::UserId;
use crate::privacy::erasing::{Erasing, LOOK};
use crate::privacy::exporting::{ExportError, Sources};
use crate::privacy::model::Erasure;
use crate::realtime::hub::Hub;
use crate::realtime::relay::local::Local;
use crate::store::Stores;
use crate::store::embedded::{self, Embedded};

/// How long the server that runs is waited for.
const PATIENCE: Duration = Duration::from_secs(600);

/// Why it was not done, or not to its end.
#[derive(Debug, thiserror::Error)]
pub enum PersonalError {
    /// The store.
    #[error(transparent)]
    Open(#[from] OpenError),
    /// What the store answers, and what stands against it.
    #[error("{0}")]
    Refused(#[from] Error),
    /// The document.
    #[error(transparent)]
    Export(#[from] ExportError),
    /// Where the document was to be.
    #[error("cannot write {path}: {cause}")]
    File {
        /// Where.
        path: PathBuf,
        /// What the system says.
        cause: io::Error,
    },
    /// The configuration, found only when it was used.
    #[error("{0}")]
    Config(String),
    /// Orders are in the way.
    #[error(
        "these orders have not ended: {0:?}; when they have, a running server ends the erasure, or do it again"
    )]
    Orders(Vec<i64>),
    /// There is no server any more that does it.
    #[error("the server that was asked has stopped; one that starts finishes it, or do it again")]
    Stopped,
    /// The server that runs has not done it.
    #[error("the running server has not finished it within {} minutes; see its log", PATIENCE.as_secs() / 60)]
    Patience,
}

impl PersonalError {
    /// Whether nothing has begun, and nothing goes on.
    pub fn is_refusal(&self) -> bool {
        match self {
            Self::Refused(error) => error.code.status() < 500,
            Self::Orders(_) | Self::Stopped | Self::Patience => false,
            Self::Open(_) | Self::Export(_) | Self::File { .. } | Self::Config(_) => true,
        }
    }
}

/// Writes everything that is stored about a user to a new file, or to standard output where that
/// is `-`. `user` is an id, a username or an address.
///
/// # Errors
/// In words an operator can act on; no file is left then.
pub async fn export(config: &Config, user: &str, to: &Path) -> Result<(), PersonalError> {
    let stores = open::stores_beside(config).await?;
    let on = DomainStores::on(&stores);
    let account = find(&on, user).await?;
    let sources = Sources {
        auth: on.auth,
        presence: on.presence,
        rooms: on.rooms,
        chat: on.chat,
        drivers: on.drivers,
        orders: on.orders,
    };
    let now = Clock::system().now();
    let written = if to == Path::new("-") {
        sources.export(&account, now, BufWriter::new(io::stdout())).await
    } else {
        let wrong = |cause| PersonalError::File { path: to.to_owned(), cause };
        // For its owner alone, and not in the place of anything.
        let file = File::options().write(true).create_new(true).mode(0o600).open(to);
        let file = file.map_err(wrong)?;
        let written = sources.export(&account, now, BufWriter::new(&file)).await;
        let written = written.and_then(|()| Ok(file.sync_all()?));
        if written.is_err() {
            fs::remove_file(to).map_err(wrong)?;
        }
        written
    };
    stores.close().await;
    Ok(written?)
}

async fn find(on: &DomainStores, user: &str) -> Result<Account, PersonalError> {
    let found = match user.parse::<UserId>() {
        Ok(id) => on.auth.account(id).await?,
        Err(_) => {
            let key = user.to_lowercase();
            let is_address = key.contains('@');
            let name = if is_address { LoginName::Email(key) } else { LoginName::Username(key) };
            on.auth.account_by_login(&name).await?
        }
    };
    Ok(found.ok_or_else(|| Error::not_found(format!("there is no user {user}")))?)
}

/// Says what an erasure would be about.
///
/// # Errors
/// In words an operator can act on.
pub async fn preview(config: &Config, user: &str) -> Result<String, PersonalError> {
    let stores = open::stores_beside(config).await?;
    let on = DomainStores::on(&stores);
    let account = find(&on, user).await?;
    let rooms = on.rooms.rooms_of(account.id).await?.len();
    let owned = account.role.word();
    stores.close().await;
    Ok(format!(
        "{} ({}, {}, {owned}) would become an anonymous account: name, address, picture, password, \
         login sessions, the text of every message sent, {rooms} room memberships, every position, \
         and the places, notes and contacts of orders would be gone",
        account.id, account.username, account.email
    ))
}

/// Erases what is stored about a user, and gives a sentence that says so. Where a server has the
/// embedded store open, it is asked to, and waited for; on MongoDB every server that runs ends the
/// user's sockets, and is given the time to.
///
/// # Errors
/// In words an operator can act on. Done again, or by a server that starts, it goes on where it
/// was.
pub async fn erase(config: &Config, user: &str) -> Result<String, PersonalError> {
    open::must_be_there(config)?;
    let (stores, is_alone) = match open::stores(config).await {
        Ok(stores) => {
            let is_alone = matches!(stores, Stores::Embedded(_));
            (stores, is_alone)
        }
        Err(OpenError::Embedded(embedded::OpenError::InUse { .. })) => {
            let beside = open::stores_beside(config).await?;
            let erased = ask_server(config, &beside, user).await;
            beside.close().await;
            return erased;
        }
        Err(problem) => return Err(problem.into()),
    };
    let erased = erase_here(config, &stores, user, is_alone).await;
    stores.close().await;
    erased
}

async fn erase_here(
    config: &Config,
    stores: &Stores,
    user: &str,
    is_alone: bool,
) -> Result<String, PersonalError> {
    let account = find(&DomainStores::on(stores), user).await?;
    let (domains, request) = request(config, stores, account.id).await?;
    let erasing = &domains.erasing;
    // Servers find the request, and end the sockets.
    let settle = if is_alone { Duration::ZERO } else { LOOK * 2 + erasing.settled_after() };
    if !is_alone {
        let seconds = settle.as_secs();
        tracing::info!(user = %account.id, seconds, "servers are given time to end its sockets");
    }
    let open = erasing.erase(&request, settle).await?;
    domains.close().await;
    if open.is_empty() { Ok(report(account.id)) } else { Err(PersonalError::Orders(open)) }
}

/// The services, without sockets and without what a server does by itself.
async fn request(
    config: &Config,
    stores: &Stores,
    user: UserId,
) -> Result<(Domains, Erasure), PersonalError> {
    let hub = Hub::new(Box::new(Local), config.sockets.parser, &Clock::system());
    // Nothing is signed here.
    let secrets = Secrets { current: String::new().into(), previous: Vec::new() };
    let domains = Domains::compose(config, stores, &secrets, &hub);
    let domains = domains.map_err(PersonalError::Config)?;
    let request = domains.erasing.request(user).await?;
    Ok((domains, request))
}

async fn ask_server(config: &Config, stores: &Stores, user: &str) -> Result<String, PersonalError> {
    let account = find(&DomainStores::on(stores), user).await?;
    let (domains, request) = request(config, stores, account.id).await?;
    let seconds = (LOOK + domains.erasing.settled_after()).as_secs();
    tracing::info!(user = %account.id, seconds, "the running server is asked, and waited for");
    let done = tokio::time::timeout(PATIENCE, finished(config, &domains.erasing, &request)).await;
    done.map_err(|_| PersonalError::Patience)??;
    Ok(report(account.id))
}

async fn finished(
    config: &Config,
    erasing: &Arc<Erasing>,
    request: &Erasure,
) -> Result<(), PersonalError> {
    loop {
        tokio::time::sleep(LOOK).await;
        // Before it is looked whether it is done: the server may do it and stop. Where that cannot be
        // seen, it is waited for.
        let is_served = Embedded::is_open(&open::database(config)).unwrap_or(true);
        let now = erasing.erasure(request.user).await?;
        if now.is_some_and(|now| now.finished_at.is_some()) {
            return Ok(());
        }
        if !is_served {
            return Err(PersonalError::Stopped);
        }
    }
}

fn report(user: UserId) -> String {
    format!(
        "{user} is erased. Backups from before still hold the account: erase it again after a restore"
    )
}
