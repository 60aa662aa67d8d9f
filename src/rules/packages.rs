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
//! Safe. `--pre` with a package is unsafe: it allows pre-releases of the whole layer. So are packages added to an image
//! whose limits cannot be repeated, because their versions are not known.
//!
//! ## Not handled
//!
//! Options that a layer has no counterpart for, comments inside a requirement, and local paths.
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
//! Adds packages that the image had only because flytekit depends on them, and that the code in it imports.
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
//! Imports that are made by name at run time.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::actor::REUSE_PACKAGE;
use super::apt_packages::arguments;
use super::codes::{ACTOR, BROUGHT_PACKAGE, FLYTEKIT_PACKAGE, PACKAGES, PLUGIN_PACKAGE};
use super::draft::{Base, Draft, ImageContext, LayerKind, Parameter};
use super::tables::{Plugin, distribution_name, plugin};
use super::{Effect, Finding, flyte_requirements, image_spec};
use crate::flyte2::chain::{Argument, Call};
use crate::python::value::{Value, ValueKind};
use crate::source::TextRange;

/// What becomes of one element of the list.
enum Element {
    Keep,
    Replace(String),
    Drop,
}

/// Maps `packages`.
pub(super) fn map(cx: &ImageContext<'_>, draft: &mut Draft, parameter: Parameter<'_>) {
    let (texts, mut dangling, is_exploded) = arguments(parameter);
    let mut kept = Vec::new();
    match parameter.value.elements() {
        Some(elements) if elements.len() == texts.len() => {
            for (element, mut argument) in elements.iter().zip(texts) {
                match classify(cx, draft, element) {
                    Element::Keep => kept.push(argument),
                    Element::Replace(text) => {
                        argument.text = text;
                        kept.push(argument);
                    }
                    Element::Drop => dangling.extend(comments_of(argument)),
                }
            }
        }
        _ => {
            shared(cx, draft, parameter.value);
            kept = texts;
        }
    }
    if kept.is_empty() {
        draft.orphan(parameter);
        draft.orphans.extend(dangling);
        return;
    }
    let mut method = parameter.method("with_pip_packages", kept);
    method.dangling = dangling;
    method.is_exploded = is_exploded && method.arguments.len() > 1;
    draft.layer(LayerKind::Pip, parameter.position, method);
}

fn comments_of(argument: Argument) -> impl Iterator<Item = String> {
    argument.leading.into_iter().chain(argument.trailing)
}

fn classify(cx: &ImageContext<'_>, draft: &mut Draft, element: &Value) -> Element {
    if let ValueKind::Starred(inner) = &element.kind {
        shared(cx, draft, inner);
        return Element::Keep;
    }
    match cx.literal(element).kind {
        ValueKind::Str(text) => {
            literal(cx, draft, element.range, &text, matches!(element.kind, ValueKind::Str(_)))
        }
        ValueKind::FString(text, _) => formatted(cx, draft, element.range, &text),
        _ => {
            draft.installed.has_unknown = true;
            Element::Keep
        }
    }
}

