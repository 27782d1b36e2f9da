// The table of functions, sorted by any column.

// Heads, how a value is shown, and whether the first click puts the largest on top.
const COLUMNS = [
  ["function", String, false],
  ["requests/s", count, true],
  ["p50", duration, true],
  ["p90", duration, true],
  ["p99", duration, true],
  ["p99.9", duration, true],
  ["max", duration, true],
  ["errors", count, true],
  ["shed", count, true],
  ["in use", count, true],
  ["waiting", count, true],
];
const ERRORS = ["5xx", "timeout", "trap"];
const FAILING = [7, 8];
const sorted = { column: 1, descending: true };
let rows = [];

function duration(ns) {
  return ns ? time(ns) : "-";
}

// A function's cells, from its gauges and its series by status.
function row(gauges, series) {
  const of = (status) => series.find((one) => one.labels.status === status);
  const at = (key) => of("2xx")?.[key] ?? 0;
  const total = (key, statuses) => statuses.reduce((sum, status) => sum + (of(status)?.[key] ?? 0), 0);
  const rate = series.reduce((sum, one) => sum + one.rate_per_second, 0);
  const times = QUANTILES.map(at);
  return [gauges.function, rate, ...times, total("count", ERRORS), total("count", ["shed"]), gauges.in_use, gauges.waiting];
}

function table(fresh) {
  rows = fresh;
  const { column, descending } = sorted;
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);
  // Equal ones stay in the order of their names.
  rows.sort((a, b) => compare(a[column], b[column]) * (descending ? -1 : 1) || compare(a[0], b[0]));
  const lines = rows.map((cells) => {
    const line = document.createElement("tr");
    cells.forEach((value, index) => {
      const cell = document.createElement("td");
      cell.textContent = COLUMNS[index][1](value);
      if (FAILING.includes(index) && value > 0) cell.className = "failing";
      line.append(cell);
    });
    return line;
  });
  $("functions").tBodies[0].replaceChildren(...lines);
}

function sortBy(column) {
  sorted.descending = sorted.column === column ? !sorted.descending : COLUMNS[column][2];
  sorted.column = column;
  markSorted();
  table(rows);
}

function tableHead() {
  const line = document.createElement("tr");
  COLUMNS.forEach(([name], column) => {
    const head = document.createElement("th");
    head.scope = "col";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = name;
    button.addEventListener("click", () => sortBy(column));
    head.append(button);
    line.append(head);
  });
  $("functions").tHead.replaceChildren(line);
  markSorted();
}

function markSorted() {
  const direction = sorted.descending ? "descending" : "ascending";
  [...$("functions").tHead.rows[0].cells].forEach((head, column) => {
    head.setAttribute("aria-sort", column === sorted.column ? direction : "none");
  });
}
