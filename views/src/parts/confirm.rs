//! Questions before something is lost. A page of its own; with scripts the
//! same markup opens as a dialog.

use maud::{Markup, html};

use crate::{
    Chrome,
    icons::{Icon, icon},
    parts::csrf,
};

/// A question.
pub(crate) struct Confirm<'a> {
    /// Where the form posts to.
    pub(crate) action: &'a str,
    /// Where "no" leads.
    pub(crate) back: &'a str,
    /// The question, as the heading; names the thing in bold.
    pub(crate) question: Markup,
    /// What will change.
    pub(crate) body: Markup,
    /// The button that does it; `None` where it is refused.
    pub(crate) submit: Option<&'a str>,
    /// The way out.
    pub(crate) keep: &'a str,
}

/// `#confirm`.
pub(crate) fn confirm(chrome: &Chrome, data: &Confirm<'_>) -> Markup {
    html! {
        section #confirm.confirm.panel aria-labelledby="confirm-title" {
            h2 #confirm-title { (data.question) }
            (data.body)
            form.actions method="post" action=(data.action) {
                (csrf(chrome))
                a.button href=(data.back) data-close { (data.keep) }
                @if let Some(submit) = data.submit {
                    button.button.danger type="submit" { (icon(Icon::Trash)) (submit) }
                }
            }
        }
    }
}
