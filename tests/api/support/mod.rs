//! What every test stands on: servers, people who call them, and small clients of the sockets.

pub(crate) mod access;
pub(crate) mod documents;
pub(crate) mod mail;
pub(crate) mod orders;
pub(crate) mod process;
pub(crate) mod raw;
pub(crate) mod rest;
pub(crate) mod rooms;
pub(crate) mod server;
pub(crate) mod slow;
pub(crate) mod socket;
pub(crate) mod transport;
pub(crate) mod v1;
pub(crate) mod wire;

pub(crate) use raw::Raw;
pub(crate) use rest::{Answer, Person, is_id, time};
pub(crate) use server::Server;
pub(crate) use socket::Socket;

/// Runs each function on every kind of store, each time on a server of its own:
/// `embedded::name` and `mongo::name`. `#[set(NAME = "value")]` configures that server.
macro_rules! on_every_store {
    ($(
        $(#[set($($variable:ident = $value:expr),* $(,)?)])?
        $(#[ignore = $defect:literal])?
        async fn $name:ident($server:ident) $body:block
    )*) => {
        $(async fn $name($server: &crate::support::Server) $body)*

        mod embedded {
            $(
                $(#[ignore = $defect])?
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let set = &[$($((stringify!($variable), $value)),*)?];
                    crate::support::server::run_embedded(set, super::$name).await;
                }
            )*
        }

        mod mongo {
            $(
                $(#[ignore = $defect])?
                #[tokio::test(flavor = "multi_thread", worker_threads = 2)]
                async fn $name() {
                    let set = &[$($((stringify!($variable), $value)),*)?];
                    crate::support::server::run_mongo(set, super::$name).await;
                }
            )*
        }
    };
}
