//! The few lines a reader wants: ratios first.

use super::support::only_checking;
use serde_json::Value;

pub fn print(results: &[Value], rows: usize) {
    if only_checking() {
        println!("\nonly checking: these figures mean nothing");
    }
    let of_size: Vec<&Value> = results.iter().filter(|row| row["rows"] == rows).collect();
    let figure = |row: &Value, name: &str| row[name].as_f64().unwrap_or(f64::NAN);
    let source = of_size.iter().find(|row| row["layout"] == "source_gist4").expect("the source's layout");
    let base = figure(source, "probe_us");
    println!(
        "\nfree probe on the server, {rows} live rows\n{:>6}  {:28} {:>9} {:>9} {:>6} {:>9} {:>9} {:>9} {:>8} {:>8}",
        "ratio",
        "layout",
        "probe µs",
        "execut µs",
        "pages",
        "cold µs",
        "insert µs",
        "load /s",
        "index MB",
        "build s"
    );
    for row in &of_size {
        println!(
            "{:>6.2}  {:28} {:>9.2} {:>9.1} {:>6.0} {:>9.0} {:>9.0} {:>9.0} {:>8.1} {:>8.2}",
            figure(row, "probe_us") / base,
            row["layout"].as_str().expect("a name"),
            figure(row, "probe_us"),
            figure(row, "execution_us"),
            figure(row, "hit_blocks") + figure(row, "read_blocks"),
            figure(row, "cold_us"),
            figure(row, "insert_us"),
            figure(row, "load_rows_per_s"),
            figure(row, "index_mb"),
            figure(row, "build_s"),
        );
    }
    if let Some(library) = of_size.iter().find(|row| row["layout"] == "library") {
        let probe = figure(library, "probe_us");
        println!(
            "library: {:.2} of source_gist4 (goal 0.20 or less), {probe:.1} µs (goal 12 or less at 10^6 rows)\n",
            probe / base
        );
    }
}
