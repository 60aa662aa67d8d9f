//! What the remote builder would be sent: compared, field by field and file by file, with what the SDK would send.

#![cfg(unix)]
#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "sdk/environment.rs"]
mod environment;
#[path = "support/script.rs"]
mod script;
#[expect(dead_code, reason = "other tests use the rest")]
mod support;

use std::fs;
use std::os::unix::fs::PermissionsExt as _;
use std::path::Path;
use std::process::Command;

use support::program;

/// An image for each kind of layer, and for each way in which a path can be written.
const CODE: &str = r#"
from pathlib import Path

import flyte
from flyte import Secret

PYTHON = (3, 11)
debian = flyte.Image.from_debian_base(python_version=PYTHON, name="debian")

pip = debian.with_pip_packages(
    "pandas", "numpy<3", index_url="https://a/simple", extra_index_urls=["https://b", "https://c"], pre=True,
    extra_args="--no-deps", secret_mounts=["token", Secret(group="g", key="k", as_env_var="OTHER")],
)
apt = debian.with_apt_packages("git", "curl", secret_mounts=[Secret("f", mount=Path("/etc/flyte/secrets"))])
commands = debian.with_commands(["a && b", "c"], secret_mounts="token")
env = debian.with_env_vars({"B": "2", "A": "$B ö"}).with_workdir("/w")
requirements = debian.with_requirements("requirements.txt", extra_args="--no-deps")
outside = debian.with_requirements(Path("../other/requirements.txt")).with_source_file(Path("../other/x.sh"))
copies = debian.with_source_folder(Path("data"), dst="/data").with_source_folder(Path("../other"), dst="/o")
here = debian.with_source_folder(Path("."), dst="/all")
ignored = debian.with_dockerignore(Path("other.dockerignore")).with_source_folder(Path("data"), dst="/data")
uv = debian.with_uv_project("app/pyproject.toml", extra_args="--frozen", index_url="https://a")
uv_named = debian.with_uv_project("app/pyproject.toml", extra_args="--no-install-project --frozen")
uv_whole = debian.with_uv_project("app/pyproject.toml", project_install_mode="install_project")
poetry = debian.with_poetry_project("app/pyproject.toml", extra_args="--only main", secret_mounts=["token"])
poetry_whole = debian.with_poetry_project("app/pyproject.toml", extra_args="-v", project_install_mode="install_project")
pixi = debian.with_pixi_project("pixi/pixi.toml", extra_args="-v", environment="gpu", secret_mounts=["token"])
pixi_whole = debian.with_pixi_project("pixi/pixi.toml", project_install_mode="install_project")
script = flyte.Image.from_uv_script("uv_script.py", name="script", python_version=PYTHON, pre=True)
no_flyte = flyte.Image.from_debian_base(python_version=PYTHON, install_flyte=False, name="bare").with_apt_packages("git")
foreign = (
    flyte.Image.from_base("python:3.11-slim")
    .clone(name="foreign", registry="ghcr.io/me", python_version=PYTHON, extendable=True)
    .with_pip_packages("flyte")
)
pixi_script = flyte.Image.from_pixi_script("pixi_script.py", name="pixi-script").clone(python_version=PYTHON)
"#;

/// The files of the project.
const FILES: &[(&str, &str)] = &[
    ("project/requirements.txt", "six\n"),
    ("project/.dockerignore", "*.tmp\nout\nbin\n"),
    ("project/other.dockerignore", "deep\n"),
    ("project/data/a.csv", "a"),
    ("project/data/b.tmp", "b"),
    ("project/data/deep/c.csv", "c"),
    (
        "project/app/pyproject.toml",
        "[project]\nname = \"app\"\n[tool.uv.sources]\nlib = {path = \"libs/lib\", editable = true}\n",
    ),
    (
        "project/app/uv.lock",
        "[[package]]\nname = \"app\"\nsource = { editable = \".\" }\n[[package]]\nname = \"lib\"\nsource = { editable = \"libs/lib\" }\n",
    ),
    ("project/app/poetry.lock", "# locked\n"),
    ("project/app/libs/lib/lib.py", "x = 1\n"),
    ("project/app/libs/lib/dist/lib.whl", "left out"),
    ("project/pixi/pixi.toml", "[workspace]\n"),
    ("project/pixi/pixi.lock", "version: 6\n"),
    ("project/pixi/src/m.py", "y = 1\n"),
    ("project/whole/pyproject.toml", "[project]\nname = \"whole\"\n"),
    ("project/whole/uv.lock", "version = 1\n"),
    (
        "project/pixi_script.py",
        "# /// script\n# requires-python = \">=3.11\"\n# dependencies = [\"flyte\"]\n#\n# [tool.pixi.dependencies]\n# gdal = \"*\"\n# ///\n",
    ),
    ("other/requirements.txt", "attrs\n"),
    ("other/x.sh", "#!/bin/sh\n"),
];

