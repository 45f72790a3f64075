//! Parts of a JSON body, found by their names where they lie: what very many hear is not decoded. No string within can
//! pass for a name, because its quotes would be escaped.

use memchr::memchr;
use memchr::memmem::Finder;

/// The text after a name as `"id":"`, up to the next quote: nothing that is looked for has one within.
pub fn text<'a>(body: &'a str, name: &Finder<'static>) -> Option<&'a str> {
    let rest = &body[name.find(body.as_bytes())? + name.needle().len()..];
    rest.get(..memchr(b'"', rest.as_bytes())?)
}

/// The number after a name as `"seq":`.
pub fn number(body: &str, name: &Finder<'static>) -> Option<u64> {
    let rest = &body[name.find(body.as_bytes())? + name.needle().len()..];
    let digits = rest.bytes().take_while(u8::is_ascii_digit).count();
    rest[..digits].parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_part_is_the_first_of_its_name() {
        let body = r#"["e",{"_id":"x","id":"a","seq":12,"to":{"id":"b","seq":"7"}}]"#;
        assert_eq!(text(body, &Finder::new("\"id\":\"")), Some("a"));
        assert_eq!(number(body, &Finder::new("\"seq\":")), Some(12));
        assert_eq!(number(body, &Finder::new("\"to\":")), None, "not a number");
        assert_eq!(text(body, &Finder::new("\"from\":\"")), None);
    }
}
