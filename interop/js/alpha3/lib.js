"use strict";
// rsocket-js 1.0.0-alpha.3 as the peer programs use it.
const { RSocketConnector, RSocketServer, RSocketError } = require("rsocket-core");
const { TcpClientTransport } = require("rsocket-tcp-client");
const { TcpServerTransport } = require("rsocket-tcp-server");
const { WebsocketClientTransport } = require("rsocket-websocket-client");
const { WebsocketServerTransport } = require("rsocket-websocket-server");
const net = require("net");
const WebSocket = require("ws");
const composite = require("rsocket-composite-metadata");
const messaging = require("./messaging");
const { payload } = require("../peer/payload");

const host = "127.0.0.1";
const arrived = (p) => payload(p.data, p.metadata);
const told = (err) => ({ code: Number.isInteger(err.code) ? err.code : undefined, message: err.message }); // a system error has a name there

// thrown is an error whose code is sent. As the library is compiled, what new RSocketError makes is not one by
// its own test, and would go as APPLICATION_ERROR.
function thrown(err) {
  return err instanceof Error ? err : Object.setPrototypeOf(new RSocketError(err.code, err.message), RSocketError.prototype);
}

// a side of a stream, whichever, hears this of the library
function subscriber(s) {
  return {
    onNext(p, last) {
      s.next(arrived(p));
      if (last) s.complete();
    },
    onComplete: () => s.complete(),
    onError: (err) => s.failed(told(err)),
    onExtension() {},
    request: (n) => s.requested(n),
    cancel: () => s.canceled(),
  };
}

function peer(rsocket) {
  return {
    rsocket,
    closed: new Promise((done) => rsocket.onClose((err) => done(err ? told(err) : {}))),
    close: () => rsocket.close(),
    fnf: (p) => void rsocket.fireAndForget(p, { onError() {}, onComplete() {} }),
    push: (metadata) => rsocket.metadataPush(metadata, {}),
    response(p, sink) {
      return rsocket.requestResponse(p, {
        onNext: (p) => sink.done(arrived(p)),
        onComplete: () => sink.done(null),
        onError: (err) => sink.failed(told(err)),
        onExtension() {},
      });
    },
    stream: (p, n, sink) => rsocket.requestStream(p, n, subscriber(sink)),
    channel(p, n, sink) {
      const c = rsocket.requestChannel(p, n, false, subscriber(sink));
      return {
        request: (n) => c.request(n),
        cancel: () => c.cancel(),
        next: (p) => c.onNext(p, false),
        complete: () => c.onComplete(),
        failed: (err) => c.onError(thrown(err)),
      };
    },
  };
}

// answers makes a responder of the library of ours.
function answers(r) {
  const out = (s) => ({
    done: (p) => s.onNext(p, true),
    next: (p) => s.onNext(p, false),
    complete: () => s.onComplete(),
    failed: (err) => s.onError(thrown(err)),
    request: (n) => s.request(n),
    cancel: () => s.cancel(),
  });
  const none = { request() {}, cancel() {}, next() {}, complete() {}, failed() {} };
  return {
    fireAndForget(p) {
      r.fnf(arrived(p));
      return { cancel() {}, onExtension() {} };
    },
    requestResponse: (p, s) => ({ ...(r.response(arrived(p), out(s)) ?? none), onExtension() {} }),
    requestStream: (p, n, s) => ({ ...(r.stream(arrived(p), n, out(s)) ?? none), onExtension() {} }),
    requestChannel(p, n, last, s) {
      const side = r.channel(arrived(p), n, out(s)) ?? none;
      if (last) setImmediate(() => side.complete());
      return subscriber({ ...side, requested: (n) => side.request(n), canceled: () => side.cancel() });
    },
  };
}

async function connect(o, r) {
  const setup = o.setup ?? {};
  const rsocket = await new RSocketConnector({
    setup: {
      keepAlive: setup.keepAlive ?? 10_000,
      lifetime: setup.lifetime ?? 60_000,
      dataMimeType: setup.dataMIME,
      metadataMimeType: setup.metadataMIME,
      payload: payload(setup.data, setup.metadata),
    },
    responder: o.serves === false ? undefined : answers(r),
    fragmentation: o.fragment ? { maxOutboundFragmentSize: o.fragment } : undefined,
    lease: o.lease ? { maxPendingRequests: o.lease.pending } : undefined,
    resume: o.resume ? { tokenGenerator: () => Buffer.from(o.resume), reconnectFunction: () => pause(20) } : undefined,
    transport: o.ws
      ? new WebsocketClientTransport({ url: `ws://${host}:${o.port}${o.ws}`, wsCreator: (url) => new WebSocket(url) })
      : new TcpClientTransport({ connectionOptions: { host, port: o.port, noDelay: true } }),
  }).connect();
  return peer(rsocket);
}

const pause = (ms) => new Promise((done) => setTimeout(done, ms));

// serve listens on TCP and on WebSocket and returns the ports.
async function serve(o, accept) {
  const acceptor = {
    async accept(s, rsocket) {
      const setup = { dataMIME: s.dataMimeType, metadataMIME: s.metadataMimeType, data: s.data, metadata: s.metadata };
      const responder = accept({ ...setup, keepAlive: s.keepAliveInterval, lifetime: s.keepAliveMaxLifetime }, peer(rsocket));
      return o.routes ? messaging.responder() : answers(responder);
    },
  };
  const config = {
    acceptor,
    lease: o.lease ? { maxPendingRequests: o.lease.pending } : undefined,
    resume: o.resume ? { sessionTimeout: o.resume } : undefined,
  };
  const listeners = {};
  const tcp = new TcpServerTransport({
    listenOptions: { host, port: 0 },
    socketCreator: () => (listeners.port = new net.Server({ noDelay: true })),
  });
  const ws = new WebsocketServerTransport({
    wsCreator: () => (listeners.ws = new WebSocket.Server({ host, port: 0 })),
  });
  for (const transport of [tcp, ws]) await new RSocketServer({ ...config, transport }).bind();
  return { port: listeners.port.address().port, ws: listeners.ws.address().port };
}

const codec = {
  ...composite,
  routing: composite.WellKnownMimeType.MESSAGE_RSOCKET_ROUTING,
  authentication: composite.WellKnownMimeType.MESSAGE_RSOCKET_AUTHENTICATION,
};

// scenarios are what this library has beside the common ones.
const scenarios = { routed: (peer, o) => messaging.call(peer.rsocket, o) };

module.exports = { connect, serve, codec, scenarios };
