package peer;

import com.google.gson.Gson;
import com.google.gson.JsonObject;
import io.rsocket.RSocket;
import io.rsocket.transport.netty.server.CloseableChannel;
import java.io.BufferedReader;
import java.io.IOException;
import java.io.InputStreamReader;
import java.io.PrintStream;
import java.nio.charset.StandardCharsets;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.atomic.AtomicInteger;
import reactor.core.Disposable;
import reactor.core.Disposables;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/**
 * rsocket-java under remote control: a command is a line of JSON on standard input, its answer one
 * on standard output, with the command's id. Many can be under way. Called with arguments it is
 * one server or one scenario:
 *
 * <pre>
 * peer server [OPTIONS]               prints its port and serves until standard input ends
 * peer client PORT SCENARIO [SCRIPT]  runs one scenario against a server
 * peer                                takes commands until standard input ends
 * </pre>
 */
final class Peer {
  /** One line in. */
  private record Command(long id, String scenario, int on, JsonObject with) {}

  private record Connection(RSocket socket, Seen seen) {}

  private record Server(CloseableChannel channel, Sinks.Many<Answer> accepted) {}

  private static final Gson GSON = new Gson();
  private static final PrintStream OUT = new PrintStream(System.out, true, StandardCharsets.UTF_8);

  private final AtomicInteger ids = new AtomicInteger();
  private final Map<Integer, Connection> connections = new ConcurrentHashMap<>();
  private final Map<Integer, Server> servers = new ConcurrentHashMap<>();
  private final Map<Long, Disposable> running = new ConcurrentHashMap<>();

  public static void main(String[] args) throws IOException {
    Peer peer = new Peer();
    switch (args.length == 0 ? "" : args[0]) {
      case "server" -> peer.start(new Command(0, "server", 0, json(args, 1)));
      case "client" -> {
        JsonObject options = new JsonObject();
        options.addProperty("port", Integer.parseInt(args[1]));
        Answer client = peer.run(new Command(0, "client", 0, options)).block();
        OUT.println(GSON.toJson(peer.run(new Command(0, args[2], client.on, json(args, 3))).block()));
        System.exit(0);
      }
      default -> {}
    }
    BufferedReader in = new BufferedReader(new InputStreamReader(System.in, StandardCharsets.UTF_8));
    for (String line; (line = in.readLine()) != null; ) {
      peer.start(GSON.fromJson(line, Command.class));
    }
    System.exit(0); // the library's threads go on otherwise
  }

  private static JsonObject json(String[] args, int i) {
    return args.length > i ? GSON.fromJson(args[i], JsonObject.class) : new JsonObject();
  }

  private void start(Command c) {
    Disposable.Swap slot = Disposables.swap();
    running.put(c.id, slot);
    slot.update(Mono.defer(() -> run(c))
        .onErrorResume(e -> Mono.just(Answer.failed(e)))
        .subscribe(a -> answer(c.id, a)));
  }

  private void answer(long id, Answer a) {
    if (running.remove(id) != null) {
      a.id = id;
      OUT.println(GSON.toJson(a));
    }
  }

  private Mono<Answer> run(Command c) {
    return switch (c.scenario) {
      case "server" -> listen(GSON.fromJson(c.with, Options.class));
      case "accepted" -> servers.get(c.on).accepted.asFlux().elementAt(GSON.fromJson(c.with, Script.class).count);
      case "client" -> dial(GSON.fromJson(c.with, Options.class));
      case "cancel" -> Mono.fromSupplier(() -> cancel(c.on));
      case "close" -> close(c.on);
      case "gate" -> Mono.fromSupplier(() -> {
        connections.get(c.on).seen.gate.tryEmitEmpty();
        return new Answer();
      });
      case "seen" -> {
        Script s = GSON.fromJson(c.with, Script.class);
        yield connections.get(c.on).seen.await(s.what, s.count);
      }
      default -> {
        Connection to = connections.get(c.on);
        yield new Requester(to.socket, to.seen).run(c.scenario, GSON.fromJson(c.with, Script.class));
      }
    };
  }

  /** Ends a scenario that runs; it is what answers. */
  private Answer cancel(long id) {
    Disposable d = running.get(id);
    if (d != null) {
      d.dispose();
      answer(id, Answer.ended("canceled"));
    }
    return new Answer();
  }

  private Mono<Answer> dial(Options o) {
    Seen seen = new Seen();
    return Ends.dial(o, seen).map(socket -> {
      Answer a = new Answer();
      a.on = keep(socket, seen);
      return a;
    });
  }

  private Mono<Answer> listen(Options o) {
    Sinks.Many<Answer> accepted = Sinks.many().replay().all();
    return Ends.listen(o, (socket, seen, setup) -> {
      Answer a = new Answer();
      a.on = keep(socket, seen);
      seen.add("setup", Message.of(setup));
      seen.add("mime", new Message(setup.metadataMimeType(), setup.dataMimeType()));
      accepted.tryEmitNext(a);
    }).map(channel -> {
      Answer a = new Answer();
      a.on = ids.incrementAndGet();
      a.port = channel.address().getPort();
      servers.put(a.on, new Server(channel, accepted));
      return a;
    });
  }

  private int keep(RSocket socket, Seen seen) {
    int id = ids.incrementAndGet();
    connections.put(id, new Connection(socket, seen));
    socket.onClose().subscribe(null, e -> seen.add("closed", e), () -> seen.add("closed"));
    return id;
  }

  private Mono<Answer> close(int id) {
    Server s = servers.remove(id);
    if (s != null) {
      s.channel.dispose();
      return s.channel.onClose().thenReturn(new Answer());
    }
    Connection c = connections.get(id);
    c.socket.dispose();
    return c.socket.onClose().onErrorResume(e -> Mono.empty()).thenReturn(new Answer());
  }
}
