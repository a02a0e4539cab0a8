//! Which files the pages load, and where they lie.

/// One file that the console serves under `/assets/{name}?v={asset_version}`.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Asset {
    /// The last part of its address.
    pub name: &'static str,
    /// Its path below `views/assets`.
    pub path: &'static str,
    /// Its media type.
    pub content_type: &'static str,
}

const JS: &str = "text/javascript; charset=utf-8";

/// All files. Those below `node_modules` are there after `npm ci` in `views/assets`.
pub const ASSETS: &[Asset] = &[
    Asset { name: "app.css", path: "app.css", content_type: "text/css; charset=utf-8" },
    Asset { name: "app.js", path: "app.js", content_type: JS },
    Asset { name: "favicon.svg", path: "favicon.svg", content_type: "image/svg+xml" },
    Asset { name: "htmx.js", path: "node_modules/htmx.org/dist/htmx.min.js", content_type: JS },
    Asset {
        name: "hx-csp.js",
        path: "node_modules/htmx.org/dist/ext/hx-csp.min.js",
        content_type: JS,
    },
    Asset {
        name: "hx-sse.js",
        path: "node_modules/htmx.org/dist/ext/hx-sse.min.js",
        content_type: JS,
    },
];
