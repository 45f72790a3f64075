//! Pages of histories.

use crate::error::{Error, Result};

/// Which messages a page of a history holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum HistoryPage {
    /// Without the newest so many.
    Skip(i64),
    /// Those before this `seq`.
    Before(i64),
    /// Those after this `seq`.
    After(i64),
}

impl HistoryPage {
    /// The page that the parameters name; the newest without any.
    ///
    /// # Errors
    /// `validation_failed` for more than one of them.
    pub fn parse(skip: Option<i64>, before: Option<i64>, after: Option<i64>) -> Result<Self> {
        match (skip, before, after) {
            (skip, None, None) => Ok(Self::Skip(skip.unwrap_or(0))),
            (None | Some(0), Some(seq), None) => Ok(Self::Before(seq)),
            (None | Some(0), None, Some(seq)) => Ok(Self::After(seq)),
            _ => Err(Error::invalid("before", "must not be given together with after or skip")),
        }
    }

    /// The `seq`s of the page, `first..=last`, given the last one there is.
    pub fn bounds(self, last_seq: i64, limit: i64) -> (i64, i64) {
        match self {
            Self::Skip(skip) => ((last_seq - skip - limit + 1).max(1), last_seq - skip),
            Self::Before(seq) => ((seq - limit).max(1), seq - 1),
            Self::After(seq) => (seq + 1, (seq + limit).min(last_seq)),
        }
    }
}

/// Which messages of a room a page holds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct RoomPage {
    /// Its number, from 1.
    pub number: i64,
    /// How many messages, at most.
    pub size: i64,
    /// Where.
    pub place: HistoryPage,
}

impl RoomPage {
    /// The page that the parameters name; the newest without any.
    ///
    /// # Errors
    /// `validation_failed` for page 0, and for more than one place.
    pub fn parse(
        page: Option<i64>,
        size: u32,
        before: Option<i64>,
        after: Option<i64>,
    ) -> Result<Self> {
        let (number, size) = (page.unwrap_or(1), i64::from(size));
        if number < 1 {
            return Err(Error::invalid("page", "must be a number, 1 or more"));
        }
        if number > 1 && before.or(after).is_some() {
            return Err(Error::invalid("page", "must not be given together with before or after"));
        }
        let skip = (number - 1) * size;
        let place = HistoryPage::parse(Some(skip).filter(|skip| *skip > 0), before, after)?;
        Ok(Self { number, size, place })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn no_numbers_ask_for_more_than_a_page(
            page: u32, skip: Option<u32>, before: Option<u32>, after: Option<u32>, size in 1..=200_u32, last in 0..=i64::from(u32::MAX),
        ) {
            let (before, after) = (before.map(i64::from), after.map(i64::from));
            let of_room = RoomPage::parse(Some(page.into()), size, before, after).map(|page| page.place);
            for place in [HistoryPage::parse(skip.map(i64::from), before, after), of_room].into_iter().flatten() {
                let (first, to) = place.bounds(last, size.into());
                prop_assert!(first >= 1 && to - first < i64::from(size), "{first}..={to}");
            }
        }
    }

    #[test]
    fn pages_of_a_history_follow_each_other() {
        assert_eq!(HistoryPage::Skip(0).bounds(120, 50), (71, 120));
        assert_eq!(HistoryPage::Skip(100).bounds(120, 50), (1, 20));
        assert_eq!(HistoryPage::Before(71).bounds(120, 50), (21, 70));
        assert_eq!(HistoryPage::After(100).bounds(120, 50), (101, 120));
        let (first, last) = HistoryPage::Skip(500).bounds(120, 50);
        assert!(first > last);
    }
}
