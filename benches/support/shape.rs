//! How big a house is: tenants × resources × days, and what a day looks like.

/// Tenants and tables; days follow from the rows asked for.
#[derive(Clone, Copy, Debug)]
pub struct Shape {
    pub name: &'static str,
    pub tenants: usize,
    pub tables: usize,
    pub days: usize,
}

const SIZES: [Shape; 4] = [
    Shape { name: "S", tenants: 5, tables: 18, days: 30 },
    Shape { name: "M", tenants: 34, tables: 40, days: 30 },
    Shape { name: "L", tenants: 200, tables: 20, days: 30 },
    Shape { name: "XL", tenants: 1_000, tables: 40, days: 90 },
];

/// More turns than a table has on a day (3, on average): a house may open a few days longer than its size says.
const TURNS: usize = 4;

impl Shape {
    /// The smallest house that holds so many rows; the largest simply opens for more days.
    pub fn for_rows(rows: usize) -> Self {
        let fits = |shape: &&Shape| shape.tenants * shape.tables * shape.days * TURNS >= rows;
        *SIZES.iter().find(fits).unwrap_or(&SIZES[3])
    }
}
