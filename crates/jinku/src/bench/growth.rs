//! What more accounts cost: the ledger's case again and again, each time with ten times as many, and a plot of it.

use std::fmt::Write as _;
use std::path::PathBuf;

use super::{Common, ledger};

/// How far.
#[derive(Debug, clap::Args)]
pub(super) struct Arguments {
    /// Transfers in each run.
    #[arg(long, default_value_t = 1_000_000)]
    transfers: u64,
    /// The last run has ten to this power accounts; the first has a thousand.
    #[arg(long, default_value_t = 7, value_parser = clap::value_parser!(u32).range(3..=7))]
    decades: u32,
    /// Where to write the plot, as SVG.
    #[arg(long)]
    svg: Option<PathBuf>,
    #[command(flatten)]
    common: Common,
}

pub(super) fn run(arguments: &Arguments) -> anyhow::Result<()> {
    let mut points = Vec::new();
    for decade in 3..=arguments.decades {
        let accounts = 10_u64.saturating_pow(decade);
        let measured =
            ledger::measure(&ledger::uniform(arguments.transfers, accounts, arguments.common.clone()))?;
        measured.print(arguments.common.json);
        points.push((decade, measured.per_second()));
    }
    if let Some(path) = &arguments.svg {
        std::fs::write(path, plot(&points))?;
    }
    Ok(())
}

const WIDTH: u64 = 640;
const HEIGHT: u64 = 320;
const LEFT: u64 = 90;
const BOTTOM: u64 = 270;
const TOP: u64 = 40;

/// Transfers a second over the number of accounts, whose axis is logarithmic.
fn plot(points: &[(u32, u64)]) -> String {
    let most = points.iter().map(|(_, per_second)| *per_second).max().unwrap_or(1);
    let step = 250_000_u64;
    let ceiling = most.div_ceil(step).max(1).saturating_mul(step);
    let x = |decade: u32| LEFT.saturating_add(u64::from(decade.saturating_sub(3)).saturating_mul(130));
    let y = |per_second: u64| {
        let height = per_second.saturating_mul(BOTTOM.saturating_sub(TOP)).checked_div(ceiling).unwrap_or(0);
        BOTTOM.saturating_sub(height)
    };
    let mut svg = format!(
        "<svg xmlns=\"http://www.w3.org/2000/svg\" viewBox=\"0 0 {WIDTH} {HEIGHT}\" role=\"img\" \
         font-family=\"sans-serif\" font-size=\"13\">\n<title>Transfers a second by number of accounts</title>\n\
         <rect width=\"{WIDTH}\" height=\"{HEIGHT}\" fill=\"#ffffff\"/>\n\
         <text x=\"{LEFT}\" y=\"22\">transfers a second, by number of accounts</text>\n"
    );
    let mut line = 0;
    while line <= ceiling {
        let at = y(line);
        let _ = writeln!(
            svg,
            "<line x1=\"{LEFT}\" x2=\"{}\" y1=\"{at}\" y2=\"{at}\" stroke=\"#d0d0d0\"/>\
             <text x=\"{}\" y=\"{}\" text-anchor=\"end\">{line}</text>",
            WIDTH.saturating_sub(20),
            LEFT.saturating_sub(8),
            at.saturating_add(4),
        );
        line = line.saturating_add(step);
    }
    let path: Vec<String> =
        points.iter().map(|(decade, speed)| format!("{},{}", x(*decade), y(*speed))).collect();
    let _ = writeln!(
        svg,
        "<polyline points=\"{}\" fill=\"none\" stroke=\"#0b5cad\" stroke-width=\"2\"/>",
        path.join(" ")
    );
    for (decade, speed) in points {
        let (at, height) = (x(*decade), y(*speed));
        let _ = writeln!(
            svg,
            "<circle cx=\"{at}\" cy=\"{height}\" r=\"4\" fill=\"#0b5cad\"/>\
             <text x=\"{at}\" y=\"{}\" text-anchor=\"middle\">10<tspan dy=\"-5\" font-size=\"10\">{decade}</tspan></text>\
             <text x=\"{at}\" y=\"{}\" text-anchor=\"middle\" font-size=\"11\">{speed}</text>",
            BOTTOM.saturating_add(24),
            height.saturating_sub(10),
        );
    }
    svg.push_str("</svg>\n");
    svg
}
