"use strict";
// The two programs of each library, but for the library: lib.connect(o, responder)
// and lib.serve(o, accept) make peers, which have
//
//   response(p, {done(p), failed(err)})  returns {cancel()}
//   stream(p, n, sink)                   returns {request(n), cancel()}
//   channel(p, n, sink)                  returns {request(n), cancel(), next(p), complete(), failed(err)}
//   fnf(p), push(metadata), close(), closed (a promise of why)
//
// lib.codec is its codec for composite metadata, lib.scenarios what it has beside the common ones.
// A sink has next(p), complete(), failed({code, message}), and on a channel requested(n) and canceled().
const { responder } = require("./responder");
const { scenarios } = require("./scenarios");

function say(o) {
  process.stdout.write(JSON.stringify(o) + "\n");
}

function faults() {
  console.warn = (...args) => say({ warn: args.join(" ") });
  console.error = console.warn;
  process.on("uncaughtException", (err) => {
    say({ fault: String(err.stack) });
    process.exit(3);
  });
}

const forever = () => new Promise(() => {});

// client: node client.js PORT SCENARIO [JSON-OPTIONS]; SCENARIO is serve for one that only answers, until stdin ends.
async function client(lib) {
  faults();
  const [port, name, options] = process.argv.slice(2);
  const o = { port: Number(port), ...JSON.parse(options ?? "{}") };
  const peer = await lib.connect(o, responder(say, lib.codec));
  const leave = () => {
    peer.close();
    process.exit(0);
  };
  process.stdin.on("data", () => {}).on("end", leave);
  peer.closed.then((closed) => say({ closed }));
  const scenario = { ...scenarios, ...lib.scenarios, serve: forever }[name];
  say({ result: await scenario(peer, o, lib.codec) });
  leave();
}

// server: node server.js [JSON-OPTIONS]. A client's SETUP may hold a JSON object: {id}, which every line
// about its connection will have; {run}, a scenario to ask of it; {reject}, a reason.
async function server(lib) {
  faults();
  const o = JSON.parse(process.argv[2] ?? "null") ?? {};
  const ports = await lib.serve(o, (setup, peer) => {
    const wish = setup.data?.[0] === 0x7b ? JSON.parse(setup.data) : {};
    const sayHere = (line) => say({ id: wish.id, ...line });
    sayHere({ saw: "setup", ...setup, data: undefined, metadata: setup.metadata?.toString() });
    if (wish.reject) throw new Error(wish.reject);
    peer.closed.then((closed) => sayHere({ closed }));
    if (wish.run) {
      const scenario = { ...scenarios, ...lib.scenarios }[wish.run];
      setImmediate(async () => sayHere({ result: await scenario(peer, wish, lib.codec) }));
    }
    return responder(sayHere, lib.codec);
  });
  process.stdin.on("data", () => {}).on("end", () => process.exit(0));
  say(ports);
}

module.exports = { client, server };
