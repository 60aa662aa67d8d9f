//! What fails when an image is built or used, though the SDK lets it be defined.
//!
//! ```python
//! image.with_commands(["cd /opt", "RUN make"])    # a shell of its own for each, and no RUN in front
//! ```
//!
//! # FM520
//!
//! ## What it does
//!
//! Speaks of a base image that is no valid reference.
//!
//! ## Why
//!
//! No engine can pull it.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_base("https://ghcr.io/acme/base:1")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_base("ghcr.io/acme/base:1")
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Whether the image is there.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM522
//!
//! ## What it does
//!
//! Speaks of a name or registry that no image can have.
//!
//! ## Why
//!
//! The reference is made of them, and registries take no capital letters.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 12), name="Train")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 12), name="train")
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! What is not known without running the code is not judged.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM523
//!
//! ## What it does
//!
//! Speaks of a version of Python below 3.10, or one that the Debian base of Flyte 2 does not have.
//!
//! ## Why
//!
//! flyte does not install on an older Python, and the base of another version does not exist.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 9))
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_debian_base(python_version=(3, 12))
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! What is not known without running the code is not judged.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM524
//!
//! ## What it does
//!
//! Speaks of a path of an image that leads nowhere, or to a folder where a file is needed; also of a line such as
//! `-r other.txt` or `-e .` in a requirements file.
//!
//! ## Why
//!
//! The SDK looks for it from the working directory when the image is validated or built. Of a requirements file the build
//! gets nothing but the file.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_requirements("missing.txt")
//! ```
//!
//! ```text
//! # requirements.txt
//! pandas
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_requirements("requirements.txt")
//! ```
//!
//! ```text
//! # requirements.txt
//! pandas
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! A path that is there from another folder is told as a note. Lines of a requirements file are not judged behind layers
//! that copy files or run commands.
//!
//! ## References
//!
//! `flyte/_image.py` and `flyte/_internal/imagebuild/docker_builder.py` of flyte 2.12.1.
//!
//! # FM525
//!
//! ## What it does
//!
//! Speaks of a well-known bare image that a task runs in, to which nothing adds flyte.
//!
//! ## Why
//!
//! The container ends at once: the SDK starts a task with flyte itself.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! image = (
//!     flyte.Image.from_base("python:3.12").clone(name="train", extendable=True).with_pip_packages("pandas")
//! )
//! env = flyte.TaskEnvironment(name="train", image=image)
//!
//!
//! @env.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! image = (
//!     flyte.Image.from_base("python:3.12").clone(name="train", extendable=True).with_pip_packages("flyte")
//! )
//! env = flyte.TaskEnvironment(name="train", image=image)
//!
//!
//! @env.task
//! def step() -> int:
//!     return 1
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Bases that are not well known, and files of requirements: they may hold it.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM526
//!
//! ## What it does
//!
//! Speaks of a package from git in a layer before git is installed.
//!
//! ## Why
//!
//! Layers are built in the order of the chain, and neither Debian base has git.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_pip_packages("tool @ git+https://example.com/tool").with_apt_packages("git")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_apt_packages("git").with_pip_packages("tool @ git+https://example.com/tool")
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Bases that are not known to lack git.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM527
//!
//! ## What it does
//!
//! Speaks of a command such as `cd` or `export` that stands alone in front of others.
//!
//! ## Why
//!
//! Each command runs in a shell of its own, which ends with it.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_commands(["cd /opt", "make"])
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_commands(["cd /opt && make"])
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! A change in the last command, and in a command with more than one part.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM528
//!
//! ## What it does
//!
//! Speaks of a package that is no requirement as PEP 508 has it.
//!
//! ## Why
//!
//! uv cannot parse it, and the build fails.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_pip_packages("pandas=2")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_pip_packages("pandas==2")
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Paths and URLs, and whether the package exists.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM529
//!
//! ## What it does
//!
//! Speaks of one package that is pinned to different versions.
//!
//! ## Why
//!
//! In one layer nothing satisfies both; in two, the later one replaces the earlier.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_pip_packages("pandas==2.1", "pandas==2.2")
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_pip_packages("pandas==2.2")
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Ranges that exclude each other, pins with markers, and pins in files.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM530
//!
//! ## What it does
//!
//! Speaks of a command that begins with `RUN`.
//!
//! ## Why
//!
//! The builder puts its own `RUN` in front of it.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_commands(["RUN make"])
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_commands(["make"])
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Other instructions of a Dockerfile.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM531
//!
//! ## What it does
//!
//! Speaks of a `PATH` that is set without what it held before.
//!
//! ## Why
//!
//! The Python of the image is found through `PATH`.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_env_vars({"PATH": "/my/bin"})
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_env_vars({"PATH": "/my/bin:$PATH"})
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! A value that lists the folders of the image itself is reported too.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM532
//!
//! ## What it does
//!
//! Speaks of a name that no environment variable can have.
//!
//! ## Why
//!
//! The line of the Dockerfile cannot be parsed.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_env_vars({"MY VAR": "x"})
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! base = flyte.Image.from_debian_base(python_version=(3, 12), name="base")
//! image = base.with_env_vars({"MY_VAR": "x"})
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! What is not known without running the code is not judged.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.
//!
//! # FM533
//!
//! ## What it does
//!
//! Speaks of a script without a header that the SDK can read, whose dependencies or platforms it cannot give to pixi, or
//! a manifest whose name pixi does not know.
//!
//! ## Why
//!
//! `from_uv_script` installs what the block `# /// script` asks for.
//!
//! ## Example
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_uv_script("job.py", name="job", python_version=(3, 12))
//! ```
//!
//! ```python
//! # job.py
//! print(1)
//! ```
//!
//! ```python
//! # good.py
//! # /// script
//! # dependencies = ["flyte"]
//! # ///
//! print(1)
//! ```
//!
//! ## Use instead
//!
//! ```python
//! import flyte
//!
//! image = flyte.Image.from_uv_script("good.py", name="job", python_version=(3, 12))
//! ```
//!
//! ```python
//! # job.py
//! print(1)
//! ```
//!
//! ```python
//! # good.py
//! # /// script
//! # dependencies = ["flyte"]
//! # ///
//! print(1)
//! ```
//!
//! ## Fix safety
//!
//! By hand.
//!
//! ## Not handled
//!
//! Whether the packages exist.
//!
//! ## References
//!
//! `flyte/_image.py` of flyte 2.12.1.

