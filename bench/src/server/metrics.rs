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

/// Reads the counters; none where the server has no such page.
pub async fn writers(http: &reqwest::Client, url: &str) -> Result<Option<Writers>> {
    let answer = http.get(format!("{url}/metrics")).send().await?;
    if !answer.status().is_success() {
        return Ok(None);
    }
    let page = answer.text().await?;
    Ok(Some(Writers { messages: counts(&page, "messages"), locations: counts(&page, "locations") }))
}

/// A counter that is absent has not counted yet.
fn counts(page: &str, writer: &str) -> WriterCounts {
    let label = format!("writer=\"{writer}\"");
    let value = |name| -> f64 { page.lines().filter_map(|line| sample(line, name, &label)).sum() };
    WriterCounts {
        commits: value("waggle_group_commits_total"),
        items: value("waggle_group_items_total"),
    }
}

fn sample(line: &str, name: &str, label: &str) -> Option<f64> {
    let (labels, value) = line.strip_prefix(name)?.strip_prefix('{')?.split_once('}')?;
    let is_meant = labels.split(',').any(|found| found.trim() == label);
    is_meant.then(|| value.split_whitespace().next()?.parse().ok()).flatten()
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
        assert_eq!(counts(page, "messages"), WriterCounts { commits: 4.0, items: 120.0 });
        assert_eq!(counts(page, "locations"), WriterCounts { commits: 9.0, items: 0.0 });
    }

    #[test]
    fn a_counter_that_is_absent_is_zero() {
        assert_eq!(counts("", "messages"), WriterCounts::default());
    }
}
