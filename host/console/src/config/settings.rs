//! Every setting, in one table: its name in the settings file, the variables
//! that set it, its default, and what it does. `config check` and the README
//! print this table.

/// One setting.
pub struct Setting {
    /// Its name in the settings file.
    pub name: &'static str,
    /// Environment variables, the one that wins first.
    pub variables: &'static [&'static str],
    /// What holds when nobody says anything, as a person would write it.
    pub default: &'static str,
    /// Never printed.
    pub secret: bool,
    /// One sentence for the table.
    pub help: &'static str,
}

const fn setting(
    name: &'static str,
    variables: &'static [&'static str],
    default: &'static str,
    help: &'static str,
) -> Setting {
    Setting { name, variables, default, secret: false, help }
}

const fn secret(
    name: &'static str,
    variables: &'static [&'static str],
    help: &'static str,
) -> Setting {
    Setting { name, variables, default: "", secret: true, help }
}

/// The table. The order is the order of the README.
pub const SETTINGS: &[Setting] = &[
    setting(
        "data_dir",
        &["COFFERDAM_DATA_DIR"],
        "./data",
        "Folder of the catalog, the master key and, by default, the backups.",
    ),
    setting(
        "listen",
        &["COFFERDAM_LISTEN"],
        "127.0.0.1:8080",
        "Address and port; port 0 takes a free one.",
    ),
    setting(
        "port",
        &["PORT"],
        "",
        "Where a platform sets it: listen on this port of 0.0.0.0, behind the platform's HTTPS; COFFERDAM_LISTEN wins over it.",
    ),
    setting(
        "catalog_url",
        &["COFFERDAM_CATALOG_URL"],
        "sqlite in data_dir",
        "Where the catalog is: `sqlite:` and a path.",
    ),
    secret("master_key", &["COFFERDAM_MASTER_KEY"], "The master key: 64 hexadecimal digits."),
    setting(
        "master_key_file",
        &["COFFERDAM_MASTER_KEY_FILE"],
        "master.key in data_dir",
        "File with the master key, readable by its owner only; made at the first start.",
    ),
    setting(
        "admin_user",
        &["COFFERDAM_ADMIN_USER"],
        "",
        "First start only: the first administrator's name.",
    ),
    secret(
        "admin_password",
        &["COFFERDAM_ADMIN_PASSWORD"],
        "First start only: the first administrator's password.",
    ),
    setting(
        "plugin_dir",
        &["COFFERDAM_PLUGIN_DIR"],
        "plugins in data_dir",
        "Folder of the plugins.",
    ),
    setting(
        "plugin_ca_file",
        &["COFFERDAM_PLUGIN_CA_FILE"],
        "",
        "PEM file with certificate authorities that plugins and the mail relay's connection trust beside the system's.",
    ),
    setting(
        "plugin_compile_seconds",
        &["COFFERDAM_PLUGIN_COMPILE_SECONDS"],
        "120",
        "A plugin is refused when compiling it takes longer.",
    ),
    setting(
        "plugin_memory_mb",
        &["COFFERDAM_PLUGIN_MEMORY_MB"],
        "256",
        "Memory that one call into a plugin may take.",
    ),
    setting(
        "plugin_cpu_seconds",
        &["COFFERDAM_PLUGIN_CPU_SECONDS"],
        "10",
        "A plugin is stopped when it computes for so long without passing on a byte of a backup.",
    ),
    setting(
        "plugin_idle_seconds",
        &["COFFERDAM_PLUGIN_IDLE_SECONDS"],
        "300",
        "A plugin is stopped when no byte of a backup has passed for so long; waiting for an answer over the network is counted by itself.",
    ),
    setting(
        "plugin_answer_seconds",
        &["COFFERDAM_PLUGIN_ANSWER_SECONDS"],
        "900",
        "A plugin is stopped when it has waited for answers over the network for so long and no byte of a backup has passed.",
    ),
    setting(
        "plugin_mails",
        &["COFFERDAM_PLUGIN_MAILS"],
        "5",
        "Mails that one call into a plugin may send, such as the one that tells of a backup.",
    ),
    setting(
        "mail_host",
        &["COFFERDAM_MAIL_HOST"],
        "",
        "The SMTP relay for plugins that may send mail; in the file also as `host` under `[mail]`, and so the others.",
    ),
    setting("mail_port", &["COFFERDAM_MAIL_PORT"], "465, 587 or 25", "Its port; by mail_tls."),
    setting(
        "mail_tls",
        &["COFFERDAM_MAIL_TLS"],
        "starttls",
        "tls from the first byte, starttls, or none.",
    ),
    setting("mail_user", &["COFFERDAM_MAIL_USER"], "", "The name that the relay wants."),
    secret("mail_password", &["COFFERDAM_MAIL_PASSWORD"], "The password that the relay wants."),
    setting(
        "mail_password_file",
        &["COFFERDAM_MAIL_PASSWORD_FILE"],
        "",
        "File with that password, readable by its owner only.",
    ),
    setting(
        "mail_from",
        &["COFFERDAM_MAIL_FROM"],
        "",
        "The sender of every mail: backup@example.org, or a name with that in angle brackets.",
    ),
    setting(
        "backup_dir",
        &["BACKUP_DIR", "BACKUP_DIRECTORY"],
        "backups in data_dir",
        "Folder of the backups.",
    ),
    setting(
        "public_url",
        &["COFFERDAM_PUBLIC_URL"],
        "",
        "The address that browsers use, when it is another one; with https:// cookies are Secure.",
    ),
    setting(
        "trusted_proxies",
        &["COFFERDAM_TRUSTED_PROXIES"],
        "",
        "Addresses, separated by commas, of proxies whose X-Forwarded-For is believed.",
    ),
    setting(
        "allow_plain_http",
        &["COFFERDAM_ALLOW_PLAIN_HTTP"],
        "false",
        "Allow plain HTTP on other addresses than loopback.",
    ),
    setting(
        "tls_certificate",
        &["COFFERDAM_TLS_CERTIFICATE"],
        "",
        "PEM file with the certificate chain; turns HTTPS on.",
    ),
    setting("tls_key", &["COFFERDAM_TLS_KEY"], "", "PEM file with the certificate's private key."),
    setting(
        "postgres_bin_dir",
        &["COFFERDAM_POSTGRES_BIN_DIR"],
        "",
        "A further folder with pg_dump, pg_restore and psql.",
    ),
    setting(
        "max_concurrent_backups",
        &["COFFERDAM_MAX_CONCURRENT_BACKUPS"],
        "2",
        "How many backups run at once; one per database in any case.",
    ),
    setting(
        "stall_seconds",
        &["COFFERDAM_STALL_SECONDS"],
        "300",
        "A backup fails when its dump sends nothing for so long.",
    ),
    setting(
        "job_timeout_minutes",
        &["BACKUP_JOB_TIMEOUT_MINUTES"],
        "",
        "A backup fails when it takes longer; empty is no limit.",
    ),
    setting(
        "keep_free_mb",
        &["COFFERDAM_KEEP_FREE_MB"],
        "256",
        "A backup fails before the disk has less free than this.",
    ),
    setting(
        "shutdown_seconds",
        &["COFFERDAM_SHUTDOWN_SECONDS"],
        "10",
        "How long running answers may take after a request to stop.",
    ),
    setting(
        "session_idle_minutes",
        &["COFFERDAM_SESSION_IDLE_MINUTES"],
        "720",
        "A session ends after so long without a request.",
    ),
    setting(
        "session_hours",
        &["COFFERDAM_SESSION_HOURS"],
        "168",
        "A session ends after so long in any case.",
    ),
    setting("log", &["COFFERDAM_LOG"], "info", "How much is logged: error, warn, info, debug."),
    secret(
        "database_url",
        &["DATABASE_URL"],
        "First start only: the first database, as postgres://user:password@host:port/name or sqlite:path.",
    ),
    setting(
        "postgres_host",
        &["POSTGRES_HOST"],
        "",
        "First start only: the first database's host.",
    ),
    setting("postgres_port", &["POSTGRES_PORT"], "5432", "First start only: its port."),
    setting("postgres_db", &["POSTGRES_DB"], "", "First start only: its name on the server."),
    setting("postgres_user", &["POSTGRES_USER"], "postgres", "First start only: the role."),
    secret("postgres_password", &["POSTGRES_PASSWORD"], "First start only: the role's password."),
    setting("enabled", &["BACKUP_ENABLED"], "true", "Shown by the status call."),
    setting(
        "retention_days",
        &["BACKUP_RETENTION_DAYS"],
        "",
        "Shown by the status call; nothing is deleted by age yet.",
    ),
    setting(
        "max_backups",
        &["BACKUP_MAX_COUNT"],
        "",
        "Shown by the status call; nothing is deleted by number yet.",
    ),
    setting(
        "interval_hours",
        &["BACKUP_INTERVAL_HOURS"],
        "",
        "Shown by the status call; nothing runs by itself yet.",
    ),
];

