//! Builds images with buildah, runs Python inside, and looks at what is there.
//!
//! `.ci/build-base` makes what this needs; without it, or without buildah, every test here fails.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

#[path = "sdk/environment.rs"]
mod environment;

use std::collections::BTreeMap;
use std::fs;
use std::path::{Path, PathBuf};
use std::process::Command;
use std::sync::atomic::AtomicBool;
use std::sync::{Mutex, OnceLock};

use flyte_migrate::image::build::{Options, Outcome, Reporter, Request, build};
use flyte_migrate::image::dockerfile::UV_IMAGE;
use flyte_migrate::image::engine::{Engine, EngineSettings, host_platform};
use flyte_migrate::image::{Base, CREATE_USER, Image, Layer, PipOptions, ProjectInstall, Secret};

/// The released Debian base, which a machine of tests need not reach.
const FLYTE: &str = "ghcr.io/flyteorg/flyte:py3.11-v2.12.1";
/// A base of somebody else.
const FOREIGN: &str = "docker.io/library/python:3.11-slim";

/// The images that stand in for those of registries, made once for all tests.
fn replacements() -> BTreeMap<String, String> {
    static MADE: OnceLock<()> = OnceLock::new();
    MADE.get_or_init(|| {
        let base = repository().join("target/build-base");
        assert!(base.join("debian.tar").is_file(), "run .ci/build-base first");
        let folder = tempfile::tempdir().unwrap();
        for name in ["debian.tar", "uv"] {
            fs::copy(base.join(name), folder.path().join(name)).unwrap();
        }
        // What the released base brings: the user, the folders, Python in its place.
        let files = [
            ("uv", "FROM scratch\nCOPY uv /uv\n"),
            (
                "plain",
                "FROM scratch\nADD debian.tar /\nENV SSL_CERT_FILE=/etc/ssl/certs/ca-certificates.crt\n",
            ),
            (
                "flyte",
                "FROM localhost/plain:1\nCOPY uv /usr/bin/uv\n\
                 RUN useradd --create-home --shell /bin/bash flyte && uv venv /opt/venv --python=3.11\n\
                 ENV PYTHONPATH=/root PATH=/opt/venv/bin:$PATH VIRTUAL_ENV=/opt/venv UV_LINK_MODE=copy\n\
                 WORKDIR /home/flyte\nSHELL [\"/bin/bash\", \"-c\"]\n",
            ),
        ];
        for (name, text) in files {
            let file = folder.path().join(format!("{name}.Dockerfile"));
            fs::write(&file, text).unwrap();
            let tag = format!("localhost/{name}:1");
            let context = folder.path().to_str().unwrap();
            buildah(&["build", "--format", "docker", "-f", file.to_str().unwrap(), "-t", &tag, context]);
        }
    });
    [(FLYTE, "localhost/flyte:1"), (FOREIGN, "localhost/plain:1"), (UV_IMAGE, "localhost/uv:1")]
        .map(|(from, to)| (from.to_owned(), to.to_owned()))
        .into()
}

fn repository() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR"))
}

/// A buildah whose images, containers and temporary files are those of the tests alone.
fn program() -> &'static Path {
    static PROGRAM: OnceLock<PathBuf> = OnceLock::new();
    PROGRAM.get_or_init(|| {
        let folder = repository().join("target/build-store");
        // What a run leaves is of no use to the next.
        if folder.exists() {
            fs::remove_dir_all(&folder).unwrap();
        }
        fs::create_dir_all(folder.join("tmp")).unwrap();
        let path = folder.join("buildah");
        let at = folder.display();
        let found = Command::new("sh").args(["-c", "command -v buildah"]).output().unwrap().stdout;
        let real = String::from_utf8(found).unwrap();
        assert!(!real.is_empty(), "buildah is not there: run .ci/build-base");
        let script = format!(
            "#!/bin/sh\nexport TMPDIR='{at}/tmp' BUILDAH_ISOLATION=chroot\n\
             exec {} --storage-driver vfs --root '{at}/root' --runroot '{at}/run' \"$@\"\n",
            real.trim()
        );
        fs::write(&path, script).unwrap();
        let mode = std::os::unix::fs::PermissionsExt::from_mode(0o755);
        fs::set_permissions(&path, mode).unwrap();
        path
    })
}

