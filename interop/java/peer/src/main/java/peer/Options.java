package peer;

/** How a client or server is made. Zero and null are the library's defaults; times are in ms. */
final class Options {
  int port; // the client's: where to
  boolean webSocket;
  int maxFrame; // over TCP, its length prefix included
  int fragment; // longest frame sent
  int maxPayload; // largest taken, reassembled
  boolean unserved; // answers nothing, as a RSocket that overrides nothing
  String reject; // the acceptor's words instead of a handler
  Lease lease;
  Resume resume;

  // The client's SETUP.
  int keepAlive;
  int lifetime;
  String metadataMime;
  String dataMime;
  Message setup;

  static final class Lease {
    int requests; // granted at once; 0: grants nothing
    int ttl;
    int every; // a new lease so often; 0: just one
    int waiting = 256; // own requests that may wait for the peer's lease
  }

  static final class Resume {
    int session = 20_000;
    int retry = 20; // between two attempts to connect
    int retained; // bytes
    boolean cleanup; // drop what KEEPALIVE says has arrived
  }
}
