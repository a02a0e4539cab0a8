//! From text to values. Everything that is wrong is collected, so that one
//! look shows all of it, each with the place it was set at.

use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
    str::FromStr,
    time::Duration,
};

use cofferdam_model::{Secret, Username};
use cofferdam_runtime::Limits;
use rustls::pki_types::{CertificateDer, pem::PemObject as _};

use super::{
    Access, Config, Declared, FirstStart, Layers, MasterKey, RunLimits,
    first_database::first_database, mail, settings,
};

/// What is wrong with the settings, one sentence each; an entry may carry a
/// `HINT:` line.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{}", .0.join("\n"))]
pub struct WrongSettings(pub Vec<String>);

impl Config {
    /// Understands the settings, or says all that is wrong with them.
    pub fn from_layers(layers: &Layers) -> Result<Self, WrongSettings> {
        let mut it =
            Reading { layers, wrong: layers.wrong.clone(), warnings: layers.warnings.clone() };
        let data_dir = it.path("data_dir").unwrap_or_else(|| absolute(Path::new("./data")));
        let within =
            |it: &Reading<'_>, name, file| it.path(name).unwrap_or_else(|| data_dir.join(file));
        let config = Self {
            catalog: catalog(&mut it, &data_dir),
            master_key: master_key(&mut it, &data_dir),
            secret_files: secret_files(&it),
            plugin_dir: within(&it, "plugin_dir", "plugins"),
            plugin_authorities: authorities(&mut it),
            plugin_compile: Duration::from_secs(
                it.number("plugin_compile_seconds", 1..=3600).unwrap_or(120),
            ),
            plugin_limits: plugin_limits(&mut it),
            mail: mail::relay(&mut it),
            backup_dir: within(&it, "backup_dir", "backups"),
            postgres_bin_dir: it.path("postgres_bin_dir"),
            access: access(&mut it),
            limits: RunLimits {
                concurrent: it.number("max_concurrent_backups", 1..=64).unwrap_or(2),
                stall: Duration::from_secs(it.number("stall_seconds", 1..=86_400).unwrap_or(300)),
                whole: it
                    .number("job_timeout_minutes", 1..=100_000)
                    .map(|minutes: u64| Duration::from_secs(minutes * 60)),
                keep_free_bytes: it.number("keep_free_mb", 0..=100_000_000).unwrap_or(256) << 20,
            },
            shutdown: Duration::from_secs(it.number("shutdown_seconds", 0..=3600).unwrap_or(10)),
            first_start: FirstStart {
                admin: first_admin(&mut it),
                database: first_database(&mut it),
            },
            declared: Declared {
                enabled: it.boolean("enabled").unwrap_or(true),
                retention_days: it.number("retention_days", 1..=36_500),
                max_backups: it.number("max_backups", 1..=1_000_000),
                interval_hours: it.number("interval_hours", 1..=8_784),
            },
            log: log(&mut it),
            warnings: it.warnings,
            data_dir,
        };
        if it.wrong.is_empty() { Ok(config) } else { Err(WrongSettings(it.wrong)) }
    }
}

/// The settings while they are understood.
pub(super) struct Reading<'a> {
    layers: &'a Layers,
    wrong: Vec<String>,
    warnings: Vec<String>,
}

