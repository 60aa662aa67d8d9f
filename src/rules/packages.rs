//! `packages=["pandas"]` becomes `.with_pip_packages("pandas")`.
//!
//! flytekit writes the packages as lines of a requirements file, so options in them act; flyte quotes each for the
//! shell, so an option in one makes the build fail. flytekit itself is no longer needed in the image, but what came
//! with it may be.
//!
//! # FM103
//!
//! ## What it does
//!
//! Turns the list into the arguments of `with_pip_packages`, each with its comments. Options among the packages
//! become options of the layer: `--index-url`, `--extra-index-url`, and `--pre` with a package. Packages that
//! `with_packages` adds to an image by name bring those along that limit versions in that image.
//!
//! ## Why
//!
//! Flyte 1 resolved the packages of an image and of `with_packages` together. A layer of Flyte 2 is an installation of
//! its own, which may replace what the one before it pinned.
//!
//! flytekit wrote the packages as lines of a requirements file, so options in them acted. flyte quotes each for
//! the shell, so an option in one makes the build fail, and a list as one argument is refused.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(packages=["pandas>=2", "--extra-index-url https://example.com/simple"])
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
//! image = Image.from_debian_base().with_pip_packages(
//!     "pandas>=2", extra_index_urls=["https://example.com/simple"]
//! )
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
//! Safe; where all packages may be missing, `flyte` stands beside them, so that there is something to install. `--pre`
//! with a package is unsafe: it allows pre-releases of the whole layer. So are packages added to an image
//! whose limits cannot be repeated, because their versions are not known.
//!
//! ## Not handled
//!
//! Options that a layer has no counterpart for, comments inside a requirement, and local paths; options and comments
//! in a list that is put together elsewhere (in constants, dicts, conditional expressions, comprehensions), which keep the
//! image. What cannot be worked out is told by FM143.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)
//!
//! # FM401
//!
//! ## What it does
//!
//! Leaves `flytekit` and `union` out of the packages, in any form and version, or keeps them and says why.
//!
//! ## Why
//!
//! On Flyte 2 nothing in the image needs them, unless code in it still imports them: then they are kept, or
//! added, and both SDKs stand side by side.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(packages=["flytekit==1.16.0", "pandas"])
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
//! image = Image.from_debian_base().with_pip_packages("pandas")
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
//! Informs. The change is safe.
//!
//! ## Not handled
//!
//! `union[extra]`, whose extras have no counterpart.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)
//!
//! # FM402
//!
//! ## What it does
//!
//! Replaces a plugin of flytekit by the plugin of flyte that does the same, without the version, which is another
//! count.
//!
//! ## Why
//!
//! `flytekitplugins-*` require flytekit. The table of successors is `src/rules/data/plugins.tsv`, checked by
//! `scripts/plugins.py`.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(packages=["flytekitplugins-polars==1.16.0"])
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
//! image = Image.from_debian_base().with_pip_packages("flyteplugins-polars")
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
//! Informs. The change is safe where there is a successor.
//!
//! ## Not handled
//!
//! A plugin without a successor blocks: remove it if no task needs it, or list the libraries that it brought.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)
//!
//! # FM403
//!
//! ## What it does
//!
//! Adds packages that the image had only because flytekit depends on them, or because its Python came with them
//! (`setuptools`, `pkg_resources`, `wheel`), and that the code in it imports, or a command needs.
//!
//! ## Why
//!
//! A Flyte 1 image holds flytekit's own dependencies, such as requests and s3fs; a Flyte 2 image does not. The
//! task would fail when it runs, not when it is deployed. The table is made from the metadata of both SDKs by
//! `scripts/brought_packages.py`.
//!
//! ## Example
//!
//! ```python
//! import requests
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="fetch", packages=["pandas"])
//!
//!
//! @task(container_image=image)
//! def step() -> int:
//!     return requests.get("https://example.com").status_code
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import requests
//! from flyte import Image, TaskEnvironment
//!
//! image = Image.from_debian_base(name="fetch").with_pip_packages("pandas", "requests")
//!
//! env = TaskEnvironment(name="example", image=image)
//!
//!
//! @env.task
//! def step() -> int:
//!     return requests.get("https://example.com").status_code
//! ```
//!
//! ## Fix safety
//!
//! Informs. The change is safe.
//!
//! ## Not handled
//!
//! Imports that are made by name at run time, and those of scripts that commands run.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::actor::REUSE_PACKAGE;
use super::apt_packages::arguments;
use super::codes::{ACTOR, BROUGHT_PACKAGE, FLYTEKIT_PACKAGE, PACKAGES, PLUGIN_PACKAGE};
use super::draft::{Base, Draft, ImageContext, LayerKind, Parameter};
use super::tables::{Plugin, distribution_name, is_of_python, plugin};
use super::unread::Unread;
use super::{Effect, Finding, flyte_requirements, image_spec};
use crate::diagnostic::Rule;
use crate::flyte2::chain::{Argument, Call};
use crate::python::possible::{MayBeNone, Strings, Text};
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// How code reads the version of flytekit.
pub const READ_VERSION: &str = ".__version__";