use std::collections::HashMap;
use std::path::Path;

use super::command::{Command, Reach};
use super::disk::Disk;
use super::line::{command_fault, lost_variable, shown, value_fault};
use super::reference;
use super::requirement::Requirement;
use super::script::{self, ScriptError};
use super::version::Range;
use super::{Base, Image, Layer, path};
use crate::diagnostic::Rule;
use crate::rules::codes::{
    BASE_WITHOUT_FLYTE, BROKEN_LINE, COMMAND_WITH_RUN, CONTRADICTING_PINS, GIT_PACKAGE_BEFORE_GIT,
    IMAGE_NAME, IMAGE_PYTHON_VERSION, IMAGE_REFERENCE, IMAGE_WITHOUT_NAME, LOST_SHELL_CHANGE, MISSING_PATH,
    PATH_OVERWRITTEN, REQUIREMENT_SYNTAX, SCRIPT_HEADER, VARIABLE_NAME,
};

/// The part of an image that a problem is about.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Part {
    /// The image as a whole.
    Whole,
    /// What was given for a parameter of a constructor or of `clone`.
    Parameter(&'static str),
    /// A layer.
    Layer(usize),
    /// A package, command or variable of a layer.
    Item(usize, usize),
}

/// Something that fails.
#[derive(Debug, Clone, PartialEq)]
pub struct Problem {
    /// Which rule speaks.
    pub rule: &'static Rule,
    /// The part that it is about.
    pub part: Part,
    /// What is wrong.
    pub message: String,
    /// What to do.
    pub help: String,
}

/// Finds everything that fails in an image. `is_known` tells the texts that are values from those that stand for
/// expressions which are not known.
pub fn validate(image: &Image, is_known: &dyn Fn(&str) -> bool, disk: &Disk) -> Vec<Problem> {
    let mut check = Check { image, is_known, disk, problems: Vec::new() };
    check.base();
    check.names();
    check.python();
    for index in 0..image.layers.len() {
        check.layer(index);
    }
    check.pins();
    check.git();
    check.flyte();
    check.problems
}

struct Check<'c> {
    image: &'c Image,
    is_known: &'c dyn Fn(&str) -> bool,
    disk: &'c Disk,
    problems: Vec<Problem>,
}