impl Reading<'_> {
    /// The text of a setting, if somebody set it.
    pub(super) fn get(&self, name: &str) -> Option<&Secret> {
        self.layers.get(name)
    }

    /// Notes that a setting's value is wrong: `what` follows its name.
    pub(super) fn refuse(&mut self, name: &str, what: &str) {
        let origin = self.layers.origin(name);
        let (what, hint) = what.split_once('\n').unwrap_or((what, ""));
        let mut text = format!("{name} {what} (set by {origin})");
        if !hint.is_empty() {
            text = format!("{text}\n{hint}");
        }
        self.wrong.push(text);
    }

    /// A path, from the root: what is stored must mean the same tomorrow,
    /// whatever folder the next start happens in.
    pub(super) fn path(&self, name: &str) -> Option<PathBuf> {
        self.get(name).map(|text| absolute(Path::new(text.expose())))
    }

    /// What the text of a setting means, where somebody set it and it means something.
    pub(super) fn value<T>(
        &mut self,
        name: &str,
        understand: impl FnOnce(&str) -> Result<T, String>,
    ) -> Option<T> {
        let understood = understand(self.layers.get(name)?.expose());
        understood.map_err(|what| self.refuse(name, &what)).ok()
    }

    /// A whole number within a range.
    pub(super) fn number<T>(&mut self, name: &str, range: RangeInclusive<T>) -> Option<T>
    where
        T: FromStr + PartialOrd + std::fmt::Display,
    {
        self.value(name, |text| match text.trim().parse() {
            Ok(value) if range.contains(&value) => Ok(value),
            _ => Err(format!("is not a whole number from {} to {}", range.start(), range.end())),
        })
    }

    fn boolean(&mut self, name: &str) -> Option<bool> {
        self.value(name, |text| match text.trim().to_ascii_lowercase().as_str() {
            "true" | "1" | "yes" | "on" => Ok(true),
            "false" | "0" | "no" | "off" => Ok(false),
            _ => Err("is neither true nor false".to_owned()),
        })
    }

    /// Two settings that make sense only together.
    fn pair<A, B>(&mut self, names: [&str; 2], one: Option<A>, other: Option<B>) -> Option<(A, B)> {
        let [first, second] = names;
        for (set, missing) in [(first, second), (second, first)] {
            if self.get(set).is_some() && self.get(missing).is_none() {
                let variable = settings::variable_of(missing);
                self.refuse(
                    set,
                    &format!("needs {missing} ({variable}) as well, which is missing"),
                );
            }
        }
        one.zip(other)
    }
}

fn absolute(path: &Path) -> PathBuf {
    std::path::absolute(path).unwrap_or_else(|_| path.to_owned())
}

fn catalog(it: &mut Reading<'_>, data_dir: &Path) -> PathBuf {
    let named = it.value("catalog_url", |url| match url.strip_prefix("sqlite:") {
        Some(path) if !path.is_empty() => {
            Ok(absolute(Path::new(path.strip_prefix("//").unwrap_or(path))))
        }
        _ => Err("is not `sqlite:` and a path, the one kind of catalog there is".to_owned()),
    });
    named.unwrap_or_else(|| data_dir.join("catalog.db"))
}

fn master_key(it: &mut Reading<'_>, data_dir: &Path) -> MasterKey {
    let given = it.value("master_key", |key| {
        let fits = key.len() == 64 && key.bytes().all(|it| it.is_ascii_hexdigit());
        if fits { Ok(Secret::new(key)) } else { Err("is not 64 hexadecimal digits".to_owned()) }
    });
    if let Some(key) = given {
        return MasterKey::Given(key);
    }
    match it.path("master_key_file") {
        Some(file) => MasterKey::File(file),
        None => MasterKey::Own(data_dir.join("master.key")),
    }
}

/// The settings file, and the files that it names for a secret in each.
fn secret_files(it: &Reading<'_>) -> Vec<PathBuf> {
    let named = ["master_key_file", "tls_key", "mail_password_file"];
    let named = named.into_iter().filter_map(|name| it.path(name));
    it.layers.file().map(absolute).into_iter().chain(named).collect()
}

