//! What was typed: the command line as clap sees it.

use std::num::NonZeroUsize;
use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Below the options in `--help`.
const AFTER_HELP: &str = "\
Exit codes:
  0  Nothing is left to do (notes never count)
  1  Findings remain, or --diff or --check would change something
  2  Bad usage, unreadable input, a syntax error, or an internal error

[*] marks a finding that --write fixes, [~] one that needs --unsafe-fixes; the others need work by hand.
The diff and the report go to standard output, everything else to standard error.";

/// Rewrites Flyte 1 (flytekit) Python into Flyte 2 (flyte).
///
/// Without --diff, --check or --write, nothing is changed: the findings are listed.
#[derive(Debug, Clone, Parser)]
#[command(
    name = "flyte-migrate",
    version,
    after_help = AFTER_HELP,
    args_conflicts_with_subcommands = true,
    disable_help_subcommand = true
)]
#[expect(clippy::struct_excessive_bools, reason = "each is a flag of its own")]
pub struct Args {
    /// Another command than migrating.
    #[command(subcommand)]
    pub command: Option<Command>,

    /// Files and folders to report on and to change; a path called `rule` is given as `./rule`.
    #[arg(value_name = "PATHS", default_value = ".")]
    pub paths: Vec<PathBuf>,

    /// Print what would change as a unified diff that `git apply` takes.
    #[arg(long, group = "mode", help_heading = "Modes")]
    pub diff: bool,

    /// Say only whether something would change, by the exit code and one line
    #[arg(long, group = "mode", help_heading = "Modes")]
    pub check: bool,

    /// Change the files.
    #[arg(long, group = "mode", help_heading = "Modes")]
    pub write: bool,

    /// List the files that would be analyzed.
    #[arg(long, group = "mode", help_heading = "Modes")]
    pub files: bool,

    /// Also apply fixes after which images, results or the set-up needed may differ.
    #[arg(long, help_heading = "What is changed")]
    pub unsafe_fixes: bool,

    /// Convert what can be converted, even where the rest breaks until it is done by hand.
    #[arg(long, help_heading = "What is changed")]
    pub partial: bool,

    /// Also rewrite `pyflyte` and `pip install` commands in scripts and documents.
    #[arg(long, help_heading = "What is changed")]
    pub include_commands: bool,

    /// Add the builder of images to the project's Flyte 2 configuration, `config.yaml` or `.flyte/config.yaml`.
    #[arg(long, help_heading = "What is changed")]
    pub write_config: bool,

    /// The order of the layers in an image [default: flyte1].
    #[arg(long, value_enum, value_name = "ORDER", help_heading = "What is changed")]
    pub layer_order: Option<LayerOrder>,

    /// What becomes of packages from conda: a `pixi.toml` beside the file, or commands. Without it they are a finding.
    #[arg(long, value_enum, value_name = "HOW", help_heading = "What is changed")]
    pub conda: Option<Conda>,

    /// The platforms of an image that names none: those of Flyte 2, two, or that of Flyte 1, one [default: flyte2].
    #[arg(long, value_enum, value_name = "WHOSE", help_heading = "What is changed")]
    pub platform: Option<Platform>,

    /// The name of the image pull secret that takes the place of `registry_config` [default: made from the host].
    #[arg(long, value_name = "NAME", help_heading = "What is changed")]
    pub registry_secret: Option<String>,

    /// How calls run that do not depend on each other: side by side as on Flyte 1, or one after another.
    #[arg(long, value_enum, value_name = "HOW", default_value_t, help_heading = "What is changed")]
    pub parallelism: Parallelism,

    /// The longest line of new code [default: that of ruff or black in the project's pyproject.toml, else 88].
    #[arg(long, value_name = "N", value_parser = clap::value_parser!(u16).range(1..), help_heading = "What is changed")]
    pub line_length: Option<u16>,

    /// Read `[tool.flyte-migrate]` of this file instead of the nearest pyproject.toml.
    #[arg(long, value_name = "FILE", conflicts_with = "isolated", help_heading = "Configuration")]
    pub config: Option<PathBuf>,

    /// Read no configuration.
    #[arg(long, help_heading = "Configuration")]
    pub isolated: bool,

    /// The folder of the whole project [default: the git root, else the nearest folder with a pyproject.toml].
    #[arg(long, value_name = "DIR", conflicts_with = "no_project", help_heading = "Which files")]
    pub project: Option<PathBuf>,

    /// Look at nothing but the paths given.
    #[arg(long, help_heading = "Which files")]
    pub no_project: bool,

    /// Leave out what matches, written as in a .gitignore at the project root; may be repeated.
    #[arg(long, value_name = "GLOB", help_heading = "Which files")]
    pub exclude: Vec<String>,

