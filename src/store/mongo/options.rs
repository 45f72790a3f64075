//! Reading a MongoDB URI: what it may set, what the code decides, and how to complain about it
//! without showing its password.

use std::time::Duration;

use mongodb::options::{ClientOptions, ReadPreference, SelectionCriteria, ServerMonitoringMode};

use super::operation::CONNECTIONS;
use super::{ConnectError, durable};

/// The database of a URI that names none.
pub(super) const DEFAULT_DATABASE: &str = "waggle";
/// For a server to be found, for a connection to it, and between two looks at it, unless the URI
/// says otherwise.
const PATIENCE: Duration = Duration::from_secs(5);

pub(super) async fn parse(uri: &str) -> Result<ClientOptions, ConnectError> {
    let mut options = ClientOptions::parse(uri).await.map_err(|error| uri_error(uri, &error))?;
    options.app_name = Some("waggle".to_owned());
    options.server_selection_timeout.get_or_insert(PATIENCE);
    options.connect_timeout.get_or_insert(PATIENCE);
    // A monitor that is pushed news never notices that nothing it says arrives, and only a monitor
    // that times out has connections closed whose handshake was never answered.
    options.server_monitoring_mode.get_or_insert(ServerMonitoringMode::Poll);
    options.heartbeat_freq.get_or_insert(PATIENCE);
    options.max_pool_size.get_or_insert(CONNECTIONS);
    // Else two handshakes that are never answered keep all others waiting.
    options.max_connecting.get_or_insert(CONNECTIONS);
    // Durability and reading one's own writes are promises of the stores, not of a setting.
    options.write_concern = Some(durable());
    options.selection_criteria = Some(SelectionCriteria::ReadPreference(ReadPreference::Primary));
    options.read_concern = None;
    options.retry_writes = Some(true);
    Ok(options)
}

/// What the driver says about `uri`, unless it quotes a part of the name and password in it.
pub(super) fn uri_error(uri: &str, error: &mongodb::error::Error) -> ConnectError {
    let message = error.kind.to_string();
    let after_scheme = uri.split_once("://").map_or(uri, |(_, rest)| rest);
    let secret = after_scheme.rsplit_once('@').map_or("", |(secret, _)| secret);
    let parts = secret.split([':', '@', '/', '?', '&', '=']);
    let quoted = parts.filter(|part| !part.is_empty()).any(|part| message.contains(part));
    ConnectError::Uri(if quoted {
        "name and password must be percent-encoded, as in mongodb://name:pass%40word@host/db"
            .to_owned()
    } else {
        message
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn a_bad_uri_is_refused_without_showing_its_password() {
        for uri in [
            "mongodb://alice:s3cr3t/hunter2@localhost/db",
            "mongodb://alice:s3cr3t@hunter2@localhost",
            "mongodb://alice:s3cr3t@localhost:port",
            "mongo://alice:s3cr3t@localhost",
            "mongodb://alice:s3cr3t%zz@localhost",
            "mongodb://alice:s3cr3t?w=hunter2@localhost",
            "mongodb://alice:1234/?s3cr3t@localhost",
            "mongodb://alice:1234/?s3cr3t=hunter2@localhost",
            "mongodb://alice:1234/db?authMechanism=s3cr3t@localhost",
        ] {
            let error = parse(uri).await.expect_err(uri).to_string();
            assert!(!error.contains("s3cr3t") && !error.contains("hunter2"), "{uri}: {error}");
        }
    }

    #[tokio::test]
    async fn the_code_decides_durability_and_the_uri_decides_patience() {
        let uri = "mongodb://localhost/?w=1&readPreference=secondary&serverSelectionTimeoutMS=700";
        let options = parse(uri).await.unwrap();
        assert_eq!(options.write_concern, Some(durable()));
        assert_eq!(options.server_selection_timeout, Some(Duration::from_millis(700)));
        assert_eq!(options.connect_timeout, Some(PATIENCE));
        assert_eq!(options.server_monitoring_mode, Some(ServerMonitoringMode::Poll));
    }
}
