//! `conda_packages` and `conda_channels` have no layer of their own; `--conda` says what takes their place.
//!
//! `--conda pixi` writes a `pixi.toml` beside the file and adds `with_pixi_project(…)`: pixi solves conda and PyPI
//! packages together, and its environment takes the place of the image's. `--conda micromamba` runs the same program
//! as Flyte 1 in commands.
//!
//! # FM113
//!
//! ## What it does
//!
//! With `--conda pixi`, writes the packages into a new `pixi.toml` beside the file, together with Python, `flyte`
//! and the packages from PyPI, and adds `with_pixi_project`. With `--conda micromamba`, adds the commands that
//! install them. Without the option, they are a finding.
//!
//! ## Why
//!
//! A Flyte 2 image is made with uv and apt, and has no layer for conda. pixi solves conda and PyPI packages
//! together, and its environment takes the place of the image's. The file is never written over one that is
//! there, and it is a part of the diff.
//!
//! ## Example
//!
//! ```python
//! from flytekit import ImageSpec, task
//!
//! image = ImageSpec(name="geo", python_version="3.11", conda_packages=["gdal=3.8"])
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
//! from pathlib import Path
//!
//! from flyte import Image, TaskEnvironment
//!
//! image = Image.from_debian_base(
//!     name="geo", python_version=(3, 11), platform=("linux/amd64",)
//! ).with_pixi_project(Path(__file__).parent / "pixi.toml")
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
//! By hand. It is left to you until `--conda` says what you want; then the change is safe, and unsafe without
//! `python_version`, because Flyte 1 took the Python that registers.
//!
//! ## Not handled
//!
//! Packages that are no literals, conda packages on another `ImageSpec`, beside a lock file, or listed twice.
//!
//! ## References
//!
//! [Container images](https://www.union.ai/docs/v2/flyte/user-guide/task-configuration/container-images/)

use super::codes::CONDA;
use super::draft::{Base, Conda, Draft, ImageContext, LayerKind, Parameter};
use super::{Effect, Finding};
use crate::edit::NewFile;
use crate::flyte2::chain::{Argument, Call};
use crate::flyte2::pixi::{Entry, Manifest, conda_entry, pypi_entry};

/// Where the environment of micromamba lies.
const PREFIX: &str = "/opt/conda";

/// The program that Flyte 1 takes from an image of its own (`flytekit/image_spec/default_builder.py`).
const MICROMAMBA: &str =
    "https://github.com/mamba-org/micromamba-releases/releases/latest/download/micromamba";

/// The channel that Flyte 1 puts in front of all others.
const FIRST_CHANNEL: &str = "conda-forge";

/// What an `ImageSpec` wants from conda.
#[derive(Debug)]
struct Wanted<'a> {
    packages: Parameter<'a>,
    words: Vec<String>,
    entries: Vec<Entry>,
    channels: Vec<String>,
    python: Option<String>,
    platforms: Vec<&'static str>,
}

/// Whether the parameters name conda packages.
pub(super) fn is_used(cx: &ImageContext<'_>, parameters: &[Parameter<'_>]) -> bool {
    find(cx, parameters, "conda_packages").is_some()
}

