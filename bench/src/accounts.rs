//! The users that clients sign in as: registered when first needed, and kept for the scenarios after.

use std::hash::{BuildHasher, Hasher, RandomState};
use std::ops::Range;
use std::sync::Arc;
use std::sync::atomic::{AtomicUsize, Ordering};
use std::time::Duration;

use anyhow::{Context, Result, bail, ensure};
use futures_util::{StreamExt, TryStreamExt, stream};
use reqwest::StatusCode;
use serde::Deserialize;
use serde::de::DeserializeOwned;
use serde_json::{Value, json};
use tokio::sync::Mutex;

use crate::progress::Progress;
use crate::server::http_client;

/// Requests under way at the same time.
pub const IN_FLIGHT: usize = 16;
/// The longest a request may take: a password is hashed in it, perhaps behind others.
const REQUEST_TIMEOUT: Duration = Duration::from_secs(30);

/// A registered user.
pub struct Account {
    pub id: String,
    pub username: String,
    pub token: String,
}

/// All users registered by this run.
pub struct Accounts {
    http: reqwest::Client,
    url: String,
    run: String,
    users: Mutex<Vec<Arc<Account>>>,
    drivers: Mutex<Vec<Arc<Account>>>,
}

/// What an account is registered as.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
enum Role {
    User,
    Driver,
}

impl Role {
    /// Its name on the wire, and the letter that names of such accounts have.
    const fn words(self) -> (&'static str, char) {
        match self {
            Self::User => ("user", 'u'),
            Self::Driver => ("driver", 'd'),
        }
    }
}

#[derive(Deserialize)]
struct Envelope<T> {
    data: T,
}

#[derive(Deserialize)]
struct Registered {
    token: String,
    user: RegisteredUser,
}

#[derive(Deserialize)]
struct RegisteredUser {
    #[serde(rename = "_id")]
    id: String,
    username: String,
}

#[derive(Deserialize)]
#[serde(rename_all = "camelCase")]
struct Unread {
    unread_count: u64,
}

impl Accounts {
    /// None yet; names start with a word of this run's own.
    pub fn new(url: &str) -> Result<Self> {
        let http = http_client(REQUEST_TIMEOUT)?;
        let run = format!("b{:08x}", RandomState::new().build_hasher().finish() as u32);
        Ok(Self {
            http,
            url: url.trim_end_matches('/').to_owned(),
            run,
            users: Mutex::default(),
            drivers: Mutex::default(),
        })
    }

    /// The word that tells this run's users and messages from another's.
    pub fn run(&self) -> &str {
        &self.run
    }

    /// `count` users, always the same ones first.
    pub async fn take(&self, count: usize) -> Result<Vec<Arc<Account>>> {
        self.known(&self.users, Role::User, count).await
    }

    /// The same of drivers.
    pub async fn take_drivers(&self, count: usize) -> Result<Vec<Arc<Account>>> {
        self.known(&self.drivers, Role::Driver, count).await
    }

    async fn known(
        &self,
        known: &Mutex<Vec<Arc<Account>>>,
        role: Role,
        count: usize,
    ) -> Result<Vec<Arc<Account>>> {
        let mut known = known.lock().await;
        let missing = known.len()..count.max(known.len());
        known.extend(self.register_all(role, missing).await?);
        Ok(known[..count].to_vec())
    }

    async fn register_all(&self, role: Role, numbers: Range<usize>) -> Result<Vec<Arc<Account>>> {
        let (total, registered) = (numbers.len(), Arc::new(AtomicUsize::new(0)));
        let shown = Arc::clone(&registered);
        let _progress = Progress::start("registering", move || {
            format!("{} of {total}", shown.load(Ordering::Relaxed))
        });
        let requests = stream::iter(numbers).map(|number| {
            let registered = &registered;
            async move {
                let account = self.register(role, number).await;
                registered.fetch_add(1, Ordering::Relaxed);
                account.map(Arc::new).with_context(|| format!("registering {role:?} {number}"))
            }
        });
        requests.buffered(IN_FLIGHT).try_collect().await
    }

