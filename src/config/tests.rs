//! The configuration as a whole.

use super::tokens::SAMPLE_SECRETS;
use super::*;

fn problems(vars: &[(&str, &str)]) -> String {
    Config::from_vars(Vars::from_pairs(vars)).map(|_| ()).unwrap_err().to_string()
}

#[test]
fn nothing_set_is_a_working_development_configuration() {
    let config = Config::from_vars(Vars::from_pairs(&[])).unwrap();
    assert_eq!(config.listen.ports, [3000]);
    assert_eq!(config.env, AppEnv::Development);
    assert!(config.store.mongodb_uri.is_none());
}

#[test]
fn every_problem_is_reported_at_once_by_name() {
    let text =
        problems(&[("PORT", "http"), ("PRESENCE_GRACE", "soon"), ("RATE_LIMIT_SENDS", "many")]);
    for name in ["PORT", "PRESENCE_GRACE", "RATE_LIMIT_SENDS"] {
        assert!(text.contains(name), "{text}");
    }
}

#[test]
fn a_level_that_is_misspelt_is_named() {
    for level in ["verbose", "warning", "waggle=loud", "info,waggle=", "info,,warn"] {
        let text = problems(&[("LOG_LEVEL", level)]);
        assert!(text.contains("LOG_LEVEL must be off, error"), "{level}: {text}");
    }
    for level in ["warn", "INFO", "info,waggle::chat=debug", "waggle=debug"] {
        let config = Config::from_vars(Vars::from_pairs(&[("LOG_LEVEL", level)])).unwrap();
        assert_eq!(config.log.level.as_str(), level);
    }
}

#[test]
fn production_refuses_missing_short_and_sample_secrets() {
    let samples = [
        "change-me-change-me-change-me-change-me",
        "your-super-secret-jwt-key-with-enough-letters",
        "00000000000000000000000000000000",
    ];
    for secret in ["", "short"].iter().chain(&SAMPLE_SECRETS).chain(&samples) {
        let text = problems(&[("APP_ENV", "production"), ("JWT_SECRET", secret)]);
        assert!(text.contains("JWT_SECRET"), "{text}");
    }
}

#[test]
fn a_secret_can_stand_in_a_file() {
    let path = std::env::temp_dir().join(format!("waggle-secret-{}", std::process::id()));
    std::fs::write(&path, "0123456789abcdef0123456789abcdef\n").unwrap();
    let file = path.to_str().unwrap();
    let production = ("APP_ENV", "production");
    let config = Config::from_vars(Vars::from_pairs(&[production, ("JWT_SECRET_FILE", file)]));
    let secret = config.unwrap().tokens.secret.unwrap();
    assert_eq!(secret.expose_secret(), "0123456789abcdef0123456789abcdef");
    let both = problems(&[("JWT_SECRET", "one"), ("JWT_SECRET_FILE", file)]);
    assert!(both.contains("JWT_SECRET_FILE") && !both.contains("0123"), "{both}");
    std::fs::write(&path, "\n").unwrap();
    assert!(problems(&[("JWT_SECRET_FILE", file)]).contains("empty"));
    std::fs::remove_file(&path).unwrap();
    assert!(problems(&[("JWT_SECRET_FILE", file)]).contains("cannot be read"));
}

#[test]
fn earlier_secrets_are_held_to_the_same_rules() {
    let new = ("JWT_SECRET", "0123456789abcdef0123456789abcdef");
    let production = ("APP_ENV", "production");
    let text = problems(&[production, new, ("JWT_PREVIOUS_SECRETS", "short")]);
    assert!(text.contains("JWT_PREVIOUS_SECRETS"), "{text}");
    let two = ("JWT_PREVIOUS_SECRETS", "one, two,");
    assert_eq!(
        Config::from_vars(Vars::from_pairs(&[two])).unwrap().tokens.previous_secrets.len(),
        2
    );
}