fn buildah(args: &[&str]) -> String {
    let output = Command::new(program()).args(args).output().unwrap();
    let error = String::from_utf8_lossy(&output.stderr).into_owned();
    assert!(
        output.status.success(),
        "buildah {args:?}\n{}\n{error}",
        String::from_utf8_lossy(&output.stdout)
    );
    String::from_utf8(output.stdout).unwrap()
}

/// Runs Python in an image, as the image says: its user, its folder, its variables.
fn python(image: &str, code: &str) -> String {
    run(image, &["python", "-c", code])
}

fn run(image: &str, command: &[&str]) -> String {
    let container = buildah(&["from", "--pull-never", image]);
    let container = container.trim();
    let output = buildah(&[&["run", container, "--"], command].concat());
    buildah(&["rm", container]);
    output
}

/// Keeps what the engine says, for the message of a test that fails.
#[derive(Default)]
struct Lines(Mutex<Vec<String>>);

impl Reporter for Lines {
    fn begin(&self, _: usize) {}
    fn line(&self, request: usize, line: &str) {
        self.0.lock().unwrap().push(format!("{request}: {line}"));
    }
    fn end(&self, request: usize, outcome: &Outcome) {
        self.0.lock().unwrap().push(format!("{request}: {outcome:?}"));
    }
}

fn options(cwd: &Path) -> Options {
    let settings = EngineSettings {
        extra_args: vec!["--network".into(), "host".into()],
        is_buildah_cache_off: true,
        ..EngineSettings::default()
    };
    Options {
        program: program().into(),
        settings,
        replacements: replacements(),
        python_version: Some((3, 11)),
        jobs: 2,
        ..Options::new(Engine::Buildah, cwd.to_path_buf())
    }
}

fn request(name: &str, base: &str, layers: Vec<Layer>) -> Request {
    let image = Image {
        base: Base::Reference(base.to_owned()),
        name: Some(name.to_owned()),
        registry: Some("localhost".to_owned()),
        registry_secret: None,
        platform: vec![host_platform()],
        python_version: Some((3, 11)),
        is_extendable: true,
        is_cloned: true,
        tag: None,
        layers,
    };
    let uri = format!("localhost/{name}:test");
    Request { image, uri, label: name.to_owned(), place: "a.py:1:1".to_owned(), layers: Vec::new() }
}

/// Builds, and says everything if one is not built.
fn must_build(requests: &[Request], options: &Options) {
    let lines = Lines::default();
    let outcomes = build(requests, options, &lines, &AtomicBool::new(false));
    let said = lines.0.lock().unwrap().join("\n");
    assert!(outcomes.iter().all(|outcome| *outcome == Outcome::Built), "{outcomes:?}\n{said}");
}

fn texts(texts: &[&str]) -> Vec<String> {
    texts.iter().map(|&text| text.to_owned()).collect()
}

fn secret(key: &str, mount: Option<&str>) -> Secret {
    Secret::new(key.to_owned(), None, mount.map(PathBuf::from), None)
}

fn pip(packages: &[&str], options: PipOptions) -> Layer {
    Layer::PipPackages { packages: texts(packages), options }
}

fn commands(commands: &[&str]) -> Layer {
    Layer::Commands { commands: texts(commands), secret_mounts: Vec::new() }
}

fn env(variables: &[(&str, &str)]) -> Layer {
    Layer::Env {
        variables: variables.iter().map(|&(name, value)| (name.to_owned(), value.to_owned())).collect(),
    }
}

fn write(folder: &Path, name: &str, text: &str) {
    let path = folder.join(name);
    fs::create_dir_all(path.parent().unwrap()).unwrap();
    fs::write(path, text).unwrap();
}

/// What tests leave in the store besides images: nothing.
fn assert_nothing_left() {
    let temporary = fs::read_dir(std::env::temp_dir()).unwrap();
    let ours = temporary.filter_map(Result::ok).filter(|entry| {
        entry.file_name().to_string_lossy().starts_with(&format!("flyte-migrate-{}-", std::process::id()))
    });
    assert_eq!(ours.count(), 0);
}

