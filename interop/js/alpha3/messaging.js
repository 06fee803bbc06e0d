"use strict";
// Package rsocket-messaging: requests that are routed by their composite metadata.
const { FrameTypes } = require("rsocket-core");
const { RSocketRequester, RSocketResponder } = require("rsocket-messaging");
const { WellKnownMimeType, encodeCompositeMetadata, encodeBearerAuthMetadata } = require("rsocket-composite-metadata");

// call asks what o.route answers to o.data, and says who asks.
function call(rsocket, o) {
  return new Promise((done) => {
    RSocketRequester.wrap(rsocket)
      .route(o.route)
      .metadata(WellKnownMimeType.MESSAGE_RSOCKET_AUTHENTICATION, encodeBearerAuthMetadata(o.token))
      .request((rsocket, metadata) =>
        rsocket.requestResponse(
          { data: Buffer.from(o.data), metadata: encodeCompositeMetadata(metadata) },
          {
            onNext: (p) => done({ replies: [{ data: p.data.toString() }] }),
            onError: (err) => done({ replies: [{ error: { code: err.code, message: err.message } }] }),
            onComplete() {},
            onExtension() {},
          },
        ),
      );
  });
}

// responder answers on the route "shop.prices".
function responder() {
  const prices = (p, out) => {
    out.onNext({ data: Buffer.from(`the price of ${p.data}`) }, true);
    return { cancel() {}, onExtension() {} };
  };
  return RSocketResponder.builder()
    .route("shop.prices", Object.assign(prices, { requestType: FrameTypes.REQUEST_RESPONSE }))
    .build();
}

module.exports = { call, responder };