/// Images of Docker Hub and others that hold no flyte, by the end of their name.
const BARE_BASES: [&str; 14] = [
    "python",
    "debian",
    "ubuntu",
    "alpine",
    "node",
    "nvidia/cuda",
    "pytorch/pytorch",
    "tensorflow/tensorflow",
    "continuumio/miniconda3",
    "continuumio/anaconda3",
    "condaforge/miniforge3",
    "condaforge/mambaforge",
    "mambaorg/micromamba",
    "rocker/r-ver",
];

impl Check<'_> {
    fn problem(
        &mut self,
        rule: &'static Rule,
        part: Part,
        message: impl Into<String>,
        help: impl Into<String>,
    ) {
        self.problems.push(Problem { rule, part, message: message.into(), help: help.into() });
    }

    fn base(&mut self) {
        match &self.image.base {
            Base::Reference(uri) if !uri.is_empty() && (self.is_known)(uri) => {
                if let Some(what) = reference::problem(uri) {
                    let message = format!("`{uri}` is no image reference: {what}");
                    self.problem(
                        &IMAGE_REFERENCE,
                        Part::Parameter("image_uri"),
                        message,
                        "Write it as `registry/name:tag`",
                    );
                }
            }
            Base::Dockerfile(file) => {
                let file = file.clone();
                self.needs_file(&file, Part::Parameter("file"), "the Dockerfile");
            }
            Base::Reference(_) | Base::RefName(_) => {}
        }
    }

    fn names(&mut self) {
        let image = self.image;
        let given =
            |text: &Option<String>| text.clone().filter(|text| !text.is_empty() && (self.is_known)(text));
        let (name, registry) = (given(&image.name), given(&image.registry));
        let is_nameless = image.is_cloned && image.name.as_ref().is_none_or(String::is_empty);
        // What begins with an unknown image may have its name. Layers are refused where they are added.
        let may_have_name = matches!(&image.base, Base::Reference(uri) if !(self.is_known)(uri));
        if is_nameless && !may_have_name && image.layers.is_empty() {
            self.problem(
                &IMAGE_WITHOUT_NAME,
                Part::Whole,
                "the image is a clone without a name, so that it has no `uri`",
                "Name it: `.clone(name=\"…\")`",
            );
        }
        // A name that only stands for a configured image is no repository.
        let name = name.filter(|_| image.is_cloned);
        if let Some(name) = &name
            && let Some(what) = reference::repository_problem(&format!("localhost/{name}"))
        {
            let message = format!("`{name}` cannot be the name of an image: {what}");
            self.problem(
                &IMAGE_NAME,
                Part::Parameter("name"),
                message,
                "Use lower-case letters, digits, and single `-`, `_` or `.` between them",
            );
        }
        if let Some(registry) = &registry
            && let Some(what) = reference::repository_problem(&format!("{registry}/name"))
        {
            let message = format!("`{registry}` cannot be a registry: {what}");
            self.problem(
                &IMAGE_NAME,
                Part::Parameter("registry"),
                message,
                "Write it as `registry.example.com/team`, in lower case and without `https://`",
            );
        }
    }

    fn python(&mut self) {
        let Some((major, minor)) = self.image.python_version else { return };
        let is_released =
            matches!(&self.image.base, Base::Reference(uri) if uri.starts_with("ghcr.io/flyteorg/flyte:py"));
        if major != 3 || minor < 10 {
            self.problem(
                &IMAGE_PYTHON_VERSION,
                Part::Parameter("python_version"),
                format!("`python_version` names Python {major}.{minor}, which is too old for Flyte 2"),
                "Use 3.10 or newer",
            );
        } else if is_released && minor > 14 {
            self.problem(
                &IMAGE_PYTHON_VERSION,
                Part::Parameter("python_version"),
                format!(
                    "`python_version` names Python {major}.{minor}, and no Debian base of Flyte 2 has it"
                ),
                "Use 3.10 to 3.14",
            );
        }
    }

    fn layer(&mut self, index: usize) {
        let image = self.image;
        match &image.layers[index] {
            Layer::PipPackages { packages, options } => {
                if packages.is_empty() && options.extra_args.is_none() {
                    let message = "`with_pip_packages` names no package, and uv does not run without one";
                    self.problem(&BROKEN_LINE, Part::Layer(index), message, "Leave it out");
                }
                for (item, package) in packages.iter().enumerate() {
                    self.package(package, Part::Item(index, item));
                }
            }
            Layer::Requirements { file, .. } => {
                self.needs_file(file, Part::Layer(index), "the requirements file");
                self.requirements(file, index);
            }
            Layer::UvProject { pyproject, uvlock, .. } => {
                self.needs_manifest(pyproject, uvlock.as_deref(), index);
                if let Some(lock) = uvlock {
                    self.needs_file(lock, Part::Layer(index), "the lock file");
                }
            }
            Layer::PoetryProject { pyproject, poetry_lock, .. } => {
                self.needs_manifest(pyproject, Some(poetry_lock), index);
                self.needs_file(poetry_lock, Part::Layer(index), "the lock file");
            }
            Layer::PixiProject { manifest, pixi_lock, .. } => {
                self.needs_manifest(manifest, pixi_lock.as_deref(), index);
                let text = manifest.to_string_lossy();
                let name = path::name(&text);
                if !["pixi.toml", "pyproject.toml"].contains(&name) && (self.is_known)(&text) {
                    let message = format!("`{name}` is not what pixi calls a manifest");
                    self.problem(
                        &SCRIPT_HEADER,
                        Part::Layer(index),
                        message,
                        "Call it `pixi.toml` or `pyproject.toml`",
                    );
                }
                if let Some(lock) = pixi_lock {
                    self.needs_file(lock, Part::Layer(index), "the lock file");
                }
            }
            Layer::UvScript { script, .. } => {
                self.script(script, index, |disk| script::uv_header(script, disk).map(drop));
            }
            Layer::PixiScript { script, platforms, .. } => {
                self.script(script, index, |disk| {
                    script::pixi_manifest(script, platforms, disk)?;
                    script::check_platforms(script, platforms, disk)
                });
            }
            Layer::Commands { commands, .. } => {
                let is_commands = |layer: &Layer| matches!(layer, Layer::Commands { .. });
                let more_follow = image.layers[index + 1..].iter().any(is_commands);
                for (item, command) in commands.iter().enumerate() {
                    let is_last = item + 1 == commands.len() && !more_follow;
                    self.command(command, is_last, Part::Item(index, item));
                }
            }
            Layer::Env { variables } => {
                for (item, (name, value)) in variables.iter().enumerate() {
                    self.variable(name, value, Part::Item(index, item));
                }
            }
            Layer::CopyFile { src, .. } => self.needs_file(src, Part::Item(index, 0), "the file to copy"),
            Layer::CopyFolder { src, .. } => self.needs_folder(src, Part::Item(index, 0)),
            Layer::DockerIgnore { path } => {
                // Without a name, the SDK reads the working directory.
                let path = if path.is_empty() { "." } else { path };
                self.needs_file(Path::new(path), Part::Layer(index), "the ignore file");
            }
            Layer::AptPackages { packages, .. } => {
                self.stays_on_its_line(&packages.join(" "), Part::Layer(index));
            }
            Layer::WorkDir { workdir } if workdir.trim().is_empty() => {
                let message = "`with_workdir` names no folder, and `WORKDIR` needs one";
                self.problem(&BROKEN_LINE, Part::Layer(index), message, "Leave it out, or write `/`");
            }
            Layer::WorkDir { workdir } => self.stays_on_its_line(workdir, Part::Layer(index)),
            Layer::CodeBundle { .. } | Layer::DockerLines { .. } => {}
        }
        self.places(index);
    }

    /// Paths that the SDK writes into instructions, where a space ends them.
    fn places(&mut self, index: usize) {
        let layer = &self.image.layers[index];
        let source = match layer {
            Layer::UvScript { .. } | Layer::PixiScript { .. } | Layer::DockerIgnore { .. } => None,
            other => other.path().map(|path| path.to_string_lossy().into_owned()),
        };
        let target = match layer {
            Layer::CopyFile { dst, .. } | Layer::CopyFolder { dst, .. } => Some(dst.clone()),
            _ => None,
        };
        for path in source.into_iter().chain(target) {
            if (self.is_known)(&path) && path.contains(char::is_whitespace) {
                let message = format!("`{}` holds a space, at which the path ends", shown(&path));
                self.problem(&BROKEN_LINE, Part::Layer(index), message, "Use a path without spaces");
            }
        }
    }

    fn stays_on_its_line(&mut self, text: &str, part: Part) {
        if (self.is_known)(text) && text.trim().contains('\n') {
            let message = format!("`{}` ends at its line break", shown(text.trim()));
            self.problem(&BROKEN_LINE, part, message, "Write it on one line");
        }
    }

    /// Whether a path is known and leads nowhere.
    fn is_missing(&self, file: &Path) -> bool {
        (self.is_known)(&file.to_string_lossy()) && !self.disk.exists(file)
    }

    fn needs_file(&mut self, file: &Path, part: Part, what: &str) {
        // What is no path at all is refused already.
        if file.as_os_str().is_empty() {
            return;
        }
        if self.is_missing(file) {
            let message =
                format!("`{}` is not there: {what} is looked for from the working directory", file.display());
            self.problem(&MISSING_PATH, part, message, "Correct the path, or build it from `__file__`");
        } else if self.disk.is_folder(file) {
            let message = format!("`{}` is a folder, not a file", file.display());
            self.problem(&MISSING_PATH, part, message, "Name a file");
        }
    }

    /// Lines of a requirements file that lead to other files: none but the file itself is in the build.
    fn requirements(&mut self, file: &Path, index: usize) {
        let brings_files = |layer: &Layer| {
            !matches!(
                layer,
                Layer::PipPackages { .. }
                    | Layer::Requirements { .. }
                    | Layer::AptPackages { .. }
                    | Layer::Env { .. }
                    | Layer::DockerIgnore { .. }
            )
        };
        // What was copied or made before may be what is meant.
        if self.image.layers[..index].iter().any(brings_files) || self.is_missing(file) {
            return;
        }
        let text = self.disk.read_text(file).unwrap_or_default();
        let lines = text.lines().map(|line| line.split(" #").next().unwrap_or_default().trim());
        let Some((line, place)) = lines.into_iter().find_map(|line| Some((line, other_file(line)?))) else {
            return;
        };
        let message = format!(
            "`{line}` in `{}` leads to `{place}`, which the build does not have: it gets the requirements file alone",
            file.display()
        );
        self.problem(
            &MISSING_PATH,
            Part::Layer(index),
            message,
            "Copy it with a layer in front, or write its lines into the file",
        );
    }

    fn needs_folder(&mut self, folder: &Path, part: Part) {
        if folder.as_os_str().is_empty() {
            return;
        }
        if self.is_missing(folder) {
            let message = format!(
                "`{}` is not there: the folder to copy is looked for from the working directory",
                folder.display()
            );
            self.problem(&MISSING_PATH, part, message, "Correct the path, or build it from `__file__`");
        } else if self.disk.is_file(folder) {
            let message = format!("`{}` is a file, not a folder", folder.display());
            self.problem(&MISSING_PATH, part, message, "Use `with_source_file`");
        }
    }

    /// A lock is worth nothing without the manifest that it locks.
    fn needs_manifest(&mut self, manifest: &Path, lock: Option<&Path>, index: usize) {
        match lock.filter(|lock| self.is_missing(manifest) && self.disk.is_file(lock)) {
            Some(lock) => {
                let message =
                    format!("`{}` locks `{}`, which is not there", lock.display(), manifest.display());
                self.problem(&MISSING_PATH, Part::Layer(index), message, "Put the manifest beside the lock");
            }
            None => self.needs_file(manifest, Part::Layer(index), "the manifest"),
        }
    }

    fn script(&mut self, file: &Path, index: usize, read: impl Fn(&Disk) -> Result<(), ScriptError>) {
        let part = if index == 0 { Part::Whole } else { Part::Parameter("script") };
        let text = file.to_string_lossy().into_owned();
        if !(self.is_known)(&text) {
            return;
        }
        if !self.disk.is_file(file) {
            return self.needs_file(file, part, "the script");
        }
        if path::suffix(&text) != ".py" {
            let message = format!("`{text}` is no `.py` file");
            self.problem(&SCRIPT_HEADER, part, message, "Rename the script");
        }
        match read(self.disk) {
            // What is only not known here is no fault of the script.
            Ok(()) | Err(ScriptError::Value(_)) => {}
            Err(error) => {
                let message = format!("`{text}`: {error}");
                self.problem(&SCRIPT_HEADER, part, message, error.help());
            }
        }
    }

    fn package(&mut self, package: &str, part: Part) {
        if !(self.is_known)(package) {
            return;
        }
        let quoted = package.trim();
        if quoted.starts_with('-') {
            // Alone it is an option of uv; with a value behind it, it is one unknown word.
            if quoted.contains(char::is_whitespace) {
                let message = format!("`{quoted}` is passed to uv as one word, which it does not know");
                self.problem(
                    &REQUIREMENT_SYNTAX,
                    part,
                    message,
                    "Use `index_url`, `extra_index_urls`, `pre` or `extra_args`",
                );
            }
            return;
        }
        if let Err(error) = Requirement::parse(package)
            && !is_place(package)
        {
            let message = format!("`{quoted}` is no requirement: {error}");
            self.problem(&REQUIREMENT_SYNTAX, part, message, "Write it as PEP 508 has it: `pandas>=2,<3`");
        }
    }

    fn command(&mut self, command: &str, is_last: bool, part: Part) {
        if !(self.is_known)(command) {
            return;
        }
        let fault = command_fault(command);
        let command = command.trim();
        if command.starts_with("RUN ") {
            let message =
                "`RUN` stands in front of a command, and the image builder puts its own there".to_owned();
            return self.problem(&COMMAND_WITH_RUN, part, message, "Take it away");
        }
        if let Some(option) = command.split_whitespace().next().filter(|word| word.starts_with("--")) {
            let message = format!("`{}` is read as an option of `RUN`", shown(option));
            let help = "Begin with what the shell is to run";
            return self.problem(&BROKEN_LINE, part, message, help);
        }
        if let Some(fault) = fault {
            let message = format!("`{}` {fault}", shown(command));
            let help =
                "Write each command as one of its own, and join lines that belong together with ` && \\`";
            return self.problem(&BROKEN_LINE, part, message, help);
        }
        if !is_last && Command::read(command).reach() == Reach::OnlyShell {
            let message = format!("`{command}` changes nothing: each command runs in a shell of its own");
            self.problem(
                &LOST_SHELL_CHANGE,
                part,
                message,
                "Join it to the next command with ` && `, or use `with_workdir` and `with_env_vars`",
            );
        }
    }

    fn variable(&mut self, name: &str, value: &str, part: Part) {
        if (self.is_known)(name)
            && (name.is_empty() || name.contains(['=', '\0']) || name.contains(char::is_whitespace))
        {
            let message = format!("`{name}` cannot be the name of an environment variable");
            self.problem(&VARIABLE_NAME, part, message, "Use letters, digits and underscores");
        }
        if let Some(fault) = value_fault(value).filter(|_| (self.is_known)(value)) {
            let message = format!("`{}` {fault}", shown(value));
            self.problem(&BROKEN_LINE, part, message, "Quote the value inside the string: `\"'a b'\"`");
        }
        if let Some(variable) = lost_variable(value).filter(|_| (self.is_known)(value)) {
            let message = format!(
                "`{variable}` in `{}` is taken for a variable, and nothing remains of it",
                shown(value)
            );
            self.problem(&BROKEN_LINE, part, message, "Put a backslash in front of it: `\\$`");
        }
        if name == "PATH" && (self.is_known)(value) && !value.contains("$PATH") && !value.contains("${PATH") {
            self.problem(
                &PATH_OVERWRITTEN,
                part,
                "`PATH` is overwritten: the Python of the image is no longer found",
                "Keep what it held: `/my/bin:$PATH`",
            );
        }
    }

    /// Pins of one package that exclude each other: in one layer uv refuses them, in two the later one wins.
    fn pins(&mut self) {
        let image = self.image;
        let mut seen: HashMap<String, (usize, String)> = HashMap::new();
        for (index, layer) in image.layers.iter().enumerate() {
            let Layer::PipPackages { packages, .. } = layer else { continue };
            for (item, package) in packages.iter().enumerate() {
                let Ok(requirement) = Requirement::parse(package) else { continue };
                let [(operator, version)] = &requirement.versions[..] else { continue };
                if operator != "==" || requirement.marker.is_some() {
                    continue;
                }
                let before = seen.insert(requirement.canonical_name(), (index, version.clone()));
                let Some((layer, other)) = before.filter(|(_, other)| !agree(other, version)) else {
                    continue;
                };
                let name = &requirement.name;
                let (message, help) = if layer == index {
                    (
                        format!("`{name}` is pinned to {other} and to {version}, which nothing satisfies"),
                        "Keep one of them",
                    )
                } else {
                    (
                        format!(
                            "`{name}` is pinned to {other} in an earlier layer, and replaced by {version}"
                        ),
                        "Keep one of them",
                    )
                };
                self.problem(&CONTRADICTING_PINS, Part::Item(index, item), message, help);
            }
        }
    }

    /// Packages from git need git, which neither Debian base has.
    fn git(&mut self) {
        let image = self.image;
        let Base::Reference(base) = &image.base else { return };
        let is_slim = base.starts_with("python:") && base.contains("-slim");
        if !(is_slim || base.starts_with("ghcr.io/flyteorg/flyte:py")) {
            return;
        }
        for (index, layer) in image.layers.iter().enumerate() {
            match layer {
                Layer::AptPackages { packages, .. }
                    if packages.iter().any(|name| brings_git(name) || !(self.is_known)(name)) =>
                {
                    return;
                }
                Layer::Commands { commands, .. }
                    if commands
                        .iter()
                        .any(|command| command.contains("git") || !(self.is_known)(command)) =>
                {
                    return;
                }
                Layer::PipPackages { packages, .. } => {
                    let from_git = packages
                        .iter()
                        .position(|package| package.contains("git+") && (self.is_known)(package));
                    if let Some(item) = from_git {
                        let message = format!(
                            "`{}` comes from git, and nothing has installed git before",
                            packages[item]
                        );
                        return self.problem(
                            &GIT_PACKAGE_BEFORE_GIT,
                            Part::Item(index, item),
                            message,
                            "Put `.with_apt_packages(\"git\")` in front of it",
                        );
                    }
                }
                Layer::Requirements { file, .. } => {
                    let text = self.disk.read_text(file).unwrap_or_default();
                    if let Some(line) =
                        text.lines().find(|line| line.contains("git+") && !line.trim().starts_with('#'))
                    {
                        let message =
                            format!("`{}` comes from git, and nothing has installed git before", line.trim());
                        return self.problem(
                            &GIT_PACKAGE_BEFORE_GIT,
                            Part::Layer(index),
                            message,
                            "Put `.with_apt_packages(\"git\")` in front of it",
                        );
                    }
                }
                _ => {}
            }
        }
    }

    /// A well-known base without flyte, to which nothing adds it.
    fn flyte(&mut self) {
        let image = self.image;
        let Base::Reference(base) = &image.base else { return };
        if !(self.is_known)(base) {
            return;
        }
        let repository = base.split(['@', ':']).next().unwrap_or(base);
        let repository = repository.strip_prefix("docker.io/").unwrap_or(repository);
        let repository = repository.strip_prefix("library/").unwrap_or(repository);
        let may_install = |layer: &Layer| match layer {
            Layer::PipPackages { packages, .. } => packages.iter().any(|package| {
                !(self.is_known)(package)
                    || is_place(package)
                    || Requirement::parse(package)
                        .is_ok_and(|package| package.canonical_name().starts_with("flyte"))
            }),
            Layer::Commands { commands, .. } => commands.iter().any(|command| {
                command.contains("flyte") && command.contains("install")
                    || installs_by_place(command)
                    || !(self.is_known)(command)
            }),
            Layer::UvScript { .. } => true,
            Layer::Requirements { .. }
            | Layer::UvProject { .. }
            | Layer::PoetryProject { .. }
            | Layer::PixiProject { .. }
            | Layer::PixiScript { .. } => true,
            _ => false,
        };
        if BARE_BASES.contains(&repository) && !image.layers.iter().any(may_install) {
            let message =
                format!("`{base}` holds no flyte, and nothing installs it: no task can run in this image");
            self.problem(&BASE_WITHOUT_FLYTE, Part::Whole, message, "Add `.with_pip_packages(\"flyte\")`");
        }
    }
}