fn access(it: &mut Reading<'_>) -> Access {
    let port: Option<u16> = it.number("port", 0..=65_535);
    let named = it.value("listen", |text| {
        let wrong = |_| "is not an address with a port, such as 127.0.0.1:8080".to_owned();
        text.trim().parse::<SocketAddr>().map_err(wrong)
    });
    // Whoever names an address says more than the platform that sets a port.
    let by_port = it.get("listen").is_none() && port.is_some();
    if let (Some(listen), Some(_)) = (named, port) {
        it.warnings.push(format!(
            "PORT is ignored: {} says to listen on {listen}",
            it.layers.origin("listen")
        ));
    }
    let listen = named.unwrap_or_else(|| match port {
        Some(port) => SocketAddr::from(([0, 0, 0, 0], port)),
        None => SocketAddr::from(([127, 0, 0, 1], 8080)),
    });
    let (certificate, key) = (it.path("tls_certificate"), it.path("tls_key"));
    let access = Access {
        listen,
        public_url: it.value("public_url", public_url),
        trusted_proxies: it.value("trusted_proxies", trusted_proxies).unwrap_or_default(),
        tls: it.pair(["tls_certificate", "tls_key"], certificate, key),
        session_idle: Duration::from_secs(
            60 * it.number("session_idle_minutes", 1..=525_600).unwrap_or(720),
        ),
        session_whole: Duration::from_secs(
            3600 * it.number("session_hours", 1..=8_760).unwrap_or(168),
        ),
    };
    // A platform that sets PORT ends HTTPS itself, in front of this process.
    let allowed = it.boolean("allow_plain_http").unwrap_or(false) || by_port;
    if named.is_some_and(|listen| !listen.ip().is_loopback()) && !access.https() && !allowed {
        it.refuse(
            "listen",
            &format!(
                "{listen} with plain HTTP would send passwords in clear over the network\n\
                 HINT: set tls_certificate and tls_key, or public_url with https:// behind a proxy, or allow_plain_http"
            ),
        );
    }
    access
}

fn public_url(text: &str) -> Result<String, String> {
    let text = text.trim_end_matches('/');
    let host = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    match host {
        // A path would need every link to carry it; a console has a name of its own.
        Some(host) if !host.is_empty() && !host.contains(['/', '?', '#', '@', ' ']) => {
            Ok(text.to_owned())
        }
        _ => Err("is not http:// or https:// with a host and nothing behind it".to_owned()),
    }
}

fn trusted_proxies(list: &str) -> Result<Vec<IpAddr>, String> {
    let items = list.split(',').map(str::trim).filter(|item| !item.is_empty());
    items
        .map(|item| item.parse().map_err(|_| format!("has {item:?}, which is not an IP address")))
        .collect()
}