#[test]
fn every_common_layer_is_in_the_image_and_so_in_one_built_on_it() {
    let folder = tempfile::tempdir().unwrap();
    let project = folder.path().join("project");
    write(&project, "requirements.txt", "six==1.17.0\n");
    write(&project, "data/keep.csv", "keep");
    write(&project, "data/drop.tmp", "drop");
    write(&project, "data/deep/x.csv", "deep");
    write(&project, ".dockerignore", "*.tmp\n");
    write(folder.path(), "outside/settings one.toml", "outside");
    write(folder.path(), "secrets/FILE", "from a file");
    let index = fs::read_to_string(repository().join("target/build-base/index")).unwrap();
    let layers = vec![
        Layer::AptPackages { packages: texts(&["file"]), secret_mounts: Vec::new() },
        env(&[("GREETING", "good morning"), ("PATH", "/opt/tools/bin:$PATH")]),
        Layer::Requirements { file: "requirements.txt".into(), options: PipOptions::default() },
        pip(
            &["iniconfig>=2,<3", "tomli; python_version < '3.8'"],
            PipOptions { index_url: Some(index.trim().to_owned()), pre: true, ..PipOptions::default() },
        ),
        Layer::CopyFolder { src: "data".into(), dst: "/root/data".to_owned() },
        Layer::CopyFile { src: "../outside/settings one.toml".into(), dst: "/root/conf/".to_owned() },
        Layer::Commands {
            commands: texts(&[
                "printf %s \"$TOKEN\" | wc -c > /token-length",
                "cp /etc/flyte/secrets /file-secret",
            ]),
            secret_mounts: vec![secret("TOKEN", None), secret("FILE", Some("/etc/flyte/secrets"))],
        },
        commands(&["mkdir -p /opt/tools/bin && \\\n  # said the Dockerfile\n  [[ -n bash ]] && pwd > /pwd"]),
        Layer::WorkDir { workdir: "/root".to_owned() },
    ];
    let base = request("layers", FLYTE, layers);
    let above = request("above", &base.uri, vec![pip(&["packaging"], PipOptions::default())]);
    let options = Options { secrets: folder.path().join("secrets"), ..options(&project) };
    let value = "a value that nobody may see";
    write(folder.path(), "secrets/TOKEN", value);
    must_build(&[above.clone(), base.clone()], &options);

    let first = "'/opt/tools/bin', '/opt/venv/bin'";
    // What is built on an image gets the folder of the virtual environment once more, in front.
    let second = "'/opt/venv/bin', '/opt/tools/bin'";
    for (image, folders) in [(&base.uri, first), (&above.uri, second)] {
        let code = "import os, pathlib, sys, importlib.metadata as m\n\
                    read = lambda path: pathlib.Path(path).read_text()\n\
                    print(os.getcwd(), os.getuid(), sys.prefix, os.environ['PYTHONPATH'])\n\
                    print(m.version('six'), m.version('iniconfig')[0], read('/root/data/keep.csv'))\n\
                    print(read('/root/data/deep/x.csv'), os.path.exists('/root/data/drop.tmp'))\n\
                    print(read('/root/conf/settings one.toml'), os.environ['GREETING'])\n\
                    print(os.environ['PATH'].split(':')[:2], os.path.exists('/usr/bin/file'))\n\
                    print(read('/pwd').strip(), read('/token-length').strip(), read('/file-secret'))\n\
                    print(pathlib.Path('/root/data/keep.csv').owner(), os.environ['_F_IMG_ID'])\n\
                    print([n for n in os.listdir('/home/flyte') if n[0] != '.'], os.path.exists('/etc/flyte/secrets'))\n";
        let expected = format!(
            "/root 0 /opt/venv /root\n6? 2 keep\ndeep False\noutside good morning\n\
             [{folders}] True\n/home/flyte {} from a file\nflyte {image}\n[] False\n",
            value.len()
        );
        let said = python(image, code);
        assert_eq!(said.replace("1.17.0", "6?"), expected, "{image}");
    }
    assert!(python(&above.uri, "import packaging; print(packaging.__name__)").contains("packaging"));

    // The value is nowhere: neither in the history nor in a file.
    let inspected = buildah(&["inspect", "--type", "image", &base.uri]);
    assert!(!inspected.contains(value) && inspected.contains("TOKEN"));
    let found = run(
        &base.uri,
        &["sh", "-c", &format!("grep -rlF '{value}' /root /home /run /tmp /etc /opt || true")],
    );
    assert_eq!(found, "");

    // What is there already is not built again, unless it must be.
    let again = build(std::slice::from_ref(&base), &options, &Lines::default(), &AtomicBool::new(false));
    assert_eq!(again, [Outcome::Skipped("the local store has it".to_owned())]);
    must_build(&[base], &Options { is_forced: true, ..options });
    assert_nothing_left();
}

