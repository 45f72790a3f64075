//! Traces: where they go, and how many of them (feature `otlp`).

use std::fmt::{self, Display};
use std::str::FromStr;

use super::Vars;

/// The export of traces.
#[derive(Debug, Clone)]
pub struct TraceConfig {
    /// `OTLP_ENDPOINT`: the collector; nothing is exported without.
    pub endpoint: Option<OtlpEndpoint>,
    /// `OTLP_SAMPLE_RATIO`: which part of all traces is exported.
    pub sample_ratio: SampleRatio,
}

impl TraceConfig {
    pub(super) fn read(vars: &mut Vars) -> Self {
        let endpoint = vars.optional_parsed("OTLP_ENDPOINT");
        if endpoint.is_some() && !cfg!(feature = "otlp") {
            vars.reject(
                "OTLP_ENDPOINT",
                "needs a program that can export traces: cargo build --release --features otlp",
            );
        }
        // Whoever names a collector sees what they do at once; what is too much is dropped.
        Self { endpoint, sample_ratio: vars.parsed("OTLP_SAMPLE_RATIO", "1") }
    }
}

/// A collector that takes OTLP over HTTP, as in `http://localhost:4318`. TLS and credentials are
/// the collector's part, on its way to wherever traces are kept.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct OtlpEndpoint(String);

impl OtlpEndpoint {
    /// Where it takes traces.
    pub fn traces_url(&self) -> String {
        format!("{}/v1/traces", self.0)
    }
}

impl Display for OtlpEndpoint {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

impl FromStr for OtlpEndpoint {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        const MESSAGE: &str = "must be a collector's address as in http://localhost:4318: plain HTTP, without credentials and query";
        let base = text.trim().trim_end_matches('/');
        let base = base.strip_suffix("/v1/traces").unwrap_or(base);
        let uri: axum::http::Uri = base.parse().map_err(|_| MESSAGE)?;
        let has_host = uri.host().is_some_and(|host| !host.is_empty());
        let is_plain = uri.scheme_str() == Some("http") && !base.contains(['@', '?', '#']);
        if has_host && is_plain { Ok(Self(base.to_owned())) } else { Err(MESSAGE) }
    }
}

/// From 0, nothing, to 1, everything.
#[derive(Debug, Clone, Copy, PartialEq)]
pub struct SampleRatio(f64);

impl SampleRatio {
    /// As a number.
    pub const fn get(self) -> f64 {
        self.0
    }
}

impl FromStr for SampleRatio {
    type Err = &'static str;

    fn from_str(text: &str) -> Result<Self, Self::Err> {
        let ratio = text.parse().ok().filter(|ratio| (0.0..=1.0).contains(ratio));
        ratio.map(Self).ok_or("must be a number from 0 to 1")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_collector_is_named_by_its_address() {
        for text in
            ["http://localhost:4318", " http://localhost:4318/ ", "http://localhost:4318/v1/traces"]
        {
            let endpoint: OtlpEndpoint = text.parse().unwrap();
            assert_eq!(endpoint.to_string(), "http://localhost:4318");
            assert_eq!(endpoint.traces_url(), "http://localhost:4318/v1/traces");
        }
        let below: OtlpEndpoint = "http://[::1]:4318/otlp".parse().unwrap();
        assert_eq!(below.traces_url(), "http://[::1]:4318/otlp/v1/traces");
        for text in [
            "localhost:4318",
            "http://",
            "http:///v1/traces",
            "https://collector",
            "grpc://collector:4317",
            "http://name:password@collector",
            "http://collector?key=secret",
            "http://collector#here",
            "http://two words",
        ] {
            assert!(text.parse::<OtlpEndpoint>().is_err(), "{text}");
        }
    }

    #[test]
    fn a_ratio_is_from_nothing_to_everything() {
        for (text, ratio) in [("0", 0.0), ("0.25", 0.25), ("1", 1.0)] {
            assert_eq!(text.parse(), Ok(SampleRatio(ratio)));
        }
        for text in ["-0.1", "1.01", "NaN", "inf", "10%", ""] {
            assert!(text.parse::<SampleRatio>().is_err(), "{text}");
        }
    }
}