fn authorities(it: &mut Reading<'_>) -> Vec<CertificateDer<'static>> {
    let found = it.value("plugin_ca_file", |path| {
        let certificates = CertificateDer::pem_file_iter(path)
            .and_then(Iterator::collect::<Result<Vec<_>, _>>)
            .map_err(|error| format!("cannot be read: {error}"))?;
        if certificates.is_empty() {
            return Err("has no certificate in it".to_owned());
        }
        Ok(certificates)
    });
    found.unwrap_or_default()
}

fn plugin_limits(it: &mut Reading<'_>) -> Limits {
    let usual = Limits::default();
    let mut seconds = |name, most, usual| {
        it.number(name, 1..=most).map_or(usual, |seconds: u64| Duration::from_secs(seconds))
    };
    Limits {
        cpu: seconds("plugin_cpu_seconds", 3600, usual.cpu),
        idle: seconds("plugin_idle_seconds", 86_400, usual.idle),
        answer: seconds("plugin_answer_seconds", 86_400, usual.answer),
        memory_bytes: it
            .number("plugin_memory_mb", 8..=4096)
            .map_or(usual.memory_bytes, |megabytes: u64| megabytes << 20),
        mails: it.number("plugin_mails", 0..=1000).unwrap_or(usual.mails),
        ..usual
    }
}

fn first_admin(it: &mut Reading<'_>) -> Option<(Username, Secret)> {
    let name = it.value("admin_user", |name| {
        name.parse::<Username>().map_err(|error| format!("is not a user name: {error}"))
    });
    let password = it.get("admin_password").cloned();
    it.pair(["admin_user", "admin_password"], name, password)
}

fn log(it: &mut Reading<'_>) -> String {
    let level = it.value("log", |text| match text.trim() {
        level @ ("error" | "warn" | "info" | "debug") => Ok(level.to_owned()),
        _ => Err("is none of error, warn, info, debug".to_owned()),
    });
    level.unwrap_or_else(|| "info".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(variables: &[(&str, &str)]) -> Result<Config, WrongSettings> {
        let set = variables.iter().map(|(name, value)| ((*name).to_owned(), (*value).into()));
        Config::from_layers(&Layers::read(None, &set.collect()))
    }

    #[test]
    fn without_any_setting_the_console_listens_on_loopback() {
        let config = config(&[]).expect("defaults are valid");
        assert_eq!(config.access.listen.to_string(), "127.0.0.1:8080");
        assert!(config.first_start.database.is_none() && config.declared.retention_days.is_none());
    }

    #[test]
    fn plain_http_beyond_loopback_needs_a_word() {
        let open = ("COFFERDAM_LISTEN", "0.0.0.0:80");
        assert!(config(&[open]).is_err());
        assert!(config(&[open, ("COFFERDAM_ALLOW_PLAIN_HTTP", "true")]).is_ok());
        assert!(config(&[open, ("COFFERDAM_PUBLIC_URL", "https://b.example/")]).is_ok());
        assert_eq!(
            config(&[("PORT", "9000")]).expect("PORT").access.listen.to_string(),
            "0.0.0.0:9000"
        );
    }

    #[test]
    fn wrong_values_are_named_and_refused() {
        for (name, value) in [
            ("COFFERDAM_STALL_SECONDS", "0"),
            ("COFFERDAM_PLUGIN_MEMORY_MB", "1"),
            ("COFFERDAM_PLUGIN_CPU_SECONDS", "0"),
            ("BACKUP_RETENTION_DAYS", "0"),
            ("BACKUP_MAX_COUNT", "-1"),
            ("BACKUP_INTERVAL_HOURS", "99999999999"),
            ("BACKUP_ENABLED", "maybe"),
            ("COFFERDAM_LISTEN", "localhost"),
            ("COFFERDAM_PUBLIC_URL", "https://a/b"),
            ("COFFERDAM_TRUSTED_PROXIES", "10.0.0.1,proxy"),
            ("COFFERDAM_CATALOG_URL", "mysql://x"),
            ("COFFERDAM_ADMIN_USER", "root"),
            ("DATABASE_URL", "mysql://x"),
        ] {
            let WrongSettings(wrong) = config(&[(name, value)]).expect_err(name);
            assert!(
                wrong.len() == 1 && wrong[0].contains(&format!("(set by {name})")),
                "{wrong:?}"
            );
        }
    }
    #[test]
    fn all_that_is_wrong_is_told_at_once() {
        let WrongSettings(wrong) = config(&[
            ("COFFERDAM_STALL_SECONDS", "0"),
            ("COFFERDAM_LOG", "loud"),
            ("COFFERDAM_TLS_KEY", "/key.pem"),
        ])
        .expect_err("three mistakes");
        assert_eq!(wrong.len(), 3, "{wrong:?}");
    }

    #[test]
    fn an_address_wins_over_a_port_and_the_permission_that_goes_with_it() {
        let port = ("PORT", "9000");
        let both = config(&[port, ("COFFERDAM_LISTEN", "127.0.0.1:80")]).expect("valid");
        assert_eq!(both.access.listen.to_string(), "127.0.0.1:80");
        assert!(both.warnings.iter().any(|it| it.contains("PORT is ignored")));
        assert!(config(&[port]).expect("valid").warnings.is_empty());
        assert!(config(&[port, ("COFFERDAM_LISTEN", "0.0.0.0:80")]).is_err());
    }
}