    /// Do not respect .gitignore, .ignore and git's other ignore files.
    #[arg(long, help_heading = "Which files")]
    pub no_ignore: bool,

    /// How findings are printed.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t, help_heading = "Output")]
    pub output_format: OutputFormat,

    /// When to use colors.
    #[arg(long, value_enum, value_name = "WHEN", default_value_t, help_heading = "Output")]
    pub color: ColorChoice,

    /// Print no summary and no messages.
    #[arg(long, short, help_heading = "Output")]
    pub quiet: bool,

    /// Exit with 0 even if findings remain or something would change; errors still give 2.
    #[arg(long, help_heading = "Output")]
    pub exit_zero: bool,

    /// How many threads to use [default: one per core].
    #[arg(long, short = 'j', value_name = "N", help_heading = "Output")]
    pub threads: Option<NonZeroUsize>,
}

impl Args {
    /// The mode that was asked for.
    pub fn mode(&self) -> Mode {
        if self.diff {
            Mode::Diff
        } else if self.check {
            Mode::Check
        } else if self.write {
            Mode::Write
        } else if self.files {
            Mode::Files
        } else {
            Mode::Report
        }
    }
}

/// What a run does with what it finds.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Mode {
    /// Lists the findings.
    Report,
    /// Prints a diff.
    Diff,
    /// Gives a verdict.
    Check,
    /// Changes the files.
    Write,
    /// Lists the files that would be analyzed.
    Files,
}

/// How calls of a workflow run that do not depend on each other.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, ValueEnum)]
pub enum Parallelism {
    /// Side by side, as on Flyte 1: the workflow becomes `async` and gathers them.
    #[default]
    Parallel,
    /// One after another, in a plain function.
    Sequential,
}

/// Commands besides migrating.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum Command {
    /// Explain a rule.
    Rule(RuleArgs),
    /// Look at the Flyte 2 images of code, also of Flyte 1 code as it would be migrated; nothing is changed.
    #[command(subcommand)]
    Image(Box<ImageCommand>),
}

/// What is done with the images.
#[derive(Debug, Clone, PartialEq, Eq, Subcommand)]
pub enum ImageCommand {
    /// List the images: where they are, what they start from, the tasks that use them.
    List(ImageArgs),
    /// Print images layer by layer.
    Show(ImageArgs),
    /// Report what the SDK refuses, and what would fail in the build or on the cluster.
    Validate(ImageArgs),
    /// Print the names under which Flyte looks for the images.
    Uri(ImageArgs),
    /// Print images as Dockerfiles.
    Dockerfile(DockerfileArgs),
    /// Build images.
    Build(BuildArgs),
}

/// The arguments of `image dockerfile`.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct DockerfileArgs {
    #[command(flatten)]
    pub images: ImageArgs,

    #[command(flatten)]
    pub bases: BaseArgs,

    /// Write Dockerfile and build context of each image below this folder, instead of printing.
    #[arg(long, short, value_name = "DIR")]
    pub output: Option<PathBuf>,
}

/// Images that are taken in place of others.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct BaseArgs {
    /// Take the image TO wherever FROM is named, as behind a firewall; the name of the built image stays; may be repeated.
    #[arg(long, value_name = "FROM=TO", value_parser = parse_replacement)]
    pub base_image: Vec<(String, String)>,
}

/// The arguments of `image build`.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
pub struct BuildArgs {
    #[command(flatten)]
    pub images: ImageArgs,

    #[command(flatten)]
    pub bases: BaseArgs,

    /// The program that builds [default: what the builder says, else the first that is installed].
    #[arg(long, value_enum, value_name = "ENGINE")]
    pub engine: Option<EngineChoice>,

    /// Where images are built [default: `image.builder` of the Flyte 2 configuration, else local].
    #[arg(long, value_enum, value_name = "BUILDER")]
    pub builder: Option<BuilderChoice>,

    /// Push the images to their registries, for all their platforms.
    #[arg(long)]
    pub push: bool,

    /// Build nothing; print what would be done, or write it with --output.
    #[arg(long)]
    pub dry_run: bool,

    /// With --dry-run, write what would be built, or sent to the remote builder, below this folder.
    #[arg(long, short, value_name = "DIR", requires = "dry_run")]
    pub output: Option<PathBuf>,

    /// The platforms to build for, such as linux/amd64 [default: with --push those of the image, else this machine's].
    #[arg(long, value_name = "PLATFORMS", value_delimiter = ',', value_parser = parse_platform)]
    pub platform: Vec<String>,

    /// How many images to build at a time.
    #[arg(long, value_name = "N", default_value = "2")]
    pub jobs: NonZeroUsize,

