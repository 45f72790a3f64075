//! The counters of the server's group-committing writers, from its Prometheus page.

use anyhow::Result;

/// What a writer has written since the server started.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct WriterCounts {
    /// Groups committed: one insert command each.
    pub commits: f64,
    /// What was in them, as messages.
    pub items: f64,
}

/// The writers that are looked at.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct Writers {
    pub messages: WriterCounts,
    pub locations: WriterCounts,
}

/// The page, as it was at a moment.
pub struct Page(String);

impl Page {
    /// Reads it; none where the server has no such page.
    pub async fn read(http: &reqwest::Client, url: &str) -> Result<Option<Self>> {
        let answer = http.get(format!("{url}/metrics")).send().await?;
        if !answer.status().is_success() {
            return Ok(None);
        }
        Ok(Some(Self(answer.text().await?)))
    }

    /// The writers' counts. A counter that is absent has not counted yet.
    pub fn writers(&self) -> Writers {
        let counts = |writer: &str| {
            let label = format!("writer=\"{writer}\"");
            WriterCounts {
                commits: self.sum("waggle_group_commits_total", &label),
                items: self.sum("waggle_group_items_total", &label),
            }
        };
        Writers { messages: counts("messages"), locations: counts("locations") }
    }

    /// All series of this name that have this label, as `writer="messages"`, or any, together.
    pub fn sum(&self, name: &str, label: &str) -> f64 {
        let series = self.series(name);
        series
            .filter(|(labels, _)| {
                label.is_empty() || labels.split(',').any(|of| of.trim() == label)
            })
            .fold(0.0, |sum, (_, value)| sum + value)
    }

    /// The series of this name: their labels, and their values.
    pub fn series(&self, name: &str) -> impl Iterator<Item = (&str, f64)> {
        self.0.lines().filter_map(move |line| {
            let rest = line.strip_prefix(name)?;
            let (labels, value) = match rest.strip_prefix('{') {
                Some(labelled) => labelled.split_once('}')?,
                None => ("", rest.strip_prefix(' ')?),
            };
            Some((labels, value.split_whitespace().next()?.parse().ok()?))
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn each_writer_has_counts_of_its_own() {
        let page = "# TYPE waggle_group_commits_total counter\n\
            waggle_group_commits_total{writer=\"messages\"} 4\n\
            waggle_group_commits_total{writer=\"locations\"} 9\n\
            waggle_group_items_total{node=\"a\",writer=\"messages\"} 120 1700000000\n";
        let Writers { messages, locations } = Page(page.to_owned()).writers();
        assert_eq!(messages, WriterCounts { commits: 4.0, items: 120.0 });
        assert_eq!(locations, WriterCounts { commits: 9.0, items: 0.0 });
    }

    #[test]
    fn a_counter_that_is_absent_is_zero() {
        assert_eq!(Page(String::new()).writers(), Writers::default());
    }

    #[test]
    fn a_series_may_have_no_labels_and_a_longer_name_is_another() {
        let page =
            "waggle_cuts_total 3\nwaggle_cuts_total_more 9\nwaggle_cuts_total{why=\"a\"} 2\n";
        let page = Page(page.to_owned());
        assert_eq!(page.sum("waggle_cuts_total", ""), 5.0);
        assert_eq!(page.sum("waggle_cuts_total", "why=\"a\""), 2.0);
    }
}
