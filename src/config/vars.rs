//! Reads single variables, remembers what was asked for, and collects what is wrong.

use std::collections::HashMap;
use std::fmt::{self, Display};
use std::net::IpAddr;
use std::str::FromStr;
use std::time::Duration;

use secrecy::SecretString;

use super::values::{Rate, duration};

/// Names that other systems used (CONTRACT §9), and what they are called here.
const OLD_NAMES: [(&str, &str); 6] = [
    ("MONGO_URL", "MONGODB_URI"),
    ("JWT_SECRET_KEY", "JWT_SECRET"),
    ("JWT_ACCESS_SECRET", "JWT_SECRET"),
    ("JWT_EXPIRES", "JWT_EXPIRES_IN"),
    ("NODE_ENV", "APP_ENV"),
    ("BCRYPT_ROUNDS", "BCRYPT_COST"),
];

/// The variables, and the problems found in them so far. An empty value counts as not set.
pub struct Vars {
    values: HashMap<String, String>,
    asked: Vec<(&'static str, String)>,
    problems: Vec<String>,
}

/// Everything that is wrong with the configuration, a line each.
#[derive(Debug, thiserror::Error)]
pub struct Problems(Vec<String>);

impl Display for Problems {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the configuration has {} problem(s):", self.0.len())?;
        self.0.iter().try_for_each(|problem| write!(f, "\n  {problem}"))
    }
}

/// What is wrong with `.env`. The line itself may hold a secret and is not shown.
fn without_its_line(problem: &dotenvy::Error) -> String {
    match problem {
        dotenvy::Error::LineParse(..) => {
            ".env has a line that cannot be read; a value with spaces needs quotes".to_owned()
        }
        other => format!(".env: {other}"),
    }
}

/// The names alone: values may be secrets.
impl fmt::Debug for Vars {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_set().entries(self.values.keys()).finish()
    }
}

impl Vars {
    /// `.env` and the environment.
    pub fn from_env() -> Self {
        let mut vars = Self::from_pairs(&[]);
        match dotenvy::dotenv_iter() {
            Ok(lines) => vars.take(lines),
            Err(problem) if problem.not_found() => {}
            Err(problem) => vars.problems.push(without_its_line(&problem)),
        }
        for (name, value) in std::env::vars_os() {
            if let (Ok(name), Ok(value)) = (name.into_string(), value.into_string()) {
                vars.set(name, value);
            }
        }
        vars
    }

    fn take(&mut self, lines: dotenvy::Iter<impl std::io::Read>) {
        for line in lines {
            match line {
                Ok((name, value)) => self.set(name, value),
                Err(problem) => self.problems.push(without_its_line(&problem)),
            }
        }
    }

    /// Exactly these.
    pub fn from_pairs(pairs: &[(&str, &str)]) -> Self {
        let mut vars = Self { values: HashMap::new(), asked: Vec::new(), problems: Vec::new() };
        for (name, value) in pairs {
            vars.set((*name).to_owned(), (*value).to_owned());
        }
        vars
    }

    fn set(&mut self, name: String, value: String) {
        if !value.trim().is_empty() {
            self.values.insert(name, value);
        }
    }

    /// Every variable that was asked for, with its default.
    #[cfg(test)]
    pub(super) fn asked(&self) -> impl Iterator<Item = (&str, &str)> {
        self.asked.iter().map(|(name, default)| (*name, default.as_str()))
    }

    /// `Ok` when nothing was wrong.
    pub(super) fn finish(self) -> Result<(), Problems> {
        if self.problems.is_empty() { Ok(()) } else { Err(Problems(self.problems)) }
    }

    /// Notes what is wrong with a variable, by the name under which it was set.
    pub(super) fn reject(&mut self, name: &str, problem: impl Display) {
        let name = self.name_set(name);
        self.problems.push(format!("{name} {problem}"));
    }

