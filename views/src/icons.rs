//! Icons as inline SVG, drawn for this product on a grid of 20. They take the
//! colour of the text and are hidden from screen readers: a word always stands
//! beside them, or the control has a label of its own.

use maud::{Markup, html};

/// The icons.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub(crate) enum Icon {
    Overview,
    Archive,
    Database,
    User,
    Check,
    Clock,
    Alert,
    Cross,
    Stop,
    Running,
    Download,
    Copy,
    Pin,
    Search,
    Plus,
    Trash,
    Retry,
    Chevron,
    SignOut,
    Offline,
    Shield,
    Options,
    Plugin,
    Destination,
    Folder,
    Network,
    Mail,
    Upload,
}

impl Icon {
    /// Strokes on a 20 × 20 grid.
    fn path(self) -> &'static str {
        match self {
            Self::Overview => "M3 10.5 10 4l7 6.5M5 9v7h3.5v-4h3v4H15V9",
            Self::Archive => "M3 4h14v4H3zM4.5 8v8h11V8M8 11.5h4",
            Self::Database => {
                "M4 5.5C4 4.1 6.7 3 10 3s6 1.1 6 2.5S13.3 8 10 8 4 6.9 4 5.5zM4 5.5v9C4 15.9 6.7 17 10 17s6-1.1 6-2.5v-9M4 10c0 1.4 2.7 2.5 6 2.5s6-1.1 6-2.5"
            }
            Self::User => {
                "M10 10a3.3 3.3 0 1 0 0-6.6 3.3 3.3 0 0 0 0 6.600zM3.8 17c.6-3 3.1-4.5 6.2-4.5s5.6 1.5 6.2 4.5"
            }
            Self::Check => "M4 10.5l4 4 8-9",
            Self::Clock => "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM10 6v4l2.7 1.8",
            Self::Alert => "M10 3 2.5 16.5h15zM10 8v4M10 14.200v.1",
            Self::Cross => "M5 5l10 10M15 5 5 15",
            Self::Stop => "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM5.2 5.200l9.6 9.6",
            Self::Running => "M16.5 10a6.5 6.5 0 1 1-2-4.700M15 2.5v3.200h-3.2",
            Self::Download => "M10 3v9M6 8.5l4 4 4-4M3.5 16.5h13",
            Self::Copy => "M7 7h9v9H7zM4 13V4h9",
            Self::Pin => "M7.5 3h5M8.2 3v5L6 11h8l-2.2-3V3M10 11v6",
            Self::Search => "M9 14.5a5.5 5.5 0 1 0 0-11 5.5 5.5 0 0 0 0 11zM13 13l4 4",
            Self::Plus => "M10 4v12M4 10h12",
            Self::Trash => {
                "M3.5 5.5h13M8 5.5V3.5h4v2M5.5 5.5l.7 11h7.600l.7-11M8.5 9v4.5M11.5 9v4.5"
            }
            Self::Retry => "M3.5 10a6.5 6.5 0 1 0 2-4.700M5 2.5v3.200h3.2",
            Self::Chevron => "M7.5 5l5 5-5 5",
            Self::SignOut => "M8 4H4v12h4M8.5 10H17M13.5 6.5 17 10l-3.5 3.5",
            Self::Offline => {
                "M3 3l14 14M5.5 11a7 7 0 0 1 3-1.900M2.8 8.200a10.5 10.5 0 0 1 3.4-2.200M10 5.200a10.5 10.5 0 0 1 7.2 3M12.5 9.400a7 7 0 0 1 2 1.600M10 15.5v.1"
            }
            Self::Shield => {
                "M10 3l6 2v4.5c0 3.7-2.5 6.3-6 7.5-3.5-1.2-6-3.8-6-7.5V5zM7.3 10l2 2 3.5-4"
            }
            Self::Options => "M3 6h8M15 6h2M13 4v4M3 14h2M9 14h8M7 12v4",
            Self::Plugin => "M7.5 3v4M12.5 3v4M5 7h10v3.500a5 5 0 0 1-10 0zM10 15.5V18",
            Self::Destination => {
                "M3 17V7l4-3.500 4 3.5v10zM11 10h4.500M13 7.500l2.500 2.500-2.500 2.500M6 8v.1M6 11.500v.1"
            }
            Self::Folder => "M3 5h5l1.500 2H17v9H3z",
            Self::Network => {
                "M10 17a7 7 0 1 0 0-14 7 7 0 0 0 0 14zM3 10h14M10 3c2 2 3 4.300 3 7s-1 5-3 7c-2-2-3-4.300-3-7s1-5 3-7z"
            }
            Self::Mail => "M3 5h14v10H3zM3 6l7 5 7-5",
            Self::Upload => "M10 12V3M6 6.5l4-4 4 4M3.5 16.5h13",
        }
    }
}

/// An icon as large as the text beside it.
pub(crate) fn icon(icon: Icon) -> Markup {
    html! {
        svg.icon viewBox="0 0 20 20" aria-hidden="true" focusable="false" {
            path d=(icon.path()) {}
        }
    }
}

/// The product's mark: sheet piles around a dry floor.
pub(crate) fn mark() -> Markup {
    html! {
        svg.mark viewBox="0 0 32 32" aria-hidden="true" focusable="false" {
            rect.mark-ground width="32" height="32" rx="8" {}
            path.mark-piles d="M8 9v12M13 7v12M19 7v12M24 9v12" {}
            path.mark-water d="M6 24.5c2.5 0 2.5-1.5 5-1.5s2.5 1.5 5 1.5 2.5-1.5 5-1.5 2.5 1.5 5 1.5" {}
        }
    }
}
