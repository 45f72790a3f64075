//! Who may import whom (DESIGN §2), read from the source as text: each violation is named with
//! its file, its line and its rule.

#![allow(clippy::unwrap_used, reason = "a test that cannot go on fails")]

use std::fs;
use std::path::Path;

/// The domains, and which other domains each may use.
const DOMAINS: [(&str, &[&str]); 10] = [
    ("presence", &[]),
    ("auth", &["presence"]),
    ("users", &["auth", "presence"]),
    ("admin", &["users", "auth", "presence"]),
    ("rooms", &["users", "auth", "presence"]),
    ("chat", &["rooms", "users", "auth", "presence"]),
    ("drivers", &["users", "auth", "presence"]),
    ("orders", &["drivers", "rooms", "users", "auth", "presence"]),
    ("tracking", &["orders", "drivers", "users", "auth", "presence"]),
    ("privacy", &["orders", "drivers", "chat", "rooms", "users", "auth", "presence"]),
];
/// What knows domains though it is none: the composition.
const ABOVE_DOMAINS: [(&str, &[&str]); 3] = [
    (
        "app",
        &[
            "presence", "auth", "users", "admin", "rooms", "chat", "drivers", "orders", "tracking",
            "privacy",
        ],
    ),
    ("main", &["app"]),
    ("lib", &[]),
];
/// What everything stands on.
const KERNEL: [&str; 6] = ["caller", "error", "ids", "clock", "text", "page"];
/// What the kernel and nothing below it may use.
const ABOVE_KERNEL: [&str; 3] = ["realtime", "rest", "store"];
const DATABASES: [&str; 3] = ["mongodb", "rusqlite", "bson"];
const WIRES: [&str; 3] = ["axum", "socketioxide", "mongodb"];

/// A source file: its path under src/, and its text.
struct Source {
    path: String,
    text: String,
}

/// Every `.rs` file under `dir`.
fn read(dir: &Path, prefix: &str, found: &mut Vec<Source>) {
    for entry in fs::read_dir(dir).unwrap() {
        let entry = entry.unwrap();
        let path = format!("{prefix}{}", entry.file_name().to_string_lossy());
        if entry.path().is_dir() {
            read(&entry.path(), &format!("{path}/"), found);
        } else if path.ends_with(".rs") {
            found.push(Source { path, text: fs::read_to_string(entry.path()).unwrap() });
        }
    }
}

/// The text without comments and without what stands in quotes, line by line as it was.
fn code(text: &str) -> String {
    let mut out = String::with_capacity(text.len());
    for line in text.lines() {
        let mut quoted = false;
        let mut previous = ' ';
        let mut kept = String::new();
        for (at, c) in line.char_indices() {
            if !quoted && line[at..].starts_with("//") {
                break;
            }
            if c == '"' && previous != '\\' && previous != '\'' {
                quoted = !quoted;
            } else if !quoted {
                kept.push(c);
            }
            previous = if previous == '\\' { ' ' } else { c };
        }
        out.push_str(&kept);
        out.push('\n');
    }
    out
}

/// The path of a file's module: `auth/service/check.rs` is `[auth, service, check]`.
fn module(path: &str) -> Vec<&str> {
    let path = path.trim_end_matches(".rs").trim_end_matches("/mod");
    path.split('/').collect()
}

fn is_word(c: char) -> bool {
    c.is_ascii_alphanumeric() || c == '_'
}

fn line_of(text: &str, at: usize) -> usize {
    text[..at].matches('\n').count() + 1
}

/// The first names in what follows `crate::`: one, or those of a group in braces.
fn first_names(rest: &str) -> Vec<&str> {
    let name = |text: &str| text.find(|c| !is_word(c)).unwrap_or(text.len());
    let Some(group) = rest.strip_prefix('{') else { return vec![&rest[..name(rest)]] };
    let (mut depth, mut names, mut fresh) = (0, Vec::new(), true);
    for (at, c) in group.char_indices() {
        match c {
            '{' => depth += 1,
            '}' if depth == 0 => break,
            '}' => depth -= 1,
            ',' if depth == 0 => fresh = true,
            c if fresh && is_word(c) => {
                names.push(&group[at..at + name(&group[at..])]);
                fresh = false;
            }
            _ => {}
        }
    }
    names
}

