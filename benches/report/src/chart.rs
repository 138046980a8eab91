//! Two kinds of picture: bars for "which is cheaper", lines for "how does it grow".

use super::cell::cell;
use anyhow::{Result, anyhow};
use plotters::prelude::*;
use std::path::Path;

const BAR: RGBColor = RGBColor(96, 125, 159);
/// Ours stands out.
const OURS: RGBColor = RGBColor(204, 102, 51);

/// Horizontal bars from the first item at the top; an item whose name starts with `library` is drawn as ours.
pub fn bars(file: &Path, title: &str, unit: &str, items: &[(String, f64)]) -> Result<()> {
    let height = 90 + 34 * u32::try_from(items.len())?;
    let area = SVGBackend::new(file, (820, height)).into_drawing_area();
    let most = items.iter().map(|item| item.1).fold(0.0, f64::max) * 1.12;
    let rows = i32::try_from(items.len())?;
    let draw = || -> Result<(), Box<dyn std::error::Error>> {
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(34)
            .y_label_area_size(210)
            .build_cartesian_2d(0.0..most, (0..rows).into_segmented())?;
        let name = |row: &SegmentValue<i32>| match row {
            // The axis also asks for the segment past the last.
            SegmentValue::CenterOf(row) => {
                let item = usize::try_from(rows - 1 - row).ok().and_then(|index| items.get(index));
                item.map(|item| item.0.clone()).unwrap_or_default()
            }
            _ => String::new(),
        };
        let mut mesh = chart.configure_mesh();
        mesh.disable_y_mesh()
            .light_line_style(TRANSPARENT)
            .x_desc(unit)
            .y_labels(items.len())
            .y_label_formatter(&name)
            .draw()?;
        for (row, (name, value)) in (0..rows).rev().zip(items) {
            let colour = if name.starts_with("library") { OURS } else { BAR };
            let corners = [(0.0, SegmentValue::Exact(row)), (*value, SegmentValue::Exact(row + 1))];
            let mut bar = Rectangle::new(corners, colour.filled());
            bar.set_margin(5, 5, 0, 0);
            chart.draw_series([bar])?;
            let place = (*value, SegmentValue::CenterOf(row));
            chart.draw_series([Text::new(format!(" {}", cell(Some(*value))), place, ("sans-serif", 13))])?;
        }
        area.present()?;
        Ok(())
    };
    draw().map_err(|error| anyhow!("drawing {}: {error}", file.display()))
}

/// One line a series over a logarithmic axis.
pub fn lines(file: &Path, title: &str, axes: [&str; 2], series: &[(String, Vec<(f64, f64)>)]) -> Result<()> {
    let area = SVGBackend::new(file, (820, 420)).into_drawing_area();
    let points = || series.iter().flat_map(|one| one.1.iter().copied());
    let (least, most) = points().fold((f64::MAX, 0.0_f64), |(a, b), point| (a.min(point.0), b.max(point.0)));
    let top = points().map(|point| point.1).fold(0.0, f64::max) * 1.15;
    let draw = || -> Result<(), Box<dyn std::error::Error>> {
        area.fill(&WHITE)?;
        let mut chart = ChartBuilder::on(&area)
            .caption(title, ("sans-serif", 18))
            .margin(12)
            .x_label_area_size(40)
            .y_label_area_size(60)
            .build_cartesian_2d((least..most * 1.05).log_scale(), 0.0..top)?;
        let mut mesh = chart.configure_mesh();
        mesh.light_line_style(TRANSPARENT).x_labels(8).x_label_formatter(&|x| format!("{x:.0}"));
        mesh.y_label_formatter(&|y| format!("{y:.0}")).x_desc(axes[0]).y_desc(axes[1]).draw()?;
        for (index, (name, points)) in series.iter().enumerate() {
            let colour = Palette99::pick(index).to_rgba();
            chart
                .draw_series(LineSeries::new(points.iter().copied(), colour.stroke_width(2)).point_size(3))?
                .label(name)
                .legend(move |(x, y)| PathElement::new([(x, y), (x + 18, y)], colour.stroke_width(2)));
        }
        chart
            .configure_series_labels()
            .position(SeriesLabelPosition::LowerLeft)
            .border_style(BLACK.mix(0.3))
            .background_style(WHITE.mix(0.8))
            .draw()?;
        area.present()?;
        Ok(())
    };
    draw().map_err(|error| anyhow!("drawing {}: {error}", file.display()))
}
