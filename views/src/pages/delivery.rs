//! `/deliveries/{id}`: one delivery with all of its attempts and their logs.

use cofferdam_model::Role;
use maud::{Markup, html};

use crate::{
    Chrome, DeliveryItem,
    layout::layout,
    parts::{delivery_alone, time},
    text::{backup, common, delivery as t},
};

/// The whole page.
#[must_use]
pub fn page(chrome: &Chrome, item: &DeliveryItem) -> Markup {
    let delivery = &item.delivery;
    let title = t::of(delivery.purpose, delivery.destination_name.as_str());
    layout(
        chrome,
        &title,
        &html! {
            nav.crumbs aria-label=(common::BREADCRUMB) {
                a href="/backups" { (common::BACKUPS) }
                @if !item.is_deleted {
                    a href={ "/backups/" (delivery.backup) "#deliveries" } {
                        (backup::of(delivery.database.as_str()))
                    }
                }
            }
            div.head {
                div {
                    h1 { (title) }
                    p.head-sub {
                        span.muted {
                            @if item.is_deleted { (t::of_deleted(delivery.database.as_str())) }
                            @else { (backup::of(delivery.database.as_str())) }
                            " · " (time(chrome, delivery.created_at))
                            @if chrome.may(Role::Administrator) {
                                " · " a href={ "/destinations/" (delivery.destination) } { (delivery.destination_name) }
                            }
                        }
                    }
                }
            }
            div.stack-wide { (delivery_alone(chrome, item)) }
        },
    )
}
