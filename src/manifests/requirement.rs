//! One requirement, as pip, poetry or a list of extras writes it, and where it stands.
//!
//! ```text
//! flytekit[x]>=1.10; python_version < "3.12"        in a line, or in a string of a list
//! flytekit = { version = "^1.10", optional = true }  in a table
//! ```

use super::layout::Insertion;
use crate::edit::Edit;
use crate::rules::tables::distribution_name;
use crate::source::TextRange;

/// The oldest flyte that the tool is made for: what it writes was tried with this one. No upper bound, because a
/// manifest of an application rarely has one, and a pin of flytekit says nothing about flyte.
const FLYTE_BOUND: &str = ">=2.12.1";

/// A distribution to be required.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord)]
pub(super) struct Package {
    pub(super) name: String,
    bound: &'static str,
}

impl Package {
    /// flyte itself.
    pub(super) fn flyte() -> Self {
        Self { name: "flyte".to_owned(), bound: FLYTE_BOUND }
    }

    /// Another distribution, in any version.
    pub(super) fn any(name: impl Into<String>) -> Self {
        Self { name: name.into(), bound: "" }
    }

    /// As pip writes it.
    pub(super) fn plain(&self) -> String {
        format!("{}{}", self.name, self.bound)
    }
}

/// How requirements are written where one stands.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) enum Form {
    /// `flytekit>=1.10; marker`, without quotes.
    Plain,
    /// `flytekit = "^1.10"`: the version, if it is all there is or stands in a table of one line.
    Keyed {
        /// The key.
        key: TextRange,
        /// The version, with its quotes.
        version: TextRange,
        /// Whether there is more than the version: another requirement cannot be made like this one.
        is_table: bool,
    },
    /// A name alone, which refers to a requirement elsewhere.
    Name,
    /// It cannot be edited, and why.
    Fixed(&'static str),
}

/// A requirement where it stands.
#[derive(Debug, Clone)]
pub(super) struct Entry {
    /// The distribution, normalized.
    pub(super) name: String,
    /// What is written, for messages.
    pub(super) text: String,
    /// Where, without quotes.
    pub(super) range: TextRange,
    /// How.
    pub(super) form: Form,
    /// How another one is put before it; `None` if there is no room.
    pub(super) insertion: Option<Insertion>,
    /// What takes it away; `None` if it cannot be taken away alone.
    pub(super) removal: Option<Vec<Edit>>,
}

impl Entry {
    /// A requirement in pip's notation.
    pub(super) fn plain(text: &str, range: TextRange) -> Self {
        Self {
            name: distribution_name(text.trim_start_matches("-e ").trim_start_matches("--editable ")),
            text: text.to_owned(),
            range,
            form: Form::Plain,
            insertion: None,
            removal: None,
        }
    }

    /// The requirement as messages show it: without options and on one line.
    pub(super) fn shown(&self) -> &str {
        let end = self.text.find(" --").into_iter().chain(self.text.find('\\')).min();
        self.text[..end.unwrap_or(self.text.len())].trim_end()
    }

    /// Whether it asks for extras.
    pub(super) fn has_extras(&self) -> bool {
        let name = self.text.split(['=', '<', '>', '~', '!', ';', '@', ' ']).next().unwrap_or_default();
        name.contains('[')
    }

    /// The marker with its semicolon, as it is written.
    fn marker(&self) -> &str {
        // In a URL, a semicolon counts only behind a space.
        let is_url = self.text.contains("://");
        let at = if is_url { self.text.find(" ;") } else { self.text.find(';') };
        at.map_or("", |at| &self.text[at..])
    }

    /// The package in the notation of this entry, under the same marker.
    fn written(&self, package: &Package, quote: &str) -> String {
        match &self.form {
            Form::Plain | Form::Fixed(_) => format!("{}{}", package.plain(), self.marker()),
            Form::Name => package.name.clone(),
            Form::Keyed { .. } => {
                let bound = if package.bound.is_empty() { "*" } else { package.bound };
                format!("{} = {quote}{bound}{quote}", package.name)
            }
        }
    }

    /// Puts packages before this one. `None` if that cannot be done here.
    pub(super) fn insert(&self, packages: &[Package], text: &str) -> Option<Vec<Edit>> {
        if packages.is_empty() {
            return Some(Vec::new());
        }
        if matches!(&self.form, Form::Fixed(_) | Form::Keyed { is_table: true, .. }) {
            return None;
        }
        let quote = self.quote(text);
        let insertion = self.insertion.as_ref()?;
        Some(packages.iter().map(|package| insertion.edit(&self.written(package, quote))).collect())
    }

    /// Puts packages in the place of this one, the last of them exactly there. `None` if that cannot be done here.
    pub(super) fn replace(&self, packages: &[Package], text: &str) -> Option<Vec<Edit>> {
        let Some((last, others)) = packages.split_last() else { return self.removal.clone() };
        let mut edits = self.insert(others, text)?;
        match &self.form {
            Form::Fixed(_) => return None,
            Form::Plain | Form::Name => {
                edits.push(Edit::replacement(self.range, self.written(last, "")));
            }
            Form::Keyed { key, version, .. } => {
                let quote = self.quote(text);
                let bound = if last.bound.is_empty() { "*" } else { last.bound };
                edits.push(Edit::replacement(*key, last.name.clone()));
                edits.push(Edit::replacement(*version, format!("{quote}{bound}{quote}")));
            }
        }
        Some(edits)
    }

    /// The quote of the version behind a key.
    fn quote<'a>(&self, text: &'a str) -> &'a str {
        match &self.form {
            Form::Keyed { version, .. } => text[*version].get(..1).unwrap_or("\""),
            _ => "",
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn entry(text: &str) -> Entry {
        Entry::plain(text, TextRange::up_to(u32::try_from(text.len()).unwrap().into()))
    }

    #[test]
    fn a_marker_is_kept_and_a_pin_is_not() {
        let replaced = |text: &str| {
            let edits = entry(text).replace(&[Package::flyte()], text).unwrap();
            edits[0].content.clone()
        };
        assert_eq!(replaced("flytekit==1.10.3"), "flyte>=2.12.1");
        assert_eq!(
            replaced("flytekit>=1 ; python_version < '3.12'"),
            "flyte>=2.12.1; python_version < '3.12'"
        );
        assert_eq!(replaced("flytekit @ git+https://x/y;z"), "flyte>=2.12.1");
        assert_eq!(
            replaced("flytekit @ git+https://x/y ; os_name == 'nt'"),
            "flyte>=2.12.1 ; os_name == 'nt'"
        );
    }

    #[test]
    fn names_are_found_in_every_notation() {
        for text in [
            "Flytekit",
            "flytekit[x]~=1.2",
            "-e git+https://github.com/flyteorg/flytekit.git@v1#egg=flytekit",
        ] {
            assert_eq!(entry(text).name, "flytekit", "{text}");
        }
        assert!(entry("union[x]>=1").has_extras());
        assert!(!entry("union>=1; extra == 'a[b]'").has_extras());
    }
}