#[test]
fn hostile_strings_are_built_and_nothing_of_them_runs() {
    let folder = tempfile::tempdir().unwrap();
    let name = "odd $HOME 'q' \"d\" [a]*; touch pwned";
    write(folder.path(), name, "odd");
    write(folder.path(), "sub $(touch pwned)/x.txt", "sub");
    let values = [
        ("A", "$(touch /pwned) `touch /pwned` 'a' \"b\" \\ $ $$ ; touch /pwned"),
        ("B", "first\nRUN touch /pwned\n\"third\" ${A:?}"),
        ("C", "end\\"),
        ("D", "# no comment"),
        ("E", ""),
        ("F", "über \u{2028} $GREETING ${GREETING}"),
        ("G", "\t<<EOF"),
    ];
    let layers = vec![
        env(&[("GREETING", "hi")]),
        env(&values),
        Layer::CopyFile { src: name.into(), dst: "/root/files $(touch pwned)/".to_owned() },
        Layer::CopyFile { src: name.into(), dst: "/root/a file '$x.txt".to_owned() },
        Layer::CopyFolder { src: "sub $(touch pwned)".into(), dst: "/root/s\"u'b; touch \\pwned".to_owned() },
        commands(&[
            "printf '%s' 'one\nRUN touch /pwned' > /two-lines",
            "cat > /here <<'EOF'\n$A \\\nEOF\n",
            "printf '%s' \"a#b\" > /hash; echo trailing \\\\",
            "[ -e /hash ] && printf ok > /bracket",
        ]),
        Layer::WorkDir { workdir: "/root/work \"dir\" $(touch pwned)".to_owned() },
    ];
    let request = request("hostile", FLYTE, layers);
    must_build(std::slice::from_ref(&request), &options(folder.path()));
    let code = "import json, os, pathlib\n\
                names = sorted(str(p) for p in pathlib.Path('/root').rglob('*') if '/.' not in str(p))\n\
                read = lambda path: pathlib.Path(path).read_text()\n\
                print(json.dumps([{k: os.environ[k] for k in 'ABCDEFG'}, names, read('/two-lines'), read('/here'), \
                read('/hash'), read('/bracket'), os.getcwd()]))";
    let said: serde_json::Value = serde_json::from_str(&python(&request.uri, code)).unwrap();
    let mut variables: BTreeMap<&str, String> =
        values.iter().map(|&(name, value)| (name, value.to_owned())).collect();
    variables.insert("F", "über \u{2028} hi hi".to_owned());
    let expected = serde_json::json!([
        variables,
        [
            "/root/a file '$x.txt".replace("$x", ""),
            "/root/files $(touch pwned)",
            format!("/root/files $(touch pwned)/{name}"),
            "/root/s\"u'b; touch \\pwned",
            "/root/s\"u'b; touch \\pwned/x.txt",
            "/root/work \"dir\" $(touch pwned)",
        ],
        "one\nRUN touch /pwned",
        "$A \\\n",
        "a#b",
        "ok",
        "/root/work \"dir\" $(touch pwned)",
    ]);
    assert_eq!(said, expected);
    let found = run(&request.uri, &["find", "/", "-xdev", "-name", "pwned"]);
    assert_eq!(found, "");
}

