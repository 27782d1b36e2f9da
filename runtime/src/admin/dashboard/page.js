// Asks the server once a second and draws. Everything shown is text of its own: nothing is read as markup.
"use strict";

const EVERY_MS = 1000;
// An answer that takes longer is given up; the server may be gone.
const ANSWER_MS_MAX = 5000;
const PHASES = ["total", "queue", "guest", "host", "write"];
const COLUMNS = ["function", "requests/s", "p50", "p90", "p99", "p99.9", "max", "errors"];

const $ = (id) => document.getElementById(id);
const kept = { rates: new Map(), latency: new Map(), errors: new Map(), instances: new Map(), memory: new Map() };
let paused = false;
let sorted = { column: "requests/s", descending: true };

const count = (value) => (value >= 1e6 ? `${(value / 1e6).toFixed(2)} M` : value >= 1e4 ? `${(value / 1e3).toFixed(1)} k` : `${+value.toFixed(1)}`);
const bytes = (value) => (value >= 2 ** 30 ? `${(value / 2 ** 30).toFixed(2)} GiB` : `${(value / 2 ** 20).toFixed(1)} MiB`);

function time(ns) {
  for (const [unit, size] of [["s", 1e9], ["ms", 1e6], ["us", 1e3]]) {
    if (ns >= size) return `${+(ns / size).toPrecision(3)} ${unit}`;
  }
  return `${Math.round(ns)} ns`;
}

async function ask(path) {
  const answer = await fetch(path, { signal: AbortSignal.timeout(ANSWER_MS_MAX), cache: "no-store" });
  if (!answer.ok) throw new Error(`${path.split("?")[0]} answers ${answer.status}`);
  return answer;
}

const latency = async (query) => (await ask(`/debug/latency?format=json&${query}`)).json();

// The samples of the text format that have these names, added up: { name: sum }.
async function metrics() {
  const sums = {};
  for (const line of (await (await ask("/metrics")).text()).split("\n")) {
    const name = /^[a-zA-Z_:][\w:]*/.exec(line)?.[0];
    if (name) sums[name] = (sums[name] ?? 0) + Number(line.slice(line.lastIndexOf(" ") + 1));
  }
  return sums;
}

function remember(chart, name, at, value) {
  const points = kept[chart].get(name) ?? [];
  points.push([at, value]);
  while (points[0][0] < at - SECONDS_SHOWN) points.shift();
  kept[chart].set(name, points);
}

function figures(entries) {
  const list = entries.map(([name, value]) => {
    const group = document.createElement("div");
    const [term, figure] = [document.createElement("dt"), document.createElement("dd")];
    term.textContent = name;
    figure.textContent = value;
    group.append(term, figure);
    return group;
  });
  $("figures").replaceChildren(...list);
}

async function overTime() {
  const [shards, status, answered, sums] = await Promise.all([
    latency("window=1s&phase=total&trigger=http&by=shard"),
    latency("window=1s&phase=total&trigger=http&by=status"),
    latency("window=1s&phase=total&trigger=http&status=2xx&by=phase"),
    metrics(),
  ]);
  const at = Date.parse(shards.end) / 1000;
  let rate = 0;
  for (let shard = 0; shard < shards.shards; shard += 1) {
    const found = shards.series.find((series) => series.labels.shard === String(shard));
    remember("rates", `shard ${shard}`, at, found?.rate_per_second ?? 0);
    rate += found?.rate_per_second ?? 0;
  }
  const summary = answered.series[0];
  for (const name of ["p50", "p90", "p99", "p99.9", "max"]) if (summary) remember("latency", name, at, summary[name]);
  for (const name of ["4xx", "5xx", "shed", "timeout", "trap"]) {
    const found = status.series.find((series) => series.labels.status === name);
    remember("errors", name, at, found?.rate_per_second ?? 0);
  }
  remember("instances", "in use", at, sums.airside_instances_in_use ?? 0);
  remember("instances", "waiting calls", at, sums.airside_instance_waits ?? 0);
  remember("memory", "resident", at, sums.process_resident_memory_bytes ?? 0);
  figures([
    ["requests/s", count(rate)],
    ["p50", summary ? time(summary.p50) : "none"],
    ["p99", summary ? time(summary.p99) : "none"],
    ["connections", count(sums.airside_connections ?? 0)],
    ["instances", `${sums.airside_instances_in_use ?? 0} of ${sums.airside_instances ?? 0} in use`],
    ["memory", bytes(sums.process_resident_memory_bytes ?? 0)],
    ["log lines lost", count(sums.airside_log_lines_dropped_total ?? 0)],
  ]);
  lines($("rates"), "Requests per second", kept.rates, count, false);
  lines($("latency"), "Latency", kept.latency, time, true);
  lines($("errors"), "Errors per second", kept.errors, count, false);
  lines($("instances"), "Instances", kept.instances, count, false);
  lines($("memory"), "Memory", kept.memory, bytes, false);
}

