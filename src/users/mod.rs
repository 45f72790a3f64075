//! The directory of users and their profiles (CONTRACT §2).
//!
//! Routes, under `/api/auth` and `/auth`: `me` (read and change), `users`.

pub mod model;
pub mod routes;
pub mod service;
pub mod store;