    async fn register(&self, role: Role, number: usize) -> Result<Account> {
        let (role, letter) = role.words();
        let username = format!("{}{letter}{number}", self.run);
        let email = format!("{username}@bench.invalid");
        let mut body =
            json!({ "username": username, "email": email, "password": "correct horse battery" });
        // Users do not say so: not every server that is measured knows roles.
        if role != "user" {
            body["role"] = role.into();
        }
        let answer =
            self.http.post(format!("{}/api/auth/register", self.url)).json(&body).send().await?;
        let status = answer.status();
        if status == StatusCode::TOO_MANY_REQUESTS {
            bail!("rate limited: start the server with RATE_LIMIT_REGISTRATIONS=off");
        }
        ensure!(
            status.is_success(),
            "answered {status}: {}",
            answer.text().await.unwrap_or_default()
        );
        let Envelope { data: Registered { token, user } } =
            answer.json().await.context("decoding the answer")?;
        Ok(user.account(token))
    }

    /// How many messages the store holds unread for these users, together; none where the server cannot tell.
    pub async fn unread(&self, accounts: &[Arc<Account>]) -> Result<Option<u64>> {
        let requests = stream::iter(accounts).map(|account| self.unread_of(account));
        let counts: Vec<_> =
            requests.buffered(IN_FLIGHT).try_collect().await.context("counting stored messages")?;
        Ok(counts.into_iter().sum())
    }

    async fn unread_of(&self, account: &Account) -> Result<Option<u64>> {
        let url = format!("{}/api/messages/unread/count", self.url);
        let answer = self.http.get(url).bearer_auth(&account.token).send().await?;
        if answer.status() == StatusCode::NOT_FOUND {
            return Ok(None);
        }
        let answer = answer.error_for_status()?;
        let Envelope { data: Unread { unread_count } } =
            answer.json().await.context("decoding the count")?;
        Ok(Some(unread_count))
    }

    /// The account that the server was started with.
    pub async fn log_in(&self, email: &str, password: &str) -> Result<Account> {
        let body = json!({ "email": email, "password": password });
        let request = self.http.post(format!("{}/api/auth/login", self.url)).json(&body);
        let Registered { token, user } = data(request).await.context("POST /api/auth/login")?;
        Ok(user.account(token))
    }

    /// What the server answers this user at `path`.
    pub async fn get<T: DeserializeOwned>(&self, account: &Account, path: &str) -> Result<T> {
        let request = self.http.get(format!("{}{path}", self.url));
        data(request.bearer_auth(&account.token)).await.with_context(|| format!("GET {path}"))
    }

    /// What the server answers when this user posts to `path`.
    pub async fn post<T: DeserializeOwned>(
        &self,
        account: &Account,
        path: &str,
        body: &Value,
    ) -> Result<T> {
        let request = self.http.post(format!("{}{path}", self.url)).json(body);
        data(request.bearer_auth(&account.token)).await.with_context(|| format!("POST {path}"))
    }

    /// The same as `get`, where answers have no envelope.
    pub async fn get_bare<T: DeserializeOwned>(&self, account: &Account, path: &str) -> Result<T> {
        let request = self.http.get(format!("{}{path}", self.url));
        bare(request.bearer_auth(&account.token)).await.with_context(|| format!("GET {path}"))
    }

    /// The same as `post`, where answers have no envelope.
    pub async fn post_bare<T: DeserializeOwned>(
        &self,
        account: &Account,
        path: &str,
        body: &Value,
    ) -> Result<T> {
        let request = self.http.post(format!("{}{path}", self.url)).json(body);
        bare(request.bearer_auth(&account.token)).await.with_context(|| format!("POST {path}"))
    }
}

impl RegisteredUser {
    fn account(self, token: String) -> Account {
        Account { id: self.id, username: self.username, token }
    }
}

async fn data<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T> {
    let Envelope { data } = bare(request).await?;
    Ok(data)
}

async fn bare<T: DeserializeOwned>(request: reqwest::RequestBuilder) -> Result<T> {
    let answer = request.send().await?;
    let status = answer.status();
    let text = answer.text().await?;
    ensure!(status.is_success(), "answered {status}: {text}");
    serde_json::from_str(&text).context("decoding the answer")
}