/// The modules of the crate's root that a file names, with the line of each.
fn used<'a>(path: &str, code: &'a str) -> Vec<(usize, &'a str)> {
    let mut found = Vec::new();
    for start in ["crate::", "waggle::"] {
        for (at, _) in code.match_indices(start) {
            if !code[..at].ends_with(is_word) {
                let names = first_names(&code[at + start.len()..]);
                found.extend(names.into_iter().map(|name| (line_of(code, at), name)));
            }
        }
    }
    let depth = module(path).len();
    let root = "super::".repeat(depth);
    for (at, _) in code.match_indices(&root) {
        if !code[..at].ends_with("super::") {
            let names = first_names(&code[at + root.len()..]);
            found.extend(names.into_iter().map(|name| (line_of(code, at), name)));
        }
    }
    found
}

/// Whether a file names a library: `mongodb::…`, `use mongodb;`.
fn names_library(code: &str, library: &str) -> Option<usize> {
    let mut found = code.match_indices(library).filter(|(at, _)| {
        let (before, after) = (&code[..*at], &code[at + library.len()..]);
        let imported = before.trim_end().ends_with("use") && after.starts_with([';', ' ']);
        !before.ends_with(is_word)
            && !before.ends_with("::")
            && (after.starts_with("::") || imported)
    });
    found.next().map(|(at, _)| line_of(code, at))
}

/// The domains that a module of the root may use.
fn allowed(module: &str) -> &'static [&'static str] {
    let known = DOMAINS.iter().chain(&ABOVE_DOMAINS).find(|(name, _)| *name == module);
    known.map_or(&[], |(_, allowed)| allowed)
}

/// Everything that breaks a rule.
fn violations(sources: &[Source]) -> Vec<String> {
    let mut broken = Vec::new();
    for Source { path, text } in sources {
        let code = code(text);
        let parts = module(path);
        let mut report = |line, rule: String| broken.push(format!("src/{path}:{line}: {rule}"));
        let in_store = parts[0] == "store" || parts.get(1) == Some(&"store");
        for database in DATABASES.iter().filter(|_| !in_store) {
            if let Some(line) = names_library(&code, database) {
                report(line, format!("{database} is named outside a store"));
            }
        }
        for wire in WIRES.iter().filter(|_| parts.get(1) == Some(&"service")) {
            if let Some(line) = names_library(&code, wire) {
                report(line, format!("a service names {wire}"));
            }
        }
        for (line, name) in used(path, &code) {
            let domain = DOMAINS.iter().any(|(domain, _)| *domain == name) || name == "app";
            if domain && name != parts[0] && !allowed(parts[0]).contains(&name) {
                report(line, format!("{} may not use {name}", parts[0]));
            }
            if KERNEL.contains(&parts[0]) && ABOVE_KERNEL.contains(&name) {
                report(line, format!("{} may not use {name}", parts[0]));
            }
        }
    }
    broken
}

/// The fields of types that are read from clients which take any JSON: objects of operators, too.
fn any_json(sources: &[Source]) -> Vec<String> {
    let mut found = Vec::new();
    for Source { path, text } in sources {
        let mut read = false;
        for line in code(text).lines() {
            if line.starts_with("#[derive(") {
                read = line.contains("Deserialize");
            } else if line == "}" {
                read = false;
            }
            let words: Vec<_> =
                line.split(|c| !is_word(c)).filter(|word| !word.is_empty()).collect();
            if read && words[..].ends_with(&["Value"]) {
                let field = words.iter().find(|word| **word != "pub").copied().unwrap_or_default();
                found.push(format!("src/{path}: {field}"));
            }
        }
    }
    found.sort_unstable();
    found
}

fn source() -> Vec<Source> {
    let mut sources = Vec::new();
    read(&Path::new(env!("CARGO_MANIFEST_DIR")).join("src"), "", &mut sources);
    assert!(sources.len() > 50, "the source was found");
    sources
}

