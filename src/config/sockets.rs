//! Connections and sockets: packets, buffers, and how long anything may take.

use std::time::Duration;

use super::{SocketParser, Vars};

/// Connections and sockets.
#[derive(Debug, Clone)]
pub struct SocketConfig {
    /// `SOCKET_PARSER`.
    pub parser: SocketParser,
    /// `PING_INTERVAL`.
    pub ping_interval: Duration,
    /// `PING_TIMEOUT`.
    pub ping_timeout: Duration,
    /// `CONNECT_TIMEOUT`: how long a transport may stay without joining a namespace.
    pub connect_timeout: Duration,
    /// `MAX_PACKET_BYTES`.
    pub max_packet: usize,
    /// `SEND_BUFFER_PACKETS`: a slower reader than this is cut.
    pub send_buffer: usize,
    /// `EVENT_QUEUE`: events of one socket that may wait for their turn.
    pub event_queue: usize,
    /// `WRITE_STALL`: a connection that takes no byte for so long is cut.
    pub write_stall: Duration,
    /// `HEADER_TIMEOUT`: how long a request's head may take, and a kept-alive connection may idle.
    pub header_timeout: Duration,
    /// `MAX_CONNECTIONS`.
    pub max_connections: usize,
    /// `MAX_CONNECTIONS_PER_ADDRESS`.
    pub max_connections_per_address: usize,
    /// `MAX_UNAUTHENTICATED_CONNECTIONS`: those of them over which nobody has said who they are.
    pub max_unauthenticated: usize,
    /// `MAX_SOCKETS_PER_USER`.
    pub max_sockets_per_user: usize,
}

impl SocketConfig {
    pub(super) fn read(vars: &mut Vars) -> Self {
        Self {
            parser: vars.parsed("SOCKET_PARSER", "common"),
            ping_interval: vars.duration("PING_INTERVAL", "25s"),
            ping_timeout: vars.duration("PING_TIMEOUT", "20s"),
            connect_timeout: vars.duration("CONNECT_TIMEOUT", "10s"),
            max_packet: vars.at_least("MAX_PACKET_BYTES", "1000000", 1024),
            send_buffer: vars.at_least("SEND_BUFFER_PACKETS", "1024", 16),
            event_queue: vars.at_least("EVENT_QUEUE", "1024", 1),
            write_stall: vars.duration("WRITE_STALL", "7s"),
            header_timeout: vars.duration("HEADER_TIMEOUT", "10s"),
            max_connections: vars.at_least("MAX_CONNECTIONS", "100000", 1),
            max_connections_per_address: vars.at_least("MAX_CONNECTIONS_PER_ADDRESS", "2000", 1),
            max_unauthenticated: vars.at_least("MAX_UNAUTHENTICATED_CONNECTIONS", "20000", 1),
            max_sockets_per_user: vars.at_least("MAX_SOCKETS_PER_USER", "100", 1),
        }
    }
}
