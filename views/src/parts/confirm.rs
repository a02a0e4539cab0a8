//! Questions before something is lost. A page of its own; with scripts the
//! same markup opens as a dialog.

use maud::{Markup, html};

use crate::{
    Chrome,
    icons::{Icon, icon},
    layout::layout,
    parts::csrf,
    text::common,
};

/// A question whether to delete something, or to take something back.
pub(crate) struct Confirm<'a> {
    /// The page's title and heading.
    pub(crate) title: &'a str,
    /// The thing's own page: "no" leads back to it.
    pub(crate) address: &'a str,
    /// What the form posts to below that page.
    pub(crate) verb: &'a str,
    /// The question up to the thing's name.
    pub(crate) question: &'a str,
    /// The thing's name.
    pub(crate) name: &'a str,
    /// Why it cannot be done, as one sentence with its full stop, if it cannot.
    pub(crate) refused: Option<&'a str>,
    /// What will change. Its fields belong to the form `confirm-form`.
    pub(crate) body: Markup,
    /// The button that does it.
    pub(crate) submit: &'a str,
    /// The way out.
    pub(crate) keep: &'a str,
}

/// The whole page. htmx takes `#confirm` out of it and shows it as a dialog.
pub(crate) fn confirm_page(chrome: &Chrome, data: &Confirm<'_>) -> Markup {
    let body = html! {
        div.head { h1 { (data.title) } }
        section #confirm.confirm.panel aria-labelledby="confirm-title" {
            h2 #confirm-title { (data.question) " " strong { (data.name) } "?" }
            @if let Some(refused) = data.refused { p { (refused) } } @else { (data.body) }
            form #confirm-form.actions method="post" action={ (data.address) "/" (data.verb) } {
                (csrf(chrome))
                @if data.refused.is_some() {
                    a.button href=(data.address) data-close { (common::BACK) }
                } @else {
                    a.button href=(data.address) data-close { (data.keep) }
                    button.button.danger type="submit" { (icon(Icon::Trash)) (data.submit) }
                }
            }
        }
    };
    layout(chrome, data.title, &body)
}