#[test]
fn no_request_takes_any_json_but_where_each_value_is_looked_at() {
    let known = [
        "src/chat/requests/sending.rs: temp_id",
        "src/orders/requests/placing.rs: lat",
        "src/orders/requests/placing.rs: lng",
        "src/orders/requests/placing.rs: name",
        "src/orders/requests/placing.rs: price",
        "src/orders/requests/placing.rs: quantity",
    ];
    assert_eq!(any_json(&source()), known);
    let planted =
        "#[derive(Debug, Deserialize)]\npub struct Body {\n    pub filter: Option<Value>,\n}\n";
    let planted = [Source { path: "rooms/requests.rs".to_owned(), text: planted.to_owned() }];
    assert_eq!(any_json(&planted), ["src/rooms/requests.rs: filter"]);
}

#[test]
fn the_source_keeps_to_its_directions() {
    let sources = source();
    let broken = violations(&sources);
    assert!(broken.is_empty(), "\n{}", broken.join("\n"));
}

#[test]
fn a_planted_violation_is_found() {
    for (path, text, rule) in [
        ("chat/routes.rs", "use mongodb::bson::doc;", "mongodb is named outside a store"),
        ("app/open.rs", "fn f() { rusqlite::Connection::open(p) }", "rusqlite is named"),
        ("rest.rs", "pub use bson;", "bson is named outside a store"),
        ("chat/service.rs", "use axum::Json;", "a service names axum"),
        ("auth/service/check.rs", "use socketioxide::SocketIo;", "a service names socketioxide"),
        ("realtime/hub.rs", "use crate::presence::service::Presence;", "may not use presence"),
        (
            "rest/extract.rs",
            "use crate::{caller::Caller, auth::service::Auth};",
            "may not use auth",
        ),
        ("store/mod.rs", "use super::chat::model::NewMessage;", "store may not use chat"),
        (
            "store/mongo/index.rs",
            "use super::super::super::chat::model::X;",
            "store may not use chat",
        ),
        ("presence/service.rs", "use crate::auth::service::Auth;", "presence may not use auth"),
        ("auth/service/check.rs", "use super::super::super::users::X;", "auth may not use users"),
        ("users/service.rs", "use crate::chat::service::Chat;", "users may not use chat"),
        ("docs/asyncapi.rs", "use crate::chat::wire::Message;", "docs may not use chat"),
        ("error.rs", "fn f(hub: &crate::realtime::hub::Hub) {}", "error may not use realtime"),
        ("auth/routes.rs", "use crate::app::Server;", "auth may not use app"),
    ] {
        let source = Source { path: path.to_owned(), text: format!("//! A file.\n{text}\n") };
        let broken = violations(&[source]);
        assert_eq!(broken.len(), 1, "{path}: {broken:?}");
        assert!(broken[0].starts_with(&format!("src/{path}:2: ")), "{broken:?}");
        assert!(broken[0].contains(rule), "{broken:?}");
    }
}

#[test]
fn what_is_allowed_is_not_reported() {
    for (path, text) in [
        ("chat/store/mongo.rs", "use mongodb::bson::doc;\nuse crate::chat::model::NewMessage;"),
        ("store/embedded.rs", "use rusqlite::Connection;"),
        ("chat/service.rs", "use crate::auth::service::Auth;\nuse crate::presence::service::X;"),
        ("app.rs", "use crate::{auth, chat, presence, store::mongo::Mongo};"),
        ("config.rs", "let mongodb_uri = vars.get(\"mongodb::x\"); use crate::credentials::Email;"),
        ("auth/service.rs", "// axum::Json shows this\nuse super::store::AuthStore;"),
        ("chat/service/sync.rs", "use super::super::model::StoredMessage;"),
        ("app/open.rs", "use crate::store::mongo;\nlet x = mongo::connect();"),
    ] {
        let source = Source { path: path.to_owned(), text: text.to_owned() };
        let broken = violations(&[source]);
        assert!(broken.is_empty(), "{broken:?}");
    }
}
