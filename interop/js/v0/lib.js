"use strict";
// rsocket-js 0.0.27 as the peer programs use it.
const core = require("rsocket-core");
const { RSocketClient, RSocketServer, RSocketResumableTransport, BufferEncoders, Leases, Lease } = core;
const { Flowable, Single } = require("rsocket-flowable");
const RSocketTcpClient = require("rsocket-tcp-client").default;
const RSocketTCPServer = require("rsocket-tcp-server").default;
const RSocketWebSocketClient = require("rsocket-websocket-client").default;
const RSocketWebSocketServer = require("rsocket-websocket-server").default;
const net = require("net");
const WebSocket = require("ws");
const { payload } = require("../peer/payload");

const host = "127.0.0.1";
const arrived = (p) => payload(p.data, p.metadata);
const told = (err) => (err.source ? { code: err.source.code, message: err.source.message } : { message: err.message });
const thrown = (err) => (err instanceof Error ? err : Object.assign(new Error(err.message), { code: err.code }));

// subscribed gives what a flowable brings to s, and returns its subscription.
function subscribed(flowable, s, n) {
  let subscription = null;
  flowable.subscribe({
    onSubscribe(sub) {
      subscription = sub;
      if (n > 0) sub.request(n);
    },
    onNext: (p) => s.next(arrived(p)),
    onComplete: () => s.complete(),
    onError: (err) => s.failed(told(err)),
  });
  return subscription;
}

// source is a flowable that start(n, out) begins when it is first asked for n items; it returns {request, cancel}.
function source(start) {
  return new Flowable((s) => {
    let side = null;
    const out = { next: (p) => s.onNext(p), complete: () => s.onComplete(), failed: (err) => s.onError(thrown(err)) };
    s.onSubscribe({
      request: (n) => (side ? side.request(n) : (side = start(n, out) ?? { request() {}, cancel() {} })),
      cancel: () => side?.cancel?.(),
    });
  });
}

// peer is one end of a connection; why tells what its errorHandler has heard, which comes after the end.
function peer(socket, why = () => ({})) {
  return {
    closed: new Promise((done) => {
      socket.connectionStatus().subscribe({
        onSubscribe: (s) => s.request(Number.MAX_SAFE_INTEGER),
        onNext(status) {
          if (status.kind === "CLOSED") setImmediate(() => done(why()));
          if (status.kind === "ERROR") done(told(status.error));
        },
      });
    }),
    close: () => socket.close(),
    availability: () => socket.availability(),
    fnf: (p) => socket.fireAndForget(p),
    push: (metadata) => socket.metadataPush({ metadata }).subscribe({}),
    response(p, sink) {
      let cancel = null;
      socket.requestResponse(p).subscribe({
        onSubscribe: (c) => (cancel = c),
        onComplete: (p) => sink.done(p && arrived(p)),
        onError: (err) => sink.failed(told(err)),
      });
      return { cancel: () => cancel() };
    },
    stream: (p, n, sink) => subscribed(socket.requestStream(p), sink, n),
    channel(p, n, sink) {
      let out = null;
      const items = source((_, o) => {
        out = o;
        out.next(p); // the request; what is asked for further is for the items behind it
        return { request: (n) => sink.requested(n), cancel: () => sink.canceled() };
      });
      const s = subscribed(socket.requestChannel(items), sink, n);
      return {
        request: (n) => s.request(n),
        cancel: () => s.cancel(),
        next: (p) => out.next(p),
        complete: () => out.complete(),
        failed: (err) => out.failed(err),
      };
    },
  };
}

// answers makes a responder of the library of ours.
function answers(r) {
  return {
    fireAndForget: (p) => r.fnf(arrived(p)),
    metadataPush(p) {
      r.push(p.metadata);
      return Single.of({});
    },
    requestResponse(p) {
      return new Single((s) => {
        let side = null;
        s.onSubscribe(() => side?.cancel());
        side = r.response(arrived(p), { done: (p) => s.onComplete(p), failed: (err) => s.onError(thrown(err)) });
      });
    },
    requestStream: (p) => source((n, out) => r.stream(arrived(p), n, out)),
    requestChannel(items) {
      return source((n, out) => {
        let side = null;
        let inbound = null;
        const next = (p) => (side ? side.next(p) : (side = r.channel(p, n, { ...out, request, cancel }) ?? { next() {}, complete() {} }));
        const request = (n) => inbound.request(n);
        const cancel = () => inbound.cancel();
        inbound = subscribed(items, { next, complete: () => side.complete(), failed: (err) => side.failed?.(err) }, 0);
        inbound.request(1); // the request itself
        return { request: (n) => side.request?.(n), cancel: () => side.cancel?.() };
      });
    },
  };
}

