//! Style sheets, scripts and icons, from the binary itself.

use std::{borrow::Cow, sync::LazyLock};

use actix_web::{HttpResponse, http::header, web};
use cofferdam_views::assets::{ASSETS, Asset};
use rust_embed::RustEmbed;
use sha2::{Digest as _, Sha256};

use crate::service::Error;

#[derive(RustEmbed)]
#[folder = "../../views/assets"]
#[include = "app.css"]
#[include = "app.js"]
#[include = "favicon.svg"]
#[include = "node_modules/htmx.org/dist/htmx.min.js"]
#[include = "node_modules/htmx.org/dist/ext/*.min.js"]
struct Files;

/// Changes whenever any file does; part of every address, so that browsers
/// may keep what they have for ever.
pub static VERSION: LazyLock<String> = LazyLock::new(|| {
    let mut hash = Sha256::new();
    for asset in ASSETS {
        hash.update(asset.name);
        if let Some(content) = content(asset) {
            hash.update(content);
        }
    }
    hex::encode(&hash.finalize()[..6])
});

fn content(asset: &Asset) -> Option<Cow<'static, [u8]>> {
    Files::get(asset.path).map(|file| file.data)
}

/// `/assets/{name}`.
pub async fn serve(name: web::Path<String>) -> Result<HttpResponse, Error> {
    let asset = ASSETS.iter().find(|asset| asset.name == name.as_str());
    let (asset, content) =
        asset.and_then(|asset| Some((asset, content(asset)?))).ok_or(Error::NotFound("page"))?;
    let body = match content {
        Cow::Borrowed(bytes) => web::Bytes::from_static(bytes),
        Cow::Owned(bytes) => bytes.into(),
    };
    Ok(HttpResponse::Ok()
        .content_type(asset.content_type)
        .insert_header((header::CACHE_CONTROL, "public, max-age=31536000, immutable"))
        .body(body))
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn every_asset_that_the_pages_name_is_in_the_binary() {
        for asset in ASSETS {
            assert!(
                content(asset).is_some_and(|bytes| !bytes.is_empty()),
                "{} is missing",
                asset.path
            );
        }
    }
}
