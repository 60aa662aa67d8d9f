//! The flags of `pyflyte` and `flyte` as the installed SDKs have them: each is either mapped to one that exists, with
//! a value where it needs one, or told.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "sdk/environment.rs"]
mod environment;
mod support;

use std::process::Command;

use environment::python;
use serde_json::Value;
use support::{Tree, folder_with, read_tree, run};

/// Prints the options of commands: their names, and whether a value follows.
const OPTIONS: &str = r#"
import json
from flyte.cli.main import main as flyte
from flytekit.clis.sdk_in_container.pyflyte import main as pyflyte

def options(command):
    return [
        [[*option.opts], not (option.is_flag or option.count)]
        for option in command.params
        if option.param_type_name == "option" and not option.hidden
    ]

def named(group, name):
    return options(group.get_command(None, name) if name else group)

print(json.dumps({
    "pyflyte": named(pyflyte, ""), "run": named(pyflyte, "run"), "register": named(pyflyte, "register"),
    "flyte": named(flyte, ""), "flyte run": named(flyte, "run"), "flyte deploy": named(flyte, "deploy"),
}))
"#;

/// A file that moves to Flyte 2.
const CODE: &str = "from flytekit import ImageSpec, task\n\nimage = ImageSpec(name=\"a\", packages=[\"pandas\"])\n\n\n\
                    @task(container_image=image)\ndef main(n: int) -> int:\n    return n\n";

fn options() -> Value {
    let output = Command::new(python()).args(["-W", "ignore", "-c", OPTIONS]).output().unwrap();
    let text = String::from_utf8(output.stdout).unwrap();
    serde_json::from_str(text.lines().last().unwrap_or_default())
        .unwrap_or_else(|error| panic!("{error}: {}", String::from_utf8_lossy(&output.stderr)))
}

/// Names of the options of a command, with whether a value follows.
fn names(options: &Value, command: &str) -> Vec<(String, bool)> {
    let options = options[command].as_array().unwrap();
    let names = options.iter().flat_map(|option| {
        let takes_value = option[1].as_bool().unwrap();
        option[0].as_array().unwrap().iter().map(move |name| (name.as_str().unwrap().to_owned(), takes_value))
    });
    names.filter(|(name, _)| name != "--help").collect()
}

#[test]
fn every_flag_is_mapped_to_one_that_exists_or_told() {
    let options = options();
    let mut commands = Vec::new();
    for subcommand in ["run", "register"] {
        for (name, takes_value) in names(&options, subcommand) {
            let value = if name == "--copy" { " auto" } else { " x" };
            let value = if takes_value { value } else { "" };
            let target = if subcommand == "run" { "train.py main" } else { "train.py" };
            commands.push(format!("pyflyte {subcommand} {name}{value} {target}"));
        }
    }
    assert!(commands.len() > 40, "{commands:?}");
    let script = commands.join("\n") + "\n";
    let folder = folder_with(&Tree::from([
        ("train.py".to_owned(), CODE.as_bytes().to_vec()),
        ("run.sh".to_owned(), script.into_bytes()),
    ]));
    let args =
        ["--write", "--project", ".", "--include-commands", "--unsafe-fixes", "--output-format", "concise"];
    let report = run(folder.path(), &args).stdout;
    let after = String::from_utf8(read_tree(folder.path())["run.sh"].clone()).unwrap();
    for (row, (before, after)) in commands.iter().zip(after.lines()).enumerate() {
        let told = report.contains(&format!("run.sh:{}:1: FM321", row + 1));
        assert_eq!(told, before == after, "{before} -> {after}\n{report}");
        if told {
            continue;
        }
        let words: Vec<&str> = after.split(' ').collect();
        let known = names(&options, &words[..2].join(" "));
        let mut flags = words[2..].iter().peekable();
        while let Some(flag) = flags.next_if(|word| word.starts_with('-')) {
            let (_, takes_value) =
                known.iter().find(|(name, _)| name == flag).unwrap_or_else(|| panic!("{after}: {flag}"));
            assert!(!takes_value || flags.next().is_some(), "{after}");
        }
        assert_eq!(flags.next(), Some(&"train.py"), "{after}");
    }
}