    /// Build images that are there already.
    #[arg(long)]
    pub force: bool,
}

/// A program that builds images.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum EngineChoice {
    /// `docker buildx build`
    Docker,
    /// `podman build`
    Podman,
    /// `buildah build`
    Buildah,
}

/// Where images are built.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum BuilderChoice {
    /// On this machine.
    Local,
    /// On the cluster, by way of the Flyte 2 SDK.
    Remote,
}

/// `linux/amd64`, `linux/arm/v7`
fn parse_platform(text: &str) -> Result<String, String> {
    let parts: Vec<&str> = text.split('/').collect();
    let is_part = |part: &&str| !part.is_empty() && part.bytes().all(|byte| byte.is_ascii_alphanumeric());
    if (2..=3).contains(&parts.len()) && parts.iter().all(is_part) {
        Ok(text.to_owned())
    } else {
        Err("write it as linux/amd64".to_owned())
    }
}

/// `FROM=TO`
fn parse_replacement(text: &str) -> Result<(String, String), String> {
    match text.split_once('=') {
        Some((from, to)) if !from.is_empty() && !to.is_empty() => Ok((from.to_owned(), to.to_owned())),
        _ => Err("write it as FROM=TO".to_owned()),
    }
}

/// Which images are meant, and what the code would find around it.
#[derive(Debug, Clone, Default, PartialEq, Eq, clap::Args)]
pub struct ImageArgs {
    /// Files and folders whose images are meant.
    #[arg(value_name = "PATHS", default_value = ".")]
    pub paths: Vec<PathBuf>,

    /// Only the image of this variable or name.
    #[arg(long, value_name = "NAME")]
    pub image: Option<String>,

    /// The version of the Flyte 2 SDK [default: the one that the project locks or pins, else the newest known].
    #[arg(long, value_name = "VERSION", value_parser = parse_flyte_version)]
    pub flyte_version: Option<String>,

    /// The version of the Python that runs the code, such as 3.12 [default: that of the project's virtual environment].
    #[arg(long, value_name = "VERSION", value_parser = parse_python_version)]
    pub python_version: Option<(u32, u32)>,

    /// The Flyte 2 configuration [default: the one that the SDK would find].
    #[arg(long, value_name = "FILE")]
    pub config: Option<PathBuf>,

    /// In Flyte 1 code, also apply fixes after which images or results may differ.
    #[arg(long)]
    pub unsafe_fixes: bool,

    /// In Flyte 1 code, convert what can be converted.
    #[arg(long)]
    pub partial: bool,

    /// The folder of the whole project [default: the git root, else the nearest folder with a pyproject.toml].
    #[arg(long, value_name = "DIR", conflicts_with = "no_project")]
    pub project: Option<PathBuf>,

    /// Look at nothing but the paths given.
    #[arg(long)]
    pub no_project: bool,

    /// Leave out what matches, written as in a .gitignore at the project root; may be repeated.
    #[arg(long, value_name = "GLOB")]
    pub exclude: Vec<String>,

    /// Do not respect .gitignore, .ignore and git's other ignore files.
    #[arg(long)]
    pub no_ignore: bool,

    /// How it is printed.
    #[arg(long, value_enum, value_name = "FORMAT", default_value_t)]
    pub output_format: OutputFormat,
}

/// `2.12.1`, as it stands in the tags of the Debian base.
fn parse_flyte_version(text: &str) -> Result<String, String> {
    let is_version = text.starts_with(|first: char| first.is_ascii_digit())
        && text.bytes().all(|byte| byte.is_ascii_alphanumeric() || b".+-_".contains(&byte));
    if is_version { Ok(text.to_owned()) } else { Err("write it as 2.12.1".to_owned()) }
}

fn parse_python_version(text: &str) -> Result<(u32, u32), String> {
    let mut parts = text.split('.').map(|part| part.parse().ok());
    match (parts.next().flatten(), parts.next().flatten()) {
        (Some(major), Some(minor)) => Ok((major, minor)),
        _ => Err("write it as 3.12".to_owned()),
    }
}

/// The arguments of `rule`.
#[derive(Debug, Clone, PartialEq, Eq, clap::Args)]
#[group(required = true, multiple = false)]
pub struct RuleArgs {
    /// The code of the rule, such as FM103.
    #[arg(value_name = "CODE")]
    pub code: Option<String>,

    /// Explain every rule.
    #[arg(long)]
    pub all: bool,
}

/// The order of the layers in an image.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum LayerOrder {
    /// Flyte 1's build order: apt, environment, pip.
    #[default]
    Flyte1,
    /// The order of the keywords in the source.
    Source,
}

