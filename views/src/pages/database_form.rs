//! `/databases/new` and `/databases/{id}/edit`.

use cofferdam_model::{Database, Engine, SslMode};
use maud::{Markup, html};

use crate::{
    Chrome, FieldErrors,
    layout::layout,
    parts::{Input, csrf, password, select, summary, text_input},
    text::{common, database as t},
};

const PREFIX: &str = "database";

/// The settings of a database, as typed. Fields of the form: `engine`, `name`,
/// `host`, `port`, `dbname`, `user`, `password`, `sslmode`, `sslrootcert`, `path`.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct DatabaseForm {
    /// PostgreSQL or SQLite. Cannot be changed later.
    pub engine: Engine,
    /// The short name.
    pub name: String,
    /// PostgreSQL: host name, address or socket folder.
    pub host: String,
    /// PostgreSQL: as typed.
    pub port: String,
    /// PostgreSQL: the database's name on the server.
    pub dbname: String,
    /// PostgreSQL: the role.
    pub user: String,
    /// Whether a password is stored. The form never shows one; an empty field keeps it.
    pub password_stored: bool,
    /// PostgreSQL: in libpq's words.
    pub sslmode: String,
    /// PostgreSQL: a file with the authorities to trust.
    pub sslrootcert: String,
    /// SQLite: the file.
    pub path: String,
    /// What is wrong.
    pub errors: FieldErrors,
}

impl Default for DatabaseForm {
    fn default() -> Self {
        Self {
            engine: Engine::Postgres,
            name: String::new(),
            host: String::new(),
            port: "5432".to_owned(),
            dbname: String::new(),
            user: String::new(),
            password_stored: false,
            sslmode: "prefer".to_owned(),
            sslrootcert: String::new(),
            path: String::new(),
            errors: FieldErrors::new(),
        }
    }
}

/// The form: for a new database, or for the one in `existing`.
#[must_use]
pub fn page(chrome: &Chrome, existing: Option<&Database>, form: &DatabaseForm) -> Markup {
    let (title, action, submit, back) = match existing {
        Some(database) => (
            format!("{} {}", t::EDIT_TITLE, database.slug),
            format!("/databases/{}/edit", database.id),
            t::SAVE,
            format!("/databases/{}", database.id),
        ),
        None => {
            (t::ADD.to_owned(), "/databases".to_owned(), t::ADD_SUBMIT, "/databases".to_owned())
        }
    };
    layout(
        chrome,
        &title,
        &html! {
            nav.crumbs aria-label=(common::BREADCRUMB) {
                a href="/databases" { (common::DATABASES) }
                @if let Some(database) = existing { a href=(back) { (database.slug) } }
            }
            div.head { h1 { (title) } }
            div.panel.form-panel {
                (summary(&form.errors, PREFIX))
                form.stack.database-form method="post" action=(action) {
                    (csrf(chrome))
                    (engine(existing, form))
                    (postgres(form))
                    (sqlite(form))
                    (input(form, &Input {
                        name: "name", label: t::NAME, value: &form.name, maxlength: Some(63),
                        hint: Some(if existing.is_some() { t::NAME_HINT_EDIT } else { t::NAME_HINT }),
                        optional: existing.is_none(), exact: true, ..Input::default()
                    }))
                    div.actions {
                        a.button href=(back) { (common::CANCEL) }
                        button.button.primary type="submit" { (submit) }
                    }
                }
            }
        },
    )
}

fn input(form: &DatabaseForm, field: &Input<'_>) -> Markup {
    text_input(&form.errors, &Input { prefix: PREFIX, ..*field })
}

/// Two radio buttons; the style sheet shows the fields of the chosen one, so
/// it works without scripts. An existing database keeps its engine.
fn engine(existing: Option<&Database>, form: &DatabaseForm) -> Markup {
    html! {
        @if existing.is_some() {
            input type="hidden" name="engine" value=(form.engine.as_str());
            input.sr type="radio" disabled checked data-engine=(form.engine.as_str()) aria-hidden="true" tabindex="-1";
        } @else {
            fieldset.segmented {
                legend { (t::ENGINE) }
                @for engine in [Engine::Postgres, Engine::Sqlite] {
                    label {
                        input type="radio" name="engine" value=(engine.as_str())
                            data-engine=(engine.as_str()) checked[engine == form.engine];
                        span { (engine.label()) }
                    }
                }
            }
        }
    }
}

fn postgres(form: &DatabaseForm) -> Markup {
    let modes: Vec<(String, String)> = SslMode::ALL
        .into_iter()
        .map(|mode| (mode.as_str().to_owned(), t::sslmode(mode).to_owned()))
        .collect();
    html! {
        fieldset.plain.for-postgres {
            legend.sr { (t::CONNECTION) }
            div.pair {
                (input(form, &Input {
                    name: "host", label: t::HOST, value: &form.host, hint: Some(t::HOST_HINT),
                    exact: true, ..Input::default()
                }))
                (input(form, &Input {
                    name: "port", label: t::PORT, value: &form.port, inputmode: Some("numeric"),
                    exact: true, ..Input::default()
                }))
            }
            (input(form, &Input {
                name: "dbname", label: t::DBNAME, value: &form.dbname, exact: true, ..Input::default()
            }))
            (input(form, &Input {
                name: "user", label: t::USER, value: &form.user, hint: Some(t::USER_HINT),
                exact: true, ..Input::default()
            }))
            (password(&form.errors, &Input {
                name: "password", prefix: PREFIX, label: t::PASSWORD,
                hint: Some(if form.password_stored { t::PASSWORD_STORED } else { t::PASSWORD_NEW }),
                autocomplete: "off", optional: true, ..Input::default()
            }))
            (select(&form.errors, &Input {
                name: "sslmode", prefix: PREFIX, label: t::SSLMODE, value: &form.sslmode,
                ..Input::default()
            }, &modes))
            (input(form, &Input {
                name: "sslrootcert", label: t::SSLROOTCERT, value: &form.sslrootcert,
                hint: Some(t::SSLROOTCERT_HINT), optional: true, exact: true, ..Input::default()
            }))
        }
    }
}

fn sqlite(form: &DatabaseForm) -> Markup {
    html! {
        fieldset.plain.for-sqlite {
            legend.sr { (t::CONNECTION) }
            (input(form, &Input {
                name: "path", label: t::PATH, value: &form.path, hint: Some(t::PATH_HINT),
                exact: true, ..Input::default()
            }))
        }
    }
}
