//! The whole register as a table of comma-separated values, for a spreadsheet.

use actix_web::HttpResponse;
use actix_web::http::header::{CONTENT_DISPOSITION, CONTENT_TYPE};
use actix_web::web::{Data, Path};

use super::kind_word;
use crate::app::App;
use crate::model::{Ownership, Permission};
use crate::operations::assets::{self, Listed};
use crate::operations::councils;
use crate::store::faults::Fault;
use crate::web::console::dates::Zone;
use crate::web::console::failure::Failure;
use crate::web::console::page::Place;
use crate::web::console::visitor::Visitor;

/// How many rows are read at once.
const PAGE: i64 = 500;

const HEADINGS: [&str; 16] = [
    "Tag",
    "Kind",
    "Make",
    "Model",
    "Whose",
    "Serial number",
    "IMEI",
    "SIM",
    "Telephone number",
    "Held by",
    "Held since",
    "Open faults",
    "Back-up",
    "Note",
    "On the register since",
    "Disposed of",
];

/// GET: the table, read page by page.
pub(super) async fn show(app: Data<App>, visitor: Visitor, path: Path<String>) -> Result<HttpResponse, Failure> {
    let name = path.into_inner();
    let council = name.clone();
    let place = visitor
        .read(&app, "council", move |tx, context| {
            let council = councils::permitted(tx, context, &council, Permission::Read)?;
            Place::of(tx, &council)
        })
        .await?;
    // The mark by which spreadsheets know that names are not in the letters of 1981.
    let mut table = String::from("\u{feff}");
    row(&mut table, HEADINGS.into_iter().map(str::to_owned));
    let mut after: Option<String> = None;
    loop {
        let (council, from) = (name.clone(), after.clone());
        let page = visitor
            .read(&app, "export equipment", move |tx, context| {
                assets::export(tx, context, &council, from.as_deref(), PAGE)
            })
            .await?;
        let Some((last, _)) = page.last() else { break };
        after = Some(last.asset.id.to_string());
        let whole = page.len() == usize::try_from(PAGE).unwrap_or(usize::MAX);
        for (listed, faults) in page {
            row(&mut table, cells(listed, &faults, place.zone).into_iter());
        }
        if !whole {
            break;
        }
    }
    Ok(HttpResponse::Ok()
        .insert_header((CONTENT_TYPE, "text/csv; charset=utf-8"))
        .insert_header((CONTENT_DISPOSITION, format!("attachment; filename=\"{}-equipment.csv\"", place.slug)))
        .body(table))
}

fn cells(listed: Listed, faults: &[Fault], zone: Zone) -> [String; 16] {
    let Listed { asset, holders } = listed;
    let names: Vec<&str> = holders.iter().map(|holder| holder.name.as_str()).collect();
    let faults: Vec<&str> = faults.iter().map(|fault| fault.what.as_str()).collect();
    [
        asset.tag,
        kind_word(&asset.kind).to_owned(),
        asset.make,
        asset.model,
        match asset.ownership {
            Ownership::Council => "Council",
            Ownership::Personal => "Holder",
        }
        .to_owned(),
        asset.serial.unwrap_or_default(),
        asset.imei.unwrap_or_default(),
        asset.sim.unwrap_or_default(),
        asset.phone_number.unwrap_or_default(),
        names.join("; "),
        holders.iter().map(|holder| zone.sortable(holder.since)).collect::<Vec<_>>().join("; "),
        faults.join("; "),
        asset.backup_note,
        asset.note,
        zone.sortable(asset.created_at),
        asset.disposed_at.map(|at| zone.sortable(at)).unwrap_or_default(),
    ]
}

/// Adds a row as RFC 4180 has it, every cell in quotation marks.
fn row(table: &mut String, cells: impl Iterator<Item = String>) {
    let cells: Vec<String> = cells.map(|cell| format!("\"{}\"", harmless(&cell).replace('"', "\"\""))).collect();
    table.push_str(&cells.join(","));
    table.push_str("\r\n");
}

/// A cell that no spreadsheet takes for a formula: names and notes come from people, and a formula can send a table away.
fn harmless(cell: &str) -> String {
    let first = cell.trim_start().chars().next();
    let begins = cell.chars().next();
    if first.is_some_and(|first| "=+-@".contains(first)) || begins.is_some_and(|begins| "\t\r\n".contains(begins)) {
        return format!("'{cell}");
    }
    cell.to_owned()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn formulas_become_text_and_quotes_stay_inside() {
        for formula in ["=1+1", "+44 7700", "-1", "@SUM(A1)", "  =1", "\t=1"] {
            assert!(harmless(formula).starts_with('\''), "{formula:?}");
        }
        for plain in ["GPC-001", "a=b", "", "'x", "0770"] {
            assert_eq!(harmless(plain), plain);
        }
        let mut table = String::new();
        row(&mut table, ["a\"b".to_owned(), "c,d\ne".to_owned(), "=x".to_owned()].into_iter());
        assert_eq!(table, "\"a\"\"b\",\"c,d\ne\",\"'=x\"\r\n");
    }
}