/// Whether an apt package is git, in whatever version, or needs it.
fn brings_git(package: &str) -> bool {
    let name = package.split(['=', '/', ':']).next().unwrap_or_default();
    name == "git" || name.starts_with("git-") && name != "git-man"
}

/// Whether a command installs a project or what a file lists, in which anything may be, or runs a script.
fn installs_by_place(command: &str) -> bool {
    let words: Vec<&str> = command.split(|c: char| c.is_whitespace() || c == ';').collect();
    let follow = |first: &str, second: &str| words.windows(2).any(|pair| pair == [first, second]);
    let is_project = ["poetry", "pdm", "pixi", "hatch"].iter().any(|tool| follow(tool, "install"));
    let is_script = words.iter().any(|word| [".sh", ".py"].iter().any(|suffix| word.ends_with(suffix)));
    let installed = words.windows(2).position(|pair| pair == ["pip", "install"]).map(|at| &words[at + 2..]);
    let is_by_place = installed.unwrap_or_default().windows(2).any(|pair| {
        let [before, word] = pair else { return false };
        !before.contains("-url") && *before != "-i" && is_place(word) || word.starts_with("-r")
    }) || installed
        .and_then(<[&str]>::first)
        .is_some_and(|word| is_place(word) || word.starts_with("-r"));
    is_project || is_script || is_by_place || follow("uv", "sync") || words.contains(&"make")
}