function leases(o) {
  if (!o) return undefined;
  return () =>
    new Leases().receiver(() => {}).sender(() => grants(o));
}

// grants are o.count leases of o.requests requests for o.ttl ms, o.every ms apart.
function grants(o) {
  return new Flowable((s) => {
    let timer = null;
    let left = o.count ?? 1;
    const grant = () => {
      s.onNext(new Lease(o.ttl, o.requests));
      if (--left === 0) clearInterval(timer);
    };
    s.onSubscribe({
      request() {
        timer ??= setInterval(grant, o.every ?? 50); // never at once: it would go before SETUP
      },
      cancel: () => clearInterval(timer),
    });
  });
}

function connect(o, r) {
  const setup = o.setup ?? {};
  const link = () =>
    o.ws
      ? new RSocketWebSocketClient({ url: `ws://${host}:${o.port}${o.ws}`, wsCreator: (url) => new WebSocket(url) }, BufferEncoders)
      : new RSocketTcpClient({ host, port: o.port, noDelay: true }, BufferEncoders);
  const transport = o.resume ? resumable(link, o.resume) : link();
  let complaint = {};
  const client = new RSocketClient({
    setup: {
      keepAlive: setup.keepAlive ?? 10_000,
      lifetime: setup.lifetime ?? 60_000,
      dataMimeType: setup.dataMIME ?? "application/octet-stream",
      metadataMimeType: setup.metadataMIME ?? "application/octet-stream",
      payload: payload(setup.data, setup.metadata),
    },
    responder: o.serves === false ? undefined : answers(r),
    leases: leases(o.lease),
    errorHandler: (err) => (complaint = told(err)),
    transport,
  });
  return new Promise((done, failed) => {
    client.connect().subscribe({ onComplete: (socket) => done(peer(socket, () => complaint)), onError: failed });
  });
}

// resumable connects again whenever the connection is lost: that is left to the user of the library.
function resumable(link, token) {
  const transport = new RSocketResumableTransport(
    link,
    { bufferSize: 1 << 20, resumeToken: Buffer.from(token), sessionDurationSeconds: 30 },
    BufferEncoders,
  );
  let begun = false;
  transport.connectionStatus().subscribe({
    onSubscribe: (s) => s.request(Number.MAX_SAFE_INTEGER),
    onNext(status) {
      if (status.kind === "NOT_CONNECTED" && begun) setTimeout(() => transport.connect(), 20);
      begun ||= status.kind === "CONNECTED";
    },
  });
  return transport;
}

// serve listens on TCP and on WebSocket and returns the ports.
async function serve(o, accept) {
  const listeners = {};
  const transports = [
    new RSocketTCPServer({ host, port: 0, serverFactory: (f) => (listeners.port = net.createServer({ noDelay: true }, f)) }, BufferEncoders),
    new RSocketWebSocketServer({ host, port: 0 }, BufferEncoders, (options) => (listeners.ws = new WebSocket.Server(options))),
  ];
  for (const transport of transports) {
    new RSocketServer({
      getRequestHandler: (socket, p) => answers(accept({ data: p.data, metadata: p.metadata }, peer(socket))),
      leases: leases(o.lease),
      errorHandler() {},
      transport,
    }).start();
  }
  const port = (l) => new Promise((done) => (l.address() ? done(l.address().port) : l.once("listening", () => done(l.address().port))));
  return { port: await port(listeners.port), ws: await port(listeners.ws) };
}

const codec = {
  ...core,
  routing: core.MESSAGE_RSOCKET_ROUTING,
  authentication: core.MESSAGE_RSOCKET_AUTHENTICATION,
};

module.exports = { connect, serve, codec };
