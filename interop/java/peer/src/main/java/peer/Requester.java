package peer;

import io.rsocket.Payload;
import io.rsocket.RSocket;
import io.rsocket.exceptions.CustomRSocketException;
import java.util.List;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** The scenarios in which this end asks. */
final class Requester {
  private final RSocket socket;
  private final Seen seen;

  Requester(RSocket socket, Seen seen) {
    this.socket = socket;
    this.seen = seen;
  }

  Mono<Answer> run(String scenario, Script s) {
    if (s.times == 1) {
      return one(scenario, s);
    }
    return Flux.range(0, s.times)
        .flatMapSequential(i -> one(scenario, s.numbered(i)), s.times)
        .collectList()
        .map(all -> {
          Answer a = new Answer();
          a.all = all;
          return a;
        });
  }

  private Mono<Answer> one(String scenario, Script s) {
    Payload first = s.composite == null ? s.first().payload() : Entries.write(s.data, s.composite);
    return switch (scenario) {
      case "response" -> single(socket.requestResponse(first));
      case "forget" -> single(socket.fireAndForget(first).cast(Payload.class));
      case "push" -> single(socket.metadataPush(first).cast(Payload.class));
      case "stream" -> {
        Taker taker = new Taker(s);
        socket.requestStream(first).subscribe(taker);
        yield taker.answer();
      }
      case "channel" -> channel(first, s);
      default -> Mono.error(new IllegalArgumentException("no such scenario: " + scenario));
    };
  }

  private static Mono<Answer> single(Mono<Payload> reply) {
    return reply
        .map(p -> {
          Answer a = Answer.ended("complete");
          a.items = List.of(Message.of(p));
          return a;
        })
        .defaultIfEmpty(Answer.ended("complete"))
        .onErrorResume(e -> Mono.just(Answer.failed(e)));
  }

  private Mono<Answer> channel(Payload first, Script s) {
    Taker taker = new Taker(s);
    Sinks.One<String> sendEnd = Sinks.one();
    Flux<Payload> following = Flux.range(1, s.send).map(i -> s.first().numbered(i).payload());
    if (s.slowly) {
      following = following.delayElements(Responder.SLOWLY);
    }
    if (s.sendAtEnd) {
      following = following.delaySubscription(taker.ended());
    }
    Flux<Payload> out = Flux.concat(Flux.just(first), following, switch (s.then) {
      case "never" -> Flux.never();
      case "fail" -> Flux.error(new CustomRSocketException(Responder.REFUSAL, "I give up"));
      default -> Flux.empty();
    });
    socket.requestChannel(out
            .doOnNext(i -> seen.sent.incrementAndGet())
            .doOnComplete(() -> sendEnd.tryEmitValue("complete"))
            .doOnError(e -> sendEnd.tryEmitValue("error"))
            .doOnCancel(() -> sendEnd.tryEmitValue("canceled")))
        .subscribe(taker);
    return taker.answer().zipWith(sendEnd.asMono(), (a, end) -> {
      a.sendEnd = end;
      return a;
    });
  }
}
