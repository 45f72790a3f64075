//! What a batch of positions says of where each driver is now.

use std::collections::HashMap;
use std::collections::hash_map::Entry;

use crate::drivers::model::Fix;
use crate::ids::UserId;

/// The last position of each driver; of several at the same time the first in the batch.
pub(super) fn latest(fixes: &[(UserId, Fix)]) -> HashMap<UserId, &Fix> {
    let mut latest = HashMap::new();
    for (driver, fix) in fixes {
        match latest.entry(*driver) {
            Entry::Vacant(entry) => drop(entry.insert(fix)),
            Entry::Occupied(mut entry) => {
                let known: &mut &Fix = entry.get_mut();
                if fix.replaces(known) {
                    *known = fix;
                }
            }
        }
    }
    latest
}
