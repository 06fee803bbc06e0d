package peer;

import java.util.ArrayList;
import java.util.List;
import java.util.concurrent.atomic.AtomicLong;
import reactor.core.publisher.Mono;
import reactor.core.publisher.MonoSink;
import reactor.core.publisher.Sinks;

/** What one end of a connection saw. */
final class Seen {
  final AtomicLong sent = new AtomicLong(); // items that its handlers and requests sent
  final Sinks.Empty<Void> gate = Sinks.empty(); // handlers that wait for the word go on

  private final List<Answer.Event> events = new ArrayList<>();
  private final List<Runnable> waiting = new ArrayList<>();

  void add(String what) {
    add(new Answer.Event(what, null, 0, null));
  }

  void add(String what, Message m) {
    add(new Answer.Event(what, m, 0, null));
  }

  void add(String what, Throwable t) {
    add(new Answer.Event(what, null, Answer.code(t), Answer.text(t)));
  }

  private synchronized void add(Answer.Event e) {
    events.add(e);
    List.copyOf(waiting).forEach(Runnable::run);
  }

  /** Answers when there are so many events of a kind. */
  Mono<Answer> await(String what, int count) {
    return Mono.create(sink -> {
      Runnable look = () -> look(sink, what, count);
      synchronized (this) {
        waiting.add(look);
        sink.onDispose(() -> forget(look));
        look.run();
      }
    });
  }

  private void look(MonoSink<Answer> sink, String what, int count) {
    List<Answer.Event> found = events.stream().filter(e -> e.what().equals(what)).toList();
    if (found.size() >= count) {
      Answer a = new Answer();
      a.events = found;
      a.sent = sent.get();
      sink.success(a);
    }
  }

  private synchronized void forget(Runnable look) {
    waiting.remove(look);
  }
}
