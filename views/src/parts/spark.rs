//! The small chart of a database or a destination: one bar per run, as high as
//! its file is large. A screen reader gets the same numbers as a table.

use maud::{Markup, html};

use crate::{
    Chrome, Point, format,
    parts::{size, time},
    text::{overview as t, status},
};
use cofferdam_model::BackupStatus;

const HEIGHT: f64 = 36.0;
const STEP: f64 = 8.0;
const SLOTS: usize = 30;

/// The chart. Fewer than two runs are no chart.
pub(crate) fn spark(chrome: &Chrome, caption: &str, points: &[Point]) -> Markup {
    if points.len() < 2 {
        return html! {};
    }
    let points = &points[points.len().saturating_sub(SLOTS)..];
    let most = points.iter().map(|point| point.bytes).max().unwrap_or(0).max(1) as f64;
    let width = SLOTS as f64 * STEP;
    let first = SLOTS - points.len();
    html! {
        div.spark {
            svg viewBox={ "0 0 " (width) " " (HEIGHT) } preserveAspectRatio="none"
                aria-hidden="true" focusable="false" {
                @for (index, point) in points.iter().enumerate() {
                    @let x = (first + index) as f64 * STEP + 1.0;
                    @if point.good {
                        @let height = (point.bytes as f64 / most * (HEIGHT - 2.0)).max(2.0);
                        rect.spark-good x=(x) y=(format!("{:.1}", HEIGHT - height))
                            width=(STEP - 2.0) height=(format!("{height:.1}")) rx="1" {
                            title { (format::bytes(point.bytes)) ", " (format::exact(point.at)) }
                        }
                    } @else {
                        rect.spark-bad x=(x) y=(HEIGHT - 8.0) width=(STEP - 2.0) height="8" rx="1" {}
                    }
                }
            }
            // A table is as wide as its words whatever it is told; what is around it is not.
            div.sr {
                table {
                    caption { (caption) }
                    thead { tr {
                        th scope="col" { (t::CHART_WHEN) }
                        th scope="col" { (t::CHART_RESULT) }
                        th scope="col" { (t::CHART_SIZE) }
                        th scope="col" { (t::CHART_DURATION) }
                    } }
                    tbody {
                        @for point in points {
                            tr {
                                td { (time(chrome, point.at)) }
                                td { (status(if point.good { BackupStatus::Completed } else { BackupStatus::Failed })) }
                                td { @if point.good { (size(point.bytes)) } }
                                td { (format::duration(point.millis)) }
                            }
                        }
                    }
                }
            }
        }
    }
}
