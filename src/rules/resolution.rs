//! What Flyte 1 resolved in one installation and Flyte 2 installs layer by layer.
//!
//! flytekit writes the lines of the requirements file and the packages, those of `with_packages` included, into one
//! file and has uv install it once (`flytekit/image_spec/default_builder.py`, 1.16.31). A layer of flyte is an
//! installation of its own (`flyte/_internal/imagebuild/docker_builder.py`, 2.12.1): it may replace what the layers
//! before it installed, and their options do not count for it.

use std::collections::BTreeSet;

use super::codes::{PACKAGES, REQUIREMENTS};
use super::draft::{Draft, ImageContext, LayerKind, add_option};
use super::tables::distribution_name;
use super::{Effect, Finding};
use crate::flyte2::chain::Argument;
use crate::image::requirement::{canonical, is_limit, is_pin};
use crate::project::disk::PipOption;
use crate::python::possible::Text;
use crate::source::TextRange;

/// What the layers of an image install that Flyte 1 resolved together.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct Installed {
    /// The packages; whole are those that it installs for certain.
    pub packages: Vec<Text>,
    /// Whether there are packages that cannot be read.
    pub has_unknown: bool,
    /// The requirements file.
    pub file: Option<RequirementsFile>,
}

/// A requirements file, as far as it matters for what is installed along with it.
#[derive(Debug, Clone, Default, PartialEq, Eq)]
pub struct RequirementsFile {
    /// How the image names it.
    pub path: String,
    /// The distributions that it lists, normalized.
    pub distributions: Vec<String>,
    /// The requirements that keep newer versions out.
    pub limits: Vec<String>,
    /// The options that count for everything.
    pub options: Vec<PipOption>,
}

impl Installed {
    /// Takes over what another part of the image installs.
    pub fn extend(&mut self, other: Self) {
        self.packages.extend(other.packages);
        self.has_unknown |= other.has_unknown;
        self.file = self.file.take().or(other.file);
    }

    /// The packages whose versions are to be chosen.
    fn free(&self) -> Vec<&str> {
        let packages = self.packages.iter();
        packages.filter(|package| !is_pin(&filled(package))).map(|package| package.text.as_str()).collect()
    }

    fn is_empty(&self) -> bool {
        self.packages.is_empty() && !self.has_unknown
    }
}

impl RequirementsFile {
    /// Whether a package is there already when it is installed again, in a version that may stay.
    fn settles(&self, package: &str) -> bool {
        let name = distribution_name(package);
        let is_of = |limit: &String| distribution_name(limit) == name;
        let is_bare = canonical(package) == name;
        self.distributions.contains(&name) && (is_bare || self.limits.iter().any(is_of))
    }
}

/// The package with something in the place of what is not known.
fn filled(package: &Text) -> String {
    package.text.replace("{}", "0")
}

/// Up to three texts in a row.
fn few(texts: &[impl AsRef<str>]) -> String {
    let shown: Vec<String> = texts.iter().take(3).map(|text| format!("`{}`", text.as_ref())).collect();
    let more = texts.len() - shown.len();
    let rest = if more > 0 { format!(" and {more} more") } else { String::new() };
    shown.join(", ") + &rest
}

/// Says so where a layer of packages may undo what the requirements file in the layer before it limits.
pub(super) fn check_limits(draft: &mut Draft, file: &RequirementsFile, added: &Installed, range: TextRange) {
    let mut free = added.free();
    free.retain(|package| !file.settles(package));
    if file.limits.is_empty() || (free.is_empty() && !added.has_unknown) {
        return;
    }
    let path = &file.path;
    let what = if free.is_empty() { "the other packages".to_owned() } else { few(&free) };
    let message = format!(
        "`{path}` limits versions ({}), which Flyte 2 may undo: it installs {what} in a layer of its own, Flyte 1 \
         resolved all of them together",
        few(&file.limits)
    );
    draft.find(
        Finding::new(&REQUIREMENTS, range, Effect::Unsafe, message)
            .help(format!("Add the packages to `{path}`, or pin them with `==`")),
    );
}