#[test]
fn the_remote_builder_would_be_sent_what_the_sdk_sends() {
    let folder = tempfile::tempdir().unwrap();
    let root = fs::canonicalize(folder.path()).unwrap();
    for (name, text) in FILES {
        write(&root.join(name), text);
    }
    let project = root.join("project");
    write(&project.join("images.py"), CODE);
    let header = format!(
        "# /// script\n# dependencies = [\"httpx\", \"whole @ file://{}/whole\"]\n# ///\n",
        project.display()
    );
    write(&project.join("uv_script.py"), &header);
    fs::set_permissions(root.join("other/x.sh"), fs::Permissions::from_mode(0o755)).unwrap();
    // The SDK asks uv for the projects that are installed in place.
    script::write_script(&project.join("bin/uv"), "#!/bin/sh\necho '-e ./libs/lib'\n");
    let (out, kept) = (root.join("out"), root.join("kept"));
    fs::create_dir(&kept).unwrap();

    let python = environment::python();
    let path = format!("{}:{}", project.join("bin").display(), std::env::var("PATH").unwrap());
    // A pixi script has the Python that runs the code.
    let ask = "import sys; print('%d.%d' % sys.version_info[:2], end='')";
    let version =
        String::from_utf8(Command::new(&python).args(["-c", ask]).output().unwrap().stdout).unwrap();
    let mut command = program(&project);
    command.args(["image", "build", "--builder", "remote", "--dry-run", "images.py", "-o"]).arg(&out);
    command.args(["--python-version", &version]);
    let run = command.env_remove("FLYTE_IMAGE_REGISTRY").output().unwrap();
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));

    let mut command = Command::new(python);
    command.arg(environment::repository("tests/sdk/remote.py")).arg("images.py").arg(&out).arg(&kept);
    command.current_dir(&project).env("PATH", path).env("HOME", &kept).env_remove("FLYTE_IMAGE_REGISTRY");
    let compared = command.output().unwrap();
    let said = String::from_utf8_lossy(&compared.stdout).into_owned();
    assert!(compared.status.success(), "{said}\n{}", String::from_utf8_lossy(&compared.stderr));
    let images = CODE.lines().filter(|line| line.contains(" = ") && !line.starts_with([' ', 'P'])).count();
    assert!(said.ends_with(&format!("{images} alike\n")), "{said}");
}

#[test]
fn what_only_a_local_build_can_do_is_said() {
    let folder = tempfile::tempdir().unwrap();
    let code =
        "import flyte\nimage = flyte.Image.from_dockerfile(\"Dockerfile\", registry=\"r\", name=\"n\")\n";
    write(&folder.path().join("a.py"), code);
    write(&folder.path().join("Dockerfile"), "FROM scratch\n");
    let mut command = program(folder.path());
    let run = command.args(["image", "build", "--builder", "remote", "--dry-run"]).output().unwrap();
    assert_eq!(run.status.code(), Some(1));
    let error = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(error.contains("a.py:2:9: FM587 the remote builder takes no Dockerfile"), "{error}");
}

#[test]
fn submission_needs_the_sdk_and_is_its() {
    let folder = tempfile::tempdir().unwrap();
    let code = "import flyte\nimage = flyte.Image.from_debian_base(name=\"n\", python_version=(3, 11)).with_apt_packages(\"git\")\n\
                env = flyte.TaskEnvironment(\"etl\", image=image)\n@env.task\ndef f(): ...\n";
    write(&folder.path().join("a.py"), code);
    let build = |path: &str| {
        let mut command = program(folder.path());
        command.args(["image", "build", "--builder", "remote"]).env("PATH", path).env_remove("VIRTUAL_ENV");
        command.output().unwrap()
    };
    let run = build("/nowhere");
    assert_eq!(run.status.code(), Some(2));
    let error = String::from_utf8_lossy(&run.stderr).into_owned();
    assert!(error.contains("the Flyte 2 SDK is not installed"), "{error}");

    let bin = folder.path().join("bin");
    let log = folder.path().join("log");
    let text = format!("#!/bin/sh\nprintf '%s\\n' \"$@\" > '{}'\n", log.display());
    script::write_script(&bin.join("flyte"), &text);
    let run = build(&format!("{}:/usr/bin:/bin", bin.display()));
    assert!(run.status.success(), "{}", String::from_utf8_lossy(&run.stderr));
    let expected = "--image-builder\nremote\nbuild\na.py\netl\n";
    assert_eq!(fs::read_to_string(log).unwrap(), expected);
}

fn write(path: &Path, text: &str) {
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}