/// Adds the layers of conda, once the base and the platforms are known and before packages are completed.
///
/// Returns the manifest that is still to be filled with the packages from PyPI.
pub(super) fn map(
    cx: &ImageContext<'_>,
    draft: &mut Draft,
    parameters: &[Parameter<'_>],
) -> Option<Manifest> {
    let channels = find(cx, parameters, "conda_channels");
    let Some(packages) = find(cx, parameters, "conda_packages") else {
        if let Some(channels) = channels {
            let message =
                "`conda_channels` is left out: without `conda_packages` only Python came from there";
            draft.find(Finding::new(&CONDA, channels.item.range, Effect::Info, message));
            draft.orphan(channels);
        }
        return None;
    };
    channels.into_iter().for_each(|channels| draft.orphan(channels));
    if cx.conda == Conda::Finding {
        let message = "`conda_packages` has no counterpart: a Flyte 2 image has no layer for conda";
        draft.find(Finding::new(&CONDA, packages.item.range, Effect::Blocking, message).help(
            "Convert it with `--conda pixi` or `--conda micromamba`, install the packages from PyPI or apt, or \
             start from a base image that has them",
        ));
        return None;
    }
    let wanted = wanted(cx, draft, parameters, packages, channels)?;
    if wanted.python.is_none() {
        let message =
            "the conda environment gets the newest Python that fits; Flyte 1 took the one that registers";
        draft.find(
            Finding::new(&CONDA, packages.item.range, Effect::Unsafe, message).help("Give `python_version`"),
        );
    }
    if cx.conda == Conda::Micromamba {
        micromamba(cx, draft, &wanted);
        return None;
    }
    pixi(cx, draft, &wanted)
}

fn find<'a>(cx: &ImageContext<'_>, parameters: &[Parameter<'a>], name: &str) -> Option<Parameter<'a>> {
    parameters
        .iter()
        .find(|parameter| parameter.name == name && !cx.literal(parameter.value).is_empty())
        .copied()
}

fn wanted<'a>(
    cx: &ImageContext<'_>,
    draft: &mut Draft,
    parameters: &[Parameter<'a>],
    packages: Parameter<'a>,
    channels: Option<Parameter<'a>>,
) -> Option<Wanted<'a>> {
    let is_on_another = matches!(draft.base, Base::Clone(_) | Base::Inline(_));
    let python = python(cx, draft, parameters);
    let mut block = |message: String, help: &str| {
        draft.find(Finding::new(&CONDA, packages.item.range, Effect::Blocking, message).help(help));
    };
    if find(cx, parameters, "python_exec").is_some() {
        block(
            "`conda_packages` and `python_exec` do not go together; Flyte 1 refuses them too".to_owned(),
            "Remove one of them",
        );
        return None;
    }
    if is_on_another {
        block(
            "`conda_packages` on another `ImageSpec` would need its environment".to_owned(),
            "Give the packages of both images to this one",
        );
        return None;
    }
    let Some(words) = strings(cx, packages).and_then(|texts| split(&texts)) else {
        block("`conda_packages` cannot be read".to_owned(), "Write the packages out as a list of strings");
        return None;
    };
    let Some(listed) = channels.map_or(Some(Vec::new()), |channels| strings(cx, channels)) else {
        block("`conda_channels` cannot be read".to_owned(), "Write the channels out as a list of strings");
        return None;
    };
    let entries: Option<Vec<Entry>> = words.iter().map(|word| conda_entry(word)).collect();
    let Some(entries) = entries else {
        block(
            format!("`conda_packages={}` names more than packages and versions", packages.item.value_text),
            "Write each package as conda does: `gdal=3.8`, `numpy>=1.2,<2`, `nvidia::cuda-nvcc`",
        );
        return None;
    };
    let platforms = platforms(cx, parameters);
    let is_one = platforms.as_ref().is_some_and(|platforms| platforms.len() == 1);
    let Some(platforms) = platforms.filter(|_| is_one || cx.conda == Conda::Pixi) else {
        block(
            "`platform` cannot be built with conda packages".to_owned(),
            "Give `linux/amd64` or `linux/arm64`",
        );
        return None;
    };
    let mut all = vec![FIRST_CHANNEL.to_owned()];
    all.extend(listed.into_iter().filter(|channel| channel != FIRST_CHANNEL));
    Some(Wanted { packages, words, entries, channels: all, python, platforms })
}

/// The strings of a list of literals.
fn strings(cx: &ImageContext<'_>, parameter: Parameter<'_>) -> Option<Vec<String>> {
    let value = cx.literal(parameter.value);
    let texts = value.elements()?.iter().map(|element| cx.literal(element).as_str().map(str::to_owned));
    texts.collect()
}

/// Flyte 1 put the packages into a shell command, which takes words apart.
fn split(texts: &[String]) -> Option<Vec<String>> {
    let words = texts.iter().flat_map(|text| text.split_whitespace());
    let bare = words.map(|word| {
        let quote = word.chars().next().filter(|first| matches!(first, '\'' | '"'));
        let inner = quote.map_or(Some(word), |quote| word.strip_prefix(quote)?.strip_suffix(quote))?;
        (!inner.is_empty() && !inner.contains(['\'', '"', '\\', '$', '`'])).then(|| inner.to_owned())
    });
    bare.collect()
}

/// The Python to install: what `python_version` says, else that of the base.
fn python(cx: &ImageContext<'_>, draft: &Draft, parameters: &[Parameter<'_>]) -> Option<String> {
    let given = find(cx, parameters, "python_version").map(|parameter| cx.literal(parameter.value));
    let is_version = |text: &&str| text.split('.').all(|part| part.parse::<u16>().is_ok());
    match &given {
        Some(value) => value.as_str().filter(is_version).map(str::to_owned),
        None => draft.python_version.map(|(major, minor)| format!("{major}.{minor}")),
    }
}

/// The platforms in conda's words.
fn platforms(cx: &ImageContext<'_>, parameters: &[Parameter<'_>]) -> Option<Vec<&'static str>> {
    let Some(platform) = find(cx, parameters, "platform") else { return Some(vec!["linux-64"]) };
    let value = cx.literal(platform.value);
    let names = value.as_str()?.split(',').map(str::trim).filter(|name| !name.is_empty());
    let platforms = names.map(|name| match name {
        "linux/amd64" => Some("linux-64"),
        "linux/arm64" => Some("linux-aarch64"),
        _ => None,
    });
    platforms.collect()
}

