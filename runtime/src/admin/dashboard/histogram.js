"use strict";
// HdrHistograms as the latency page sends them: the V2 form, compressed by zlib, in base64.

const COMPRESSED_V2 = 0x1c849314;
const V2 = 0x1c849313;
// Ten bytes hold 64 bits; a count has less.
const LEB_BYTES_MAX = 9;

async function inflate(bytes) {
  const stream = new Blob([bytes]).stream().pipeThrough(new DecompressionStream("deflate"));
  return new Uint8Array(await new Response(stream).arrayBuffer());
}

// Pairs of a value in nanoseconds, the highest of its bin, and how many there are, in ascending order.
async function decodeHistogram(base64) {
  const packed = Uint8Array.from(atob(base64), (letter) => letter.charCodeAt(0));
  const outer = new DataView(packed.buffer);
  if (outer.getInt32(0) !== COMPRESSED_V2) throw new Error("not a compressed V2 histogram");
  const bytes = await inflate(packed.subarray(8, 8 + outer.getInt32(4)));
  const view = new DataView(bytes.buffer, bytes.byteOffset);
  if (view.getInt32(0) !== V2) throw new Error("not a V2 histogram");
  const end = 40 + view.getInt32(4);
  const digits = view.getInt32(12);
  const unitMagnitude = Math.floor(Math.log2(Number(view.getBigInt64(16))));
  const halfMagnitude = Math.ceil(Math.log2(2 * 10 ** digits)) - 1;
  const bins = [];
  let index = 0;
  for (let at = 40; at < end;) {
    const [number, next] = zigzag(bytes, at);
    at = next;
    if (number < 0) {
      // So many empty bins.
      index -= number;
      continue;
    }
    if (number > 0) bins.push([highestOf(index, halfMagnitude, unitMagnitude), number]);
    index += 1;
  }
  return bins;
}

// A signed number, seven bits a byte, the lowest first; the ninth byte has eight.
function zigzag(bytes, at) {
  let value = 0;
  for (let count = 0; ; count += 1) {
    const byte = bytes[at + count];
    const last = count === LEB_BYTES_MAX - 1 || byte < 0x80;
    value += (last ? byte : byte & 0x7f) * 2 ** (7 * count);
    if (last) return [value % 2 === 0 ? value / 2 : -(value + 1) / 2, at + count + 1];
  }
}

function highestOf(index, halfMagnitude, unitMagnitude) {
  const half = 2 ** halfMagnitude;
  let bucket = Math.floor(index / half) - 1;
  let sub = (index % half) + half;
  if (bucket < 0) {
    sub -= half;
    bucket = 0;
  }
  const width = 2 ** (bucket + unitMagnitude);
  return sub * width + width - 1;
}

// Points of the spectrum: the share of values above, which falls to 0, and the value.
function spectrum(bins) {
  const total = bins.reduce((sum, [, count]) => sum + count, 0);
  let below = 0;
  return bins.map(([value, count]) => {
    below += count;
    return [1 - below / total, value];
  });
}