/// What becomes of packages from conda.
#[derive(Debug, Clone, Copy, PartialEq, Eq, ValueEnum)]
pub enum Conda {
    /// A `pixi.toml` beside the file, and `with_pixi_project`.
    Pixi,
    /// Commands that run micromamba.
    Micromamba,
}

/// Whose platforms an image has that names none.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum Platform {
    /// `linux/amd64` and `linux/arm64`.
    #[default]
    Flyte2,
    /// `linux/amd64`.
    Flyte1,
}

/// How findings are printed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum OutputFormat {
    /// With the source line and advice.
    #[default]
    Full,
    /// One line each.
    Concise,
    /// One JSON object.
    Json,
}

/// When colors are used.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq, ValueEnum)]
pub enum ColorChoice {
    /// When the output is a terminal; `NO_COLOR` and `CLICOLOR_FORCE` are obeyed.
    #[default]
    Auto,
    /// Always.
    Always,
    /// Never.
    Never,
}

#[cfg(test)]
mod tests {
    use clap::CommandFactory as _;
    use clap::error::ErrorKind;

    use super::*;

    fn parse(args: &[&str]) -> Result<Args, ErrorKind> {
        let program = std::iter::once("flyte-migrate");
        Args::try_parse_from(program.chain(args.iter().copied())).map_err(|error| error.kind())
    }

    #[test]
    fn the_definition_is_sound() {
        Args::command().debug_assert();
    }

    #[test]
    fn nothing_typed_reports_on_the_current_folder() {
        let args = parse(&[]).unwrap();
        assert_eq!((args.paths.as_slice(), args.mode()), (&[PathBuf::from(".")][..], Mode::Report));
        assert_eq!((args.layer_order, args.output_format), (None, OutputFormat::Full));
        assert_eq!((args.color, args.command, args.threads), (ColorChoice::Auto, None, None));
    }

    #[test]
    fn every_option_is_understood() {
        let args = parse(&[
            "--write",
            "--unsafe-fixes",
            "--partial",
            "--include-commands",
            "--project",
            "p",
            "--layer-order",
            "source",
            "--output-format",
            "json",
            "--color",
            "never",
            "--exclude",
            "a",
            "--exclude",
            "b",
            "--no-ignore",
            "-j4",
            "-q",
            "--exit-zero",
            "src",
            "x.py",
        ])
        .unwrap();
        assert_eq!(args.mode(), Mode::Write);
        assert_eq!(args.paths, [PathBuf::from("src"), PathBuf::from("x.py")]);
        assert_eq!((args.exclude.len(), args.threads.map(NonZeroUsize::get)), (2, Some(4)));
        assert_eq!((args.layer_order, args.output_format), (Some(LayerOrder::Source), OutputFormat::Json));
    }

    #[test]
    fn modes_exclude_each_other() {
        for modes in
            [["--diff", "--write"], ["--check", "--write"], ["--diff", "--check"], ["--files", "--diff"]]
        {
            assert_eq!(parse(&modes).unwrap_err(), ErrorKind::ArgumentConflict, "{modes:?}");
        }
        assert_eq!(parse(&["--project", "p", "--no-project"]).unwrap_err(), ErrorKind::ArgumentConflict);
    }

    #[test]
    fn no_threads_at_all_is_refused() {
        assert_eq!(parse(&["-j", "0"]).unwrap_err(), ErrorKind::ValueValidation);
    }

    #[test]
    fn rule_is_a_command_and_dot_slash_rule_a_path() {
        let code = Command::Rule(RuleArgs { code: Some("FM103".into()), all: false });
        assert_eq!(parse(&["rule", "FM103"]).unwrap().command, Some(code));
        let all = Command::Rule(RuleArgs { code: None, all: true });
        assert_eq!(parse(&["rule", "--all"]).unwrap().command, Some(all));
        let path = parse(&["--diff", "./rule"]).unwrap();
        assert_eq!((path.command, path.paths), (None, vec![PathBuf::from("./rule")]));
    }

    #[test]
    fn a_folder_called_rule_behind_another_path_is_a_path() {
        let args = parse(&["src", "rule"]).unwrap();
        assert_eq!((args.command, args.paths.len()), (None, 2));
    }

    #[test]
    fn rule_needs_a_code_or_all_but_not_both() {
        assert_eq!(parse(&["rule"]).unwrap_err(), ErrorKind::MissingRequiredArgument);
        assert_eq!(parse(&["rule", "FM103", "--all"]).unwrap_err(), ErrorKind::ArgumentConflict);
    }

    #[test]
    fn the_help_names_the_exit_codes() {
        let help = Args::command().render_help().to_string();
        for line in ["0  Nothing is left", "1  Findings remain", "2  Bad usage"] {
            assert!(help.contains(line), "{help}");
        }
    }
}
