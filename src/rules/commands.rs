//! `commands=["a", "b"]` becomes `.with_commands(["a", "b"])`.
//!
//! flytekit joins all commands with ` && ` and runs them in one shell, in `/`. flyte starts a new shell for each, in
//! the image's working directory. So what follows a command that may change the shell is joined to it, and a command
//! with a relative path goes to `/` first.
//!
//! # FM106
//!
//! ## What it does
//!
//! Turns the list into `with_commands`. What follows a command that may change the shell (`cd`, `export`, `source`,
//! an assignment, whatever is not known to leave it alone) is joined to it with `&&`, and a command goes to `/` first
//! unless it is known to do the same in any folder.
//!
//! ## Why
//!
//! Flyte 1 joined all commands and ran them in one shell, in `/`. Flyte 2 starts a new shell for each, in the
//! working directory of the image.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(commands=["export A=1", "make-model"])
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
//! image = Image.from_debian_base().with_commands(["cd / && export A=1 && make-model"])
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
//! Safe. Commands that cannot be read go through as they are, which is unsafe, and so is what `bash` reads
//! differently from `sh`, such as `echo -e`: Flyte 1's Debian base ran commands in `sh`, that of Flyte 2 runs them in
//! `bash`.
//!
//! ## Not handled
//!
//! Scripts that come from a pipe and depend on the folder: `curl … | sh`.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::codes::{COMMANDS, INVALID_CALL};
use super::draft::{Draft, ImageContext, LayerKind, Parameter};
use super::none::or_empty_if_needed;
use super::tables::{SETUPTOOLS, WHEEL, brought_by_flytekit, brought_by_python};
use super::{Effect, Finding, flyte1_places};
use crate::flyte2::chain::Argument;
use crate::image::command::{Command, Reach};
use crate::image::line::command_fault;
use crate::python::items::Items;
use crate::python::possible::Strings;
use crate::python::scope::runs_pip;
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// Maps `commands`.
pub(super) fn map(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    let resolved = cx.literal(parameter.value);
    let is_own = parameter.value.elements().is_some();
    let texts: Option<Vec<String>> = resolved
        .elements()
        .and_then(|elements| elements.iter().map(|element| command_text(cx, element, is_own)).collect());
    let Some(texts) = texts else {
        let known = (cx.strings)(parameter.value.range).known;
        let texts = known.iter().map(|text| text.text.as_str()).chain([cx.slice(parameter.value.range)]);
        texts.for_each(|text| note_needs(draft, text));
        draft.find(
            Finding::new(
                &COMMANDS,
                parameter.value.range,
                Effect::Unsafe,
                "`commands` cannot be read; Flyte 1 ran them in one shell in `/`, Flyte 2 runs each in its own",
            )
            .help("Join commands that depend on each other with ` && `, and add `pip` to the packages if one of them runs it"),
        );
        push(draft, parameter, or_empty_if_needed(cx, parameter, "[]"));
        return;
    };
    let commands: Vec<Command> = texts.iter().map(|text| Command::read(text)).collect();
    check(draft, resolved.elements().unwrap_or_default(), parameter, &texts, &commands);
    draft.commands = draft.commands.max(commands.iter().map(Command::reach).max());
    texts.iter().for_each(|text| note_needs(draft, text));
    let groups = groups(&texts, &commands);
    if groups.iter().all(|group| group.members.len() == 1 && !group.needs_root) {
        let text = &parameter.item.value_text;
        let is_list = !is_own || matches!(parameter.value.kind, ValueKind::List(_));
        push(draft, parameter, if is_list { text.clone() } else { format!("list({text})") });
        return;
    }
    let rewritten = match (&parameter.item.nested, is_own) {
        (Some(nested), true) => display(cx, parameter.value, nested, &groups),
        _ => display_of(cx, &texts, &groups),
    };
    push(draft, parameter, rewritten);
}

fn push(draft: &mut Draft, parameter: Parameter<'_>, text: String) {
    let method = parameter.method("with_commands", vec![Argument::new(text)]);
    draft.layer(LayerKind::Commands, parameter.position, method);
}