async function byFunction() {
  const range = $("window").value;
  const chosen = $("function").value;
  const only = chosen ? `&function=${encodeURIComponent(chosen)}` : "";
  const [phases, totals, failed] = await Promise.all([
    latency(`window=${range}&trigger=http&by=phase${only}`),
    latency(`window=${range}&trigger=http&phase=total&status=2xx&by=function`),
    latency(`window=${range}&trigger=http&phase=total&status=4xx,5xx,shed,timeout,trap&by=function`),
  ]);
  const drawn = new Map();
  for (const phase of PHASES) {
    const series = phases.series.find((one) => one.labels.phase === phase);
    if (series) drawn.set(phase, spectrum(await decodeHistogram(series.histogram)));
  }
  spectrumChart($("spectrum"), drawn, time);
  const errors = new Map(failed.series.map((series) => [series.labels.function, series.count]));
  const names = new Set([...totals.series, ...failed.series].map((series) => series.labels.function).filter(Boolean));
  const known = new Set([...$("function").options].map((option) => option.value));
  for (const name of names) if (!known.has(name)) $("function").append(new Option(name, name));
  table([...names].map((name) => {
    const series = totals.series.find((one) => one.labels.function === name);
    const at = (key) => series?.[key] ?? 0;
    return [name, at("rate_per_second"), at("p50"), at("p90"), at("p99"), at("p99.9"), at("max"), errors.get(name) ?? 0];
  }));
}

function table(rows) {
  const column = COLUMNS.indexOf(sorted.column);
  const compare = (a, b) => (typeof a === "string" ? a.localeCompare(b) : a - b);
  rows.sort((a, b) => compare(a[column], b[column]) * (sorted.descending ? -1 : 1));
  const shown = [String, count, time, time, time, time, time, count];
  const lines = rows.map((row) => {
    const line = document.createElement("tr");
    row.forEach((value, index) => {
      const cell = document.createElement("td");
      cell.textContent = shown[index](value);
      line.append(cell);
    });
    if (row.at(-1) > 0) line.lastChild.className = "failing";
    return line;
  });
  $("functions").tBodies[0].replaceChildren(...lines);
}

function tableHead() {
  const row = document.createElement("tr");
  for (const column of COLUMNS) {
    const head = document.createElement("th");
    head.scope = "col";
    const button = document.createElement("button");
    button.type = "button";
    button.textContent = column;
    button.addEventListener("click", () => {
      sorted = { column, descending: sorted.column === column ? !sorted.descending : column !== "function" };
      markSorted();
      refresh(byFunction);
    });
    head.append(button);
    row.append(head);
  }
  $("functions").tHead.replaceChildren(row);
  markSorted();
}

function markSorted() {
  [...$("functions").tHead.rows[0].cells].forEach((head, index) => {
    const direction = sorted.descending ? "descending" : "ascending";
    head.setAttribute("aria-sort", COLUMNS[index] === sorted.column ? direction : "none");
  });
}

async function refresh(...parts) {
  try {
    await Promise.all(parts.map((part) => part()));
    $("state").textContent = paused ? "paused" : `live, ${new Date().toLocaleTimeString()}`;
    $("state").className = "";
  } catch (error) {
    $("state").textContent = `no answer: ${error.message}`;
    $("state").className = "failing";
  }
}

// One round ends before the next begins, however slow the server or the browser is.
async function live() {
  const began = performance.now();
  if (!paused && !document.hidden) await refresh(overTime, byFunction);
  setTimeout(live, Math.max(0, EVERY_MS - (performance.now() - began)));
}

function dress(theme) {
  document.documentElement.dataset.theme = theme;
}

const prefersDark = matchMedia("(prefers-color-scheme: dark)");
dress(prefersDark.matches ? "dark" : "light");
prefersDark.addEventListener("change", (event) => dress(event.matches ? "dark" : "light"));
$("theme").addEventListener("click", () => dress(document.documentElement.dataset.theme === "dark" ? "light" : "dark"));
$("pause").addEventListener("click", () => {
  paused = !paused;
  $("pause").setAttribute("aria-pressed", paused);
  $("pause").textContent = paused ? "Go on" : "Pause";
  if (paused) $("state").textContent = "paused";
});
for (const id of ["function", "window"]) $(id).addEventListener("change", () => refresh(byFunction));
tableHead();
live();
