//! `cofferdam config check`

use serde_json::json;

use super::{args::Global, output, problem::Problem};
use crate::{
    config::{Config, Layers, Origin, SETTINGS},
    service::Error,
};

/// Prints every setting with its value and where it comes from; secrets only
/// whether they are set. Says what is most likely a slip, and fails with all
/// that is wrong.
pub fn check(layers: &Layers, global: &Global) -> anyhow::Result<()> {
    if global.server.is_some() {
        return Err(Error::BadRequest(
            "config check looks at the settings on this machine; it has no use for --server (or COFFERDAM_SERVER)"
                .to_owned(),
        )
        .into());
    }
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
    let (warnings, wrong) = match Config::from_layers(layers) {
        Ok(config) => (config.warnings, None),
        Err(wrong) => (layers.warnings.clone(), Some(Problem::settings(&wrong))),
    };
    if global.json {
        let each = rows.iter().map(|[name, value, origin, help]| json!({"name": name, "value": value, "from": origin, "help": help}));
        output::json(&json!({
            "settings": each.collect::<Vec<_>>(),
            "warnings": warnings,
            "errors": wrong.as_ref().map_or(&[][..], |problem| &problem.errors),
        }))?;
    } else {
        let rows: Vec<_> =
            rows.into_iter().map(|[name, value, origin, _]| vec![name, value, origin]).collect();
        output::table(&["SETTING", "VALUE", "FROM"], &rows)?;
        for warning in &warnings {
            output::note(&format!("WARNING: {warning}"));
        }
    }
    wrong.map_or(Ok(()), |problem| Err(problem.into()))
}
