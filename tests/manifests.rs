//! Manifests of many shapes: whatever is done to one, it still reads as what it is, and nothing else in it changes.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

mod support;

use std::collections::BTreeSet;

use support::{Tree, folder_with, read_tree, run};

/// A file that moves to Flyte 2 as a whole.
const MOVES: &str = "from flytekit import ImageSpec, task\n\nimage = ImageSpec(name=\"a\", packages=[\"pandas\"])\n\n\n\
                     @task(container_image=image)\ndef train(n: int) -> int:\n    return n\n";

/// A file that stays on Flyte 1.
const STAYS: &str = "from flytekit import FlyteRemote\n\nremote = FlyteRemote()\n";

/// The manifests after a run, each in a folder of its own beside some code.
fn migrated(name: &str, texts: &[String], code: &[&str]) -> Vec<String> {
    let mut tree = Tree::new();
    for (folder, text) in texts.iter().enumerate() {
        tree.insert(format!("m{folder}/{name}"), text.as_bytes().to_vec());
        for (index, code) in code.iter().enumerate() {
            tree.insert(format!("m{folder}/code{index}.py"), code.as_bytes().to_vec());
        }
    }
    let folder = folder_with(&tree);
    run(folder.path(), &["--write", "--project", ".", "--quiet"]);
    let after = read_tree(folder.path());
    let text = |folder| String::from_utf8(after[&format!("m{folder}/{name}")].clone()).unwrap();
    (0..texts.len()).map(text).collect()
}

/// All strings in a value.
fn strings(value: &toml::Value) -> BTreeSet<String> {
    match value {
        toml::Value::String(text) => BTreeSet::from([text.clone()]),
        toml::Value::Array(values) => values.iter().flat_map(strings).collect(),
        toml::Value::Table(table) => table.values().flat_map(strings).collect(),
        _ => BTreeSet::new(),
    }
}

/// Lists of TOML with flytekit in every place, in every layout.
fn arrays() -> Vec<String> {
    let names = [
        "\"pandas>=2\"",
        "'flytekit~=1.10; python_version < \"3.12\"'",
        "\"union\"",
        "\"ruff\"",
        "\"union-runtime\"",
        "\"unionai\"",
    ];
    let mut arrays = Vec::new();
    for rotation in 0..names.len() {
        for length in 1..=names.len() {
            let mut elements: Vec<&str> = names.iter().cycle().skip(rotation).take(length).copied().collect();
            elements.dedup();
            arrays.push(format!("[{}]", elements.join(", ")));
            arrays.push(format!("[ {} , ]", elements.join(" , ")));
            arrays.push(format!("[\n    {}\n]", elements.join(",\n    ")));
            arrays.push(format!("[\n\t{},  # last\n]", elements.join(",  # one\n\t")));
            arrays.push(format!(
                "[  # head\n  # first\n  {}  # last\n]",
                elements.join(", # one\n  # more\n  ")
            ));
            arrays.push(format!("[\r\n  {},\r\n]", elements.join(",\r\n  ")));
        }
    }
    arrays
}

