//! Signing in, setting up, the account.

use cofferdam_views::{
    FieldErrors, Nav,
    pages::{account, login, setup},
};

use super::{Pages, put};
use crate::data;

pub(super) fn people(pages: &mut Pages) {
    let nobody = data::nobody();
    put(pages, "login", login::page(&nobody, &login::LoginPage::default()));
    let before = login::LoginPage { nobody_yet: true, ..Default::default() };
    put(pages, "login-nobody-yet", login::page(&nobody, &before));
    let mut wrong = FieldErrors::new();
    wrong.add_whole("this name and password do not fit together");
    put(
        pages,
        "login-wrong",
        login::page(
            &nobody,
            &login::LoginPage {
                username: "admin".into(),
                next: Some("/backups".into()),
                errors: wrong,
                ..Default::default()
            },
        ),
    );
    put(
        pages,
        "setup",
        setup::page(&nobody, &setup::SetupPage { token: "abc".into(), ..Default::default() }),
    );
    let mut short = FieldErrors::new();
    short.add(
        "username",
        "a user name has 1 to 64 letters, digits and . _ - @, and starts with a letter or digit",
    );
    short.add("password", "a password has at least 12 characters");
    put(
        pages,
        "setup-errors",
        setup::page(
            &nobody,
            &setup::SetupPage { token: "abc".into(), username: "-x".into(), errors: short },
        ),
    );
    put(pages, "setup-expired", setup::expired(&nobody));
    let account = |errors, sessions| account::AccountPage {
        created_at: data::ago(9_000_000),
        password_changed_at: Some(data::ago(400_000)),
        password_errors: errors,
        sessions: data::sessions(sessions),
    };
    put(
        pages,
        "account",
        account::page(&data::chrome(Some(Nav::Account)), &account(FieldErrors::new(), 3)),
    );
    put(
        pages,
        "account-many",
        account::page(&data::chrome(Some(Nav::Account)), &account(FieldErrors::new(), 9)),
    );
    let ended = login::LoginPage { ended: true, ..Default::default() };
    put(pages, "login-ended", login::page(&nobody, &ended));
    let mut errors = FieldErrors::new();
    errors.add("current", "this is not the current password");
    errors.add("repeat", "the two new passwords differ");
    put(
        pages,
        "account-errors",
        account::page(&data::viewer(Some(Nav::Account)), &account(errors, 1)),
    );
}