#[test]
fn hostile_packages_fail_as_packages() {
    let folder = tempfile::tempdir().unwrap();
    let name = "x; touch /pwned";
    let apt =
        request("apt", FLYTE, vec![Layer::AptPackages { packages: texts(&[name]), secret_mounts: vec![] }]);
    let url = PipOptions { index_url: Some("https://h/$(touch /pwned)".to_owned()), ..PipOptions::default() };
    let python = request("pip", FLYTE, vec![env(&[("A", "b")]), pip(&[name], url)]);
    let args = PipOptions { extra_args: Some("; touch /pwned".to_owned()), ..PipOptions::default() };
    let more = request("args", FLYTE, vec![pip(&["six"], args)]);
    for (request, layer) in [(apt, 0), (python, 1), (more, 0)] {
        let outcomes = build(&[request], &options(folder.path()), &Lines::default(), &AtomicBool::new(false));
        let [Outcome::Failed { problems, output }] = &outcomes[..] else { panic!("{outcomes:?}") };
        assert_eq!((problems[0].rule.code, problems[0].layer), ("FM586", Some(layer)), "{output:?}");
        let said = output.join("\n");
        assert!(said.contains("Unable to locate package x;") || said.contains("touch /pwned"), "{said}");
    }
    // With the cache it would leave the container that failed.
    let settings = EngineSettings { is_buildah_cache_off: false, ..options(folder.path()).settings };
    let cached = Options { settings, ..options(folder.path()) };
    let request = request("cached", FLYTE, vec![commands(&["exit 3"])]);
    let outcomes = build(&[request], &cached, &Lines::default(), &AtomicBool::new(false));
    assert!(matches!(outcomes[0], Outcome::Failed { .. }), "{outcomes:?}");
    let containers = buildah(&["containers", "--noheading"]);
    let unnamed =
        containers.lines().filter(|line| line.contains("-working-container") && !line.contains("localhost/"));
    assert_eq!(unnamed.count(), 0, "{containers}");
    assert_nothing_left();
}

#[test]
fn a_foreign_base_gets_a_virtual_environment_and_the_image_that_makes_the_user_ends_as_it() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "a.txt", "a");
    let layers = vec![
        commands(&[CREATE_USER]),
        Layer::WorkDir { workdir: "/elsewhere".to_owned() },
        Layer::CopyFile { src: "a.txt".into(), dst: ".".to_owned() },
        pip(&["six"], PipOptions::default()),
    ];
    let request = request("user", FOREIGN, layers);
    must_build(std::slice::from_ref(&request), &options(folder.path()));
    let code = "import os, pwd, sys, six\n\
                print(pwd.getpwuid(os.getuid()).pw_name, os.getcwd(), sys.prefix, sys.version_info[:2])\n\
                print(os.environ['VIRTUALENV'], os.environ['UV_PYTHON'], os.environ['LD_LIBRARY_PATH'])\n\
                print(os.environ['PATH'].split(':')[0], os.environ['PATH'].split(':')[-1], os.listdir('/elsewhere'))";
    let expected = "flyte /home/flyte /opt/venv (3, 11)\n/opt/venv /opt/venv/bin/python /usr/local/nvidia/lib64\n\
                    /opt/venv/bin /usr/local/cuda/bin ['a.txt']\n";
    assert_eq!(python(&request.uri, code), expected);
}