/// Repeats in a layer of further packages what the layers before it ask for, where that decides about versions.
pub(super) fn repeat(cx: &ImageContext<'_>, draft: &mut Draft, part: &mut Draft, range: TextRange) {
    let (before, added) = (draft.installed.clone(), part.installed.clone());
    if added.is_empty() {
        return;
    }
    if let Some(file) = &before.file {
        check_limits(draft, file, &added, range);
    }
    let is_settled = |installed: &Installed| installed.free().is_empty() && !installed.has_unknown;
    if is_settled(&added) && is_settled(&before) {
        return;
    }
    let limits_more = added.packages.iter().any(|package| is_limit(&filled(package)));
    let is_wanted =
        |package: &&Text| (limits_more || is_limit(&filled(package))) && !added.packages.contains(package);
    let (known, unknown): (Vec<&Text>, Vec<&Text>) =
        before.packages.iter().filter(is_wanted).partition(|package| package.is_whole);
    let texts = |packages: Vec<&Text>| -> Vec<String> {
        let texts: BTreeSet<&str> = packages.iter().map(|package| package.text.as_str()).collect();
        let mut seen = texts.clone();
        packages.iter().filter(|p| seen.remove(p.text.as_str())).map(|p| p.text.clone()).collect()
    };
    let (known, unknown) = (texts(known), texts(unknown));
    if !unknown.is_empty() {
        let message = format!(
            "the image below limits versions ({}), which Flyte 2 may undo: it installs these packages in a layer of their own, \
             Flyte 1 resolved all of them together",
            few(&unknown)
        );
        draft.find(
            Finding::new(&PACKAGES, range, Effect::Unsafe, message)
                .help("Repeat the limits among these packages, or pin them with `==`"),
        );
    }
    let Some(layer) = part.layer_mut(LayerKind::Pip).filter(|_| !known.is_empty()) else { return };
    layer.arguments.extend(known.iter().map(|package| Argument::new(cx.style.string(package))));
    let message = format!(
        "packages of the image below are repeated here ({}): Flyte 1 resolved all of them together, Flyte 2 installs \
         each layer by itself",
        few(&known)
    );
    draft.find(Finding::new(&PACKAGES, range, Effect::Info, message));
}

/// Gives the options of a requirements file to the layers of packages as well.
pub(super) fn repeat_options(cx: &ImageContext<'_>, draft: &mut Draft) {
    let Some(file) = draft.installed.file.clone().filter(|file| !file.options.is_empty()) else { return };
    if draft.layer_mut(LayerKind::Pip).is_none() {
        return;
    }
    let range = cx.call.callee;
    let path = &file.path;
    let texts: Vec<String> = file.options.iter().map(PipOption::text).collect();
    if let Some(options) = with_options(cx, &draft.index_options, &file.options) {
        if options != draft.index_options {
            let message = format!(
                "options of `{path}` are repeated for the packages beside it ({}), which are a layer of their own",
                few(&texts)
            );
            draft.find(Finding::new(&REQUIREMENTS, range, Effect::Info, message));
        }
        draft.pip_options = Some(options);
        return;
    }
    // What is only added is not known yet when it is decided whether the image is converted.
    let effect = if draft.installed.is_empty() { Effect::Info } else { Effect::Unsafe };
    let message = format!(
        "options of `{path}` ({}) do not count for the packages beside it, which are a layer of their own",
        few(&texts)
    );
    draft.find(
        Finding::new(&REQUIREMENTS, range, effect, message)
            .help(format!("Add the packages to `{path}`, or give the option to `with_pip_packages`")),
    );
}

/// The options of a layer with those of a file behind them, as on the command line that flytekit makes; `None` where
/// one cannot be written.
fn with_options(cx: &ImageContext<'_>, own: &[Argument], file: &[PipOption]) -> Option<Vec<Argument>> {
    let mut options = own.to_vec();
    let mut others = Vec::new();
    for option in file {
        let text = option.text();
        // No secret is copied into the code, and a shell takes the options as they are.
        if !text.chars().all(|c| c.is_ascii_alphanumeric() || ":/._~%+=, -".contains(c)) {
            return None;
        }
        match option {
            // uv prefers the index of its command line.
            PipOption::Index(_) if own.iter().any(|own| own.text.starts_with("index_url=")) => {}
            PipOption::Index(url) => {
                add_option(&mut options, Argument::new(format!("index_url={}", cx.style.string(url))));
            }
            PipOption::ExtraIndex(url) => {
                let option = format!("extra_index_urls=[{}]", cx.style.string(url));
                add_option(&mut options, Argument::new(option));
            }
            PipOption::Other(_) => others.push(text),
        }
    }
    if !others.is_empty() {
        if options.iter().any(|option| option.text.starts_with("extra_args=")) {
            return None;
        }
        options.push(Argument::new(format!("extra_args={}", cx.style.string(&others.join(" ")))));
    }
    Some(options)
}
