//! What commands do to a shell, as real shells have it: those that the tool takes apart leave nothing in one.

#![expect(clippy::unwrap_used, reason = "a test may fail anywhere")]

use std::collections::BTreeMap;
use std::process::Command as Process;

use flyte_migrate::image::command::{Command, Reach};

/// The shells of Flyte 1's Debian base and of Flyte 2's.
const SHELLS: [&str; 2] = ["dash", "bash"];

/// Prints what a shell holds.
const STATE: &str = "echo ===; pwd; umask; set; alias; trap; ulimit -a; echo $-; shopt; enable; declare -f; \
                     ls /proc/self/fd; echo $#";

/// Commands that stand alone, of all kinds that people write.
const APART: &[&str] = &[
    "true",
    "mkdir -p a/b && touch a/b/c",
    "FOO=1 env > vars",
    "A=1 B='2 3' env",
    "echo \"a && b ; c\" > quoted",
    "echo 'it # is' no#comment",
    "echo a\\ b \\; c",
    "test -f nowhere || echo made > nowhere",
    "[ -d /tmp ] && ls / > /dev/null 2>&1",
    "! false",
    "if [ ! -f x ]; then touch x; elif true; then touch y; else touch z; fi",
    "if true; then touch x; fi && touch y",
    "ls | wc -l >> lines",
    "echo $(ls | wc -l) `pwd` \"$(basename \"$(pwd)\")\"",
    "echo ${HOME} ${NOPE:-none} ${HOME%/*} $HOME $? $#",
    "command -v sh > found",
    "printf '%s\\n' a b > printed",
    "echo a; echo b",
    "touch a \\\n  b \\\n# between\n  c",
    "sh -c 'cd / && X=1'",
    "env -i sh -c 'umask 077'",
    "python3 -c \"X = 1; print(X)\"",
    "type ls",
];

/// Commands that share the shell of those around them.
const JOINED: &[&str] = &[
    "cd /",
    "A=1",
    "A+=x",
    "A[0]=1",
    "A=(1 2)",
    "A=1 :",
    "A=1 export B",
    "printf -v X y",
    "printf '%s%n' abc X",
    "getopts ab X -a",
    "command cd /",
    "builtin cd /",
    "\"cd\" /",
    "c\\d /",
    "c''d /",
    "$NOPE cd /",
    "`echo cd` /",
    "$(echo cd /)",
    "read X < /etc/hostname",
    "mapfile X < /etc/hostname",
    "let X=1",
    "((X=1))",
    "(( X = 1 ))",
    "echo $((X=1))",
    "echo \"$((X += 1))\"",
    "echo $[X=1]",
    "echo ${X:=1}",
    "echo ${X=1}",
    "echo \"${X:=1}\"",
    "declare X=1",
    "export X=1",
    "readonly X=1",
    "unset HOME",
    "eval X=1",
    "trap 'echo bye' EXIT",
    "alias ll='ls -l'",
    "f() { true; }",
    "f () { true; }",
    "function f { true; }",
    "exec 3> three",
    "exec {X}> three",
    "true {X}> three",
    "shopt -s nullglob",
    "set -u",
    "set -- a b",
    "hash ls",
    "enable -n echo",
    "umask 077",
    "ulimit -n 100",
    "{ cd /; }",
    "! cd /",
    "if true; then cd /; fi",
    "if cd /; then true; fi",
    "for X in a b; do true; done",
    "while cd /; do break; done",
    "case a in a) cd /;; esac",
    "true && cd /",
    "true; cd /",
    "true || true; cd /",
    "time cd /",
    "[[ abc =~ b ]]",
    "select X in a; do break; done < /dev/null",
    ". /dev/null",
    "source /dev/null",
    "pushd /",
    "true # and so on",
    "true #",
    "echo a \\",
    "echo 'open",
    "echo \"open",
    "echo `open",
    "echo $(open",
    "echo ${open",
    "cat <<EOF\na\nEOF",
    "true\ncd /",
    "exit 0",
    "[ -d / ] && exit 0",
    "exit",
    "(cd /)",
    "true )",
    "{}/bin/x",
    "{} -p /a",
    "service postgresql start",
    "nohup server",
    "echo '1.2.3.4 host' >> /etc/hosts",
    "cp a /dev/shm/a",
    "dd of=/dev/shm/a",
];

