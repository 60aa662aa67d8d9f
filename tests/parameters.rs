//! The parameters of `ImageSpec`: the table in `docs/mapping.md` has all of them, and the cases that it names show them.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::fs;
use std::path::Path;

use flyte_migrate::rules::image_spec::FIELDS;

/// Parameter, status, text and cases of each row of the table.
fn rows() -> Vec<[String; 4]> {
    let readme = fs::read_to_string(Path::new(env!("CARGO_MANIFEST_DIR")).join("docs/mapping.md")).unwrap();
    let (_, table) =
        readme.split_once("| Parameter | Status | Flyte 2 | Shown by |\n|---|---|---|---|\n").unwrap();
    let lines = table.lines().take_while(|line| line.starts_with('|'));
    lines
        .map(|line| {
            // A `|` in code is written with a backslash.
            let cells = line.trim_matches('|').replace("\\|", "\u{0}");
            let cells: Vec<String> = cells.split('|').map(|cell| cell.trim().replace('\u{0}', "|")).collect();
            cells.try_into().unwrap()
        })
        .collect()
}

fn words_in_code(cell: &str) -> Vec<&str> {
    cell.split('`').skip(1).step_by(2).collect()
}

#[test]
fn the_table_has_every_parameter_in_order() {
    let parameters: Vec<String> = rows().iter().map(|[name, ..]| name.trim_matches('`').to_owned()).collect();
    assert_eq!(parameters, FIELDS);
}

#[test]
fn every_row_has_a_known_status() {
    for [name, status, ..] in rows() {
        assert!(["migrated", "option", "unsafe", "finding"].contains(&status.as_str()), "{name}: {status}");
    }
}

#[test]
fn the_cases_of_a_row_show_its_parameter() {
    let fixtures = Path::new(env!("CARGO_MANIFEST_DIR")).join("fixtures");
    for [name, _, _, cases] in rows() {
        let cases = words_in_code(&cases);
        assert!(!cases.is_empty(), "{name} is shown by nothing");
        for case in cases {
            let files = walkdir::WalkDir::new(fixtures.join(case).join("in")).into_iter();
            let texts = files.filter_map(|entry| fs::read_to_string(entry.unwrap().path()).ok());
            let keyword = format!("{}=", name.trim_matches('`'));
            assert!(texts.into_iter().any(|text| text.contains(&keyword)), "{case} has no {keyword}");
        }
    }
}
