//! Accounts, login sessions and tokens (CONTRACT §2).
//!
//! Routes, under `/api/auth` and `/auth`: `register`, `login`, `refresh`, `logout`,
//! `forgot-password`, `reset-password`. Event, in every namespace: `refresh_token`.
//! Not here: the directory and profiles (`users`).

pub mod events;
pub mod mail;
pub mod model;
mod passwords;
pub mod requests;
pub mod routes;
pub mod service;
pub mod store;
mod tokens;
