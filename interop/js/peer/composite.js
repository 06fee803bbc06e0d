"use strict";
// Composite metadata, by the codec of either library: the functions have the same names.
// A test writes entries as {routes}, {user, password}, {token}, {auth, data} for another type of
// authentication, {mime, data}, or {known, data} for a MIME type that is written as an id.

function compose(codec, entries) {
  return codec.encodeCompositeMetadata(
    entries.map((e) => {
      if (e.routes) return [codec.routing, codec.encodeRoutes(...e.routes)];
      if (e.user) return [codec.authentication, codec.encodeSimpleAuthMetadata(e.user, e.password)];
      if (e.token) return [codec.authentication, codec.encodeBearerAuthMetadata(e.token)];
      if (e.auth) return [codec.authentication, codec.encodeCustomAuthMetadata(e.auth, Buffer.from(e.data))];
      return [e.known ?? e.mime, Buffer.from(e.data)];
    }),
  );
}

function decompose(codec, b) {
  return [...codec.decodeCompositeMetadata(b)].map((e) => {
    const mime = e.mimeType ?? e.type; // a custom type has but the second
    if (mime === codec.routing.string) return { routes: [...codec.decodeRoutes(e.content)] };
    if (mime !== codec.authentication.string) return { mime, data: e.content.toString() };
    const { type, payload } = codec.decodeAuthMetadata(e.content);
    if (type.string === "bearer") return { token: payload.toString() };
    if (type.string !== "simple") return { auth: type.string, data: payload.toString() };
    const { username, password } = codec.decodeSimpleAuthPayload(payload);
    return { user: username.toString(), password: password.toString() };
  });
}

module.exports = { compose, decompose };