#[test]
fn projects_and_scripts_are_installed() {
    let folder = tempfile::tempdir().unwrap();
    let root = folder.path();
    let manifest = "[project]\nname = \"app\"\nversion = \"1\"\nrequires-python = \">=3.11\"\ndependencies = [\"six\", \"lib\"]\n\
                    [tool.uv.sources]\nlib = {path = \"libs/lib\", editable = true}\n";
    write(root, "app/pyproject.toml", manifest);
    let library = "[project]\nname = \"lib\"\nversion = \"1\"\n[build-system]\nrequires = [\"hatchling\"]\nbuild-backend = \"hatchling.build\"\n";
    write(root, "app/libs/lib/pyproject.toml", library);
    write(root, "app/libs/lib/lib/__init__.py", "VALUE = 1\n");
    write(root, "whole/pyproject.toml", &library.replace("lib", "whole"));
    write(root, "whole/whole/__init__.py", "VALUE = 2\n");
    let poetry = "[project]\nname = \"p\"\nversion = \"1\"\nrequires-python = \">=3.11\"\ndependencies = []\n\
                  [tool.poetry]\npackage-mode = false\n";
    write(root, "poetry/pyproject.toml", poetry);
    let lock = "package = []\n[metadata]\nlock-version = \"2.1\"\npython-versions = \">=3.11\"\ncontent-hash = \"f5666f5625d676c506924a57dc0520a1f3ed2b2c774baed3dc85353594f8473d\"\n";
    write(root, "poetry/poetry.lock", lock);
    let script = "# /// script\n# dependencies = [\"iniconfig\"]\n# ///\n";
    write(root, "script.py", script);
    let uv = |pyproject: &str, install| Layer::UvProject {
        pyproject: pyproject.into(),
        uvlock: None,
        install,
        options: PipOptions::default(),
    };
    let layers = vec![
        Layer::WorkDir { workdir: "/root".to_owned() },
        uv("app/pyproject.toml", ProjectInstall::DependenciesOnly),
        uv("whole/pyproject.toml", ProjectInstall::InstallProject),
        Layer::CopyFolder { src: "app/libs".into(), dst: "/root/libs".to_owned() },
        Layer::UvScript { script: "script.py".into(), options: PipOptions::default() },
        Layer::PoetryProject {
            pyproject: "poetry/pyproject.toml".into(),
            poetry_lock: "poetry/poetry.lock".into(),
            install: ProjectInstall::DependenciesOnly,
            extra_args: None,
            secret_mounts: Vec::new(),
        },
    ];
    let request = request("projects", FLYTE, layers);
    must_build(std::slice::from_ref(&request), &options(root));
    let code = "import six, lib, whole, iniconfig, poetry; print(lib.VALUE, lib.__file__, whole.VALUE, whole.__file__.split('/')[1:3])";
    assert_eq!(python(&request.uri, code), "1 /root/libs/lib/lib/__init__.py 2 ['opt', 'venv']\n");
}

#[test]
fn a_dockerfile_of_the_user_is_built_as_it_is() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "docker/Dockerfile", "FROM localhost/flyte:1\nCOPY a.txt /a.txt\n");
    write(folder.path(), "docker/a.txt", "mine");
    let mut request = request("own", FLYTE, Vec::new());
    request.image.base = Base::Dockerfile("docker/Dockerfile".into());
    must_build(std::slice::from_ref(&request), &options(folder.path()));
    assert_eq!(python(&request.uri, "print(open('/a.txt').read())"), "mine\n");
}

/// Flyte 2 code, and Flyte 1 code beside it: one image on the other.
const CODE: &str = r#"
import flyte

base = flyte.Image.from_debian_base(name="from-code", python_version=(3, 11)).with_pip_packages("six")
env = flyte.TaskEnvironment("etl", image=base)

@env.task
def f() -> int:
    return 1
"#;
const FLYTE1: &str = r#"
from flytekit import ImageSpec, task

image = ImageSpec(name="from-flyte1", python_version="3.11", packages=["iniconfig"], apt_packages=["file"], env={"A": "1"})

@task(container_image=image)
def g() -> int:
    return 1
"#;

#[test]
fn code_of_both_generations_is_built_from_the_command_line() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "two.py", CODE);
    write(folder.path(), "one.py", FLYTE1);
    let path = format!("{}:{}", program().parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_flyte-migrate"));
    command.args(["image", "build", "--engine", "buildah", "."]).current_dir(folder.path());
    for (from, to) in replacements() {
        command.arg("--base-image").arg(format!("{from}={to}"));
    }
    command.env("PATH", path).env("FLYTE_IMAGE_REGISTRY", "localhost");
    command.env("FLYTE_DOCKER_BUILD_EXTRA_ARGS", "--network host").env("BUILDAH_LAYERS", "false");
    let output = command.output().unwrap();
    let said = String::from_utf8(output.stdout).unwrap();
    assert!(output.status.success(), "{said}{}", String::from_utf8_lossy(&output.stderr));
    let built: Vec<&str> = said.lines().filter_map(|line| line.strip_prefix("built ")).collect();
    assert_eq!(built.len(), 2, "{said}");
    for uri in built {
        let (module, variable) =
            if uri.contains("flyte1") { ("iniconfig", "A") } else { ("six", "_F_IMG_ID") };
        let said =
            python(uri, &format!("import os, {module}; print({module}.__name__, os.environ['{variable}'])"));
        let value = if uri.contains("flyte1") { "1" } else { uri };
        assert_eq!(said, format!("{module} {value}\n"));
    }
}

