//! What wit-bindgen makes of `wit/`. Nothing outside this crate names it.
//!
//! Each role is a world with one export, so that a component is linked from
//! the roles that it has: wit-component joins the worlds again.

/// What the console offers to components.
pub mod imports {
    wit_bindgen::generate!({ path: "../../wit", world: "imports", generate_all });
}

/// `describe` and `check`.
pub mod plugin {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package cofferdam:sdk-plugin; world described { export cofferdam:plugin/plugin@0.1.0; }",
        with: { "cofferdam:plugin/types@0.1.0": super::imports::cofferdam::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "cofferdam_plugin::bindings::plugin",
    });
}

/// `store`, `open`, `remove` and `list`.
pub mod storage {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package cofferdam:sdk-storage; world stores { export cofferdam:plugin/storage@0.1.0; }",
        with: { "cofferdam:plugin/types@0.1.0": super::imports::cofferdam::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "cofferdam_plugin::bindings::storage",
    });
}

/// `notify`.
pub mod notifier {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package cofferdam:sdk-notifier; world notifies { export cofferdam:plugin/notifier@0.1.0; }",
        with: { "cofferdam:plugin/types@0.1.0": super::imports::cofferdam::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "cofferdam_plugin::bindings::notifier",
    });
}

/// `select`.
pub mod retention {
    wit_bindgen::generate!({
        path: "../../wit",
        inline: "package cofferdam:sdk-retention; world keeps { export cofferdam:plugin/retention@0.1.0; }",
        with: { "cofferdam:plugin/types@0.1.0": super::imports::cofferdam::plugin::types },
        pub_export_macro: true,
        export_macro_name: "export",
        default_bindings_module: "cofferdam_plugin::bindings::retention",
    });
}