/// Commands that take something from those before them, or take them along.
const AROUND: &[&str] = &[
    "sleep 0 &",
    "sleep 0 & true",
    "true &> out",
    "echo $_",
    "echo $!",
    "echo \"$$\"",
    "echo $(echo $$)",
    "&& true",
    "| cat",
    "# nothing",
    "",
];

fn reach(text: &str) -> Reach {
    Command::read(text).reach()
}

/// What a shell holds after a command, or `None` if it does not come so far.
fn state(shell: &str, command: &str) -> Option<Vec<String>> {
    let folder = tempfile::tempdir().unwrap();
    // What a Dockerfile makes of lines that are continued.
    let line = command.replace("# between\n", "").replace("\\\n", "");
    let output = Process::new(shell)
        .args(["-c", &format!("{line} && {STATE}")])
        .env_clear()
        .envs([("PATH", "/usr/bin:/bin"), ("HOME", "/root")])
        .current_dir(folder.path())
        .output()
        .unwrap();
    let text = String::from_utf8_lossy(&output.stdout).into_owned();
    let text = text.replace(&folder.path().display().to_string(), "HERE");
    let (_, state) = text.split_once("===\n")?;
    let changes = ["_=", "PPID=", "BASH", "SECONDS=", "PIPESTATUS=", "RANDOM=", "LINENO=", "EPOCH"];
    let lines = state.lines().filter(|line| !changes.iter().any(|start| line.starts_with(start)));
    Some(lines.map(str::to_owned).collect())
}

#[test]
fn commands_that_stand_alone_leave_nothing_in_a_shell() {
    for text in APART {
        assert_eq!(reach(text), Reach::Itself, "{text}");
        for shell in SHELLS {
            let left = state(shell, text).unwrap_or_else(|| panic!("{shell}: {text} fails"));
            assert_eq!(left, state(shell, "true").unwrap(), "{shell}: {text}");
        }
    }
}

#[test]
fn commands_that_may_change_a_shell_are_told() {
    for text in JOINED {
        assert!(matches!(reach(text), Reach::OnlyShell | Reach::Behind), "{text}: {:?}", reach(text));
    }
    for text in AROUND {
        assert_eq!(reach(text), Reach::Around, "{text}");
    }
}

#[test]
fn whatever_a_builtin_leaves_in_a_shell_is_told() {
    let list = Process::new("bash").args(["-c", "compgen -bk"]).output().unwrap();
    let builtins = String::from_utf8(list.stdout).unwrap();
    let names: Vec<&str> = builtins.lines().chain(["chdir", "local", "getopts"]).collect();
    assert!(names.len() > 70, "{names:?}");
    let arguments = [
        "",
        " /",
        " X",
        " X=1",
        " -v X",
        " -v X y",
        " -s nullglob",
        " -n echo",
        " -a X",
        " 1",
        " -u",
        " a=1",
    ];
    let untouched: BTreeMap<&str, _> = SHELLS.map(|shell| (shell, state(shell, "true"))).into();
    for name in names {
        for argument in arguments {
            let text = format!("{name}{argument}");
            for shell in SHELLS.iter().filter(|_| reach(&text) == Reach::Itself) {
                let after = state(shell, &text);
                // A command that fails ends the line, however it is cut.
                assert!(after.is_none() || after == untouched[shell], "{shell}: {text}");
            }
        }
    }
    // As many as a shell has are taken apart, and no more.
    let apart =
        ["echo x", "printf x", "test x", "[ x ]", "true", "false", ": x", "pwd", "type x", "command -v x"];
    assert!(apart.iter().all(|text| reach(text) == Reach::Itself));
}