fn literal(cx: &ImageContext<'_>, draft: &mut Draft, range: TextRange, text: &str, is_own: bool) -> Element {
    let trimmed = text.trim();
    if trimmed.is_empty() {
        return Element::Drop;
    }
    if trimmed.starts_with('-') {
        return option(cx, draft, range, trimmed);
    }
    if let Some(problem) = unquotable(trimmed) {
        draft.find(
            Finding::new(&PACKAGES, range, Effect::Blocking, format!("`{trimmed}` {problem}"))
                .help("Give the package alone, and options as parameters of `with_pip_packages`"),
        );
        return Element::Keep;
    }
    match named(cx, draft, range, trimmed) {
        Element::Keep => {
            draft.listed.push(distribution_name(trimmed));
            draft.findings.extend(flyte_requirements::check(range, trimmed, None));
            draft.installed.packages.push(trimmed.to_owned());
            if is_own && trimmed != text { Element::Replace(cx.style.string(trimmed)) } else { Element::Keep }
        }
        other => other,
    }
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

fn flyte1(cx: &ImageContext<'_>, draft: &mut Draft, range: TextRange, text: &str) -> Element {
    if cx.keeps_flyte1.is_some() {
        draft.find(Finding::new(
            &FLYTEKIT_PACKAGE,
            range,
            Effect::Info,
            format!("`{text}` stays in the image: code in it still imports flytekit or union"),
        ));
        return Element::Keep;
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
            draft.installed.packages.push(successor.to_owned());
            Element::Replace(cx.style.string(successor))
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

fn formatted(cx: &ImageContext<'_>, draft: &mut Draft, range: TextRange, text: &str) -> Element {
    let trimmed = text.trim_start();
    if trimmed.starts_with('-') {
        return option(cx, draft, range, trimmed);
    }
    // `f"{name}==1"` may be anything; `f"flytekit=={version}"` is flytekit.
    let name_end =
        trimmed.find(|c: char| !(c.is_ascii_alphanumeric() || matches!(c, '-' | '_' | '.'))).unwrap_or(0);
    let is_named = name_end > 0 && !trimmed[name_end..].starts_with('{');
    let element =
        if is_named || trimmed.contains("://") { named(cx, draft, range, trimmed) } else { Element::Keep };
    match element {
        Element::Keep if is_named => draft.installed.packages.push(trimmed.to_owned()),
        Element::Keep => draft.installed.has_unknown = true,
        Element::Replace(_) | Element::Drop => {}
    }
    element
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
            Element::Replace(cx.style.string(package))
        }
        ("-i" | "--index-url", Some(url), None) if !url.contains('{') => {
            draft.option(Argument::new(format!("index_url={}", cx.style.string(url))));
            Element::Drop
        }
        ("--extra-index-url", Some(url), None) if !url.contains('{') => {
            add_extra_index(draft, &cx.style.string(url));
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

fn add_extra_index(draft: &mut Draft, url: &str) {
    draft.option(Argument::new(format!("extra_index_urls=[{url}]")));
}

/// A list that is named, concatenated or starred: it may be shared, so nothing is taken out of it.
fn shared(cx: &ImageContext<'_>, draft: &mut Draft, value: &Value) {
    if let ValueKind::Concat(left, right) = &value.kind {
        shared(cx, draft, left);
        shared(cx, draft, right);
        return;
    }
    let resolved = copied(cx, value).unwrap_or_else(|| cx.literal(value));
    draft.installed.has_unknown |= resolved.elements().is_none();
    for element in resolved.elements().unwrap_or_default() {
        let Some(text) = element.as_str().map(str::trim) else {
            draft.installed.has_unknown = true;
            continue;
        };
        let name = distribution_name(text);
        draft.listed.push(name.clone());
        draft.installed.packages.push(text.to_owned());
        draft.findings.extend(flyte_requirements::check(value.range, text, None));
        let is_flyte1 = matches!(name.as_str(), "flytekit" | "union" | "unionai" | "union-runtime");
        let problem = if text.starts_with('-') || unquotable(text).is_some() {
            Some((
                Effect::Blocking,
                &PACKAGES,
                "is no package name alone",
                "Move the option to the parameters of `with_pip_packages`",
            ))
        } else if is_flyte1 {
            Some((
                Effect::Info,
                &FLYTEKIT_PACKAGE,
                "stays in the image: the list may be shared",
                "Remove it when no code imports it",
            ))
        } else if name.starts_with("flytekitplugins-") && cx.keeps_flyte1.is_none() {
            Some((
                Effect::Blocking,
                &PLUGIN_PACKAGE,
                "is a plugin of flytekit",
                "Replace it by its Flyte 2 successor in the list",
            ))
        } else {
            None
        };
        if let Some((effect, rule, what, help)) = problem {
            draft.find(Finding::new(rule, value.range, effect, format!("`{text}` {what}")).help(help));
        }
    }
}

/// The list that `list(NAME)`, `NAME[:]` and their like copy.
fn copied(cx: &ImageContext<'_>, value: &Value) -> Option<Value> {
    let text = cx.slice(value.range);
    let inner = text.strip_suffix("[:]").or_else(|| text.strip_suffix(".copy()"));
    let inner = inner.or_else(|| {
        let mut copies = ["list(", "tuple(", "sorted("].into_iter();
        copies.find_map(|copy| text.strip_prefix(copy)?.strip_suffix(')'))
    })?;
    (cx.constant)(inner.trim())
}

/// Adds what the image only had because flytekit brought it, what Flyte 2 needs on a foreign base, and pip.
pub(super) fn finish(cx: &ImageContext<'_>, draft: &mut Draft, parameters: &[Parameter<'_>]) {
    if let Base::BareUri(_) = draft.base {
        return;
    }
    let callee = cx.call.callee;
    let mut added = Vec::new();
    let is_listed = |draft: &Draft, name: &str| draft.listed.iter().any(|listed| listed == name);
    if (matches!(draft.base, Base::Uri(_)) || draft.needs_flyte) && !is_listed(draft, "flyte") {
        added.push("flyte".to_owned());
    }
    if let Some(package) = cx.keeps_flyte1.filter(|package| !is_listed(draft, package)) {
        draft.find(Finding::new(
            &FLYTEKIT_PACKAGE,
            callee,
            Effect::Info,
            format!("`{package}` is added to the image: code in it still imports flytekit or union"),
        ));
        added.push(package.to_owned());
    }
    for package in cx.brought {
        if !is_listed(draft, package) && cx.keeps_flyte1.is_none() {
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
                format!("`{package}` is added to the image: its code needs it, and only flytekit brought it{behind}"),
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
