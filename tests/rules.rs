//! The pages of the rules: complete, up to date in `docs/rules/`, and their examples do what they say.
//!
//! `BLESS=1 cargo test --test rules` writes `docs/rules/` anew.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::fs;
use std::path::{Path, PathBuf};

use flyte_migrate::diagnostic::Rule;
use flyte_migrate::rules::codes::RULES;
use flyte_migrate::rules::pages::{SECTIONS, document, overview, page, section};
use support::{Run, Tree, folder_with, program, read_tree, run};

/// Rules that no example can show.
const WITHOUT_EXAMPLE: [(&str, &str); 6] = [
    ("FM002", "a page is text, and the rule is about files that are not"),
    ("FM221", "it lies outside what is reported; the finding that the group stays carries its message"),
    ("FM224", "it takes a package of modules that import each other, which is a fixture"),
    ("FM585", "the name of an image is a hash that its base goes into, so only made-up names are a circle"),
    ("FM586", "it takes an engine; `tests/build.rs` has one"),
    ("FM900", "a bug of the tool would be needed"),
];

/// The rules that have a page, with it.
fn pages() -> impl Iterator<Item = (&'static Rule, &'static str)> {
    RULES.iter().filter_map(|rule| Some((*rule, page(rule.code)?)))
}

/// The files of a section: one for each block of code, named by a comment on its first line, else `example.py`.
fn files(section: &str) -> Tree {
    let mut tree = Tree::new();
    let mut lines = section.lines();
    while let Some(line) = lines.next() {
        if !line.starts_with("```") {
            continue;
        }
        let code: Vec<&str> = lines.by_ref().take_while(|line| *line != "```").collect();
        let is_name = |name: &&str| !name.contains(' ') && name.contains('.');
        let name = code.first().and_then(|first| first.strip_prefix("# ")).filter(is_name);
        let text = code[usize::from(name.is_some())..].join("\n") + "\n";
        tree.insert(name.unwrap_or("example.py").to_owned(), text.into_bytes());
    }
    tree
}

/// The options that a section names: `--partial`.
fn options(section: &str) -> Vec<&str> {
    let prose = section.split("```").step_by(2);
    let code = prose.flat_map(|text| text.split('`').skip(1).step_by(2));
    code.filter(|code| code.starts_with("--")).flat_map(str::split_whitespace).collect()
}

/// The run that a section names: `NAME=value image build --dry-run`.
fn image_command(section: &str) -> Option<Vec<&str>> {
    let prose = section.split("```").step_by(2);
    let mut code = prose.flat_map(|text| text.split('`').skip(1).step_by(2));
    Some(code.find(|code| code.contains("image "))?.split(' ').collect())
}

fn run_image(words: &[&str], files: &Tree) -> Run {
    let folder = folder_with(files);
    let mut command = program(folder.path());
    let at = words.iter().position(|word| *word == "image").unwrap();
    command.envs(words[..at].iter().filter_map(|word| word.split_once('='))).args(&words[at..]);
    command.output().unwrap().into()
}

/// What is wrong with an example that is a run of `image`: it must report the rule, and no longer with what to use
/// instead, which is run in the same way where it does not say how.
fn image_complaint(code: &str, page: &str, words: &[&str]) -> Option<String> {
    let instead = section(page, "Use instead")?;
    let before = files(section(page, "Example")?);
    let mut after = before.clone();
    after.extend(files(instead));
    let first = run_image(words, &before);
    if first.code != Some(1) || !first.stderr.contains(&format!(": {code} ")) {
        return Some(format!("the example does not report it:\n{}\n{}", first.stdout, first.stderr));
    }
    let second = run_image(image_command(instead).as_deref().unwrap_or(words), &after);
    (second.code != Some(0))
        .then(|| format!("what to use instead fails:\n{}\n{}", second.stdout, second.stderr))
}

/// The files of an example after a run with `--write`, and what was printed.
fn write(files: &Tree, options: &[&str]) -> (Tree, Run) {
    let folder = folder_with(files);
    let args = [&["--write", "--output-format", "concise", "--project", "."], options].concat();
    let run = run(folder.path(), &args);
    (read_tree(folder.path()), run)
}