/// Images whose configuration shows everything that the builder itself decides.
const CONFIGURED: &str = r#"
import flyte

released = (
    flyte.Image.from_debian_base(python_version=(3, 11), name="released", registry="localhost")
    .with_env_vars({"A": "a/b", "PATH": "/opt/x/bin:$PATH", "B": "${A}-c"})
    .with_commands(["mkdir -p /srv/w", "touch /srv/w/made"])
    .with_workdir("/srv/w")
)
user = (
    flyte.Image.from_base("docker.io/library/python:3.11-slim")
    .clone(name="user", registry="localhost", python_version=(3, 11), extendable=True)
    .with_commands(["CREATE_USER"])
    .with_workdir("/srv")
)
foreign = (
    flyte.Image.from_base("docker.io/library/python:3.11-slim")
    .clone(name="foreign", registry="localhost", python_version=(3, 11), extendable=True)
    .with_workdir("/srv")
)
"#;

/// User, folder, shell and variables of an image.
fn configuration(image: &str) -> serde_json::Value {
    let inspected: serde_json::Value =
        serde_json::from_str(&buildah(&["inspect", "--type", "image", image])).unwrap();
    let config = &inspected["Docker"]["config"];
    let mut variables: Vec<&str> =
        config["Env"].as_array().unwrap().iter().map(|variable| variable.as_str().unwrap()).collect();
    variables.sort_unstable();
    serde_json::json!([config["User"], config["WorkingDir"], config["Shell"], variables])
}

#[test]
fn images_end_as_the_dockerfiles_of_the_sdk_leave_them() {
    let folder = tempfile::tempdir().unwrap();
    write(folder.path(), "images.py", &CONFIGURED.replace("CREATE_USER", CREATE_USER));
    let mut sdk = Command::new(environment::python());
    sdk.arg(environment::repository("tests/sdk/dockerfiles.py")).arg("images.py").current_dir(folder.path());
    let output = sdk.env("HOME", folder.path()).env_remove("FLYTE_IMAGE_REGISTRY").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    let theirs: BTreeMap<String, String> = serde_json::from_slice(&output.stdout).unwrap();
    assert_eq!(theirs.len(), 3);

    let mut expected = BTreeMap::new();
    for (uri, mut text) in theirs {
        for (from, to) in replacements() {
            text = text.replace(&from, &to);
        }
        let file = folder.path().join("theirs.Dockerfile");
        fs::write(&file, text).unwrap();
        let context = folder.path().to_str().unwrap();
        let file = file.to_str().unwrap();
        buildah(&[
            "build",
            "--format",
            "docker",
            "--network",
            "host",
            "-f",
            file,
            "-t",
            "localhost/theirs:1",
            context,
        ]);
        expected.insert(uri, configuration("localhost/theirs:1"));
    }

    let path = format!("{}:{}", program().parent().unwrap().display(), std::env::var("PATH").unwrap());
    let mut command = Command::new(env!("CARGO_BIN_EXE_flyte-migrate"));
    command.args(["image", "build", "--engine", "buildah", "."]).current_dir(folder.path());
    for (from, to) in replacements() {
        command.arg("--base-image").arg(format!("{from}={to}"));
    }
    command.env("PATH", path).env("FLYTE_DOCKER_BUILD_EXTRA_ARGS", "--network host");
    command.env("BUILDAH_LAYERS", "false");
    let output = command.env_remove("FLYTE_IMAGE_REGISTRY").output().unwrap();
    assert!(output.status.success(), "{}", String::from_utf8_lossy(&output.stderr));
    for (uri, expected) in expected {
        assert_eq!(configuration(&uri), expected, "{uri}");
    }
}
