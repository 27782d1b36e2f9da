// Lines over time and the percentile spectrum, as SVG.
"use strict";

const SVG = "http://www.w3.org/2000/svg";
const BOX = { width: 560, height: 220, left: 62, right: 12, top: 10, bottom: 24 };
const SECONDS_SHOWN = 120;

function node(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const inner = () => ({ width: BOX.width - BOX.left - BOX.right, height: BOX.height - BOX.top - BOX.bottom });

function axisY(least, most, logarithmic) {
  const { height } = inner();
  const scale = logarithmic ? Math.log10 : (value) => value;
  const [low, high] = [scale(least), scale(most)];
  return (value) => BOX.top + height - ((scale(Math.max(value, least)) - low) / (high - low || 1)) * height;
}

// Round numbers from 0 to at least `most`.
function ticksLinear(most) {
  const rough = (most || 1) / 4;
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  return Array.from({ length: Math.ceil((most || 1) / step) + 1 }, (_, index) => index * step);
}

function ticksLogarithmic(least, most) {
  const first = Math.floor(Math.log10(least));
  const last = Math.max(Math.ceil(Math.log10(most)), first + 1);
  return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
}

function frame(label, ticks, y, format) {
  const svg = node("svg", { viewBox: `0 0 ${BOX.width} ${BOX.height}`, role: "img", "aria-label": label });
  for (const tick of ticks) {
    const at = y(tick);
    svg.append(node("line", { class: "grid", x1: BOX.left, x2: BOX.width - BOX.right, y1: at, y2: at }));
    svg.append(node("text", { x: BOX.left - 6, y: at + 4, "text-anchor": "end" }, format(tick)));
  }
  return svg;
}

function put(figure, svg, entries) {
  const legend = document.createElement("ul");
  legend.className = "legend";
  for (const [name, value, color] of entries) {
    const entry = document.createElement("li");
    const mark = document.createElement("i");
    mark.style.background = color;
    entry.append(mark, `${name} ${value}`);
    legend.append(entry);
  }
  figure.replaceChildren(svg, legend);
}

const color = (index) => `var(--c${index % 8})`;

// `series` is a map of names to points of [seconds, value].
function lines(figure, label, series, format, logarithmic) {
  const now = Math.max(0, ...[...series.values()].map((points) => points.at(-1)?.[0] ?? 0));
  const shown = [...series].map(([name, points]) => [name, points.filter(([at]) => at > now - SECONDS_SHOWN)]);
  const values = shown.flatMap(([, points]) => points.map(([, value]) => value)).filter((v) => v > 0 || !logarithmic);
  const most = Math.max(...values, logarithmic ? 1000 : 0);
  const ticks = logarithmic ? ticksLogarithmic(Math.min(...values, most), most) : ticksLinear(most);
  const y = axisY(ticks[0], ticks.at(-1), logarithmic);
  const x = (at) => BOX.left + (1 - (now - at) / SECONDS_SHOWN) * inner().width;
  const last = shown.map(([name, points]) => `${name} ${points.length ? format(points.at(-1)[1]) : "none"}`);
  const svg = frame(`${label}: ${last.join(", ")}`, ticks, y, format);
  for (const ago of [120, 90, 60, 30, 0]) {
    const at = { x: x(now - ago), y: BOX.height - 6, "text-anchor": ago === 0 ? "end" : "middle" };
    svg.append(node("text", at, ago === 0 ? "now" : `-${ago} s`));
  }
  shown.forEach(([, points], index) => {
    const path = points.map(([at, value], i) => `${i ? "L" : "M"}${x(at).toFixed(1)} ${y(value).toFixed(1)}`);
    svg.append(node("path", { class: "plot", d: path.join(""), style: `stroke: ${color(index)}` }));
  });
  put(figure, svg, shown.map(([name, points], i) => [name, points.length ? format(points.at(-1)[1]) : "", color(i)]));
}

// `series` is a map of names to points of [share above, nanoseconds].
function spectrumChart(figure, series, format) {
  const all = [...series.values()].flat();
  if (!all.length) {
    figure.textContent = "No request in this window.";
    return;
  }
  const rarest = Math.min(...all.map(([above]) => above).filter((above) => above > 0), 0.1);
  const nines = Math.max(1, Math.ceil(-Math.log10(rarest)));
  const ticks = ticksLogarithmic(Math.max(1, Math.min(...all.map(([, v]) => v))), Math.max(...all.map(([, v]) => v)));
  const y = axisY(ticks[0], ticks.at(-1), true);
  const x = (above) => BOX.left + (Math.min(nines, -Math.log10(Math.max(above, 10 ** -nines))) / nines) * inner().width;
  const svg = frame("Latency by percentile, both axes logarithmic", ticks, y, format);
  for (let nine = 0; nine <= nines; nine += 1) {
    const share = nine === 0 ? "0 %" : `${(100 - 10 ** (2 - nine)).toFixed(Math.max(0, nine - 2))} %`;
    const anchor = nine === nines ? "end" : "middle";
    svg.append(node("text", { x: x(10 ** -nine), y: BOX.height - 6, "text-anchor": anchor }, share));
  }
  [...series].forEach(([, points], index) => {
    const path = points.map(([above, value], i) => `${i ? "L" : "M"}${x(above).toFixed(1)} ${y(value).toFixed(1)}`);
    svg.append(node("path", { class: "plot", d: path.join(""), style: `stroke: ${color(index)}` }));
  });
  put(figure, svg, [...series.keys()].map((name, index) => [name, "", color(index)]));
}