/// The distribution that every image of Flyte 2 has.
const FLYTE: &str = "flyte";

/// What becomes of one element of the list.
enum Element {
    Keep,
    Replace(Vec<String>),
    Drop,
}

/// What of the list is looked at again once all of it is mapped.
#[derive(Default)]
struct List {
    unread: Unread,
    /// Whether there is a package for certain, or nothing tells that there may be none.
    is_filled: bool,
}

/// Maps `packages`.
pub(super) fn map(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    // What is not known must not be empty, which is told.
    let may_be_none = (cx.strings)(parameter.value.range).none == MayBeNone::Yes;
    let (texts, mut dangling, is_exploded) = arguments(parameter, may_be_none);
    let mut list = List::default();
    let mut kept = Vec::new();
    match parameter.value.elements() {
        Some(elements) if elements.len() == texts.len() => {
            for (element, mut argument) in elements.iter().zip(texts) {
                match classify(cx, draft, &mut list, element) {
                    Element::Keep => kept.push(argument),
                    Element::Replace(texts) => {
                        let mut texts = texts.into_iter();
                        argument.text = texts.next().unwrap_or_default();
                        kept.push(argument);
                        kept.extend(texts.map(Argument::new));
                    }
                    Element::Drop => dangling.extend(comments_of(argument)),
                }
            }
        }
        _ => {
            shared(cx, draft, &mut list, parameter.value.range);
            kept = texts;
        }
    }
    list.unread.tell(draft, parameter.name, parameter.value.range);
    if kept.is_empty() {
        draft.orphan(parameter);
        draft.orphans.extend(dangling);
        return;
    }
    if !list.is_filled {
        draft.find(Finding::new(
            &PACKAGES,
            parameter.value.range,
            Effect::Info,
            "there may be no package, which Flyte 2 cannot install; `flyte`, which the image has anyway, stands beside them",
        ));
        draft.listed.push(FLYTE.to_owned());
        kept.insert(0, Argument::new(cx.style.string(FLYTE)));
    }
    let mut method = parameter.method("with_pip_packages", kept);
    method.dangling = dangling;
    method.is_exploded = is_exploded && method.arguments.len() > 1;
    draft.layer(LayerKind::Pip, parameter.position, method);
}

fn comments_of(argument: Argument) -> impl Iterator<Item = String> {
    argument.leading.into_iter().chain(argument.trailing)
}

fn classify(cx: &ImageContext<'_>, draft: &mut Draft, list: &mut List, element: &Value) -> Element {
    let range = element.range;
    if let ValueKind::Starred(inner) = &element.kind {
        shared(cx, draft, list, inner.range);
        return Element::Keep;
    }
    let found = match element.as_str() {
        Some(text) => literal(cx, draft, range, text, true),
        None => expression(cx, draft, list, range),
    };
    list.is_filled |= !matches!(found, Element::Drop);
    found
}

/// An element that is no literal.
fn expression(cx: &ImageContext<'_>, draft: &mut Draft, list: &mut List, range: TextRange) -> Element {
    let strings = (cx.strings)(range);
    match &strings.known[..] {
        [text] if strings.is_certain && text.is_whole => literal(cx, draft, range, &text.text, false),
        [text] if strings.is_certain => formatted(cx, draft, list, range, &text.text),
        _ => {
            check(cx, draft, list, range, &strings);
            Element::Keep
        }
    }
}

