//! Collects the pages of the rules from the module documentation of the sources.
//!
//! The page of a rule stands in the `//!` of the file that raises it, so that it is read and changed with the code:
//! it begins at the heading `# FM104` and ends at the next such heading, or where the `//!` end.

use std::fs;
use std::io::{Error, Result};
use std::path::{Path, PathBuf};

fn main() -> Result<()> {
    println!("cargo::rerun-if-changed=src");
    let root = std::env::var("CARGO_MANIFEST_DIR").map_err(Error::other)?;
    let mut pages = Vec::new();
    for file in sources(&Path::new(&root).join("src"))? {
        let text = fs::read_to_string(&file)?;
        pages.extend(pages_of(&text));
    }
    pages.sort();
    if let Some(pair) = pages.windows(2).find(|pair| pair[0].0 == pair[1].0) {
        return Err(Error::other(format!("two pages for {}", pair[0].0)));
    }
    let rows: String = pages.iter().map(|(code, page)| format!("({code:?}, {page:?}),\n")).collect();
    let out = std::env::var("OUT_DIR").map_err(Error::other)?;
    fs::write(Path::new(&out).join("pages.rs"), format!("&[\n{rows}]\n"))
}

/// The Rust files below a folder, sorted.
fn sources(folder: &Path) -> Result<Vec<PathBuf>> {
    let mut files = Vec::new();
    for entry in fs::read_dir(folder)? {
        let path = entry?.path();
        if path.is_dir() {
            files.extend(sources(&path)?);
        } else if path.extension().is_some_and(|extension| extension == "rs") {
            files.push(path);
        }
    }
    files.sort();
    Ok(files)
}

/// The code and the text of each page in the module documentation of one source.
fn pages_of(source: &str) -> Vec<(String, String)> {
    let mut pages: Vec<(String, String)> = Vec::new();
    for line in source.lines().map_while(|line| line.strip_prefix("//!")) {
        let line = line.strip_prefix(' ').unwrap_or(line);
        match line.strip_prefix("# FM") {
            Some(digits) => pages.push((format!("FM{digits}"), String::new())),
            None => pages.last_mut().into_iter().for_each(|(_, page)| {
                page.push_str(line);
                page.push('\n');
            }),
        }
    }
    pages.into_iter().map(|(code, page)| (code, page.trim().to_owned() + "\n")).collect()
}