#[test]
fn a_certificate_needs_its_key() {
    assert!(problems(&[("TLS_CERT", "cert.pem")]).contains("TLS_KEY"));
    assert!(problems(&[("TLS_KEY", "key.pem")]).contains("TLS_CERT"));
}

#[test]
fn the_old_names_of_the_seeds_are_read() {
    let config = Config::from_vars(Vars::from_pairs(&[
        ("NODE_ENV", "production"),
        ("JWT_SECRET_KEY", "0123456789abcdef0123456789abcdef"),
        ("JWT_EXPIRES", "15m"),
        ("MONGO_URL", "mongodb://db/chat"),
        ("BCRYPT_ROUNDS", "12"),
    ]))
    .unwrap();
    assert_eq!(config.env, AppEnv::Production);
    assert_eq!(config.tokens.access_ttl, Duration::from_secs(900));
    assert_eq!(config.accounts.bcrypt_cost, 12);
    assert!(config.store.mongodb_uri.is_some());
}

#[test]
fn a_problem_has_the_name_that_was_set() {
    for (old, new, wrong) in [
        ("MONGO_URL", "MONGODB_URI", "http://db"),
        ("JWT_EXPIRES", "JWT_EXPIRES_IN", "soon"),
        ("NODE_ENV", "APP_ENV", "moon"),
        ("BCRYPT_ROUNDS", "BCRYPT_COST", "many"),
    ] {
        let text = problems(&[(old, wrong)]);
        assert!(text.contains(&format!("\n  {old} must")), "{text}");
        let text = problems(&[(old, wrong), (new, wrong)]);
        assert!(text.contains(&format!("\n  {new} must")), "{text}");
    }
    for old in ["JWT_SECRET_KEY", "JWT_ACCESS_SECRET"] {
        let text = problems(&[("APP_ENV", "production"), (old, "short")]);
        assert!(text.contains(&format!("\n  {old} must have at least 32")), "{text}");
        let text = problems(&[(old, "short"), ("JWT_SECRET_FILE", "/nowhere")]);
        assert!(text.contains(&format!("JWT_SECRET_FILE and {old} are both set")), "{text}");
    }
}

#[test]
fn a_problem_says_what_the_value_must_be() {
    for (name, wrong) in [
        ("PORT", "abc"),
        ("PORT", "3000,65536"),
        ("PORT", "3000,3001,3000"),
        ("OPERATIONS_PORT", "3000"),
        ("HOST", "abc"),
        ("OPERATIONS_HOST", "localhost"),
        ("BCRYPT_COST", "ten"),
        ("BCRYPT_COST", "17"),
        ("SMTP_URL", "smtp://"),
        ("SMTP_URL", "mail.example.com"),
        ("PUBLIC_URL", "foo"),
        ("PUBLIC_URL", "https://"),
        ("PUBLIC_URL", "ftp://example.com"),
        ("PUBLIC_URL", "https://example.com/?page=1"),
    ] {
        let text = problems(&[(name, wrong)]);
        let line = text.lines().nth(1).unwrap();
        assert!(line.trim_start().starts_with(name) && line.contains("must be"), "{wrong}: {text}");
        assert_eq!(text.lines().count(), 2, "{text}");
    }
}

#[test]
fn what_a_start_takes_is_valid() {
    for (name, value) in [
        ("PORT", "0,0"),
        ("OPERATIONS_PORT", "9100"),
        ("HOST", "0.0.0.0"),
        ("SMTP_URL", "smtps://name:pass%40word@mail.example.com:465"),
        ("PUBLIC_URL", "https://example.com:8443/chat/"),
        ("PUBLIC_URL", "http://[::1]:3000"),
    ] {
        assert!(Config::from_vars(Vars::from_pairs(&[(name, value)])).is_ok(), "{name}={value}");
    }
    let apart = [("HOST", "127.0.0.2"), ("PORT", "3000"), ("OPERATIONS_PORT", "3000")];
    assert!(Config::from_vars(Vars::from_pairs(&apart)).is_ok());
}

