//! Every page in every state.

mod backup;
mod backups;
mod databases;
mod errors;
mod outside;
mod overview;
mod people;

use cofferdam_views::Markup;

type Pages = Vec<(String, Markup)>;

/// Name and page.
pub(crate) fn all() -> Pages {
    let mut pages = Vec::new();
    people::people(&mut pages);
    overview::overviews(&mut pages);
    backups::lists(&mut pages);
    backup::details(&mut pages);
    databases::database_pages(&mut pages);
    databases::forms(&mut pages);
    outside::plugin_pages(&mut pages);
    outside::destination_pages(&mut pages);
    outside::destination_forms(&mut pages);
    errors::errors(&mut pages);
    pages
}

fn put(pages: &mut Pages, name: &str, page: Markup) {
    pages.push((name.to_owned(), page));
}
