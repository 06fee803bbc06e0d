package peer;

import io.rsocket.RSocketErrorException;
import java.util.List;

/** One line out. What does not apply is absent. */
final class Answer {
  long id; // the command's
  Integer on; // the connection or server made
  Integer port;

  List<Message> items; // what was received
  List<Integer> counts; // how many there were when all credit was used up
  String end; // "complete", "canceled", "error"
  String sendEnd; // the same of a channel's other half
  Long sent; // items that left on channels and streams
  Long code; // of an error, 0 if it was not said by an ERROR frame
  String text;

  List<Answer> all; // one for each of many
  List<Event> events;

  static Answer ended(String end) {
    Answer a = new Answer();
    a.end = end;
    return a;
  }

  static Answer failed(Throwable t) {
    Answer a = ended("error");
    a.code = code(t);
    a.text = text(t);
    return a;
  }

  static long code(Throwable t) {
    return t instanceof RSocketErrorException e ? e.errorCode() & 0xFFFFFFFFL : 0;
  }

  static String text(Throwable t) {
    return t instanceof RSocketErrorException ? t.getMessage() : t.toString();
  }

  /** What a handler saw. */
  record Event(String what, Message message, long code, String text) {}
}
