//! `commands=["su flytekit -c prepare"]`: names of users and folders that images of Flyte 1 have, and Flyte 2's have not.
//!
//! flytekit writes its own Dockerfile around commands and variables, and flyte another
//! (`flytekit/image_spec/default_builder.py`, 1.16.31; `flyte/_image.py` and `flyte/_internal/imagebuild/docker_builder.py`, 2.12.1):
//!
//! ```text
//!                     Flyte 1                          Flyte 2
//! user                flytekit, on every base          flyte, on the Debian base
//! Python              /opt/micromamba/envs/runtime     /opt/venv
//! Python of a lock    /root/.venv                      /opt/venv
//! working directory   /root                            /home/flyte
//! ```
//!
//! # FM144
//!
//! ## What it does
//!
//! Names what a command or a variable takes from the images of Flyte 1: the user `flytekit` and its home, the folders
//! of their Python, and their working directory `/root`.
//!
//! ## Why
//!
//! An image of Flyte 2 has another user, `flyte`, another Python, in `/opt/venv`, and another working directory,
//! `/home/flyte`. A command that names those of Flyte 1 fails, or what it leaves is not found.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(commands=["su flytekit -c prepare"])
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! from flyte import Image, TaskEnvironment
//!
//! image = Image.from_debian_base().with_commands(["cd / && su flytekit -c prepare"])
//!
//! env = TaskEnvironment(name="example", image=image)
//!
//!
//! @env.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! Unsafe. Put the names of Flyte 2 in their place by hand. What lies in `/root` is there on Flyte 2 as well, so that
//! is a note; a `PYTHONPATH` below it is unsafe, because the code is unpacked into the working directory.
//!
//! ## Not handled
//!
//! Names that are put together when the image is built, those in scripts and in the code of tasks, and `entrypoint`,
//! which is lost as a whole.
//!
//! ## References
//!
//! `flytekit/image_spec/default_builder.py` of flytekit 1.16.31; `flyte/_image.py` and
//! `flyte/_internal/imagebuild/docker_builder.py` of flyte 2.12.1.

use super::codes::FLYTE1_PLACE;
use super::draft::Draft;
use super::{Effect, Finding};
use crate::source::TextRange;

/// Folders of Flyte 1's images, what each is there, and what Flyte 2 has instead.
const FOLDERS: [(&str, &str, &str); 3] = [
    (
        "/opt/micromamba",
        "lies in the folder where Flyte 1's images hold their Python; Flyte 2's hold it in `/opt/venv`",
        "Use `/opt/venv`, or leave the folder out: its programs are on the `PATH`",
    ),
    (
        "/root/.venv",
        "lies in the folder where Flyte 1's images hold the Python of a lock; Flyte 2's hold it in `/opt/venv`",
        "Use `/opt/venv`, or leave the folder out: its programs are on the `PATH`",
    ),
    (
        "/home/flytekit",
        "lies in the home of the user of Flyte 1's images, which Flyte 2's do not have",
        "Use `/home/flyte`, the home of the user of Flyte 2's Debian base, or a folder that is made for it",
    ),
];

/// Words behind which `flytekit` is the package.
const OF_PACKAGES: [&str; 11] =
    ["pip", "pip3", "uv", "conda", "mamba", "micromamba", "poetry", "import", "from", "show", "clone"];

/// Programs that only look at a folder, or make it, or say whose it is.
const OF_FOLDERS: [&str; 4] = ["chown", "chmod", "ls", "mkdir"];

/// A path in the working directory of Flyte 1, where a command or a variable names it.
#[derive(Debug)]
pub struct InRoot {
    range: TextRange,
    path: String,
    /// Whether Python looks for modules there.
    holds_code: bool,
}

/// Says what a command takes from the images of Flyte 1.
pub(super) fn check_command(draft: &mut Draft, range: TextRange, text: &str) {
    let folders = folders(range, text);
    if !folders.is_empty() {
        draft.findings.extend(folders);
        return;
    }
    for command in text.split([';', '\n', '&', '|']) {
        if let Some(word) = user(command) {
            draft.find(user_finding(range, word));
            return;
        }
        let program = command.split_whitespace().next().unwrap_or_default();
        if let Some(path) = in_working_directory(command, OF_FOLDERS.contains(&program)) {
            draft.in_root.push(InRoot { range, path: path.to_owned(), holds_code: false });
        }
    }
}

/// Says what the value of a variable takes from the images of Flyte 1.
pub(super) fn check_variable(draft: &mut Draft, range: TextRange, key: &str, text: &str) {
    let folders = folders(range, text);
    if !folders.is_empty() {
        draft.findings.extend(folders);
        return;
    }
    if text == "flytekit" && matches!(key, "USER" | "LOGNAME" | "USERNAME") {
        draft.find(user_finding(range, text));
    } else if let Some(path) = in_working_directory(text, true) {
        draft.in_root.push(InRoot { range, path: path.to_owned(), holds_code: key == "PYTHONPATH" });
    }
}

