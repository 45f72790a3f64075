//! On MongoDB.
