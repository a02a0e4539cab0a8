//! Pieces that several pages use.

mod cards;
mod confirm;
mod deliveries;
mod empty;
mod fields;
mod generate;
mod row;
mod settings;
mod small;
mod spark;
mod told;

pub(crate) use cards::cards;
pub(crate) use confirm::{Confirm, confirm_page};
pub(crate) use deliveries::{RETRY, act, deliveries, delivery_alone, delivery_badge, may_retry};
pub(crate) use empty::{Empty, empty};
pub(crate) use fields::{Input, password, select, summary, text_area, text_input, tick, ticks};
pub(crate) use generate::{generate, generate_alone};
pub(crate) use row::{backup_table, is_moving, row, tab_title, try_again};
pub(crate) use settings::{preview, settings, settings_errors};
pub(crate) use small::{
    api_call, badge, bar, callout, code_block, copy_button, csrf, duration, fact, scroll_block,
    shell_quote, size, time, time_exact,
};
pub(crate) use spark::spark;
pub(crate) use told::{hint_line, told};