/// Says that paths lie in the working directory of Flyte 1, unless the image keeps that one.
pub(super) fn finish(draft: &mut Draft) {
    let paths = std::mem::take(&mut draft.in_root);
    if draft.copies_files {
        return;
    }
    let code = paths.iter().find(|path| path.holds_code);
    let Some(InRoot { range, path, .. }) = code.or(paths.first()) else { return };
    let (effect, what, when) = if code.is_some() {
        (Effect::Unsafe, "where Flyte 1 puts the code; Flyte 2 unpacks it into its working directory", "")
    } else {
        let what = "the working directory of Flyte 1's images; Flyte 2's have another, such as `/home/flyte`";
        (Effect::Info, what, " if tasks use it by a relative path")
    };
    let message = format!("`{path}` lies in `/root`, {what}");
    draft.find(
        Finding::new(&FLYTE1_PLACE, *range, effect, message)
            .help(format!("Add `.with_workdir(\"/root\")` to the image{when}")),
    );
}

fn user_finding(range: TextRange, word: &str) -> Finding {
    let message = format!("`{word}` names the user of Flyte 1's images, which Flyte 2's do not have");
    Finding::new(&FLYTE1_PLACE, range, Effect::Unsafe, message).help(
        "Name `flyte`, the user of Flyte 2's Debian base; another base image has the users that it brings",
    )
}

/// What there is to say about folders of Flyte 1's images that a text names.
pub(super) fn folders(range: TextRange, text: &str) -> Vec<Finding> {
    let tell = |&(folder, what, help): &(&'static str, &str, &'static str)| {
        let path = paths_below(text, folder).next()?;
        let message = format!("`{path}` {what}");
        Some(Finding::new(&FLYTE1_PLACE, range, Effect::Unsafe, message).help(help))
    };
    FOLDERS.iter().filter_map(tell).collect()
}

/// The paths in a text that are `folder` or lie in it.
fn paths_below<'t>(text: &'t str, folder: &'static str) -> impl Iterator<Item = &'t str> {
    let is_part = |c: char| c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | '/' | '+');
    text.match_indices(folder).filter_map(move |(at, _)| {
        let rest = &text[at..];
        let end = rest.find(|c: char| !is_part(c)).unwrap_or(rest.len());
        let is_folder = rest[folder.len()..end].is_empty() || rest[folder.len()..].starts_with('/');
        (is_folder && !text[..at].ends_with(is_part)).then(|| &rest[..end])
    })
}

/// The path in the working directory of Flyte 1 that a text names; `/root` itself unless `is_only_below`.
fn in_working_directory(text: &str, is_only_below: bool) -> Option<&str> {
    paths_below(text, "/root").find(|path| {
        let below = path["/root".len()..].trim_start_matches('/');
        if below.is_empty() { !is_only_below } else { !below.starts_with('.') }
    })
}

/// The word of a simple command that names the user `flytekit`.
fn user(command: &str) -> Option<&str> {
    let mut is_package = false;
    let is_end = |c: char| c.is_whitespace() || matches!(c, '"' | '\'' | '(' | ')' | '=' | '`' | ',');
    for word in command.split(is_end).filter(|word| !word.is_empty()) {
        let names_owner = word.split(':').any(|part| part == "flytekit") && word.contains(':');
        let is_home = word.split('/').next() == Some("~flytekit");
        if names_owner || is_home || (word == "flytekit" || word == "flytekit.flytekit") && !is_package {
            return Some(word);
        }
        is_package |= OF_PACKAGES.contains(&word.rsplit('/').next().unwrap_or(word));
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;

    fn told(command: &str) -> Option<Effect> {
        let mut draft = Draft::default();
        check_command(&mut draft, TextRange::default(), command);
        finish(&mut draft);
        draft.findings.first().map(|finding| finding.effect)
    }

    #[test]
    fn the_user_is_told_from_the_package() {
        for command in [
            "chown -R flytekit /data",
            "mkdir /data && chown flytekit:flytekit /data",
            "chown root:flytekit /data",
            "su flytekit -c 'pip install x'",
            "sudo -u flytekit make",
            "install -d -o flytekit /data",
            "usermod --home=/x flytekit",
            "echo 'flytekit ALL=(ALL) NOPASSWD:ALL' >> /etc/sudoers",
            "ls ~flytekit/x",
        ] {
            assert_eq!(told(command), Some(Effect::Unsafe), "{command}");
        }
        for command in [
            "pip install flytekit",
            "uv pip install flytekit==1.10 pandas",
            "python -c 'import flytekit'",
            "git clone https://github.com/flyteorg/flytekit",
            "echo flytekitplugins",
            "chown -R flyte /data",
            "mkdir /opt/flytekit",
        ] {
            assert_eq!(told(command), None, "{command}");
        }
    }

    #[test]
    fn folders_are_told_where_they_are_whole_paths() {
        for command in [
            "/opt/micromamba/envs/runtime/bin/pip install foo",
            "PATH=/opt/micromamba/envs/runtime/bin:$PATH make",
            "mkdir -p /home/flytekit",
            "'/root/.venv/bin/python' -V",
        ] {
            assert_eq!(told(command), Some(Effect::Unsafe), "{command}");
        }
        for command in
            ["mkdir /data/opt/micromamba", "ls /opt/micromambas", "ls /home/flytekit2", "ls /root/.venvs"]
        {
            assert_eq!(told(command), None, "{command}");
        }
    }

    #[test]
    fn files_in_the_working_directory_are_a_note() {
        for command in ["wget -O /root/model.bin https://x/y", "cd /root && wget https://x/y"] {
            assert_eq!(told(command), Some(Effect::Info), "{command}");
        }
        for command in ["chmod -R 777 /root", "mkdir -p /root/.ssh", "ls /roots", "make -C /x/root/y"] {
            assert_eq!(told(command), None, "{command}");
        }
    }
}
