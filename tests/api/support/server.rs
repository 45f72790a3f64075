//! A server in this process, on a port and a database of its own.

use std::collections::BTreeMap;
use std::net::SocketAddr;
use std::panic::{AssertUnwindSafe, resume_unwind};
use std::path::{Path, PathBuf};
use std::sync::{Arc, Mutex};
use std::time::Duration;

use futures_util::FutureExt;
use waggle::app;
use waggle::config::{Config, Vars};

/// What every server of the tests signs its tokens with.
pub(crate) const SECRET: &str = "a secret of the tests, longer than 32 bytes";

/// A server under test. Cheap to clone; all clones are the same server.
#[derive(Clone)]
pub(crate) struct Server(Arc<Inner>);

struct Inner {
    settings: Mutex<Vec<(String, String)>>,
    running: tokio::sync::Mutex<Option<app::Server>>,
    addresses: Mutex<Vec<SocketAddr>>,
    dir: TestDir,
    database: Option<String>,
    http: reqwest::Client,
}

/// For a graceful stop, as by default.
pub(crate) const STOPPING: Duration = Duration::from_secs(10);

/// Runs a test on the embedded store.
pub(crate) async fn run_embedded(set: &[(&str, &str)], test: impl AsyncFnOnce(&Server)) {
    let server = Server::start(None, set).await;
    Box::pin(test(&server)).await;
}

/// Runs a test on MongoDB, in a database that is dropped however the test ends.
pub(crate) async fn run_mongo(set: &[(&str, &str)], test: impl AsyncFnOnce(&Server)) {
    let uri = fresh_uri();
    let server = Server::start(Some(uri.clone()), set).await;
    let outcome = Box::pin(AssertUnwindSafe(test(&server)).catch_unwind()).await;
    // What a server still writes would bring the database back.
    if let Some(running) = server.0.running.lock().await.take() {
        Box::pin(running.stop(STOPPING)).await;
    }
    let client = mongodb::Client::with_uri_str(&uri).await.unwrap();
    client.default_database().unwrap().drop().await.unwrap();
    if let Err(panic) = outcome {
        resume_unwind(panic);
    }
}

/// The test's MongoDB with a database name of this test's own.
fn fresh_uri() -> String {
    let server = std::env::var("WAGGLE_TEST_MONGODB_URI").expect(
        "WAGGLE_TEST_MONGODB_URI must name a replica set: run tests/run.sh, which starts one",
    );
    let (address, options) = server.split_once('?').unwrap_or((&server, ""));
    let (scheme, rest) = address.split_once("://").expect("a URI has a scheme");
    let hosts = rest.split('/').next().unwrap_or_default();
    format!("{scheme}://{hosts}/waggle_api_{:032x}?{options}", rand::random::<u128>())
}

impl Server {
    async fn start(database: Option<String>, set: &[(&str, &str)]) -> Self {
        let dir = TestDir::new();
        let data = dir.path().join("data").display().to_string();
        let mut settings = vec![
            ("HOST", "127.0.0.1"),
            ("PORT", "0"),
            ("DATA_DIR", &data),
            ("JWT_SECRET", SECRET),
            ("BCRYPT_COST", "4"),
            ("RATE_LIMITS", "off"),
            ("DEMO_DRIVERS", "off"),
        ];
        settings.extend(database.as_deref().map(|uri| ("MONGODB_URI", uri)));
        settings.extend(set);
        let settings = settings.into_iter().map(|(n, v)| (n.to_owned(), v.to_owned())).collect();
        let server = Self(Arc::new(Inner {
            settings: Mutex::new(settings),
            running: tokio::sync::Mutex::default(),
            addresses: Mutex::default(),
            dir,
            database,
            http: reqwest::Client::new(),
        }));
        server.run().await;
        server
    }

    async fn run(&self) {
        let settings = self.0.settings.lock().unwrap().clone();
        // A later value overrides an earlier one, an empty one too.
        let settings: BTreeMap<_, _> = settings.into_iter().collect();
        let settings: Vec<_> = settings.iter().map(|(n, v)| (n.as_str(), v.as_str())).collect();
        let config = Config::from_vars(Vars::from_pairs(&settings)).unwrap();
        let server = Box::pin(app::start(&config)).await.unwrap();
        *self.0.addresses.lock().unwrap() = server.addresses().to_vec();
        *self.0.running.lock().await = Some(server);
    }

    /// Stops the server gracefully.
    pub(crate) async fn stop(&self) {
        let running = self.0.running.lock().await.take();
        Box::pin(running.expect("the server runs").stop(STOPPING)).await;
    }

    /// Stops the server and starts it again on the same data, with more settings.
    pub(crate) async fn restart_with(&self, set: &[(&str, &str)]) {
        self.stop().await;
        self.start_with(set).await;
    }

    /// Starts a stopped server again on the same data, with more settings.
    pub(crate) async fn start_with(&self, set: &[(&str, &str)]) {
        let set = set.iter().map(|(name, value)| ((*name).to_owned(), (*value).to_owned()));
        self.0.settings.lock().unwrap().extend(set);
        self.run().await;
    }

    /// Stops the server and starts it again on the same data.
    pub(crate) async fn restart(&self) {
        self.restart_with(&[]).await;
    }

    /// Where it listens.
    pub(crate) fn address(&self) -> SocketAddr {
        self.addresses()[0]
    }

    /// Where metrics and documents are, if that is elsewhere.
    pub(crate) async fn operations_address(&self) -> Option<SocketAddr> {
        self.0.running.lock().await.as_ref().expect("the server runs").operations_address()
    }

    /// Everywhere it listens.
    pub(crate) fn addresses(&self) -> Vec<SocketAddr> {
        self.0.addresses.lock().unwrap().clone()
    }

    /// Stands, stopped, for a server of the same settings in another process.
    pub(crate) fn stand_for(&self, port: u16) {
        *self.0.addresses.lock().unwrap() = vec![([127, 0, 0, 1], port).into()];
    }

    /// The variables it was started with.
    pub(crate) fn settings(&self) -> Vec<(String, String)> {
        self.0.settings.lock().unwrap().clone()
    }

    /// The address of a page or route.
    pub(crate) fn url(&self, path: &str) -> String {
        format!("http://{}{path}", self.address())
    }

    /// The HTTP client of the test.
    pub(crate) fn http(&self) -> &reqwest::Client {
        &self.0.http
    }

    /// A directory of this test's own.
    pub(crate) fn dir(&self) -> &Path {
        self.0.dir.path()
    }

    /// The database, where the store is MongoDB.
    pub(crate) fn mongodb_uri(&self) -> Option<&str> {
        self.0.database.as_deref()
    }
}

/// A directory that is removed when the test ends, however it ends.
pub(crate) struct TestDir(PathBuf);

impl TestDir {
    /// A new one.
    pub(crate) fn new() -> Self {
        let dir = std::env::temp_dir().join(format!("waggle-api-{:032x}", rand::random::<u128>()));
        std::fs::create_dir_all(&dir).unwrap();
        Self(dir)
    }

    /// Where it is.
    pub(crate) fn path(&self) -> &Path {
        &self.0
    }
}

impl Drop for TestDir {
    fn drop(&mut self) {
        let _ = std::fs::remove_dir_all(&self.0);
    }
}