/// Whether two exact versions are one, or a version fits into the other.
fn agree(one: &str, other: &str) -> bool {
    let range = |version: &str| Range::of(&[("==".to_owned(), version.to_owned())]);
    let build = |version: &str| version.split_once('+').map(|(_, build)| build.to_ascii_lowercase());
    let are_same_build = build(one).zip(build(other)).is_none_or(|(one, other)| one == other);
    match (range(one), range(other)) {
        (Some(first), Some(second)) => are_same_build && first.meets(&second),
        _ => one == other,
    }
}

/// Whether a package is given by where it is, not by name: a URL or a path.
fn is_place(package: &str) -> bool {
    let package = package.trim();
    package.starts_with(['.', '/', '~', '$'])
        || (package.contains("://") && !package.contains(" @ "))
        || package.starts_with("git+")
        || [".whl", ".tar.gz", ".zip"].iter().any(|suffix| package.ends_with(suffix))
}

/// The file or folder that a line of a requirements file leads to, by a path from where it is read.
fn other_file(line: &str) -> Option<&str> {
    const OPTIONS: [&str; 7] =
        ["--requirement", "--constraint", "--editable", "--find-links", "-r", "-c", "-e"];
    let behind = OPTIONS.iter().find_map(|option| line.strip_prefix(option));
    let place = match behind {
        Some(place) => place.trim_start().trim_start_matches('=').trim_start(),
        None => line.split_once(" @ ").map_or(line, |(_, place)| place.trim_start()),
    };
    let local = place.strip_prefix("file:").unwrap_or(place);
    let is_path =
        behind.is_some() && !place.is_empty() || local.len() < place.len() || local.starts_with('.');
    let is_elsewhere =
        local.contains("://") || local.starts_with(['/', '$', '#']) || local.starts_with("git+");
    (is_path && !is_elsewhere).then(|| local.split(';').next().unwrap_or(local).trim_end())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn versions_agree_where_one_fits_both() {
        for (one, other) in [("2", "2.0"), ("1.0", "1.0.0"), ("1.*", "1.2"), ("1+cpu", "1"), ("v1", "1")] {
            assert!(agree(one, other) && agree(other, one), "{one} {other}");
        }
        for (one, other) in [("2.1", "2.2"), ("1+cpu", "1+cu12"), ("1.*", "2.0"), ("2.0rc1", "2.0")] {
            assert!(!agree(one, other), "{one} {other}");
        }
    }

    #[test]
    fn git_comes_with_packages_that_need_it() {
        for package in ["git", "git=1:2.39.5-0+deb12u2", "git/bookworm-backports", "git:amd64", "git-lfs"] {
            assert!(brings_git(package), "{package}");
        }
        assert!(!brings_git("git-man") && !brings_git("gitolite3"));
    }

    #[test]
    fn projects_and_files_may_hold_anything() {
        let by_place = [
            "pip install /app",
            "uv pip install -r /app/requirements.txt",
            "cd /app && uv sync",
            "poetry install",
            "bash /app/install.sh",
            "pip install .",
        ];
        assert!(by_place.iter().all(|command| installs_by_place(command)));
        assert!(
            !["pip install pandas", "apt-get install git", "echo /app"]
                .iter()
                .any(|it| installs_by_place(it))
        );
    }
}