/// The text of a command; what is not known of it, as in an f-string, is `{}`.
fn command_text(cx: &ImageContext<'_>, value: &Value, is_own: bool) -> Option<String> {
    match &value.kind {
        ValueKind::Str(text) | ValueKind::FString(text, _) => Some(text.clone()),
        ValueKind::Starred(_) => None,
        // A list of another place may stand in another file.
        _ if !is_own => None,
        _ => match (cx.strings)(value.range) {
            Strings { is_certain: true, known, .. } => match &known[..] {
                [text] => Some(text.text.clone()),
                _ => None,
            },
            _ => None,
        },
    }
}

/// Commands that run in one shell.
struct Group {
    members: Vec<usize>,
    needs_root: bool,
    has_background: bool,
}

fn groups(texts: &[String], commands: &[Command]) -> Vec<Group> {
    let reach = |command: &Command| command.reach();
    let is_joined = commands.iter().any(|command| reach(command) == Reach::Around);
    let first = if is_joined { Some(0) } else { commands.iter().position(|c| reach(c) != Reach::Itself) };
    let joined_from = first.filter(|&first| first + 1 < texts.len()).unwrap_or(texts.len());
    let group = |members: Vec<usize>| {
        let has_background = members.iter().any(|&index| reach(&commands[index]) == Reach::Around);
        let texts: Vec<&str> = members.iter().map(|&index| texts[index].as_str()).collect();
        let needs_root =
            !begins_with_option(texts[0]) && Command::read(&texts.join(" && ")).depends_on_folder();
        Group { members, needs_root, has_background }
    };
    let mut groups: Vec<Group> = (0..joined_from).map(|index| group(vec![index])).collect();
    if joined_from < texts.len() {
        groups.push(group((joined_from..texts.len()).collect()));
    }
    groups
}

/// Whether a command begins with an option of `RUN`, such as `--mount=type=cache,target=/x`.
fn begins_with_option(text: &str) -> bool {
    text.trim_start().starts_with("--")
}

/// Notes what a command needs of what only Flyte 1 put into the image: flytekit, modules that came with it or with its
/// Python, and pip.
fn note_needs(draft: &mut Draft, text: &str) {
    let modules = imported_modules(text);
    let brought = |module: &&str| brought_by_flytekit(module).or_else(|| brought_by_python(module));
    draft.brought.extend(modules.iter().filter_map(brought));
    draft.brought.extend(builders(text));
    draft.runs_pip |= runs_pip(text);
    let is_flyte1 = |name: &&str| {
        matches!(name.split('.').next(), Some("flytekit" | "flytekitplugins" | "union" | "unionai"))
    };
    let mut programs = simple_commands(text).filter_map(|command| {
        let words = command.split_whitespace();
        words.map(|word| word.rsplit('/').next().unwrap_or(word)).find(|word| !word.contains('='))
    });
    draft.runs_flyte1 |= modules.iter().any(is_flyte1)
        || programs.any(|program| program.starts_with("pyflyte") || matches!(program, "union" | "unionai"));
}

/// What builds the packages that a command installs from their source, where that is not seen to by itself.
fn builders(text: &str) -> &'static [&'static str] {
    let is_setup = |word: &str| word == "setup.py" || word.ends_with("/setup.py");
    if text.contains("--no-build-isolation") {
        &[SETUPTOOLS, WHEEL]
    } else if text.contains("python") && text.split_whitespace().any(is_setup) {
        &[SETUPTOOLS]
    } else {
        &[]
    }
}

