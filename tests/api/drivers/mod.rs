//! The driver app's raw sockets, its REST, and the back office (CONTRACT §8).

mod access;
mod bad_input;
mod doors;
mod earnings;
mod ends;
mod locations;
mod many;
mod namespaces;
mod notices;
mod offers;
