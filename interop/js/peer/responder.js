"use strict";
// What a peer program answers. The data of a request, or of a channel's first
// item, says what is wanted; anything else is sent back as it came.
const { payload, digest, told, pattern } = require("./payload");
const { Outbox } = require("./outbox");
const { decompose } = require("./composite");

const window = 8; // the credit that a channel gives
const refusal = { code: 0x305, message: "who is asking?" };

// responder answers on one connection; say is told what a test can't see from outside.
function responder(say, codec) {
  const hang = (model) => {
    say({ saw: "hang", model });
    return { cancel: () => say({ saw: "released", model }) };
  };
  return {
    fnf: (p) => say({ saw: "fnf", ...told(p) }),
    push: (metadata) => say({ saw: "push", metadata: metadata.toString() }),
    response(p, out) {
      const [word, n] = words(p);
      switch (word) {
        case "refuse":
          return out.failed(refusal);
        case "break":
          throw new Error("it broke");
        case "hang":
          return hang("response");
        case "give":
          return out.done(payload(pattern(n)));
        case "digest":
          return out.done(payload(digest(p.data)));
        case "decompose":
          return out.done(payload(JSON.stringify(decompose(codec, p.metadata))));
      }
      return out.done(p);
    },
    stream(p, credit, out) {
      const [word, n] = words(p);
      if (word === "hang") return hang("stream");
      const box = new Outbox(out, credit);
      const item = p.metadata ? (i) => payload(`${i}`, `${p.metadata}${i}`) : (i) => payload(`${i}`);
      if (word === "give") box.put(payload(pattern(n)));
      else if (word === "void") box.put(...Array.from({ length: n }, () => payload()));
      else box.put(...Array.from({ length: n }, (_, i) => item(i)));
      if (word === "refuse") box.fail(refusal);
      else box.complete();
      return { request: (n) => box.request(n), cancel: () => released(box, "stream", say) };
    },
    channel(p, credit, out) {
      const [word, n] = words(p);
      switch (word) {
        case "refuse":
          return out.failed(refusal);
        case "hang":
          return { ...deaf, ...hang("channel") };
        case "take":
          return take(n, out, say);
        case "leave":
          return leave(p, out, say);
        case "count":
          return count(n, credit, out, say);
      }
      return echo(p, credit, out, say);
    },
  };
}

function words(p) {
  const s = p.data && p.data.length < 100 ? p.data.toString() : "";
  if (p.metadata && p.metadata.toString() === "digest") return ["digest"];
  const [, word, n] = /^([a-z]+)(?: (\d+))?$/.exec(s) ?? [];
  return [word, Number(n ?? 0)];
}

const deaf = { next() {}, complete() {}, failed() {}, request() {}, cancel() {} };

// echo grants one more item for each that it sent back.
function echo(p, credit, out, say) {
  const box = new Outbox(out, credit);
  box.onSent = () => out.request(1);
  out.request(window);
  box.put(p);
  return {
    next: (p) => box.put(p),
    complete: () => box.complete(),
    request: (n) => box.request(n),
    failed: (err) => say({ saw: "failed", ...err }),
    cancel: () => released(box, "channel", say),
  };
}

// take takes n items, wants no more, says so, and completes its own half.
function take(n, out, say) {
  let taken = 1;
  const enough = () => {
    if (taken !== n) return;
    out.cancel();
    out.complete();
    say({ saw: "taken", items: taken });
  };
  if (n > 1) out.request(n - 1);
  setImmediate(enough);
  return {
    ...deaf,
    next() {
      taken++;
      enough();
    },
  };
}

// leave completes its own half at once and takes what still comes.
function leave(p, out, say) {
  let rest = 0;
  setImmediate(() => {
    out.complete();
    out.request(window);
  });
  return {
    ...deaf,
    next() {
      rest++;
      out.request(1);
    },
    complete: () => say({ saw: "rest", items: rest }),
  };
}

// count waits for the end of what comes, and then sends n items.
function count(n, credit, out, say) {
  const box = new Outbox(out, credit);
  out.request(window);
  return {
    ...deaf,
    next: () => out.request(1),
    complete() {
      box.put(...Array.from({ length: n }, (_, i) => payload(`${i}`)));
      box.complete();
    },
    request: (n) => box.request(n),
    cancel: () => released(box, "channel", say),
  };
}

function released(box, model, say) {
  box.cancel();
  say({ saw: "released", model, sent: box.sent });
}

module.exports = { responder, refusal };
