// Asks the server once a second and draws. Everything shown is text of its own: nothing is read as markup.

const EVERY_MS = 1000;
// An answer that takes longer is given up; the server may be gone.
const ANSWER_MS_MAX = 5000;
const PHASES = ["total", "queue", "guest", "host", "write"];
const QUANTILES = ["p50", "p90", "p99", "p99.9", "max"];
const FAILURES = ["4xx", "5xx", "shed", "timeout", "trap"];
const MEBIBYTE = 2 ** 20;

const $ = (id) => document.getElementById(id);
// By chart and line: points of [seconds, value].
const kept = {
  rates: new Map(), latency: new Map(), errors: new Map(), instances: new Map(), connections: new Map(), memory: new Map(),
};
let paused = false;

function count(value) {
  if (value >= 1e6) return `${(value / 1e6).toFixed(2)} M`;
  return value >= 1e4 ? `${(value / 1e3).toFixed(1)} k` : `${+value.toFixed(1)}`;
}

const mebibytes = (value) => (value >= 1024 ? `${+(value / 1024).toFixed(2)} GiB` : `${+value.toFixed(1)} MiB`);

function time(ns) {
  for (const [unit, size] of [["s", 1e9], ["ms", 1e6], ["us", 1e3]]) {
    if (ns >= size) return `${+(ns / size).toPrecision(3)} ${unit}`;
  }
  return `${Math.round(ns)} ns`;
}

// Beside this page, wherever a proxy has put it.
async function ask(page) {
  const answer = await fetch(page, { signal: AbortSignal.timeout(ANSWER_MS_MAX), cache: "no-store" });
  if (!answer.ok) throw new Error(`${page.split("?")[0]} answers ${answer.status}`);
  return answer.json();
}

const latency = (query) => ask(`latency?format=json&trigger=http&${query}`);
const labelled = (page, label, value) => page.series.find((series) => series.labels[label] === value);

// A second without an answer of the server is a gap, as is one that has no value.
function remember(chart, name, at, value) {
  const points = kept[chart].get(name) ?? [];
  const last = points.at(-1)?.[0] ?? at;
  if (at - last > 5) points.push([last, null]);
  if (at > last || !points.length) points.push([at, value]);
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

function draw(at) {
  lines($("rates"), "Requests per second", at, kept.rates, count, false);
  lines($("latency"), "Latency", at, kept.latency, time, true);
  lines($("errors"), "Errors per second", at, kept.errors, count, false);
  lines($("instances"), "Instances", at, kept.instances, count, false);
  lines($("connections"), "Connections", at, kept.connections, count, false);
  lines($("memory"), "Memory", at, kept.memory, mebibytes, false);
}

async function overTime(gauges) {
  const [shards, status] = await Promise.all([
    latency("window=1s&phase=total&by=shard"),
    latency("window=1s&phase=total&by=status"),
  ]);
  const at = Date.parse(shards.end) / 1000;
  let rate = 0;
  for (let shard = 0; shard < shards.shards; shard += 1) {
    const own = labelled(shards, "shard", String(shard))?.rate_per_second ?? 0;
    remember("rates", `shard ${shard}`, at, own);
    rate += own;
  }
  const answered = labelled(status, "status", "2xx");
  for (const name of QUANTILES) remember("latency", name, at, answered?.[name] ?? null);
  for (const name of FAILURES) remember("errors", name, at, labelled(status, "status", name)?.rate_per_second ?? 0);
  const sum = (key) => gauges.functions.reduce((total, one) => total + one[key], 0);
  remember("instances", "in use", at, sum("in_use"));
  remember("instances", "waiting", at, sum("waiting"));
  remember("connections", "open", at, gauges.connections);
  const memory = (gauges.resident_bytes ?? 0) / MEBIBYTE;
  remember("memory", "resident", at, memory);
  figures([
    ["requests/s", count(rate)],
    ["p50", answered ? time(answered.p50) : "none"],
    ["p99", answered ? time(answered.p99) : "none"],
    ["connections", count(gauges.connections)],
    ["instances in use", `${sum("in_use")} of ${sum("instances")}`],
    ["waiting", count(sum("waiting"))],
    ["memory", mebibytes(memory)],
    ["log lines lost", count(gauges.log_lines_dropped)],
  ]);
  draw(at);
}

async function byFunction(gauges) {
  const range = $("window").value;
  const chosen = $("function").value;
  const only = chosen ? `&function=${encodeURIComponent(chosen)}` : "";
  const [phases, all] = await Promise.all([
    latency(`window=${range}&by=phase${only}`),
    latency(`window=${range}&phase=total&by=function,status`),
  ]);
  const drawn = new Map();
  for (const phase of PHASES) {
    const series = labelled(phases, "phase", phase);
    if (series) drawn.set(phase, spectrum(await decodeHistogram(series.histogram)));
  }
  spectrumChart($("spectrum"), `Latency by percentile of ${chosen || "all functions"}`, drawn, time);
  offer(gauges.functions.map((one) => one.function));
  table(gauges.functions.map((one) => row(one, all.series.filter((series) => series.labels.function === one.function))));
}

function offer(names) {
  const select = $("function");
  const known = new Set([...select.options].map((option) => option.value));
  select.append(...names.filter((name) => !known.has(name)).map((name) => new Option(name, name)));
}