/// The modules that Python code in a command imports, or that it runs: `python -c 'import requests'`, `python -m requests`.
fn imported_modules(text: &str) -> Vec<&str> {
    let mut modules = Vec::new();
    if !text.contains("python") {
        return modules;
    }
    for statement in text.split(['"', '\'', ';', '\n', '|', '&']).map(str::trim) {
        if let Some(names) = statement.strip_prefix("import ") {
            modules.extend(names.split(',').filter_map(|name| name.split_whitespace().next()));
        } else if let Some(rest) = statement.strip_prefix("from ") {
            modules.extend(rest.split_whitespace().next());
        } else {
            let words: Vec<&str> = statement.split_whitespace().collect();
            modules.extend(words.windows(2).filter(|pair| pair[0] == "-m").map(|pair| pair[1]));
        }
    }
    modules
}

/// Says what is special about commands that Flyte 1 joined with ` && `.
fn check(
    draft: &mut Draft,
    elements: &[Value],
    parameter: Parameter<'_>,
    texts: &[String],
    commands: &[Command],
) {
    let is_own = parameter.value.elements().is_some();
    for (index, (command, element)) in commands.iter().zip(elements).enumerate() {
        let range = if is_own { element.range } else { parameter.value.range };
        let is_last = index + 1 == commands.len();
        let has_option = begins_with_option(&texts[index]);
        if has_option && index == 0 {
            let message =
                "this begins with an option of `RUN`, which Flyte 1 gave to the step of all commands";
            draft.find(
                Finding::new(&COMMANDS, range, Effect::Unsafe, message)
                    .help("Build the image and look whether the command finds what it needs, and runs in the right folder"),
            );
        }
        let problem = if has_option && index > 0 {
            Some("it begins with an option of `RUN`".to_owned())
        } else if is_last && command.ends_in_backslash() {
            Some("it ends in a backslash, and takes in the line that follows in the Dockerfile".to_owned())
        } else if !is_last && let Some(problem) = command.cannot_be_followed() {
            Some(problem.to_owned())
        } else if index > 0 && command.cannot_follow() {
            Some("it is empty, or begins with an operator".to_owned())
        } else {
            let text = element.as_str().filter(|_| is_last);
            text.and_then(command_fault).map(|fault| format!("it {fault}"))
        };
        if let Some(problem) = problem {
            let message =
                format!("Flyte 1 joined its commands with ` && `, and could not build this one: {problem}");
            draft.find(
                Finding::new(&INVALID_CALL, range, Effect::Blocking, message)
                    .help("Write it so that another command can stand before and behind it"),
            );
        }
        if !is_last && command.ends_in_comment() {
            let message = "the comment hides the commands behind it: Flyte 1 ran all in one line, and so does Flyte 2 now";
            draft.find(
                Finding::new(&COMMANDS, range, Effect::Info, message)
                    .help("Move the comment out of the string if those commands are to run"),
            );
        }
        flyte1_places::check_command(draft, range, &texts[index]);
        draft.bash.extend(command.differs_in_bash().map(|what| (range, what)));
    }
}

/// Says so if commands that are added to an image depend on the shell of those that are there.
pub(super) fn check_added(draft: &mut Draft, added: &Draft, range: TextRange) {
    let (Some(before), Some(behind)) = (draft.commands, added.commands) else { return };
    if before != Reach::Itself || behind == Reach::Around {
        draft.find(
            Finding::new(
                &INVALID_CALL,
                range,
                Effect::Blocking,
                "these commands follow one that may change the shell; Flyte 1 ran them in the same shell",
            )
            .help("Write all commands into one list"),
        );
    }
}

/// Says what the shell of Flyte 2's Debian base reads in another way than that of Flyte 1's.
pub(super) fn finish(cx: &ImageContext<'_>, draft: &mut Draft) {
    let differences = std::mem::take(&mut draft.bash);
    if draft.is_foreign(cx) {
        return;
    }
    for (range, what) in differences {
        let message = format!(
            "{what}: `bash`, which runs commands on Flyte 2's Debian base, reads it differently from the `sh` of Flyte 1's"
        );
        draft.find(
            Finding::new(&COMMANDS, range, Effect::Unsafe, message)
                .help("Write it so that both shells read the same, or put `sh -c '…'` around it"),
        );
    }
}