#[test]
fn one_switch_turns_all_limits_off() {
    let config = Config::from_vars(Vars::from_pairs(&[("RATE_LIMITS", "off")])).unwrap();
    assert!(config.rates.sends.is_none() && config.rates.connects.is_none());
}

#[test]
fn the_example_file_lists_every_variable_with_its_default() {
    let mut vars = Vars::from_pairs(&[]);
    Config::read(&mut vars);
    let example = include_str!("../../.env.example");
    let listed: Vec<_> = example
        .lines()
        .filter_map(|line| line.trim_start_matches("# ").split_once('='))
        .filter(|(name, _)| name.chars().all(|c| c.is_ascii_uppercase() || c == '_'))
        .map(|(name, value)| (name.to_owned(), value.to_owned()))
        .collect();
    for (name, default) in vars.asked() {
        let shown = listed.iter().find(|(listed, _)| listed == name);
        assert_eq!(shown.map(|(_, value)| value.as_str()), Some(default), "{name} in .env.example");
    }
    for (name, _) in &listed {
        assert!(vars.asked().any(|(asked, _)| asked == name), "{name} is not a variable any more");
    }
}

#[test]
fn a_bad_first_admin_is_told_of_once() {
    for (email, password) in [("root@example.com", "short"), ("root", "password123")] {
        let told = problems(&[("ADMIN_EMAIL", email), ("ADMIN_PASSWORD", password)]);
        assert_eq!(told.matches("ADMIN_").count(), 1, "{told}");
    }
}

#[test]
fn the_debug_form_of_a_configuration_shows_no_secret() {
    let secrets = [
        ("JWT_SECRET", "secret-of-tokens-0123456789abcdef"),
        (
            "JWT_PREVIOUS_SECRETS",
            "secret-of-before-0123456789abcde,secret-of-long-ago-0123456789ab",
        ),
        ("ADMIN_PASSWORD", "secret-of-the-admin"),
        ("SMTP_URL", "smtp://mail:secret-of-mail@mail.example.com"),
        ("MONGODB_URI", "mongodb://waggle:secret-of-the-store@db.example.com/?replicaSet=rs0"),
    ];
    let mut vars = secrets.to_vec();
    vars.push(("ADMIN_EMAIL", "root@example.com"));
    let config = Config::from_vars(Vars::from_pairs(&vars)).unwrap();
    for shown in [format!("{config:?}"), format!("{config:#?}")] {
        assert!(shown.contains("root@example.com"), "{shown}");
        assert!(!shown.contains("secret-of-"), "{shown}");
    }
    // Nor do the variables as they were read.
    let vars = format!("{:?}", Vars::from_pairs(&vars));
    assert!(!vars.contains("secret-of-"), "{vars}");
}

proptest::proptest! {
    /// The tests' own process has no secrets in files: `*_FILE` is left out.
    #[test]
    fn whatever_variables_hold_is_a_configuration_or_a_list_of_problems(
        production: bool,
        which: [proptest::sample::Index; 4],
        values in proptest::array::uniform4(proptest::prop_oneof![
            proptest::prelude::any::<String>(),
            "-?[0-9]{1,25}(ms|s|m|h|d|/[0-9]{1,3}[smhd]?)?",
            "([a-z]{1,9}://)?[a-z0-9@:.,/*?_-]{0,40}",
        ]),
    ) {
        let mut asked = Vars::from_pairs(&[]);
        Config::read(&mut asked);
        let names: Vec<_> = asked.asked().map(|(name, _)| name.to_owned()).filter(|name| !name.ends_with("_FILE")).collect();
        let env = ("APP_ENV", if production { "production" } else { "test" });
        let mut pairs = vec![env];
        pairs.extend(which.iter().zip(&values).map(|(at, value)| (at.get(&names).as_str(), value.as_str())));
        if let Err(problems) = Config::from_vars(Vars::from_pairs(&pairs)) {
            proptest::prop_assert!(problems.to_string().len() < 10_000);
        }
    }
}
