// Lines over time and the percentile spectrum, as SVG in the size of its place, so that texts keep theirs.

const SVG = "http://www.w3.org/2000/svg";
const MARGIN = { left: 66, right: 14, top: 10, bottom: 24 };
const SECONDS_SHOWN = 120;
const COLORS = 8;
// What a text under the horizontal axis needs, in pixels.
const LABEL_WIDTH = 72;

function node(name, attributes, text) {
  const made = document.createElementNS(SVG, name);
  for (const [key, value] of Object.entries(attributes)) made.setAttribute(key, value);
  if (text !== undefined) made.textContent = text;
  return made;
}

const color = (index) => `c${index % COLORS}`;

// The inside of a chart: where a value lies, and where a share of the width lies.
function plot(figure, height, ticks, logarithmic) {
  const width = Math.max(figure.clientWidth, 240);
  const scale = logarithmic ? Math.log10 : (value) => value;
  const [low, high] = [scale(ticks[0]), scale(ticks.at(-1))];
  const inside = { width: width - MARGIN.left - MARGIN.right, height: height - MARGIN.top - MARGIN.bottom };
  return {
    width,
    height,
    labels: Math.max(2, Math.floor(inside.width / LABEL_WIDTH)),
    x: (share) => MARGIN.left + share * inside.width,
    y: (value) => MARGIN.top + inside.height * (1 - (scale(Math.max(value, ticks[0])) - low) / (high - low || 1)),
  };
}

// Whole round numbers from 0 to at least `most`.
function ticksLinear(most) {
  const rough = Math.max(most / 4, 1);
  const power = 10 ** Math.floor(Math.log10(rough));
  const step = [1, 2, 5, 10].map((factor) => factor * power).find((candidate) => candidate >= rough);
  return Array.from({ length: Math.max(1, Math.ceil(most / step)) + 1 }, (_, index) => index * step);
}

// Powers of ten from at most `least` to at least `most`.
function ticksLogarithmic(least, most) {
  const first = Math.floor(Math.log10(least));
  const last = Math.max(Math.ceil(Math.log10(most)), first + 1);
  return Array.from({ length: last - first + 1 }, (_, index) => 10 ** (first + index));
}

// The horizontal lines with what they stand for.
function frame(label, place, ticks, format) {
  const { width, height } = place;
  const svg = node("svg", { viewBox: `0 0 ${width} ${height}`, height, role: "img", "aria-label": label });
  for (const tick of ticks) {
    const at = place.y(tick);
    svg.append(node("line", { class: "grid", x1: MARGIN.left, x2: width - MARGIN.right, y1: at, y2: at }));
    svg.append(node("text", { x: MARGIN.left - 6, y: at + 4, "text-anchor": "end" }, format(tick)));
  }
  return svg;
}

function below(svg, place, share, text) {
  const anchor = share > 0.95 ? "end" : share < 0.05 ? "start" : "middle";
  svg.append(node("text", { x: place.x(share), y: place.height - 6, "text-anchor": anchor }, text));
}

// `points` are pairs of a horizontal share and a value; without a value the line has a gap.
function line(svg, place, points, index) {
  let pen = "M";
  const steps = points.map(([share, value]) => {
    if (value === null) {
      pen = "M";
      return "";
    }
    // A line of no length makes a dot of a value between gaps.
    const step = `${pen}${place.x(share).toFixed(1)} ${place.y(value).toFixed(1)}${pen === "M" ? "h0" : ""}`;
    pen = "L";
    return step;
  });
  svg.append(node("path", { class: `plot ${color(index)}`, d: steps.join("") }));
}

// Entries are pairs of a name and what it is now.
function put(figure, svg, entries) {
  const legend = document.createElement("ul");
  legend.className = "legend";
  entries.forEach(([name, value], index) => {
    const entry = document.createElement("li");
    const mark = document.createElement("i");
    mark.className = color(index);
    entry.append(mark, `${name} ${value}`);
    legend.append(entry);
  });
  figure.replaceChildren(svg, legend);
}

// `series` maps names to points of [seconds, value or null], whose last one is of `now`.
function lines(figure, label, now, series, format, logarithmic) {
  const values = [...series.values()].flat().map(([, value]) => value).filter((value) => value > 0);
  const most = values.reduce((a, b) => Math.max(a, b), logarithmic ? 1000 : 0);
  const least = values.reduce((a, b) => Math.min(a, b), most);
  const ticks = logarithmic ? ticksLogarithmic(least, most) : ticksLinear(most);
  const place = plot(figure, 220, ticks, logarithmic);
  const shown = (points) => (points.at(-1)[1] === null ? "none" : format(points.at(-1)[1]));
  const entries = [...series].map(([name, points]) => [name, shown(points)]);
  const svg = frame(`${label}: ${entries.map((entry) => entry.join(" ")).join(", ")}`, place, ticks, format);
  for (const ago of [120, 90, 60, 30, 0]) below(svg, place, 1 - ago / SECONDS_SHOWN, ago ? `-${ago} s` : "now");
  const share = (at) => 1 - (now - at) / SECONDS_SHOWN;
  [...series.values()].forEach((points, index) => line(svg, place, points.map(([at, v]) => [share(at), v]), index));
  put(figure, svg, entries);
}

// `series` maps names to points of [share of values above, nanoseconds].
function spectrumChart(figure, label, series, format) {
  const all = [...series.values()].flat();
  if (!all.length) {
    figure.textContent = "No request in this window.";
    return;
  }
  const rarest = all.reduce((least, [above]) => (above > 0 ? Math.min(least, above) : least), 0.1);
  const nines = Math.ceil(-Math.log10(rarest));
  const least = all.reduce((a, [, value]) => Math.min(a, value), Infinity);
  const most = all.reduce((a, [, value]) => Math.max(a, value), 0);
  const ticks = ticksLogarithmic(Math.max(1, least), most);
  const place = plot(figure, 320, ticks, true);
  const svg = frame(label, place, ticks, format);
  const each = Math.ceil(nines / (place.labels - 1));
  for (let nine = 0; nine <= nines; nine += each) {
    below(svg, place, nine / nines, `${nine ? (100 - 10 ** (2 - nine)).toFixed(Math.max(0, nine - 2)) : 0} %`);
  }
  const share = (above) => Math.min(nines, -Math.log10(Math.max(above, 10 ** -nines))) / nines;
  [...series.values()].forEach((points, index) => line(svg, place, points.map(([above, v]) => [share(above), v]), index));
  put(figure, svg, [...series].map(([name, points]) => [name, `max ${format(points.at(-1)[1])}`]));
}