/// The variable that sets this setting.
pub(super) fn variable_of(name: &str) -> &'static str {
    let setting = SETTINGS.iter().find(|setting| setting.name == name);
    setting.and_then(|setting| setting.variables.first()).copied().unwrap_or_default()
}

#[cfg(test)]
mod tests {
    use std::{fmt::Write as _, fs, path::Path};

    use super::SETTINGS;

    fn table() -> String {
        let mut text = String::from(
            "| setting | variable | default | what it does |\n| --- | --- | --- | --- |\n",
        );
        for setting in SETTINGS {
            let variables: Vec<_> =
                setting.variables.iter().map(|name| format!("`{name}`")).collect();
            let default = if setting.default.is_empty() { "–" } else { setting.default };
            let _ = writeln!(
                text,
                "| `{}` | {} | {default} | {} |",
                setting.name,
                variables.join(", "),
                setting.help
            );
        }
        text
    }

    /// `UPDATE_README=1 cargo test -p cofferdam readme` writes it.
    #[test]
    fn the_readme_has_the_table_of_all_settings() {
        let path = Path::new(env!("CARGO_MANIFEST_DIR")).join("../../README.md");
        let readme = fs::read_to_string(&path).expect("README.md");
        let (before, rest) = readme.split_once("<!-- settings -->\n").expect("the table's begin");
        let (now, after) = rest.split_once("<!-- /settings -->").expect("the table's end");
        if std::env::var_os("UPDATE_README").is_some() {
            let text = format!("{before}<!-- settings -->\n{}<!-- /settings -->{after}", table());
            fs::write(&path, text).expect("README.md is written");
            return;
        }
        assert_eq!(now, table(), "UPDATE_README=1 writes it");
    }
}
