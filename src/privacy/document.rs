//! A JSON document that is written piece by piece, so that it is never in memory whole.

use std::io::{self, Write};

use serde::Serialize;

/// A JSON object that is being written, a field or an item of a list at a time.
pub(super) struct Document<W> {
    out: W,
    /// What stands before the next field.
    separator: &'static str,
}

impl<W: Write> Document<W> {
    /// Nothing is written yet.
    pub(super) const fn begin(out: W) -> Self {
        Self { out, separator: "{" }
    }

    /// A field with its value.
    pub(super) fn field(&mut self, name: &str, value: &impl Serialize) -> io::Result<()> {
        self.name(name)?;
        serde_json::to_writer(&mut self.out, value)?;
        Ok(())
    }

    fn name(&mut self, name: &str) -> io::Result<()> {
        write!(self.out, "{}\n\"{name}\": ", self.separator)?;
        self.separator = ",";
        Ok(())
    }

    /// A field with a list, whose items follow.
    pub(super) fn list(&mut self, name: &str) -> io::Result<List<'_, W>> {
        self.name(name)?;
        self.out.write_all(b"[")?;
        Ok(List { out: &mut self.out, separator: "\n " })
    }

    /// Nothing follows.
    pub(super) fn end(mut self) -> io::Result<()> {
        self.out.write_all(b"\n}\n")?;
        self.out.flush()
    }
}

/// A list of the document that is being written.
pub(super) struct List<'a, W> {
    out: &'a mut W,
    separator: &'static str,
}

impl<W: Write> List<'_, W> {
    pub(super) fn item(&mut self, value: &impl Serialize) -> io::Result<()> {
        self.out.write_all(self.separator.as_bytes())?;
        self.separator = ",\n ";
        serde_json::to_writer(&mut *self.out, value)?;
        Ok(())
    }

    pub(super) fn end(self) -> io::Result<()> {
        self.out.write_all(b"]")
    }
}
