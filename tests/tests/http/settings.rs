//! Starting: settings that are wrong, keys that are not there, catalogs that are damaged.

use std::{fs, os::unix::fs::PermissionsExt as _, path::Path, process::Output, time::Duration};

use cofferdam_tests::{Console, Person, console, wait_until};
use xtask::process;

const SECRET: &str = "canary-9f2c";

/// Starts `serve` in a new data folder with these variables, for a start that must not work.
fn refused(variables: &[(&str, &str)]) -> (i32, String) {
    let mut builder = Console::builder();
    for (name, value) in variables {
        builder = builder.env(*name, *value);
    }
    let told = builder.try_start().err().unwrap_or_else(|| panic!("{variables:?} was accepted"));
    (told.status.code().expect("an exit code"), format!("{}{}", told.stdout, told.stderr))
}

#[test]
fn each_wrong_setting_is_named_and_no_secret_is_printed() {
    for (name, value, named) in [
        ("COFFERDAM_LISTEN", "nowhere", "COFFERDAM_LISTEN"),
        ("COFFERDAM_LISTEN", "0.0.0.0:0", "plain HTTP"),
        ("COFFERDAM_PUBLIC_URL", "https://a.example/path", "COFFERDAM_PUBLIC_URL"),
        ("COFFERDAM_PUBLIC_URL", "javascript:x", "COFFERDAM_PUBLIC_URL"),
        ("COFFERDAM_TRUSTED_PROXIES", "10.0.0.1,proxy", "trusted prox"),
        ("COFFERDAM_CATALOG_URL", "mysql://u:canary-9f2c@h/d", "COFFERDAM_CATALOG_URL"),
        ("COFFERDAM_MASTER_KEY", "canary-9f2c", "COFFERDAM_MASTER_KEY"),
        ("COFFERDAM_MASTER_KEY_FILE", "/nonexistent/key", "/nonexistent/key"),
        ("COFFERDAM_ADMIN_USER", "a b", "COFFERDAM_ADMIN_USER"),
        ("COFFERDAM_ADMIN_PASSWORD", "canary-9f2c", "COFFERDAM_ADMIN_PASSWORD"),
        ("COFFERDAM_ADMIN_PASSWORD", "", "COFFERDAM_ADMIN_PASSWORD"),
        ("COFFERDAM_STALL_SECONDS", "0", "stall_seconds"),
        ("COFFERDAM_MAX_CONCURRENT_BACKUPS", "0", "max_concurrent_backups"),
        ("COFFERDAM_KEEP_FREE_MB", "-1", "keep_free_mb"),
        ("COFFERDAM_SHUTDOWN_SECONDS", "x", "shutdown_seconds"),
        ("COFFERDAM_SESSION_IDLE_MINUTES", "0", "session_idle_minutes"),
        ("COFFERDAM_SESSION_HOURS", "99999", "session_hours"),
        ("COFFERDAM_ALLOW_PLAIN_HTTP", "perhaps", "allow_plain_http"),
        ("COFFERDAM_TLS_CERTIFICATE", "/nonexistent.pem", "tls_key"),
        ("BACKUP_RETENTION_DAYS", "0", "retention_days"),
        ("BACKUP_MAX_COUNT", "-3", "max_backups"),
        ("BACKUP_INTERVAL_HOURS", "99999999999", "interval_hours"),
        ("BACKUP_ENABLED", "maybe", "enabled"),
        ("BACKUP_JOB_TIMEOUT_MINUTES", "0", "job_timeout_minutes"),
        ("DATABASE_URL", "mysql://u:canary-9f2c@h/d", "DATABASE_URL"),
        ("DATABASE_URL", "postgres://u:canary-9f2c@h/d?service=x", "DATABASE_URL"),
        ("POSTGRES_PORT", "x", "postgres_port"),
        ("COFFERDAM_LOG", "loud", "log"),
    ] {
        let mut variables = vec![(name, value)];
        if name == "POSTGRES_PORT" {
            variables.push(("POSTGRES_DB", "d"));
        }
        let (code, text) = refused(&variables);
        assert_eq!(code, 1, "{name}={value}: {text}");
        let (lower, upper) = (named.to_lowercase(), name.to_lowercase());
        let text_lower = text.to_lowercase();
        assert!(
            text_lower.contains(&lower) || text_lower.contains(&upper),
            "{name}={value}: {text}"
        );
        assert!(!text.contains(SECRET), "{name}: {text}");
        assert!(
            !text.contains("panicked") && !text.contains("Listening"),
            "{name}={value}: {text}"
        );
    }
}