fn as_text(tree: &Tree) -> String {
    tree.iter().map(|(name, text)| format!("# {name}\n{}\n", String::from_utf8_lossy(text))).collect()
}

/// What is wrong with the example of a page; nothing if it does what the section on fix safety says.
fn complaint(code: &str, page: &str) -> Option<String> {
    let example = section(page, "Example")?;
    if let Some(words) = image_command(example) {
        return image_complaint(code, page, &words);
    }
    let (before, options) = (files(example), options(example));
    let expected = files(section(page, "Use instead")?);
    let safety = section(page, "Fix safety")?;
    let reports = |run: &Run| run.stdout.contains(&format!(" {code} "));
    let (after, first) = write(&before, &options);
    // A block that the section leaves out does not change.
    let expected_tree = || {
        let mut tree = before.clone();
        tree.extend(expected.clone());
        tree
    };
    let differs = |what: &str, after: &Tree, run: &Run| {
        (*after != expected_tree()).then(|| {
            format!(
                "{what} gives\n{}\n{}\nand not\n{}",
                as_text(after),
                run.stdout,
                as_text(&expected_tree())
            )
        })
    };
    if safety.starts_with("Safe") {
        return differs("the example", &after, &first);
    }
    if !reports(&first) {
        return Some(format!("the example does not report it:\n{}", first.stdout));
    }
    if safety.starts_with("Informs") {
        return differs("the example", &after, &first);
    }
    if safety.starts_with("Unsafe") {
        if after != before {
            return Some(format!("the example changes without --unsafe-fixes:\n{}", as_text(&after)));
        }
        let (after, second) = write(&before, &[options.as_slice(), &["--unsafe-fixes"]].concat());
        return differs("the example with --unsafe-fixes", &after, &second);
    }
    if !safety.starts_with("By hand") {
        return Some("`Fix safety` begins with none of Safe, Unsafe, Informs and By hand".to_owned());
    }
    if after != before && !options.contains(&"--partial") {
        return Some(format!("the example changes, although it is left to the user:\n{}", as_text(&after)));
    }
    let (_, second) = write(&expected_tree(), &options);
    reports(&second).then(|| format!("what to use instead reports it too:\n{}", second.stdout))
}

#[test]
fn every_rule_has_a_page() {
    let missing: Vec<&str> = RULES.iter().map(|rule| rule.code).filter(|code| page(code).is_none()).collect();
    assert!(missing.is_empty(), "{missing:?}");
}

#[test]
fn pages_have_all_sections_in_order() {
    for (rule, page) in pages() {
        let headings: Vec<&str> = page.lines().filter_map(|line| line.strip_prefix("## ")).collect();
        assert_eq!(headings, SECTIONS, "{}", rule.code);
        for name in SECTIONS {
            assert!(!section(page, name).unwrap().is_empty(), "{}: `{name}` is empty", rule.code);
        }
    }
}

#[test]
fn examples_do_what_their_pages_say() {
    let complaints: Vec<String> = pages()
        .filter(|(rule, _)| WITHOUT_EXAMPLE.iter().all(|(code, _)| *code != rule.code))
        .filter_map(|(rule, page)| Some(format!("{}: {}", rule.code, complaint(rule.code, page)?)))
        .collect();
    assert!(complaints.is_empty(), "{}", complaints.join("\n\n"));
}

#[test]
fn pages_in_docs_are_up_to_date() {
    let folder = Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/rules");
    let wanted: Vec<(PathBuf, String)> =
        pages().map(|(rule, _)| (folder.join(format!("{}.md", rule.code)), document(rule))).collect();
    let wanted = [wanted, vec![(folder.join("README.md"), overview())]].concat();
    if std::env::var_os("BLESS").is_some_and(|value| value == "1") {
        let _ = fs::remove_dir_all(&folder);
        fs::create_dir_all(&folder).unwrap();
        wanted.iter().for_each(|(path, text)| fs::write(path, text).unwrap());
    }
    for (path, text) in &wanted {
        let stored = fs::read_to_string(path).unwrap_or_default();
        assert_eq!(stored, *text, "{} is out of date: BLESS=1 cargo test --test rules", path.display());
    }
    let stored = fs::read_dir(&folder).unwrap().count();
    assert_eq!(stored, wanted.len(), "docs/rules has files of no rule: BLESS=1 cargo test --test rules");
}
