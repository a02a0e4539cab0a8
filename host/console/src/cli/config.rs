//! `cofferdam config check`

use serde_json::json;

use super::output;
use crate::config::{Config, Layers, Origin, SETTINGS};

/// Prints every setting with its value and where it comes from; secrets only
/// whether they are set. Fails when one is wrong.
pub fn check(layers: &Layers, as_json: bool) -> anyhow::Result<()> {
    let rows: Vec<[String; 4]> = SETTINGS
        .iter()
        .map(|setting| {
            let value = match layers.get(setting.name) {
                Some(_) if setting.secret => "(set, not shown)".to_owned(),
                Some(value) => value.expose().to_owned(),
                None => setting.default.to_owned(),
            };
            let origin = layers.origin(setting.name);
            let origin = if origin == Origin::Default { String::new() } else { origin.to_string() };
            [setting.name.to_owned(), value, origin, setting.help.to_owned()]
        })
        .collect();
    if as_json {
        let each = rows.iter().map(|[name, value, origin, help]| json!({"name": name, "value": value, "from": origin, "help": help}));
        output::json(&each.collect::<Vec<_>>())?;
    } else {
        let rows: Vec<_> =
            rows.into_iter().map(|[name, value, origin, _]| vec![name, value, origin]).collect();
        output::table(&["SETTING", "VALUE", "FROM"], &rows)?;
    }
    Config::from_layers(layers).map(|_| ())
}