fn pixi(cx: &ImageContext<'_>, draft: &mut Draft, wanted: &Wanted<'_>) -> Option<Manifest> {
    let Some(path) = cx.manifest else {
        let message = "`conda_packages` would go into a `pixi.toml`, but there is one already";
        draft.find(
            Finding::new(&CONDA, wanted.packages.item.range, Effect::Blocking, message)
                .help("Add the packages to it and use `with_pixi_project`, or move it away"),
        );
        return None;
    };
    if draft.layer_mut(LayerKind::Lock).is_some() {
        let message =
            "`conda_packages` beside a lock file: Flyte 1 kept them in two environments, pixi has one";
        draft.find(
            Finding::new(&CONDA, wanted.packages.item.range, Effect::Blocking, message)
                .help("List the packages of the lock in a `pixi.toml` and use `with_pixi_project`"),
        );
        return None;
    }
    let mut conda = wanted.entries.clone();
    if !conda.iter().any(|entry| entry.name == "python") {
        let version = wanted.python.as_ref().map_or(">=3.10".to_owned(), |version| format!("{version}.*"));
        conda.insert(0, Entry::new("python", version));
    }
    let name = cx.variable.map_or("an image".to_owned(), |variable| format!("`{variable}`"));
    let manifest = Manifest {
        origin: format!("The conda and PyPI packages of {name}, for `with_pixi_project`."),
        channels: wanted.channels.clone(),
        platforms: wanted.platforms.iter().map(|&platform| platform.to_owned()).collect(),
        conda,
        pypi: vec![Entry::new("flyte", "*")],
        ..Manifest::default()
    };
    if let Some(twice) = manifest.duplicate() {
        let message = format!("`{twice}` is listed twice among the `conda_packages`");
        draft.find(
            Finding::new(&CONDA, wanted.packages.item.range, Effect::Blocking, message).help("List it once"),
        );
        return None;
    }
    draft.find(
        Finding::new(
            &CONDA,
            wanted.packages.item.range,
            Effect::Info,
            format!("`conda_packages` move to `{path}`, which is written beside this file; pixi solves them together with the packages from PyPI"),
        )
        .help("Build the image, and commit the file with the code"),
    );
    let parts: String = path.split('/').map(|part| format!(" / {}", cx.style.string(part))).collect();
    let argument = Argument::new(format!("{}(__file__).parent{parts}", cx.path_name));
    draft.layer(LayerKind::Conda, 0, wanted.packages.method("with_pixi_project", vec![argument]));
    // The manifest has it.
    draft.listed.push("flyte".to_owned());
    Some(manifest)
}

/// Fills the manifest with the packages from PyPI, as far as it can hold all of them; others stay in their layer,
/// which installs into the environment of pixi.
pub(super) fn finish(cx: &ImageContext<'_>, draft: &mut Draft, mut manifest: Manifest) -> Option<NewFile> {
    if let Some((entries, index_url, extra_index_urls)) = pypi(draft) {
        let mut filled = manifest.clone();
        filled.pypi.extend(entries);
        filled.index_url = index_url;
        filled.extra_index_urls = extra_index_urls;
        if filled.duplicate().is_none() {
            manifest = filled;
            let layer = draft.take_layer(LayerKind::Pip);
            let comments = layer.into_iter().flat_map(|call| {
                let of_arguments =
                    call.arguments.into_iter().flat_map(|a| a.leading.into_iter().chain(a.trailing));
                let all =
                    call.leading.into_iter().chain(of_arguments).chain(call.dangling).chain(call.trailing);
                all.collect::<Vec<String>>()
            });
            draft.orphans.extend(comments.collect::<Vec<String>>());
        }
    }
    cx.manifest.map(|path| NewFile { path: path.to_owned(), content: manifest.render() })
}

type Pypi = (Vec<Entry>, Option<String>, Vec<String>);

/// The packages and indexes of the pip layer, if a manifest can say all of it.
fn pypi(draft: &mut Draft) -> Option<Pypi> {
    let (mut index_url, mut extra_index_urls) = (None, Vec::new());
    if draft.installed.file.as_ref().is_some_and(|file| !file.options.is_empty()) {
        return None;
    }
    for option in &draft.index_options {
        match option.text.split_once('=')? {
            ("index_url", url) => index_url = Some(literal(url)?),
            ("extra_index_urls", urls) => {
                let urls = urls.strip_prefix('[')?.strip_suffix(']')?;
                let urls: Option<Vec<String>> = urls.split(',').map(|url| literal(url.trim())).collect();
                extra_index_urls = urls?;
            }
            _ => return None,
        }
    }
    let layer = draft.layer_mut(LayerKind::Pip)?;
    let entries: Option<Vec<Entry>> =
        layer.arguments.iter().map(|argument| pypi_entry(&literal(&argument.text)?)).collect();
    Some((entries?, index_url, extra_index_urls))
}

