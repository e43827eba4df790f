//! The results as a chart: a bar for each peer, on a logarithmic scale of rates.

use std::fmt::Write as _;

use super::markdown::{grouped, times};
use super::{Of, Results, Summary};
use crate::peer::Kind;

const WIDTH: f64 = 880.0;
/// Distance of two bars.
const STEP: f64 = 34.0;
const BAR: f64 = 18.0;
/// Left end of the bars, to the right of the names.
const LEFT: f64 = 190.0;
/// Right end of the longest bar, to the left of the figures.
const RIGHT: f64 = 700.0;
/// Position of the first bar, below the title and the key.
const TOP: f64 = 92.0;
const BOTTOM: f64 = 44.0;

/// Colours that are distinct on white and on black, and for the colour-blind.
const STYLE: &str = "\
    text { font: 13px system-ui, sans-serif; fill: #24292f } \
    .title { font-size: 16px; font-weight: 600 } .faint { fill: #57606a } .strong { font-weight: 600 } \
    .grid { stroke: #d0d7de } .range { stroke: #24292f; stroke-width: 1.5 } \
    .sekali { fill: #0969da } .durable { fill: #6e7781 } .weak { fill: #d4a72c } \
    @media (prefers-color-scheme: dark) { \
    text { fill: #e6edf3 } .faint { fill: #9198a1 } .grid { stroke: #3d444d } .range { stroke: #e6edf3 } \
    .sekali { fill: #4493f8 } .durable { fill: #9198a1 } .weak { fill: #d29922 } }";

/// `compare.svg`.
pub(super) fn draw(results: &Results) -> String {
    let ranking = results.ranking(Kind::Batches);
    let height = TOP + STEP * ranking.len() as f64 + BOTTOM;
    let scale = Scale::of(&ranking);
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {height}\" role=\"img\" \
         aria-label=\"Events acknowledged per second\">\n<style>{STYLE}</style>\n"
    );
    text(&mut svg, 16.0, 28.0, "title", "Events acknowledged per second, batches, 20% repeats");
    key(&mut svg);
    grid(&mut svg, &scale, height);
    let sekali = results.summary_of("sekali");
    for (row, (peer, summary)) in ranking.iter().enumerate() {
        bar(&mut svg, &scale, TOP + STEP * row as f64, peer, summary, sekali);
    }
    svg + "</svg>\n"
}

/// Maps a rate to a position. Powers of ten are equally far apart.
struct Scale {
    /// The powers of ten that bound all rates.
    from: i32,
    to: i32,
}

impl Scale {
    fn of(ranking: &[(&Of, Summary)]) -> Self {
        let slowest = ranking.iter().map(|(_, summary)| summary.slowest).fold(1e3, f64::min);
        let fastest = ranking.iter().map(|(_, summary)| summary.fastest).fold(1e3, f64::max);
        let power = |rate: f64| rate.max(1.0).log10() as i32;
        Self { from: power(slowest), to: power(fastest) + 1 }
    }

    fn at(&self, rate: f64) -> f64 {
        let share = (rate.max(1.0).log10() - f64::from(self.from)) / f64::from(self.to - self.from);
        LEFT + share.clamp(0.0, 1.0) * (RIGHT - LEFT)
    }
}

fn key(svg: &mut String) {
    let entries = [
        ("sekali", "Sekali, on disk when answered"),
        ("durable", "on disk when answered"),
        ("weak", "answered before it is on disk"),
    ];
    for (index, (class, label)) in entries.into_iter().enumerate() {
        let x = 16.0 + 245.0 * index as f64;
        let _ = writeln!(svg, "<rect class=\"{class}\" x=\"{x}\" y=\"46\" width=\"12\" height=\"12\" rx=\"2\"/>");
        text(svg, x + 18.0, 57.0, "faint", label);
    }
}

fn grid(svg: &mut String, scale: &Scale, height: f64) {
    for power in scale.from..=scale.to {
        let x = scale.at(10f64.powi(power));
        let bottom = height - BOTTOM;
        let _ =
            writeln!(svg, "<line class=\"grid\" x1=\"{x:.1}\" y1=\"{}\" x2=\"{x:.1}\" y2=\"{bottom}\"/>", TOP - 12.0);
        text(svg, x, bottom + 18.0, "faint\" text-anchor=\"middle", &grouped(10f64.powi(power)));
    }
}

/// The name, the bar up to the median, a line from the slowest run to the fastest, and the figures.
fn bar(svg: &mut String, scale: &Scale, top: f64, peer: &Of, summary: &Summary, sekali: Option<Summary>) {
    let about = &peer.about;
    let is_sekali = about.name == "sekali";
    let class = match (is_sekali, about.is_durable) {
        (true, _) => "sekali",
        (false, true) => "durable",
        (false, false) => "weak",
    };
    let (base, middle) = (top + BAR - 4.5, top + BAR / 2.0);
    text(svg, LEFT - 10.0, base, &format!("{}\" text-anchor=\"end", emphasis(is_sekali)), about.name);
    let width = scale.at(summary.events_per_second) - LEFT;
    let _ = writeln!(
        svg,
        "<rect class=\"{class}\" x=\"{LEFT}\" y=\"{top}\" width=\"{width:.1}\" height=\"{BAR}\" rx=\"2\"/>"
    );
    let (from, to) = (scale.at(summary.slowest), scale.at(summary.fastest));
    let _ = writeln!(svg, "<line class=\"range\" x1=\"{from:.1}\" y1=\"{middle}\" x2=\"{to:.1}\" y2=\"{middle}\"/>");
    let ratio = sekali
        .filter(|_| !is_sekali)
        .map(|sekali| format!(" (Sekali {})", times(sekali.events_per_second / summary.events_per_second)))
        .unwrap_or_default();
    let figures = format!("{}{ratio}", grouped(summary.events_per_second));
    text(svg, to.max(LEFT + width) + 8.0, base, emphasis(is_sekali), &figures);
}

fn emphasis(is_sekali: bool) -> &'static str {
    if is_sekali { "strong" } else { "" }
}

/// Names and figures are our own and have no character that XML reserves.
fn text(svg: &mut String, x: f64, y: f64, class: &str, text: &str) {
    let _ = writeln!(svg, "<text x=\"{x:.1}\" y=\"{y:.1}\" class=\"{class}\">{text}</text>");
}
