//! How to restore a backup by hand, with nothing but common tools.

use cofferdam_model::{Backup, BackupStatus, Engine, FileState, Format};
use maud::{Markup, html};

use crate::{
    icons::{Icon, icon},
    parts::{code_block, shell_quote},
    text::backup as t,
};

/// The steps for a completed backup whose file can be trusted.
pub(super) fn panel(backup: &Backup, edits_schema: bool) -> Markup {
    let trusted = backup.status == BackupStatus::Completed
        && !matches!(backup.file_state, Some(FileState::Missing | FileState::Corrupt));
    let Some(filename) = backup.filename.as_deref().filter(|_| trusted) else { return html! {} };
    html! {
        details.fold open {
            summary { (icon(Icon::Chevron)) span { (t::RESTORE) } }
            div.fold-body {
                p.muted { (t::RESTORE_NOTE) }
                @for warning in warnings(backup) { p { (warning) } }
                ol.howto {
                    @for (words, command) in commands(backup, filename, edits_schema) {
                        li { p { (words) } (code_block(words, &command)) }
                    }
                }
            }
        }
    }
}

/// What a restore does that its reader may not expect.
fn warnings(backup: &Backup) -> &'static [&'static str] {
    match (backup.engine, backup.format) {
        (Engine::Sqlite, _) => &[],
        (Engine::Postgres, Format::Plain) => &[t::RESTORE_REPLACES, t::RESTORE_ROLES],
        (Engine::Postgres, Format::Custom) => &[t::RESTORE_ROLES],
    }
}

fn commands(backup: &Backup, filename: &str, edits_schema: bool) -> Vec<(&'static str, String)> {
    let file = word(filename);
    let mut commands = Vec::new();
    if let Some(sha256) = &backup.sha256 {
        let line = shell_quote(&format!("{sha256}  {filename}"));
        commands.push((t::RESTORE_CHECK, format!("echo {line} | sha256sum -c")));
    }
    match (backup.engine, backup.format) {
        (Engine::Sqlite, _) => {
            // Shells that know no defensive mode need none of it, and refuse the option.
            let option = if edits_schema { " -cmd '.dbconfig defensive off'" } else { "" };
            let load = format!("gunzip -c {file} | sqlite3 -bail{option} new.db");
            commands.push((t::RESTORE_LOAD, load));
        }
        (Engine::Postgres, Format::Plain) => {
            commands.push((t::RESTORE_CREATE, "createdb newdb".to_owned()));
            commands.push((
                t::RESTORE_LOAD,
                format!("gunzip -c {file} | psql -X -v ON_ERROR_STOP=1 -d newdb"),
            ));
        }
        (Engine::Postgres, Format::Custom) => {
            commands.push((t::RESTORE_CREATE, "createdb newdb".to_owned()));
            commands.push((
                t::RESTORE_LOAD,
                format!("pg_restore --exit-on-error --no-owner -d newdb {file}"),
            ));
        }
    }
    commands
}

/// A file name as one word of a command; quoted only where it must be.
fn word(filename: &str) -> String {
    let plain = !filename.is_empty()
        && !filename.starts_with('-')
        && filename.chars().all(|c| c.is_ascii_alphanumeric() || "._-".contains(c));
    if plain { filename.to_owned() } else { shell_quote(&format!("./{filename}")) }
}
