//! The files of the pages, as they are in `assets`.

/// The HTML that all pages share, with places for the title, page and version.
pub(super) const SHELL: &str = include_str!("../../assets/shell.html");

type Named = (&'static str, &'static [u8]);

macro_rules! named {
    ($($name:literal $(at $path:literal)?),* $(,)?) => {
        &[$(($name, named!(@read $name $($path)?))),*]
    };
    (@read $name:literal) => { include_bytes!(concat!("../../assets/", $name)) };
    (@read $name:literal $path:literal) => { include_bytes!(concat!("../../assets/", $path)) };
}

/// Every file that a page loads, under the name in its path.
pub(super) const FILES: &[Named] = named![
    "app.css",
    "icon.svg",
    "uplot.min.css" at "vendor/uPlot.min.css",
    "uplot.min.js" at "vendor/uPlot.iife.min.js",
    "api.js",
    "attempt.js",
    "bar.js",
    "chart.js",
    "conflicts.js",
    "details.js",
    "diff.js",
    "docs.js",
    "dom.js",
    "event.js",
    "exact.js",
    "explore.js",
    "facets.js",
    "filters.js",
    "follow.js",
    "format.js",
    "histogram.js",
    "integrity.js",
    "overview.js",
    "resenders.js",
    "result.js",
    "rows.js",
    "schema.js",
    "send.js",
    "shell.js",
    "sql.js",
];