fn literal(cx: &ImageContext<'_>, draft: &mut Draft, range: TextRange, text: &str, is_own: bool) -> Element {
    let is_line = |line: &&str| !line.is_empty() && !line.starts_with('#');
    let lines: Vec<&str> = text.lines().map(str::trim).filter(is_line).collect();
    match lines[..] {
        [] => Element::Drop,
        [line] if is_own && line != text => match requirement(cx, draft, range, line) {
            Element::Keep => Element::Replace(vec![cx.style.string(line)]),
            other => other,
        },
        [line] => requirement(cx, draft, range, line),
        _ if is_own => {
            let mut texts = Vec::new();
            for line in lines {
                match requirement(cx, draft, range, line) {
                    Element::Keep => texts.push(cx.style.string(line)),
                    Element::Replace(others) => texts.extend(others),
                    Element::Drop => {}
                }
            }
            if texts.is_empty() { Element::Drop } else { Element::Replace(texts) }
        }
        _ => {
            draft.find(unusable(range, text, "holds several lines, which Flyte 2 would take for one name"));
            Element::Keep
        }
    }
}

/// A line of a requirements file.
fn requirement(cx: &ImageContext<'_>, draft: &mut Draft, range: TextRange, line: &str) -> Element {
    if line.starts_with('-') {
        return option(cx, draft, range, line);
    }
    if let Some(problem) = unquotable(line) {
        draft.find(unusable(range, line, problem));
        return Element::Keep;
    }
    let element = named(cx, draft, range, line);
    if matches!(element, Element::Keep) {
        draft.listed.push(distribution_name(line));
        draft.findings.extend(flyte_requirements::check(range, line, None));
        draft.installed.packages.push(Text { text: line.to_owned(), is_whole: true });
    }
    element
}

fn unusable(range: TextRange, text: &str, problem: &str) -> Finding {
    let shown = text.split_whitespace().collect::<Vec<_>>().join(" ");
    Finding::new(&PACKAGES, range, Effect::Blocking, format!("`{shown}` {problem}"))
        .help("Give the package alone, and options as parameters of `with_pip_packages`")
}

/// Why a line of a requirements file cannot be one quoted word of a command.
fn unquotable(line: &str) -> Option<&'static str> {
    let mut words = line.split_whitespace().skip(1);
    if line.contains(" #") {
        return Some("holds a comment, which Flyte 2 would take for a part of the name");
    }
    if words.any(|word| word.starts_with("--") || word == "-i") {
        return Some("holds an option, which Flyte 2 would take for a part of the name");
    }
    let is_path = line.starts_with(['.', '/', '~']) || line.starts_with("file:");
    is_path.then_some("is a file; Flyte 2 does not copy it into the image before it installs")
}

/// flytekit, union and the plugins.
fn named(cx: &ImageContext<'_>, draft: &mut Draft, range: TextRange, text: &str) -> Element {
    let name = distribution_name(text);
    let head = text.split(['=', '<', '>', '~', '!', ';', '@', ' ']).next().unwrap_or(text);
    match name.as_str() {
        "union" | "unionai" if head.contains('[') => {
            draft.find(
                Finding::new(
                    &FLYTEKIT_PACKAGE,
                    range,
                    Effect::Blocking,
                    format!("`{text}` brings extras whose packages Flyte 2 does not have"),
                )
                .help("List the packages that the extra brings instead"),
            );
            Element::Keep
        }
        "flytekit" | "union" | "unionai" | "union-runtime" => flyte1(cx, draft, range, text),
        _ if name.starts_with("flytekitplugins-") => flyte1_plugin(cx, draft, range, text, &name),
        _ => Element::Keep,
    }
}

