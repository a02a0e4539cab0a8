//! Requests that did not work out.

use cofferdam_views::pages::error;

use super::{Pages, put};
use crate::data;

pub(super) fn errors(pages: &mut Pages) {
    use error::ErrorPage;
    for (name, page) in [
        ("400", ErrorPage::BadRequest("The page number is not a number.".into())),
        ("403", ErrorPage::Forbidden),
        ("403-form", ErrorPage::FormExpired),
        ("404", ErrorPage::NotFound),
        ("405", ErrorPage::Method),
        ("409", ErrorPage::Conflict("This backup is still being made.".into())),
        ("413", ErrorPage::TooLarge),
        ("429", ErrorPage::TooMany(40)),
        ("500", ErrorPage::Internal("0199f2c4".into())),
        ("503", ErrorPage::Unavailable),
    ] {
        put(pages, &format!("error-{name}"), error::page(&data::chrome(None), &page));
    }
    put(pages, "error-nobody", error::page(&data::nobody(), &ErrorPage::NotFound));
}