/// `cofferdam serve` with a settings file, for files that must be refused.
fn with_file(text: &str, mode: u32) -> Output {
    let folder = tempfile::tempdir().expect("a folder");
    let file = folder.path().join("settings.toml");
    fs::write(&file, text).expect("written");
    fs::set_permissions(&file, fs::Permissions::from_mode(mode)).expect("permissions");
    let mut command = std::process::Command::new(console::program());
    command
        .env_clear()
        .arg("--config")
        .arg(file)
        .args(["config", "check"])
        .current_dir(folder.path());
    command.output().expect("it runs")
}

#[test]
fn a_settings_file_is_read_and_one_with_a_secret_is_for_its_owner_only() {
    let secret = format!("admin_user = \"anna\"\nadmin_password = \"{SECRET}-and-more\"\n");
    for (what, text, mode, good, said) in [
        ("a secret, closed", secret.as_str(), 0o600, true, "(set, not shown)"),
        ("a secret, open", &secret, 0o644, false, "chmod 600"),
        ("a secret, for the group", &secret, 0o640, false, "chmod 600"),
        ("no secret, open", "stall_seconds = 77\n", 0o644, true, "77"),
        ("an unknown name", "stall_secconds = 77\n", 0o600, false, "stall_secconds"),
        ("no TOML", "admin_password = canary-9f2c oops\n", 0o600, false, "line 1"),
        ("a table", "[listen]\nport = 1\n", 0o600, false, "listen"),
        (
            "a list",
            "trusted_proxies = [\"10.0.0.1\", \"10.0.0.2\"]\n",
            0o600,
            true,
            "10.0.0.1,10.0.0.2",
        ),
    ] {
        let told = with_file(text, mode);
        let all = format!(
            "{}{}",
            String::from_utf8_lossy(&told.stdout),
            String::from_utf8_lossy(&told.stderr)
        );
        assert_eq!(told.status.code(), Some(i32::from(!good)), "{what}: {all}");
        assert!(all.contains(said), "{what}: {all}");
        assert!(!all.contains(SECRET), "{what}: {all}");
    }
}

/// Stops the console, changes something, and expects that it does not start again.
#[track_caller]
fn refuses_after(change: impl FnOnce(&Path)) -> String {
    let mut console = Console::builder().env("COFFERDAM_SHUTDOWN_SECONDS", "1").start();
    console.api().back_up("cofferdam");
    assert!(console.terminate().success());
    change(&console.data());
    let (log, mut serve) = (console.folder().join("refused.log"), console.cli());
    let file = || fs::File::options().create(true).append(true).open(&log).expect("a log");
    let mut child = serve.arg("serve").stdout(file()).stderr(file()).spawn().expect("it runs");
    let status = process::wait_at_most(&mut child, Duration::from_secs(20)).expect("waited");
    let text = fs::read_to_string(&log).expect("the log");
    let Some(status) = status else {
        child.kill().expect("it can be killed");
        panic!("it serves: {text}");
    };
    assert_eq!(status.code(), Some(1), "{text}");
    assert!(!text.contains("Listening") && !text.contains("panicked"), "{text}");
    text
}

#[test]
fn without_the_right_master_key_the_console_does_not_start() {
    let text = refuses_after(|data| fs::remove_file(data.join("master.key")).expect("removed"));
    assert!(text.contains("master key") && text.contains("missing"), "{text}");
    let other = "ab".repeat(32);
    let text = refuses_after(|data| fs::write(data.join("master.key"), &other).expect("written"));
    assert!(text.contains("master key is not the one") && !text.contains(&other), "{text}");
    let text = refuses_after(|data| fs::write(data.join("master.key"), SECRET).expect("written"));
    assert!(!text.contains(SECRET), "{text}");
    let open = fs::Permissions::from_mode(0o644);
    let text =
        refuses_after(|data| fs::set_permissions(data.join("master.key"), open).expect("set"));
    assert!(text.contains("chmod 600"), "{text}");
}

