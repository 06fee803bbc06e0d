package peer;

import io.rsocket.ConnectionSetupPayload;
import io.rsocket.RSocket;
import io.rsocket.SocketAcceptor;
import io.rsocket.core.LeaseSpec;
import io.rsocket.core.RSocketConnector;
import io.rsocket.core.RSocketServer;
import io.rsocket.core.Resume;
import io.rsocket.frame.FrameLengthCodec;
import io.rsocket.lease.Lease;
import io.rsocket.resume.InMemoryResumableFramesStore;
import io.rsocket.transport.ClientTransport;
import io.rsocket.transport.ServerTransport;
import io.rsocket.transport.netty.client.TcpClientTransport;
import io.rsocket.transport.netty.client.WebsocketClientTransport;
import io.rsocket.transport.netty.server.CloseableChannel;
import io.rsocket.transport.netty.server.TcpServerTransport;
import io.rsocket.transport.netty.server.WebsocketServerTransport;
import java.time.Duration;
import java.util.function.Consumer;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.netty.tcp.TcpClient;
import reactor.netty.tcp.TcpServer;
import reactor.util.retry.Retry;

/** Clients and servers, made as {@link Options} say. */
final class Ends {
  private static final String HOST = "127.0.0.1";

  /** Told of each connection a server has, before its first request. */
  interface Accepted {
    void connection(RSocket socket, Seen seen, ConnectionSetupPayload setup);
  }

  static Mono<RSocket> dial(Options o, Seen seen) {
    RSocketConnector c = RSocketConnector.create().fragment(o.fragment);
    if (o.maxPayload > 0) {
      c.maxInboundPayloadSize(o.maxPayload);
    }
    if (o.keepAlive > 0) {
      c.keepAlive(Duration.ofMillis(o.keepAlive), Duration.ofMillis(o.lifetime));
    }
    if (o.metadataMime != null) {
      c.metadataMimeType(o.metadataMime);
    }
    if (o.dataMime != null) {
      c.dataMimeType(o.dataMime);
    }
    if (o.setup != null) {
      c.setupPayload(o.setup.payload());
    }
    if (o.lease != null) {
      c.lease(lease(o.lease));
    }
    if (o.resume != null) {
      c.resume(resume(o.resume));
    }
    if (!o.unserved) {
      c.acceptor(SocketAcceptor.with(new Responder(seen)));
    }
    TcpClient tcp = TcpClient.create().host(HOST).port(o.port);
    ClientTransport transport =
        o.webSocket ? WebsocketClientTransport.create(tcp) : TcpClientTransport.create(tcp, maxFrame(o));
    return c.connect(transport);
  }

  static Mono<CloseableChannel> listen(Options o, Accepted accepted) {
    RSocketServer s = RSocketServer.create((setup, socket) -> {
      if (o.reject != null) {
        return Mono.error(new IllegalArgumentException(o.reject));
      }
      Seen seen = new Seen();
      accepted.connection(socket, seen, setup);
      return Mono.just(o.unserved ? new RSocket() {} : new Responder(seen));
    }).fragment(o.fragment);
    if (o.maxPayload > 0) {
      s.maxInboundPayloadSize(o.maxPayload);
    }
    if (o.lease != null) {
      s.lease(lease(o.lease));
    }
    if (o.resume != null) {
      s.resume(resume(o.resume));
    }
    ServerTransport<CloseableChannel> transport = o.webSocket
        ? WebsocketServerTransport.create(HOST, 0)
        : TcpServerTransport.create(TcpServer.create().host(HOST).port(0), maxFrame(o));
    return s.bind(transport);
  }

  private static int maxFrame(Options o) {
    return o.maxFrame > 0 ? o.maxFrame : FrameLengthCodec.FRAME_LENGTH_MASK;
  }

  private static Consumer<LeaseSpec> lease(Options.Lease o) {
    Lease[] none = {};
    Flux<Lease> leases = o.requests == 0
        ? Flux.just(none)
        : Flux.interval(Duration.ZERO, Duration.ofMillis(o.every > 0 ? o.every : 1))
            .take(o.every > 0 ? Long.MAX_VALUE : 1)
            .map(i -> Lease.create(Duration.ofMillis(o.ttl), o.requests));
    return spec -> spec.maxPendingRequests(o.waiting).sender(() -> leases);
  }

  private static Resume resume(Options.Resume o) {
    Resume r = new Resume()
        .sessionDuration(Duration.ofMillis(o.session))
        .retry(Retry.fixedDelay(Long.MAX_VALUE, Duration.ofMillis(o.retry)));
    if (o.retained > 0) {
      r.storeFactory(token -> new InMemoryResumableFramesStore("peer", token, o.retained));
    }
    if (o.cleanup) {
      r.cleanupStoreOnKeepAlive();
    }
    return r;
  }

  private Ends() {}
}
