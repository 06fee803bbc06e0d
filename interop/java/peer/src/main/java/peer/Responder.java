package peer;

import io.rsocket.Payload;
import io.rsocket.RSocket;
import io.rsocket.exceptions.CustomRSocketException;
import java.time.Duration;
import org.reactivestreams.Publisher;
import reactor.core.publisher.Flux;
import reactor.core.publisher.Mono;

/**
 * What this end answers: the request itself, unless its data is one of the words below. "refuse
 * 0x301" refuses with that code.
 */
final class Responder implements RSocket {
  static final int REFUSAL = 0x305;
  static final Duration SLOWLY = Duration.ofMillis(5); // between two items

  private final Seen seen;

  Responder(Seen seen) {
    this.seen = seen;
  }

  @Override
  public Mono<Void> fireAndForget(Payload p) {
    seen.add("forgotten", Message.of(p));
    return Mono.empty();
  }

  @Override
  public Mono<Void> metadataPush(Payload p) {
    seen.add("pushed", Message.of(p));
    return Mono.empty();
  }

  @Override
  public Mono<Payload> requestResponse(Payload p) {
    return switch (p.getDataUtf8()) {
      case "nothing" -> Mono.empty();
      case "entries" -> Mono.just(Entries.read(p));
      default -> {
        Mono<Payload> special = special(p.getDataUtf8());
        yield special != null ? special : Mono.just(p);
      }
    };
  }

  /**
   * "N" gives N items, "N then refuse" an error behind them, "N slowly" takes its time; other data
   * comes back as one item.
   */
  @Override
  public Flux<Payload> requestStream(Payload p) {
    String data = p.getDataUtf8();
    Mono<Payload> special = special(data);
    if (special != null) {
      return special.flux();
    }
    String[] words = data.split(" ", 2);
    if (!words[0].matches("\\d{1,9}")) {
      return Flux.just(p);
    }
    seen.add("begun");
    Message item = new Message(Message.of(p).metadata(), "item");
    Flux<Payload> items = Flux.range(0, Integer.parseInt(words[0])).map(i -> item.numbered(i).payload());
    if (data.endsWith(" then refuse")) {
      items = items.concatWith(special("refuse"));
    }
    if (data.endsWith(" slowly")) {
      items = items.delayElements(SLOWLY);
    }
    return items
        .doOnNext(i -> seen.sent.incrementAndGet())
        .doOnCancel(() -> seen.add("released"));
  }

  @Override
  public Flux<Payload> requestChannel(Publisher<Payload> inbound) {
    return Flux.from(inbound).switchOnFirst((first, in) -> first.hasValue() ? channel(first.get(), in) : in, false);
  }

  private Flux<Payload> channel(Payload first, Flux<Payload> in) {
    Mono<Payload> special = special(first.getDataUtf8());
    if (special != null) {
      in.subscribe(i -> {}, e -> {}); // the half that comes in is its own affair
      return special.flux();
    }
    seen.add("begun");
    return switch (first.getDataUtf8()) {
      case "gate" -> echo(in).delaySubscription(seen.gate.asMono());
      case "collect" -> in
          .doOnError(e -> seen.add("broken", e))
          .collectList()
          .flatMapIterable(items -> items);
      case "bye" -> { // this half ends first
        in.subscribe(i -> seen.add("took", Message.of(i)), e -> seen.add("broken", e), () -> seen.add("complete"));
        yield Flux.just(first);
      }
      case "enough" -> in.take(3).thenMany(Flux.range(1, 3)).map(i -> new Message(null, "more " + i).payload());
      default -> echo(in);
    };
  }

  private Flux<Payload> echo(Flux<Payload> in) {
    return in
        .doOnError(e -> seen.add("broken", e))
        .doOnNext(i -> seen.sent.incrementAndGet())
        .doOnCancel(() -> seen.add("released"));
  }

  private Mono<Payload> special(String word) {
    if (word.startsWith("refuse 0x")) {
      return Mono.error(new CustomRSocketException(Long.decode(word.substring(7)).intValue(), "who is asking?"));
    }
    return switch (word) {
      case "refuse" -> Mono.error(new CustomRSocketException(REFUSAL, "who is asking?"));
      case "fail" -> Mono.error(new IllegalStateException("it broke"));
      case "hang" -> {
        seen.add("hung");
        yield Mono.<Payload>never().doOnCancel(() -> seen.add("released"));
      }
      default -> null;
    };
  }
}
