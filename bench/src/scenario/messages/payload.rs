//! The content of a message: which run and number it is, when it was meant to be sent, and filler up to 100–300 bytes.

use std::time::Duration;

/// Plain words; no content of a message may look like markup, or the server would rightly change it.
const FILLER: &str = "the bees come home from the lime trees at noon and dance on the comb for the others to see how far \
    it is and which way the sun stands so that whoever has watched long enough may fly there without asking again and \
    come back heavy with what is left of the morning before the wind turns and the rain sets in over the hills";

/// What a message carries for its receiver to check.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Stamp<'a> {
    /// The run and scenario: anything else is not ours.
    pub mark: &'a str,
    /// 1, 2, 3 … for each sender.
    pub number: u64,
    /// Since the origin of the scenario's clock.
    pub intended: Duration,
}

impl<'a> Stamp<'a> {
    /// The stamp alone.
    pub fn brief(&self) -> String {
        let Self { mark, number, intended } = self;
        format!("{mark} {number} {}", intended.as_nanos())
    }

    /// The content of the message with this stamp.
    pub fn content(&self) -> String {
        let stamp = self.brief() + " ";
        let length = 100 + (self.number * 37 % 201) as usize;
        let filler = FILLER[..length.saturating_sub(stamp.len()).min(FILLER.len())].trim_end();
        stamp + filler
    }

    /// Reads the stamp back; none if the content is not one of ours.
    pub fn read(content: &'a str) -> Option<Self> {
        let mut words = content.split(' ');
        let mark = words.next()?;
        let number = words.next()?.parse().ok()?;
        let intended = Duration::from_nanos(words.next()?.parse().ok()?);
        Some(Self { mark, number, intended })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_stamp_comes_back_and_the_content_has_the_promised_length() {
        for number in 1..500 {
            let stamp = Stamp {
                mark: "b0011aabb.3",
                number,
                intended: Duration::from_nanos(123_456_789_012),
            };
            let content = stamp.content();
            assert_eq!(Stamp::read(&content), Some(stamp));
            assert!((95..=300).contains(&content.len()), "{}", content.len());
        }
    }

    #[test]
    fn other_content_has_no_stamp() {
        assert_eq!(Stamp::read("hello"), None);
    }
}