/// Why flytekit or union is still in the image.
fn reason(cx: &ImageContext<'_>) -> &'static str {
    if cx.keeps_flyte1.is_some() {
        "code in it still imports flytekit or union"
    } else {
        "a command in it runs flytekit or union"
    }
}

fn flyte1(cx: &ImageContext<'_>, draft: &mut Draft, range: TextRange, text: &str) -> Element {
    // `f"flytekit=={flytekit.__version__}"` would keep the import, and so itself.
    let reads_version = cx.slice(range).contains(READ_VERSION);
    if reads_version {
        draft.consumed.push(range);
    }
    if cx.keeps_flyte1.is_some() || draft.runs_flyte1 {
        if !reads_version {
            draft.find(Finding::new(
                &FLYTEKIT_PACKAGE,
                range,
                Effect::Info,
                format!("`{text}` stays in the image: {}", reason(cx)),
            ));
            return Element::Keep;
        }
        // It is added by its name alone.
        return Element::Drop;
    }
    draft.find(Finding::new(
        &FLYTEKIT_PACKAGE,
        range,
        Effect::Info,
        format!("`{text}` is left out: nothing in the image imports it any longer"),
    ));
    Element::Drop
}

fn flyte1_plugin(
    cx: &ImageContext<'_>,
    draft: &mut Draft,
    range: TextRange,
    text: &str,
    name: &str,
) -> Element {
    match plugin(name) {
        _ if cx.keeps_flyte1.is_some() => {
            draft.find(Finding::new(
                &PLUGIN_PACKAGE,
                range,
                Effect::Info,
                format!("`{text}` stays in the image: code in it still imports flytekit or union"),
            ));
            Element::Keep
        }
        Plugin::Successor(successor) => {
            draft.find(Finding::new(
                &PLUGIN_PACKAGE,
                range,
                Effect::Info,
                format!("`{text}` becomes `{successor}`, without the version of the Flyte 1 plugin"),
            ));
            draft.listed.push(successor.to_owned());
            draft.installed.packages.push(Text { text: successor.to_owned(), is_whole: true });
            Element::Replace(vec![cx.style.string(successor)])
        }
        Plugin::None => {
            draft.find(
                Finding::new(
                    &PLUGIN_PACKAGE,
                    range,
                    Effect::Blocking,
                    format!("`{text}` has no successor on Flyte 2"),
                )
                .help("Remove it if no task needs it, or list the libraries that it brought"),
            );
            Element::Keep
        }
    }
}

/// A text of which parts are not known.
fn formatted(
    cx: &ImageContext<'_>,
    draft: &mut Draft,
    list: &mut List,
    range: TextRange,
    text: &str,
) -> Element {
    let trimmed = text.trim_start();
    if trimmed.starts_with('-') {
        return option(cx, draft, range, trimmed);
    }
    if !is_named(trimmed) {
        list.unread.expression(cx.slice(range));
        draft.installed.has_unknown = true;
        return Element::Keep;
    }
    let element = named(cx, draft, range, trimmed);
    if matches!(element, Element::Keep) {
        draft.installed.packages.push(Text { text: trimmed.to_owned(), is_whole: false });
    }
    element
}

/// Whether a text tells its package: `{}==1` may be anything; `flytekit=={}` is flytekit.
fn is_named(text: &str) -> bool {
    let end = text
        .find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.')))
        .unwrap_or(text.len());
    end > 0 && !text[end..].starts_with('{') || text.contains("://")
}

/// `--index-url URL`, `--extra-index-url URL`, `--pre`.
fn option(cx: &ImageContext<'_>, draft: &mut Draft, range: TextRange, text: &str) -> Element {
    let mut words = text.split_whitespace().flat_map(|word| match word.split_once('=') {
        Some((option, value)) if option.starts_with("--") => vec![option, value],
        _ => vec![word],
    });
    let parts = (words.next().unwrap_or_default(), words.next(), words.next());
    match parts {
        ("--pre", None, _) => {
            draft.find(Finding::new(
                &PACKAGES,
                range,
                Effect::Info,
                "`--pre` alone is left out: it had no effect in Flyte 1 either",
            ));
            Element::Drop
        }
        ("--pre", Some(package), None) if !package.contains('{') => {
            draft.find(
                Finding::new(
                    &PACKAGES,
                    range,
                    Effect::Unsafe,
                    "`--pre` becomes `pre=True`, which allows pre-releases of all packages of the layer",
                )
                .help("Pin the pre-release instead"),
            );
            draft.option(Argument::new("pre=True"));
            Element::Replace(vec![cx.style.string(package)])
        }
        ("-i" | "--index-url", Some(url), None) if !url.contains('{') => {
            draft.option(Argument::new(format!("index_url={}", address(cx, range, url))));
            Element::Drop
        }
        ("--extra-index-url", Some(url), None) if !url.contains('{') => {
            add_extra_index(draft, &address(cx, range, url));
            Element::Drop
        }
        _ => {
            draft.find(
                Finding::new(
                    &PACKAGES,
                    range,
                    Effect::Blocking,
                    format!("`{text}` is an option that `with_pip_packages` cannot take as a package"),
                )
                .help("Use `index_url`, `extra_index_urls`, `pre` or `extra_args` of `with_pip_packages`"),
            );
            Element::Keep
        }
    }
}

/// The address in an option, as an expression: what stands behind the option where that is put together at `range`, so
/// that its constants keep their names, or else the text itself.
fn address(cx: &ImageContext<'_>, range: TextRange, url: &str) -> String {
    let text = cx.slice(range);
    behind_option(text).unwrap_or_else(|| cx.style.string(url))
}

/// `f"https://x/{V}"` of `f"--extra-index-url https://x/{V}"`, `URL` of `"--index-url " + URL`.
fn behind_option(text: &str) -> Option<String> {
    let quote = text.find(['"', '\''])?;
    let (prefix, literal) = text.split_at(quote);
    let (mark, rest) = literal.split_at(1);
    let is_put_together = prefix.eq_ignore_ascii_case("f") || (prefix.is_empty() && text.contains('+'));
    let options = ["--extra-index-url", "--index-url", "-i"];
    let rest = options.iter().find_map(|option| rest.strip_prefix(option)).filter(|_| is_put_together)?;
    let rest = rest.strip_prefix([' ', '=']).filter(|rest| !rest.starts_with(' '))?;
    match rest.strip_prefix(mark) {
        Some(rest) => rest.trim_start().strip_prefix('+').map(|rest| rest.trim_start().to_owned()),
        None => Some(format!("{prefix}{mark}{rest}")),
    }
}

fn add_extra_index(draft: &mut Draft, url: &str) {
    draft.option(Argument::new(format!("extra_index_urls=[{url}]")));
}

/// A list that is named, put together or starred: it may be shared, so nothing is taken out of it.
fn shared(cx: &ImageContext<'_>, draft: &mut Draft, list: &mut List, range: TextRange) {
    let strings = (cx.strings)(range);
    list.is_filled |= !strings.may_be_empty;
    check(cx, draft, list, range, &strings);
}

/// Says what of the strings that an expression may give is no package for Flyte 2.
fn check(cx: &ImageContext<'_>, draft: &mut Draft, list: &mut List, range: TextRange, strings: &Strings) {
    for known in &strings.known {
        let text = known.text.trim();
        if let Some((effect, rule, what, help)) = problem(cx, text) {
            let shown = text.split_whitespace().collect::<Vec<_>>().join(" ");
            let shown = if shown.is_empty() { "an empty string".to_owned() } else { format!("`{shown}`") };
            draft.find(Finding::new(rule, range, effect, format!("{shown} {what}")).help(help));
        }
        if !is_named(text) {
            if !known.is_whole && !text.starts_with('-') {
                list.unread.expression(text);
                draft.installed.has_unknown = true;
            }
            continue;
        }
        if strings.is_certain {
            draft.listed.push(distribution_name(text));
        }
        if known.is_whole {
            draft.findings.extend(flyte_requirements::check(range, text, None));
        }
        let is_whole = known.is_whole && strings.is_certain;
        draft.installed.packages.push(Text { text: text.to_owned(), is_whole });
    }
    list.unread.note(strings);
    draft.installed.has_unknown |= strings.reads_file || !strings.unknown.is_empty();
}

/// What is to be said of one string of a list that stays as it is.
fn problem(cx: &ImageContext<'_>, text: &str) -> Option<(Effect, &'static Rule, &'static str, String)> {
    let name = distribution_name(text);
    let is_one = !text.is_empty() && !text.starts_with(['-', '#']) && !text.contains('\n');
    if !is_one || unquotable(text).is_some() {
        let help = "Write the packages out, and give options as parameters of `with_pip_packages`";
        Some((Effect::Blocking, &PACKAGES, "is no package name alone", help.to_owned()))
    } else if matches!(name.as_str(), "flytekit" | "union" | "unionai" | "union-runtime") {
        let (what, help) =
            ("stays in the image: the list may be shared", "Remove it when no code imports it");
        Some((Effect::Info, &FLYTEKIT_PACKAGE, what, help.to_owned()))
    } else if name.starts_with("flytekitplugins-") && cx.keeps_flyte1.is_none() {
        let (what, help) = match plugin(&name) {
            Plugin::Successor(successor) => (
                "is a plugin of flytekit, and the list, which may be shared, is not edited",
                format!(
                    "Write `{successor}` into the list instead, or write the packages into the `ImageSpec`"
                ),
            ),
            Plugin::None => (
                "is a plugin of flytekit that has no successor on Flyte 2",
                "Remove it from the list if no task needs it, or list the libraries that it brought"
                    .to_owned(),
            ),
        };
        Some((Effect::Blocking, &PLUGIN_PACKAGE, what, help))
    } else {
        None
    }
}

/// Adds what the image only had because flytekit brought it, what Flyte 2 needs on a foreign base, and pip.
pub(super) fn finish(cx: &ImageContext<'_>, draft: &mut Draft, parameters: &[Parameter<'_>]) {
    if let Base::BareUri(_) = draft.base {
        return;
    }
    let callee = cx.call.callee;
    let mut added = Vec::new();
    let is_listed = |draft: &Draft, name: &str| draft.listed.iter().any(|listed| listed == name);
    if (matches!(draft.base, Base::Uri(_)) || draft.needs_flyte) && !is_listed(draft, FLYTE) {
        added.push(FLYTE.to_owned());
    }
    let kept = cx.keeps_flyte1.or(draft.runs_flyte1.then_some("flytekit"));
    if let Some(package) = kept.filter(|package| !is_listed(draft, package)) {
        let why = reason(cx);
        draft.find(Finding::new(
            &FLYTEKIT_PACKAGE,
            callee,
            Effect::Info,
            format!("`{package}` is added to the image: {why}"),
        ));
        added.push(package.to_owned());
    }
    let of_commands: Vec<String> = draft.brought.iter().map(|&package| package.to_owned()).collect();
    for package in cx.brought.iter().chain(&of_commands) {
        let name = distribution_name(package);
        let is_there = is_listed(draft, &name) || added.iter().any(|added| distribution_name(added) == name);
        let is_of_python = is_of_python(package);
        if !is_there && (is_of_python || kept.is_none()) {
            let origin = if is_of_python { "the Python of Flyte 1" } else { "flytekit" };
            let behind = match &draft.installed.file {
                Some(file) if !file.limits.is_empty() => {
                    format!("; it is installed behind `{}`, whose limits do not count for it", file.path)
                }
                _ => String::new(),
            };
            draft.find(Finding::new(
                &BROUGHT_PACKAGE,
                callee,
                Effect::Info,
                format!("`{package}` is added to the image: its code needs it, and only {origin} brought it{behind}"),
            ));
            added.push(package.clone());
        }
    }
    if cx.is_reused && !is_listed(draft, REUSE_PACKAGE) {
        draft.find(Finding::new(
            &ACTOR,
            callee,
            Effect::Info,
            format!("`{REUSE_PACKAGE}` is added to the image: its containers are reused"),
        ));
        added.push(REUSE_PACKAGE.to_owned());
    }
    if (cx.runs_pip || draft.runs_pip) && !is_listed(draft, "pip") {
        draft.find(image_spec::pip_added(callee));
        added.push("pip".to_owned());
    }
    if added.is_empty() {
        return;
    }
    let arguments: Vec<Argument> =
        added.iter().map(|package| Argument::new(cx.style.string(package))).collect();
    let is_foreign = matches!(draft.base, Base::Uri(_)) || draft.needs_flyte;
    match draft.layer_mut(LayerKind::Pip) {
        Some(method) if is_foreign => drop(method.arguments.splice(0..0, arguments)),
        Some(method) => method.arguments.extend(arguments),
        None => {
            // Where a requirements file is installed, the additions come behind it.
            let position = parameters
                .iter()
                .find(|parameter| parameter.name == "requirements")
                .map_or(parameters.len(), |parameter| parameter.position);
            let method = Call { callee: "with_pip_packages".to_owned(), arguments, ..Call::default() };
            draft.layer(LayerKind::Pip, position, method);
        }
    }
}
