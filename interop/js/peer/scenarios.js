"use strict";
// What a peer program asks of its connection, by name. Each returns what it saw.
const { payload, told, asked } = require("./payload");
const { Outbox } = require("./outbox");
const { compose } = require("./composite");
const { refusal } = require("./responder");

const call = (peer, p) => new Promise((done) => begin(peer, p, done));

// begin asks, and gives the outcome, reply or error, to done.
function begin(peer, p, done) {
  return peer.response(p, { done: (p) => done(told(p)), failed: (error) => done({ error }) });
}

// quiet returns when what the other side had to send has come: it answers a few requests meanwhile.
async function quiet(peer) {
  for (let i = 0; i < 3; i++) await call(peer, payload("quiet"));
}

const scenarios = {
  // responses asks all of o.requests, o.times over, at once.
  async responses(peer, o) {
    const all = Array.from({ length: o.times ?? 1 }, () => o.requests).flat();
    return { replies: await Promise.all(all.map((r) => call(peer, asked(r)))) };
  },

  // leased asks o.times over, at once, as soon as the library has been granted a lease: where it can't say, it waits.
  async leased(peer, o) {
    while (peer.availability?.() === 0) await new Promise((done) => setTimeout(done, 5));
    return scenarios.responses(peer, { requests: [{ data: "leased" }], times: o.times });
  },

  // stream grants o.credit[0], and each further credit when the ones before have been used up
  // and nothing more has come; then o.cancel says to give up.
  stream(peer, o) {
    return new Promise((done) => {
      const items = [];
      const steps = [...o.credit];
      let granted = steps.shift();
      const sink = {
        async next(p) {
          items.push(told(p));
          if (items.length !== granted || (steps.length === 0 && !o.cancel)) return;
          await quiet(peer);
          if (items.length !== granted) return done({ items, overrun: true });
          if (steps.length > 0) {
            granted += steps[0];
            return s.request(steps.shift());
          }
          s.cancel();
          await quiet(peer);
          done({ items, end: "canceled" });
        },
        complete: () => done({ items, end: "complete" }),
        failed: (error) => done({ items, error }),
      };
      const s = peer.stream(asked(o.request), granted, sink);
    });
  },

  // streams takes all that o.requests bring, one after another.
  async streams(peer, o) {
    const results = [];
    for (const request of o.requests) results.push(await scenarios.stream(peer, { request, credit: [1000] }));
    return { results };
  },

  // channel sends o.items, the first being the request, as credit comes, and then its end unless o.open;
  // it grants o.window items, and one more for each that came. o.cancelAfter gives up after so many items, and
  // o.failAfter ends in an error.
  channel(peer, o) {
    return new Promise((done) => {
      const items = [];
      const saw = {};
      let granted = o.window;
      let box = null;
      const sink = {
        async next(p) {
          items.push(told(p));
          if (items.length > granted++) return end({ overrun: true });
          if (items.length === o.cancelAfter) {
            c.cancel();
            await quiet(peer);
            return end({ end: "canceled" });
          }
          if (items.length === o.failAfter) {
            end({ end: "failed" });
            return c.failed(refusal);
          }
          c.request(1);
        },
        complete: () => {
          saw.complete = true;
          if (box.over) end({});
        },
        failed: (error) => end({ error }),
        requested: (n) => box.request(n),
        canceled: () => {
          saw.canceled = true;
          box.cancel();
          if (saw.complete) end({});
        },
      };
      const over = () => {
        c.complete();
        if (saw.complete) end({});
      };
      const end = async (how) => {
        if (!how.error) await quiet(peer);
        done({ items, sent: 1 + box.sent, ...saw, ...how });
      };
      const c = peer.channel(asked(o.items[0]), o.window, sink);
      box = new Outbox({ next: (p) => c.next(p), complete: over });
      box.put(...o.items.slice(1).map(asked));
      if (!o.open) box.complete();
    });
  },

  // stuck offers o.items on a channel that takes only some, and tells how many have left when all is quiet.
  async stuck(peer, o) {
    let box = null;
    const sink = { next() {}, complete() {}, failed() {}, canceled() {}, requested: (n) => box.request(n) };
    const c = peer.channel(asked(o.items[0]), 1000, sink);
    box = new Outbox({ next: (p) => c.next(p), complete: () => c.complete() });
    box.put(...o.items.slice(1).map(asked));
    await quiet(peer);
    const sent = 1 + box.sent;
    await call(peer, payload("gate")); // answered when the other side has taken note
    return { sent };
  },

  async fnf(peer, o) {
    o.requests.forEach((r) => peer.fnf(asked(r)));
    await quiet(peer);
    return {};
  },

  async push(peer, o) {
    o.metadata.forEach((m) => peer.push(Buffer.from(m)));
    await quiet(peer);
    return {};
  },

  // cancel gives up a request-response that hangs.
  async cancel(peer) {
    let outcome = null;
    const r = begin(peer, payload("hang"), (o) => (outcome = o));
    await quiet(peer);
    r.cancel();
    await quiet(peer);
    return { outcome };
  },

  // cut has one request of each model under way, and tells how they end.
  async cut(peer) {
    const p = payload("hang");
    const ended = (f) => new Promise((done) => f(done));
    const response = ended((done) => begin(peer, p, done));
    const sink = (done) => ({
      next() {},
      requested() {},
      canceled() {},
      complete: () => done({ complete: true }),
      failed: (error) => done({ error }),
    });
    const stream = ended((done) => peer.stream(p, 10, sink(done)));
    const channel = ended((done) => peer.channel(p, 10, sink(done)));
    return { response: await response, stream: await stream, channel: await channel, closed: await peer.closed };
  },

  // idle asks, is silent for o.ms, and asks again.
  async idle(peer, o) {
    const before = await call(peer, payload("before"));
    await new Promise((done) => setTimeout(done, o.ms));
    return { replies: [before, await call(peer, payload("after"))] };
  },

  // composed sends composite metadata.
  async composed(peer, o, codec) {
    return { replies: [await call(peer, payload("note", compose(codec, o.entries)))] };
  },

  // closed waits for the end of the connection.
  async closed(peer) {
    return { closed: await peer.closed };
  },
};

module.exports = { scenarios };