/// The text of a plain string literal.
fn literal(text: &str) -> Option<String> {
    let quote = text.chars().next().filter(|first| matches!(first, '\'' | '"'))?;
    let inner = text.strip_prefix(quote)?.strip_suffix(quote)?;
    (!inner.contains([quote, '\\', '\n'])).then(|| inner.to_owned())
}

fn micromamba(cx: &ImageContext<'_>, draft: &mut Draft, wanted: &Wanted<'_>) {
    draft.find(
        Finding::new(
            &CONDA,
            wanted.packages.item.range,
            Effect::Info,
            "`conda_packages` are installed by commands, with the micromamba that is newest when the image is built",
        )
        .help("Build the image and check what it has"),
    );
    if let Base::Uri(_) = draft.base {
        let message = "the commands that install conda packages need apt on this base image";
        draft.find(
            Finding::new(&CONDA, wanted.packages.item.range, Effect::Unsafe, message)
                .help("Make sure that the base image is a Debian or an Ubuntu"),
        );
    }
    let string = |text: &str| cx.style.string(text);
    let method = |callee: &str, arguments: Vec<Argument>| Call {
        callee: callee.to_owned(),
        arguments,
        ..Call::default()
    };
    let tools = ["ca-certificates", "curl"].map(|tool| Argument::new(string(tool)));
    draft.layer(LayerKind::Conda, 0, method("with_apt_packages", tools.to_vec()));
    let platform = wanted.platforms.first().copied().unwrap_or("linux-64");
    let program = "/usr/local/bin/micromamba";
    let fetch = format!("curl -fsSL -o {program} {MICROMAMBA}-{platform} && chmod +x {program}");
    let unit = &cx.style.indent_unit;
    let lines = |open: char, elements: &[String], close: char| {
        let elements: String = elements.iter().map(|element| format!("\n{unit}{element},")).collect();
        Argument::new(format!("{open}{elements}\n{close}"))
    };
    let commands = lines('[', &[string(&fetch), string(&create_command(wanted))], ']');
    draft.layer(LayerKind::Conda, 0, wanted.packages.method("with_commands", vec![commands]));
    let variables = [
        ("PATH", format!("{PREFIX}/bin:$PATH")),
        ("VIRTUAL_ENV", PREFIX.to_owned()),
        ("UV_PYTHON", format!("{PREFIX}/bin/python")),
    ];
    let pairs: Vec<String> =
        variables.iter().map(|(name, value)| format!("{}: {}", string(name), string(value))).collect();
    draft.layer(LayerKind::Conda, 0, method("with_env_vars", vec![lines('{', &pairs, '}')]));
    draft.needs_flyte = true;
}

/// The command that makes the environment, as Flyte 1's.
fn create_command(wanted: &Wanted<'_>) -> String {
    let channels = wanted.channels.iter().map(|channel| format!("-c {}", quoted(channel)));
    let python = match &wanted.python {
        _ if wanted.entries.iter().any(|entry| entry.name == "python") => None,
        Some(version) => Some(format!("python={version}")),
        None => Some("python>=3.10".to_owned()),
    };
    let packages = python.into_iter().chain(wanted.words.iter().cloned());
    let words: Vec<String> = channels.chain(packages.map(|word| quoted(&word))).collect();
    format!("micromamba create --yes --prefix {PREFIX} {}", words.join(" "))
}

/// A word for the shell. What needs quotes has none in it: [`split`] sees to that.
fn quoted(word: &str) -> String {
    let is_plain = word.chars().all(|c| c.is_ascii_alphanumeric() || "-_.=:/+".contains(c));
    if is_plain { word.to_owned() } else { format!("'{word}'") }
}

/// `platform=("linux/amd64",)`: the one platform that Flyte 1 built for, and the one that is solved for.
pub(super) fn platform_of_flyte1(cx: &ImageContext<'_>, draft: &mut Draft) {
    let platform = cx.style.string("linux/amd64");
    draft.constructor.push(Argument::new(format!("platform=({platform},)")));
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn words_are_those_that_the_shell_saw() {
        let split = |text: &str| split(&[text.to_owned()]);
        assert_eq!(split("gdal numpy").unwrap(), ["gdal", "numpy"]);
        assert_eq!(split("'numpy>=1.2'").unwrap(), ["numpy>=1.2"]);
        assert_eq!(split("numpy'>=1'"), None);
        assert_eq!(split("$X"), None);
    }

    #[test]
    fn only_plain_literals_are_taken_for_what_they_say() {
        assert_eq!(literal("\"a\"").as_deref(), Some("a"));
        assert_eq!(literal("'a\\n'"), None);
        assert_eq!(literal("f'a'"), None);
        assert_eq!(literal("*names"), None);
    }
}