/// The simple commands of a shell line.
fn simple_commands(line: &str) -> impl Iterator<Item = &str> {
    line.split([';', '\n', '&', '|'])
        .map(|part| part.trim().trim_start_matches('('))
        .filter(|part| !part.is_empty())
}

/// A list display with the joined commands; comments stay above the command that they stood at.
fn display(cx: &ImageContext<'_>, value: &Value, nested: &Items, groups: &[Group]) -> String {
    let elements = value.elements().unwrap_or_default();
    let texts: Vec<Option<String>> =
        elements.iter().map(|element| element.as_str().map(str::to_owned)).collect();
    let sources: Vec<&str> = nested.items.iter().map(|item| item.text.as_str()).collect();
    let mut lines = Vec::new();
    for group in groups {
        for &member in &group.members {
            let item = &nested.items[member];
            lines.extend(item.leading.iter().cloned());
            if group.members.len() > 1 {
                lines.extend(item.trailing.clone());
            }
        }
        let text = joined(cx, group, &texts, &sources);
        let trailing =
            if group.members.len() == 1 { nested.items[group.members[0]].trailing.clone() } else { None };
        lines.push(match trailing {
            Some(comment) => format!("{text},  {comment}"),
            None => format!("{text},"),
        });
    }
    lines.extend(nested.dangling.iter().cloned());
    let width: usize = lines.iter().map(|line| line.chars().count() + 1).sum();
    let is_long = width + 2 * cx.style.indent_unit.len() > cx.line_length;
    if nested.is_multiline || is_long || lines.len() != groups.len() {
        let unit = &cx.style.indent_unit;
        let body: String = lines.iter().map(|line| format!("{unit}{line}\n")).collect();
        return format!("[\n{body}]");
    }
    format!("[{}]", lines.iter().map(|line| line.trim_end_matches(',')).collect::<Vec<_>>().join(", "))
}

fn display_of(cx: &ImageContext<'_>, texts: &[String], groups: &[Group]) -> String {
    let literals: Vec<Option<String>> = texts.iter().cloned().map(Some).collect();
    let sources = vec![""; texts.len()];
    let commands: Vec<String> = groups.iter().map(|group| joined(cx, group, &literals, &sources)).collect();
    format!("[{}]", commands.join(", "))
}

fn joined(cx: &ImageContext<'_>, group: &Group, literals: &[Option<String>], sources: &[&str]) -> String {
    let (prefix, first) = match (group.needs_root, group.has_background) {
        (false, _) => ("", ""),
        (true, false) => ("cd / && ", "cd /"),
        // With `&&` it would go to the background, and be lost for the commands behind.
        (true, true) => ("cd /; ", "cd /; :"),
    };
    if let [member] = group.members.as_slice() {
        match (sources[*member], &literals[*member]) {
            ("", Some(literal)) if !group.needs_root => return cx.style.string(literal),
            (source, _) if !group.needs_root => return source.to_owned(),
            (source, None) => {
                if let Some(text) = with_prefix(source, prefix) {
                    return text;
                }
            }
            _ => {}
        }
    }
    let members: Option<Vec<&str>> =
        group.members.iter().map(|&member| literals[member].as_deref()).collect();
    if let Some(members) = members {
        cx.style.string(&format!("{prefix}{}", members.join(" && ")))
    } else {
        let mut parts: Vec<String> = if group.needs_root { vec![cx.style.string(first)] } else { Vec::new() };
        parts.extend(group.members.iter().map(|&member| sources[member].to_owned()));
        format!("{}.join([{}])", cx.style.string(" && "), parts.join(", "))
    }
}

/// An f-string that begins with `prefix`.
fn with_prefix(source: &str, prefix: &str) -> Option<String> {
    let quote = source.find(['"', '\''])?;
    let (letters, text) = source.split_at(quote);
    let is_plain = letters.eq_ignore_ascii_case("f") && text.ends_with(text.chars().next()?);
    (is_plain && !text.starts_with("\"\"\"") && !text.starts_with("'''"))
        .then(|| format!("{letters}{}{prefix}{}", &text[..1], &text[1..]))
}
