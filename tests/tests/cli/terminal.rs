//! What a person at a terminal sees.

use std::process::{Command, Stdio};

use cofferdam_tests::{TestCluster, console::program, held};

use crate::shell::Shell;

/// Runs a command at a terminal 100 columns wide, and gives its exit status
/// and all that reached the terminal.
#[track_caller]
fn at_a_terminal(shell: &Shell, arguments: &str) -> (Option<i32>, String) {
    let line = format!("stty cols 100 rows 30; exec '{}' {arguments}", program().display());
    let plain = shell.command(&[]);
    let mut script = Command::new("script");
    script.args(["--quiet", "--return", "--command", &line, "/dev/null"]);
    script.env_clear().env("TERM", "xterm").env("SHELL", "/bin/sh");
    script.envs(plain.get_envs().filter_map(|(name, value)| Some((name, value?))));
    script.current_dir(plain.get_current_dir().expect("a folder"));
    let told = script.stdin(Stdio::null()).output().expect("script (bsdutils) is installed");
    (told.status.code(), String::from_utf8_lossy(&told.stdout).into_owned())
}

#[test]
fn a_backup_shows_its_progress_on_a_terminal_and_then_only_its_outcome() {
    let cluster = TestCluster::start();
    held::create_wide(&cluster, "wide");
    let shell = Shell::new().env("DATABASE_URL", cluster.url("wide"));
    let (code, text) = at_a_terminal(&shell, "backup create wide");
    assert_eq!(code, Some(0), "{text}");
    let shown: Vec<u32> = text
        .split(" % ")
        .filter_map(|before| before.rsplit(' ').next()?.parse().ok())
        .filter(|percent| *percent <= 100)
        .collect();
    assert!(shown.iter().any(|percent| (1..100).contains(percent)), "{text:?}");
    assert!(shown.is_sorted(), "it never falls: {shown:?}");
    assert!(text.contains("public.wide") && text.contains("/s"), "{text:?}");
    // The last thing written over the bar is nothing; then come the file and its identifier.
    let end = text.rsplit('\u{1b}').next().unwrap_or_default();
    assert!(end.contains("backup_wide_") && !end.contains('%'), "{text:?}");

    let (code, text) = at_a_terminal(&shell, "backup create wide --json");
    assert_eq!(code, Some(0), "{text}");
    assert!(!text.contains(" % ") && !text.contains('\u{1b}'), "a program reads this: {text:?}");
}