    /// The name under which a variable was set: an old one, where only that is.
    fn name_set<'a>(&self, name: &'a str) -> &'a str {
        let old = OLD_NAMES.iter().filter(|(_, new)| *new == name).map(|(old, _)| *old);
        let mut names = std::iter::once(name).chain(old);
        names.find(|name| self.values.contains_key(*name)).unwrap_or(name)
    }

    /// Whether one of these is set, to whatever.
    pub(super) fn are_set(&self, names: &[&'static str]) -> bool {
        names.iter().any(|name| self.values.contains_key(self.name_set(name)))
    }

    fn find(&mut self, name: &'static str, default: &str) -> Option<String> {
        self.asked.push((name, default.to_owned()));
        self.values.get(self.name_set(name)).cloned()
    }

    pub(super) fn optional(&mut self, name: &'static str) -> Option<String> {
        self.find(name, "")
    }

    /// A secret: in the variable, or in the file that another variable names, as secrets are
    /// mounted into containers. Spaces and line ends around it are not part of it.
    pub(super) fn secret(
        &mut self,
        name: &'static str,
        file_name: &'static str,
    ) -> Option<SecretString> {
        let (value, path) = (self.optional(name), self.optional(file_name));
        match (value, path) {
            (Some(_), Some(_)) => {
                let name = self.name_set(name);
                self.reject(file_name, format!("and {name} are both set; one of them is enough"));
                None
            }
            (value, None) => value.map(|value| value.trim().into()),
            (None, Some(path)) => match std::fs::read_to_string(&path) {
                Ok(text) if !text.trim().is_empty() => Some(text.trim().into()),
                Ok(_) => {
                    self.reject(file_name, "names an empty file");
                    None
                }
                Err(problem) => {
                    self.reject(file_name, format!("names a file that cannot be read: {problem}"));
                    None
                }
            },
        }
    }

    pub(super) fn text(&mut self, name: &'static str, default: &str) -> String {
        self.find(name, default).unwrap_or_else(|| default.to_owned())
    }

    fn checked<T, E: Display>(
        &mut self,
        name: &'static str,
        default: &str,
        parse: impl Fn(&str) -> Result<T, E>,
    ) -> T {
        if let Some(text) = self.find(name, default) {
            match parse(text.trim()) {
                Ok(value) => return value,
                Err(problem) => self.reject(name, problem),
            }
        }
        parse(default).unwrap_or_else(|_| panic!("the default of {name} is valid"))
    }

    pub(super) fn parsed<T: FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
        default: &str,
    ) -> T {
        self.checked(name, default, str::parse)
    }

    /// A value whose default is valid and whose type says why another one is not.
    pub(super) fn parsed_text<T: FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
        default: &str,
    ) -> Option<T> {
        let text = self.text(name, default);
        text.parse().map_err(|problem| self.reject(name, problem)).ok()
    }

    pub(super) fn optional_parsed<T: FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
    ) -> Option<T> {
        let text = self.optional(name)?;
        text.parse().map_err(|problem| self.reject(name, problem)).ok()
    }

    pub(super) fn parsed_choice(
        &mut self,
        name: &'static str,
        default: &str,
        choices: &'static [&'static str],
    ) -> &'static str {
        self.checked(name, default, |text| {
            let known = choices.iter().find(|choice| **choice == text).copied();
            known.ok_or_else(|| format!("must be {}", choices.join(" or ")))
        })
    }

    pub(super) fn at_least(&mut self, name: &'static str, default: &str, least: usize) -> usize {
        self.checked(name, default, |text| {
            let number = text.parse::<usize>().ok().filter(|number| *number >= least);
            number.ok_or_else(|| format!("must be a number, {least} or more"))
        })
    }

    pub(super) fn address(&mut self, name: &'static str, default: &str) -> IpAddr {
        self.checked(name, default, |text| {
            text.parse().map_err(|_| "must be an address as in 127.0.0.1 or ::")
        })
    }

    pub(super) fn duration(&mut self, name: &'static str, default: &str) -> Duration {
        self.checked(name, default, duration)
    }

    pub(super) fn duration_or_off(
        &mut self,
        name: &'static str,
        default: &str,
    ) -> Option<Duration> {
        self.checked(name, default, |text| match text {
            "off" => Ok(None),
            text => duration(text).map(Some),
        })
    }

    pub(super) fn list<T: FromStr<Err: Display>>(
        &mut self,
        name: &'static str,
        default: &str,
    ) -> Vec<T> {
        self.checked(name, default, |text| {
            let parts = text.split(',').map(str::trim).filter(|part| !part.is_empty());
            parts
                .map(|part| part.parse::<T>().map_err(|problem| format!("{part}: {problem}")))
                .collect()
        })
    }

    pub(super) fn rate(&mut self, name: &'static str, default: &str) -> Option<Rate> {
        self.checked(name, default, |text| match text {
            "off" => Ok(None),
            rate => rate.parse().map(Some),
        })
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn whatever_stands_in_the_file_is_a_variable_or_a_problem_that_does_not_show_it(
            bytes: Vec<u8>,
            line in "[A-Z a-z=#'\"$\\\\{}\n-]{0,80}",
        ) {
            let text = format!("{line}\nKNOWN='whole'\n");
            for file in [bytes.as_slice(), text.as_bytes()] {
                let mut vars = Vars::from_pairs(&[]);
                vars.take(dotenvy::from_read_iter(file));
                prop_assert!(vars.problems.iter().all(|problem| !problem.contains("KNOWN")));
            }
        }
    }

    #[test]
    fn a_line_that_cannot_be_read_is_not_shown() {
        let problem = dotenvy::Error::LineParse("JWT_SECRET='hidden".to_owned(), 0);
        assert!(!without_its_line(&problem).contains("hidden"));
    }
}
