//! Code with a fault in its image, and near code without it: for each rule on Flyte 2 images at least one pair.

use std::fs;
use std::path::Path;

/// Who says that it is a fault.
pub(crate) enum Judge {
    /// The SDK, when it loads the code, names the image or validates it.
    Sdk,
    /// The build or the cluster, in the way that is told.
    Build(&'static str),
}

/// A fault.
pub(crate) struct Fault {
    /// The code of the rule.
    pub(crate) code: &'static str,
    pub(crate) judge: Judge,
    /// Code behind the usual imports.
    pub(crate) wrong: &'static str,
    pub(crate) right: &'static str,
}

const fn sdk(code: &'static str, wrong: &'static str, right: &'static str) -> Fault {
    Fault { code, judge: Judge::Sdk, wrong, right }
}

const fn build(code: &'static str, why: &'static str, wrong: &'static str, right: &'static str) -> Fault {
    Fault { code, judge: Judge::Build(why), wrong, right }
}

const PRELUDE: &str = "from pathlib import Path\n\nimport flyte\nfrom flyte import Image, Secret\n\nbase = Image.from_debian_base(python_version=(3, 12), name=\"base\")\n";

const FILES: [(&str, &str); 16] = [
    ("requirements.txt", "pandas\n"),
    ("requirements.in", "pandas\n"),
    ("git.txt", "# git+https://host/x\ntool @ git+https://host/x\n"),
    ("nested.txt", "pandas\n-r requirements.txt  # all\n"),
    ("editable.txt", "pandas\n-e .\n"),
    ("constrained.txt", "-c https://host/constraints.txt\npandas --hash=sha256:0\n"),
    ("data/x.csv", "1\n"),
    ("more/x.csv", "2\n"),
    ("more/y.csv", "3\n"),
    ("locked/uv.lock", "version = 1\n"),
    ("app/pyproject.toml", "[project]\nname = \"app\"\nversion = \"1\"\n"),
    ("good.py", "# /// script\n# dependencies = [\"flyte\"]\n# ///\n"),
    ("bad.py", "print(1)\n"),
    ("marked.py", "# /// script\n# dependencies = [\"flyte; python_version > '3'\"]\n# ///\n"),
    ("target.py", "# /// script\n# [tool.pixi.target.linux-64.pypi-dependencies]\n# flyte = \"*\"\n# ///\n"),
    ("platform.py", "# /// script\n# [tool.pixi.workspace]\n# platforms = [\"linux-64\"]\n# ///\n"),
];

/// Writes the code and the files around it.
pub(crate) fn write(root: &Path, code: &str) {
    for (name, text) in FILES {
        let path = root.join(name);
        fs::create_dir_all(path.parent().unwrap()).unwrap();
        fs::write(path, text).unwrap();
    }
    fs::write(root.join("job.py"), format!("{PRELUDE}{code}\n")).unwrap();
}

/// All faults.
pub(crate) const FAULTS: [Fault; 88] = [
    sdk("FM504", "env = flyte.TaskEnvironment('e', base)", "env = flyte.TaskEnvironment('e', image=base)"),
    sdk(
        "FM500",
        "env = flyte.TaskEnvironment('e', container_image=base)",
        "env = flyte.TaskEnvironment('e', image=base)",
    ),
    sdk(
        "FM506",
        "image = base.with_pip_packages('flyte', secret_mounts=[Secret(key='k', mount_requirement='ENV')])",
        "image = base.with_pip_packages('flyte', secret_mounts=[Secret(key='k', as_env_var='ENV')])",
    ),
    sdk(
        "FM533",
        "image = Image.from_pixi_script('marked.py', name='x')",
        "image = Image.from_pixi_script('target.py', name='x')",
    ),
    sdk(
        "FM533",
        "image = Image.from_pixi_script('platform.py', name='x')",
        "image = Image.from_pixi_script('platform.py', name='x', platform=('linux/amd64',))",
    ),
    sdk("FM500", "image = Image.auto()", "image = Image.from_debian_base()"),
    sdk("FM500", "image = Image.from_debian('x')", "image = Image.from_base('x')"),
    sdk(
        "FM500",
        "image = Image.with_apt_packages('git')",
        "image = Image.from_debian_base(name='x').with_apt_packages('git')",
    ),
    sdk(
        "FM500",
        "env = flyte.TaskEnvironment('e', images=base)",
        "env = flyte.TaskEnvironment('e', image=base)",
    ),
    sdk("FM504", "env = flyte.TaskEnvironment('e', image=3)", "env = flyte.TaskEnvironment('e', image='x')"),
    sdk(
        "FM504",
        "env = flyte.TaskEnvironment('e', image=['a'])",
        "env = flyte.TaskEnvironment('e', image=base)",
    ),
    sdk(
        "FM504",
        "env = flyte.TaskEnvironment('e').clone_with('f', image=3)",
        "env = flyte.TaskEnvironment('e').clone_with('f', image=None)",
    ),
    build(
        "FM504",
        "the container of the task has no image",
        "env = flyte.TaskEnvironment('e', image=None)\n@env.task\ndef t(): ...",
        "env = flyte.TaskEnvironment('e', image=None, pod_template='p')\n@env.task\ndef t(): ...",
    ),
    sdk("FM535", "base.registry = 'r'", "image = base.clone(registry='r')"),
    sdk("FM535", "del base.name", "base = base.clone(name='y')"),
    sdk("FM500", "image = Image.from_base('debian:12', 'x')", "image = Image.from_base('debian:12')"),
    sdk(
        "FM500",
        "image = Image.from_debian_base(python='3.12')",
        "image = Image.from_debian_base(python_version=(3, 12))",
    ),
    sdk("FM500", "image = base.with_workdir()", "image = base.with_workdir('/x')"),
    sdk("FM500", "image = base.with_system_packages('git')", "image = base.with_apt_packages('git')"),
    sdk("FM501", "image = base.with_pip_packages(['pandas'])", "image = base.with_pip_packages(*['pandas'])"),
    sdk(
        "FM501",
        "image = base.with_apt_packages('git', ['curl'])",
        "image = base.with_apt_packages('git', 'curl')",
    ),
    sdk(
        "FM501",
        "image = base.with_uv_project('app/pyproject.toml', extra_index_urls=['https://host'])",
        "image = base.with_uv_project('app/pyproject.toml', extra_index_urls=('https://host',))",
    ),
    sdk(
        "FM502",
        "image = Image.from_base('debian:12').with_pip_packages('flyte')",
        "image = Image.from_base('debian:12').clone(name='x', extendable=True).with_pip_packages('flyte')",
    ),
    sdk(
        "FM503",
        "image = Image.from_base('debian:12').clone(extendable=True).with_pip_packages('flyte')",
        "image = Image.from_base('debian:12').clone(extendable=True, name='x').with_pip_packages('flyte')",
    ),
    sdk(
        "FM503",
        "image = Image.from_base('ghcr.io/me/x:1').clone(registry='r.io', extendable=True)",
        "image = Image.from_base('ghcr.io/me/x:1').clone(registry='r.io', name='x', extendable=True)",
    ),
    sdk(
        "FM503",
        "image = Image.from_base('ghcr.io/me/x:1').clone()",
        "image = Image.from_base('ghcr.io/me/x:1')",
    ),
    sdk(
        "FM504",
        "image = base.with_source_folder('data')",
        "image = base.with_source_folder('data', dst='/data')",
    ),
    sdk(
        "FM504",
        "image = base.with_source_file(['data/x.csv'])",
        "image = base.with_source_file([Path('data/x.csv')])",
    ),
    sdk("FM504", "image = base.with_local_v2_plugins(['vllm'])", "image = base.with_local_v2_plugins([])"),
    sdk("FM504", "image = base.with_local_v2_plugins('')", "image = base.with_local_v2_plugins()"),
    build(
        "FM504",
        "the message of a remote build takes a bool only",
        "image = base.with_pip_packages('x', pre='0')",
        "image = base.with_pip_packages('x', pre=True)",
    ),
    sdk(
        "FM501",
        "image = base.with_pip_packages('x', pre=[True])",
        "image = base.with_pip_packages('x', pre=True)",
    ),
    build(
        "FM504",
        "the message of a remote build takes strings only",
        "image = base.with_env_vars({'DEBUG': 1})",
        "image = base.with_env_vars({'DEBUG': '1'})",
    ),
    build(
        "FM504",
        "the platforms are joined with commas: l,i,n,u,x",
        "image = Image.from_debian_base(python_version=(3, 12), platform='linux/amd64')",
        "image = Image.from_debian_base(python_version=(3, 12), platform=('linux/amd64',))",
    ),
    sdk(
        "FM505",
        "image = base.with_requirements('requirements.in')",
        "image = base.with_requirements('requirements.txt')",
    ),
    build(
        "FM506",
        "the SDK makes a secret of the string when it builds, and raises then",
        "image = base.with_pip_packages('x', secret_mounts=['my.key'])",
        "image = base.with_pip_packages('x', secret_mounts=['my-key'])",
    ),
    sdk(
        "FM506",
        "image = base.with_pip_packages('x', secret_mounts=[Secret(None)])",
        "image = base.with_pip_packages('x', secret_mounts=[Secret(None, as_env_var='X')])",
    ),
    sdk(
        "FM506",
        "image = Image.from_debian_base(python_version=(3, 12), name='x', registry_secret=Secret(key=3))",
        "image = Image.from_debian_base(python_version=(3, 12), name='x', registry_secret=Secret('k'))",
    ),
    sdk(
        "FM506",
        "image = base.with_pip_packages('x', secret_mounts=[Secret('k', mount=Path('/run'))])",
        "image = base.with_pip_packages('x', secret_mounts=[Secret('k', mount=Path('/etc/flyte/secrets'))])",
    ),
    sdk(
        "FM506",
        "image = base.with_pip_packages('x', secret_mounts=[Secret('k', as_env_var='my-key')])",
        "image = base.with_pip_packages('x', secret_mounts=[Secret('my-key')])",
    ),
    sdk(
        "FM507",
        "image = base.with_source_file([Path('data/x.csv'), Path('more/x.csv')])",
        "image = base.with_source_file([Path('data/x.csv'), Path('more/y.csv')])",
    ),
    sdk("FM508", "env = flyte.TaskEnvironment(name='My env')", "env = flyte.TaskEnvironment(name='my-env')"),
    sdk("FM508", "env = flyte.TaskEnvironment('a--b')", "env = flyte.TaskEnvironment('a-b')"),
    sdk("FM520", "image = Image.from_base('')", "image = Image.from_base('debian')"),
    build(
        "FM520",
        "every engine refuses the reference",
        "image = Image.from_base('https://ghcr.io/acme/base:1')",
        "image = Image.from_base('ghcr.io/acme/base:1')",
    ),
    build(
        "FM521",
        "the SDK forgets the secret",
        "image = Image.from_debian_base(python_version=(3, 12), registry_secret='pull')",
        "image = Image.from_debian_base(python_version=(3, 12), registry='ghcr.io/a', registry_secret='pull')",
    ),
    build(
        "FM522",
        "no registry takes capital letters",
        "image = Image.from_debian_base(python_version=(3, 12), name='Train')",
        "image = Image.from_debian_base(python_version=(3, 12), name='train')",
    ),
    build(
        "FM522",
        "no registry takes capital letters",
        "image = base.clone(registry='ghcr.io/Acme')",
        "image = base.clone(registry='ghcr.io/acme')",
    ),
    build(
        "FM523",
        "flyte needs Python 3.10, and there is no such base",
        "image = Image.from_debian_base(python_version=(3, 9))",
        "image = Image.from_debian_base(python_version=(3, 10))",
    ),
    build(
        "FM523",
        "there is no such base",
        "image = Image.from_debian_base(python_version=(3, 15))",
        "image = Image.from_debian_base(python_version=(3, 14))",
    ),
    sdk("FM524", "image = base.with_dockerignore('')", "image = base.with_dockerignore('requirements.txt')"),
    sdk(
        "FM524",
        "image = base.with_requirements('none.txt')",
        "image = base.with_requirements('requirements.txt')",
    ),
    sdk(
        "FM524",
        "image = base.with_source_folder(Path('none'))",
        "image = base.with_source_folder(Path('data'))",
    ),
    sdk(
        "FM524",
        "image = base.with_source_file(Path('data'))",
        "image = base.with_source_file(Path('data/x.csv'))",
    ),
    sdk(
        "FM524",
        "image = base.with_uv_project('locked/pyproject.toml')",
        "image = base.with_uv_project('app/pyproject.toml')",
    ),
    build(
        "FM525",
        "the container ends with `No module named flyte`",
        "image = Image.from_base('python:3.12').clone(name='x', extendable=True).with_pip_packages('pandas')\nenv = flyte.TaskEnvironment('e', image=image)\n\n@env.task\ndef f() -> int:\n    return 1",
        "image = Image.from_base('python:3.12').clone(name='x', extendable=True).with_pip_packages('flyte')\nenv = flyte.TaskEnvironment('e', image=image)\n\n@env.task\ndef f() -> int:\n    return 1",
    ),
    build(
        "FM526",
        "uv does not find git",
        "image = base.with_pip_packages('tool @ git+https://host/x').with_apt_packages('git')",
        "image = base.with_apt_packages('git').with_pip_packages('tool @ git+https://host/x')",
    ),
    build(
        "FM526",
        "uv does not find git",
        "image = base.with_requirements('git.txt')",
        "image = base.with_apt_packages('git').with_requirements('git.txt')",
    ),
    build(
        "FM527",
        "each command is a RUN of its own",
        "image = base.with_commands(['cd /opt', 'make'])",
        "image = base.with_commands(['cd /opt && make'])",
    ),
    build(
        "FM528",
        "uv cannot parse it",
        "image = base.with_pip_packages('pandas=2')",
        "image = base.with_pip_packages('pandas==2')",
    ),
    build(
        "FM528",
        "it is quoted, and uv knows no such option",
        "image = base.with_pip_packages('--index-url https://host')",
        "image = base.with_pip_packages('x', index_url='https://host')",
    ),
    build(
        "FM529",
        "uv finds no version that is both",
        "image = base.with_pip_packages('pandas==2.1', 'Pandas==2.2')",
        "image = base.with_pip_packages('pandas==2.1', 'numpy==2.2')",
    ),
    build(
        "FM530",
        "the line begins with RUN RUN",
        "image = base.with_commands(['RUN make'])",
        "image = base.with_commands(['make RUN'])",
    ),
    build(
        "FM531",
        "the Python in /opt/venv is not found",
        "image = base.with_env_vars({'PATH': '/my/bin'})",
        "image = base.with_env_vars({'PATH': '/my/bin:$PATH'})",
    ),
    build(
        "FM532",
        "the ENV line cannot be parsed",
        "image = base.with_env_vars({'MY VAR': 'x'})",
        "image = base.with_env_vars({'MY_VAR': 'x'})",
    ),
    sdk(
        "FM533",
        "image = Image.from_uv_script('bad.py', name='x', python_version=(3, 12))",
        "image = Image.from_uv_script('good.py', name='x', python_version=(3, 12))",
    ),
    build(
        "FM534",
        "the second line is read as an instruction",
        "image = base.with_commands(['make\\nmake install'])",
        "image = base.with_commands(['make \\\\\\n  install\\n'])",
    ),
    build(
        "FM534",
        "RUN runs nothing",
        "image = base.with_commands(['\\nmake'])",
        "image = base.with_commands(['make\\n\\n# made\\n'])",
    ),
    build(
        "FM534",
        "the line behind the document is read as an instruction",
        "image = base.with_commands(['cat <<EOF > /a\\nb\\nEOF\\nmake'])",
        "image = base.with_commands(['cat <<EOF > /a\\nb\\nEOF'])",
    ),
    build(
        "FM534",
        "the ENV line cannot be parsed",
        "image = base.with_env_vars({'A': 'hello world'})",
        "image = base.with_env_vars({'A': '\"hello world\"'})",
    ),
    build(
        "FM534",
        "the ENV line cannot be parsed",
        "image = base.with_env_vars({'A': 'it\\'s'})",
        "image = base.with_env_vars({'A': '\"it\\'s\"'})",
    ),
    build(
        "FM534",
        "the second package is read as an instruction",
        "image = base.with_apt_packages('git\\n', 'curl')",
        "image = base.with_apt_packages('git', 'curl\\n')",
    ),
    build(
        "FM534",
        "COPY looks for two sources",
        "image = base.with_source_file('data/x.csv', '/my data/')",
        "image = base.with_source_file('data/x.csv', '/my_data/')",
    ),
    build(
        "FM534",
        "uv needs a package",
        "image = base.with_pip_packages(*[])",
        "image = base.with_pip_packages(extra_args='-r /requirements.txt')",
    ),
    build(
        "FM534",
        "WORKDIR needs a folder",
        "image = base.with_workdir('')",
        "image = base.with_workdir('/')",
    ),
    build(
        "FM534",
        "RUN takes it for an option",
        "image = base.with_commands(['--mount=type=cache,target=/c make'])",
        "image = base.with_commands(['make --mount=x'])",
    ),
    build(
        "FM534",
        "ENV sets `pw`",
        "image = base.with_env_vars({'A': 'p$$w'})",
        "image = base.with_env_vars({'A': 'p\\$\\$w'})",
    ),
    build(
        "FM534",
        "ENV sets `x`",
        "image = base.with_env_vars({'A': '$1x'})",
        "image = base.with_env_vars({'A': '$A1x'})",
    ),
    build(
        "FM524",
        "the other file is not in the build context",
        "image = base.with_requirements('nested.txt')",
        "image = base.with_requirements('constrained.txt')",
    ),
    build(
        "FM524",
        "the project is not in the build context",
        "image = base.with_requirements('editable.txt')",
        "image = base.with_source_folder(Path('app')).with_requirements('editable.txt')",
    ),
    sdk("FM500", "image = Image()", "image = Image.from_debian_base(python_version=(3, 12))"),
    sdk("FM504", "image = base.with_apt_packages('git', None)", "image = base.with_apt_packages('git')"),
    sdk(
        "FM504",
        "image = base.with_pip_packages(None)",
        "image = base.with_pip_packages('x', extra_args=None)",
    ),
    sdk("FM504", "image = base.with_workdir(None)", "image = base.with_workdir('/')"),
    sdk(
        "FM504",
        "image = base.with_requirements(None)",
        "image = base.with_requirements('requirements.txt')",
    ),
    sdk(
        "FM504",
        "image = base.with_uv_project('app/pyproject.toml', uvlock='locked/uv.lock')",
        "image = base.with_uv_project('app/pyproject.toml', uvlock=Path('locked/uv.lock'))",
    ),
    sdk(
        "FM504",
        "image = base.with_pixi_project('app/pyproject.toml', environment=None)",
        "image = base.with_pixi_project('app/pyproject.toml', environment='default')",
    ),
    build(
        "FM504",
        "docker knows no such platform",
        "image = base.clone(platform=('linux/riscv',))",
        "image = base.clone(platform=('linux/arm64',))",
    ),
];