#[test]
fn a_damaged_catalog_is_refused_and_left_as_it_is() {
    for damage in [&b"not a database at all, but long enough to look at"[..], b""] {
        let text = refuses_after(|data| {
            for name in ["catalog.db-wal", "catalog.db-shm"] {
                // Only where the last console left one.
                let _ = fs::remove_file(data.join(name));
            }
            fs::write(data.join("catalog.db"), damage).expect("written");
        });
        assert!(text.contains("catalog"), "{text}");
    }
    let text = refuses_after(|data| {
        let mut bytes = fs::read(data.join("catalog.db")).expect("the catalog");
        let length = bytes.len();
        for byte in &mut bytes[4096..length.min(40_960)] {
            *byte = 0x5a;
        }
        fs::write(data.join("catalog.db"), bytes).expect("written");
    });
    assert!(text.contains("catalog"), "{text}");
}

#[test]
fn two_consoles_never_serve_one_data_folder() {
    let console = Console::builder().start();
    let told = console.cli().arg("serve").output().expect("it runs");
    let text = String::from_utf8_lossy(&told.stderr);
    assert_eq!(told.status.code(), Some(1), "{text}");
    assert!(text.contains("another console") && text.contains("HINT:"), "{text}");
    assert_eq!(console.api().back_up("cofferdam")["status"], "completed");
    for name in ["", "catalog.db", "catalog.db.lock", "master.key", "backups", "plugins"] {
        let mode =
            fs::metadata(console.data().join(name)).expect("it is there").permissions().mode();
        assert_eq!(mode & 0o077, 0, "{name:?} is closed to others: {mode:o}");
    }
}

#[test]
fn slips_are_told_at_the_start_and_change_nothing() {
    let console =
        Console::builder().env("COFFERDAM_STAL_SECONDS", "canary-9f2c").env("PORT", "1").start();
    let log = console.stderr();
    assert!(log.contains("did you mean COFFERDAM_STALL_SECONDS?"), "{log}");
    assert!(log.contains("PORT is ignored: COFFERDAM_LISTEN says"), "{log}");
    assert!(!log.contains(SECRET), "{log}");
}

#[test]
fn before_the_set_up_the_sign_in_page_says_how_to_get_there() {
    let console = Console::builder().without_administrator().start();
    let page = console.anonymous().get("/login").expect(200).text();
    assert!(page.contains("Set up:") && page.contains("cofferdam user add"), "{page}");
    console.add_user("anna", "administrator", "seven tall green windows");
    let page = console.anonymous().get("/login").expect(200).text();
    assert!(!page.contains("Set up:"), "{page}");
}

#[test]
fn the_first_page_says_when_its_database_is_the_consoles_own_catalog() {
    let console = Console::builder().start();
    let page = Person::administrator(&console).get("/").expect(200).text();
    assert!(page.contains("own catalog"), "{page}");
    let other = console.folder().join("blog.db");
    let named =
        Console::builder().env("DATABASE_URL", format!("sqlite:{}", other.display())).start();
    let page = Person::administrator(&named).get("/").expect(200).text();
    assert!(!page.contains("own catalog"), "{page}");
}

#[test]
fn the_log_says_that_the_first_database_does_not_answer_and_that_a_later_one_is_not_read() {
    let not_read = "there is a catalog already, so DATABASE_URL";
    let mut console =
        Console::builder().env("DATABASE_URL", "postgres://u:canary@127.0.0.1:1/shop").start();
    wait_until("a word about it", Duration::from_secs(20), || {
        let log = console.stderr();
        let said = log.contains("the first database, shop, cannot be looked at");
        (said && log.contains("HINT:") && !log.contains("canary")).then_some(())
    });
    console.restart();
    assert!(!console.stderr().contains(not_read), "it was read: {}", console.stderr());
    console.restart_with(|builder| builder.env("DATABASE_URL", "sqlite:/srv/other.db"));
    assert!(console.stderr().contains(not_read), "{}", console.stderr());
}
