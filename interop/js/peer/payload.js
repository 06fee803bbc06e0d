"use strict";
// Payloads as the programs handle them: {data, metadata} with Buffers, a part
// that is absent undefined; and as the tests read them: strings, a long one as
// its length and digest.
const crypto = require("crypto");

function payload(data, metadata) {
  const part = (v) => (v === undefined || v === null || Buffer.isBuffer(v) ? v ?? undefined : Buffer.from(v));
  return { data: part(data), metadata: part(metadata) };
}

function digest(b) {
  return `${b.length} ${crypto.createHash("sha256").update(b).digest("hex")}`;
}

function text(b) {
  return b === undefined ? undefined : b.length > 1000 ? digest(b) : b.toString();
}

// told is a payload for a test to read.
function told(p) {
  return p ? { data: text(p.data), metadata: text(p.metadata) } : null;
}

// pattern is n bytes of which no stretch repeats soon.
function pattern(n) {
  const b = Buffer.allocUnsafe(n);
  for (let i = 0; i < n; i++) b[i] = (i * 31 + (i >> 8) * 7 + (i >> 16)) & 0xff;
  return b;
}

// asked makes a payload of what a test wrote: {data, metadata}, or {give, label} for a long one.
function asked(o) {
  return payload(o.give === undefined ? o.data : pattern(o.give), o.label === undefined ? o.metadata : pattern(o.label));
}

module.exports = { payload, digest, told, pattern, asked };