#[test]
fn arrays_of_every_layout_stay_toml_and_keep_what_is_not_flyte() {
    let arrays = arrays();
    let manifest = |array: &String| {
        format!("# head\n[project]\nname = \"a\"\ndependencies = {array}\n[tool.x]\ny = 1\n")
    };
    let texts: Vec<String> = arrays.iter().map(manifest).collect();
    for (code, keeps_flyte1) in [(&[MOVES][..], false), (&[MOVES, STAYS], true)] {
        let results = migrated("pyproject.toml", &texts, code);
        for ((array, before), after) in arrays.iter().zip(&texts).zip(&results) {
            let read = |text: &str| -> BTreeSet<String> {
                let table: toml::Table = text.parse().unwrap_or_else(|error| panic!("{error}\n{text}"));
                strings(&table["project"]["dependencies"])
            };
            let is_flyte1 = |name: &String| name.starts_with("flytekit") || name.starts_with("union");
            let is_flyte2 = |name: &String| name.starts_with("flyte>=2.12.1");
            let (old, new) = (read(before), read(after));
            let had_any = old.iter().any(is_flyte1);
            assert_eq!(new.iter().any(is_flyte2), had_any, "{after}");
            assert_eq!(new.iter().filter(|name| is_flyte2(name)).count(), usize::from(had_any), "{after}");
            assert_eq!(new.iter().any(is_flyte1), had_any && keeps_flyte1, "{after}");
            let others = |names: &BTreeSet<String>| -> BTreeSet<String> {
                names.iter().filter(|name| !is_flyte1(name) && !is_flyte2(name)).cloned().collect()
            };
            assert_eq!(others(&old), others(&new), "{after}");
            let comments = |text: &str| text.matches('#').count();
            assert_eq!(comments(before), comments(after), "{before}\n{after}");
            let carriage_returns = |text: &str| text.matches('\n').count() - text.matches("\r\n").count();
            assert!(
                !array.contains("\r\n") || carriage_returns(after) == carriage_returns(before),
                "{after:?}"
            );
        }
    }
}

#[test]
fn a_requirements_file_that_is_not_there_is_told() {
    let code = MOVES.replace("packages=[\"pandas\"]", "requirements=\"requirements.txt\"");
    let folder = folder_with(&Tree::from([("train.py".to_owned(), code.into_bytes())]));
    let report = run(folder.path(), &["--project", ".", "--output-format", "concise"]).stdout;
    assert!(report.contains("FM107 `requirements.txt` cannot be read from here"), "{report}");
}

#[test]
fn a_requirements_file_in_utf16_is_told() {
    for (mark, to_bytes) in
        [([0xff, 0xfe], u16::to_le_bytes as fn(u16) -> [u8; 2]), ([0xfe, 0xff], u16::to_be_bytes)]
    {
        let bytes: Vec<u8> =
            mark.into_iter().chain("flytekit\r\n".encode_utf16().flat_map(to_bytes)).collect();
        let files = [("train.py", MOVES.as_bytes().to_vec()), ("requirements.txt", bytes.clone())];
        let folder = folder_with(&files.map(|(name, bytes)| (name.to_owned(), bytes)).into());
        let report = run(folder.path(), &["--write", "--project", ".", "--output-format", "concise"]);
        assert!(report.stdout.contains("requirements.txt:1:1: FM002 the file is UTF-16"), "{report:?}");
        assert_eq!((report.code, &read_tree(folder.path())["requirements.txt"]), (Some(1), &bytes));
    }
}

#[test]
fn lines_of_every_layout_keep_what_is_not_flyte() {
    let lines = ["pandas>=2  # frames", "flytekit==1.10  # flow", "", "# a comment", "-r other.txt", "union"];
    let mut texts = Vec::new();
    for rotation in 0..lines.len() {
        for newline in ["\n", "\r\n"] {
            let order: Vec<&str> = lines.iter().cycle().skip(rotation).take(lines.len()).copied().collect();
            texts.extend(["", newline].map(|end| order.join(newline) + end));
        }
    }
    for (before, after) in texts.iter().zip(migrated("requirements.txt", &texts, &[MOVES])) {
        let kept = |text: &str| -> Vec<String> {
            let is_other = |line: &&str| !line.contains("fl") && *line != "union";
            text.lines().filter(is_other).map(str::to_owned).collect()
        };
        assert_eq!(kept(before.trim_end()), kept(after.trim_end()), "{before:?} {after:?}");
        assert!(after.lines().any(|line| line.starts_with("flyte>=2.12.1")), "{after:?}");
        assert!(!after.contains("flytekit") && !after.contains("union"), "{after:?}");
        assert!(after.contains("# flow"), "{after:?}");
        let endings = |text: &str| text.matches('\n').count() - text.matches("\r\n").count();
        assert_eq!(endings(&after) == 0, endings(before) == 0, "{after:?}");
    }
}
