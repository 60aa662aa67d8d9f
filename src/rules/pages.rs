//! The pages of the rules: what `flyte-migrate rule FM104` prints, and what stands in `docs/rules/`.
//!
//! A page is written where the rule is raised: in the module documentation of that file, below a heading with the
//! code. `build.rs` collects them, so there is no list to keep. Each page has the sections of [`SECTIONS`], and its
//! example is run as a test (`tests/rules.rs`).

use super::codes::RULES;
use crate::diagnostic::Rule;

/// The sections of a page, in order.
pub const SECTIONS: [&str; 7] =
    ["What it does", "Why", "Example", "Use instead", "Fix safety", "Not handled", "References"];

/// Code and text of every page, by code.
static PAGES: &[(&str, &str)] = include!(concat!(env!("OUT_DIR"), "/pages.rs"));

/// The page of a rule, without its title.
pub fn page(code: &str) -> Option<&'static str> {
    PAGES.iter().find(|(page, _)| *page == code).map(|(_, text)| *text)
}

/// The codes that have a page.
pub fn codes() -> impl Iterator<Item = &'static str> {
    PAGES.iter().map(|(code, _)| *code)
}

/// The text of a section of a page, without its heading.
pub fn section<'a>(page: &'a str, name: &str) -> Option<&'a str> {
    let (_, rest) = page.split_once(&format!("## {name}\n"))?;
    Some(rest.split("\n## ").next().unwrap_or(rest).trim())
}

/// The page of a rule as a document: title, summary, sections. A rule without a page has title and summary.
pub fn document(rule: &Rule) -> String {
    let page = page(rule.code).map_or(String::new(), |page| format!("\n{page}"));
    format!("# {} ({})\n\n{}\n{page}", rule.name, rule.code, rule.summary)
}

/// The list of all rules as a document.
pub fn overview() -> String {
    let rows: String = RULES
        .iter()
        .map(|rule| {
            let code = match page(rule.code) {
                Some(_) => format!("[{0}]({0}.md)", rule.code),
                None => rule.code.to_owned(),
            };
            format!("| {code} | `{}` | {} |\n", rule.name, rule.summary)
        })
        .collect();
    format!(
        "# Rules\n\n\
         Each finding carries the code of its rule.\n\
         `flyte-migrate rule CODE` prints the page of one.\n\n\
         | Code | Name | What it is about |\n|---|---|---|\n{rows}"
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_section_ends_where_the_next_begins() {
        let page = "## What it does\n\nOne.\n\n## Why\n\nTwo.\n";
        assert_eq!(section(page, "What it does"), Some("One."));
        assert_eq!(section(page, "Why"), Some("Two."));
        assert_eq!(section(page, "Example"), None);
    }

    #[test]
    fn every_page_belongs_to_a_rule() {
        let orphans: Vec<_> = codes().filter(|code| RULES.iter().all(|rule| rule.code != *code)).collect();
        assert!(orphans.is_empty(), "there is no rule for these pages: {orphans:?}");
    }
}
