package peer;

import io.rsocket.Payload;
import java.time.Duration;
import java.util.ArrayList;
import java.util.List;
import org.reactivestreams.Subscription;
import reactor.core.publisher.BaseSubscriber;
import reactor.core.publisher.Mono;
import reactor.core.publisher.Sinks;

/** Takes the items of a stream or channel, with the credit that a script says. */
final class Taker extends BaseSubscriber<Payload> {
  /** How long it is watched that nothing comes without credit. */
  private static final Duration WATCHED = Duration.ofMillis(30);

  private final Script script;
  private final List<Message> items = new ArrayList<>();
  private final List<Integer> counts = new ArrayList<>();
  private final Sinks.One<Answer> done = Sinks.one();
  private int step;
  private int granted;

  Taker(Script script) {
    this.script = script;
  }

  /** Answers when nothing more comes; who no longer waits for it cancels. */
  Mono<Answer> answer() {
    return ended().doOnCancel(this::cancel);
  }

  Mono<Answer> ended() {
    return done.asMono();
  }

  @Override
  protected void hookOnSubscribe(Subscription s) {
    if (script.credit == null) {
      requestUnbounded();
    } else {
      grant();
    }
  }

  @Override
  protected synchronized void hookOnNext(Payload p) {
    items.add(Message.of(p));
    if (items.size() == script.take) {
      cancel();
      finish(Answer.ended("canceled"));
    } else if (items.size() == granted) {
      Mono.delay(WATCHED).subscribe(x -> grant());
    }
  }

  private void grant() {
    int n;
    synchronized (this) {
      if (granted > 0) {
        counts.add(items.size());
      }
      if (step == script.credit.length) {
        cancel();
        finish(Answer.ended("canceled"));
        return;
      }
      n = script.credit[step++];
      granted += n;
    }
    request(n);
  }

  @Override
  protected void hookOnComplete() {
    finish(Answer.ended("complete"));
  }

  @Override
  protected void hookOnError(Throwable t) {
    finish(Answer.failed(t));
  }

  private synchronized void finish(Answer a) {
    a.items = List.copyOf(items);
    a.counts = List.copyOf(counts);
    done.tryEmitValue(a);
  }
}