/// What random commands are made of.
const PIECES: [&str; 40] = [
    "cd",
    "/",
    "X=1",
    "X",
    "echo",
    "printf",
    "-v",
    "true",
    "false",
    "&&",
    "||",
    ";",
    "|",
    "!",
    "if",
    "then",
    "else",
    "fi",
    "\"",
    "'",
    "\\",
    "$(",
    ")",
    "`",
    "${X:=1}",
    "${X:-1}",
    "$X",
    "#",
    "{",
    "}",
    ">f",
    "2>&1",
    "<f",
    "command",
    "export",
    "set",
    "-u",
    "test",
    "\"$(echo '",
    "%n",
];

#[test]
fn random_commands_that_stand_alone_leave_nothing_in_a_shell() {
    let mut seed = 7_u64;
    let mut random = |below: usize| {
        seed = seed.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        usize::try_from(seed >> 33).unwrap() % below
    };
    let untouched = SHELLS.map(|shell| (shell, state(shell, "true")));
    let (mut apart, mut ran) = (0, 0);
    for _ in 0..20_000 {
        let length = 1 + random(7);
        let pieces: Vec<&str> = (0..length).map(|_| PIECES[random(PIECES.len())]).collect();
        let text = pieces.join(if random(4) == 0 { "" } else { " " });
        if reach(&text) != Reach::Itself || apart == 400 {
            continue;
        }
        apart += 1;
        for (shell, untouched) in &untouched {
            let after = state(shell, &text);
            ran += usize::from(after.is_some());
            assert!(after.is_none() || after == *untouched, "{shell}: {text}");
        }
    }
    assert!(apart == 400 && ran > 200, "{apart} {ran}");
}

#[test]
fn only_what_does_nothing_else_is_told_to_change_nothing() {
    for text in
        ["cd /opt", "export A=1", "A=1", "A=1 B=2", "source env.sh", ". env.sh", "umask 022", "set -e"]
    {
        assert_eq!(reach(text), Reach::OnlyShell, "{text}");
    }
    for text in
        ["cd /opt && make", "A=$(make)", "export A=`make`", "export -p > all", "eval make", "A=1 make"]
    {
        assert_ne!(reach(text), Reach::OnlyShell, "{text}");
    }
}

#[test]
fn what_ends_a_line_is_told() {
    let cut = |text| Command::read(text).cannot_be_followed().is_some();
    for text in ["make &", "make &&", "make ||", "make |", "make;", "", "cat <<EOF\na\nEOF", "make\n", "a\nb"]
    {
        assert!(cut(text), "{text}");
    }
    for text in ["make", "make # x", "(make)", "make \\\n all", "f() { true; }", "make > x"] {
        assert!(!cut(text), "{text}");
    }
    for (text, is_comment) in
        [("a # b", true), ("#", true), ("a#b", false), ("a '# b'", false), ("a \\# b", false)]
    {
        assert_eq!(Command::read(text).ends_in_comment(), is_comment, "{text}");
    }
}

#[test]
fn what_bash_reads_in_another_way_is_told() {
    for text in [
        "echo 'a\\nb'",
        "echo \"a\\tb\"",
        "echo a\\\\nb",
        "echo -e a",
        "echo -ne a",
        "echo {a,b}",
        "echo {1..3}",
        "echo $'a'",
        "[ a == a ] && echo same || echo other",
        "if [[ a = a ]]; then echo same; else echo other; fi",
        "echo \"[$UID]\"",
    ] {
        let output = |shell| Process::new(shell).args(["-c", text]).output().unwrap().stdout;
        assert_ne!(output("dash"), output("bash"), "{text}");
        assert!(Command::read(text).differs_in_bash().is_some(), "{text}");
    }
    for text in [
        "echo a",
        "echo -n a",
        "echo \"a \\\"b\\\" \\$c\"",
        "echo 'a b' '{\"x\": 1}'",
        "printf 'a\\nb'",
        "echo ${HOME} {} {a}",
        "echo a\\ b",
        "[ a = a ] && echo same",
    ] {
        let output = |shell| Process::new(shell).args(["-c", text]).output().unwrap().stdout;
        assert_eq!(output("dash"), output("bash"), "{text}");
        assert_eq!(Command::read(text).differs_in_bash(), None, "{text}");
    }
}
