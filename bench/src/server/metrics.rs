//! The counters of the server's group-committing message writer, from its Prometheus page.

use anyhow::Result;

/// What the message writer has written since the server started.
#[derive(Debug, Clone, Copy, Default, PartialEq)]
pub struct WriterCounts {
    /// Groups committed: one insert command each.
    pub commits: f64,
    /// Messages in them.
    pub items: f64,
}

/// Reads the counters; none where the server has no such page.
pub async fn writer_counts(http: &reqwest::Client, url: &str) -> Result<Option<WriterCounts>> {
    let answer = http.get(format!("{url}/metrics")).send().await?;
    if !answer.status().is_success() {
        return Ok(None);
    }
    Ok(Some(parse(&answer.text().await?)))
}

/// A counter that is absent has not counted yet.
fn parse(page: &str) -> WriterCounts {
    let value = |name| -> f64 { page.lines().filter_map(|line| message_sample(line, name)).sum() };
    WriterCounts {
        commits: value("waggle_group_commits_total"),
        items: value("waggle_group_items_total"),
    }
}

fn message_sample(line: &str, name: &str) -> Option<f64> {
    let (labels, value) = line.strip_prefix(name)?.strip_prefix('{')?.split_once('}')?;
    let of_messages = labels.split(',').any(|label| label.trim() == "writer=\"messages\"");
    of_messages.then(|| value.split_whitespace().next()?.parse().ok()).flatten()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn only_the_message_writer_counts() {
        let page = "# TYPE waggle_group_commits_total counter\n\
            waggle_group_commits_total{writer=\"messages\"} 4\n\
            waggle_group_commits_total{writer=\"locations\"} 9\n\
            waggle_group_items_total{node=\"a\",writer=\"messages\"} 120 1700000000\n";
        assert_eq!(parse(page), WriterCounts { commits: 4.0, items: 120.0 });
    }

    #[test]
    fn a_counter_that_is_absent_is_zero() {
        assert_eq!(parse(""), WriterCounts::default());
    }
}
