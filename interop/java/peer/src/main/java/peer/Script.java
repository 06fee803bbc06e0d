package peer;

import java.util.List;

/** What a requester does in one scenario. */
final class Script {
  String data = "";
  String metadata;
  List<Entries.Entry> composite; // the metadata, if it is to be written by the library
  int times = 1; // that many requests at once, numbered from 0
  int[] credit; // what is requested of a stream or channel, step by step; null: all
  int take; // cancel behind so many items
  int send; // items behind a channel's first, numbered from 1
  boolean slowly; // takes its time between them
  boolean sendAtEnd; // send them when the responder's half has ended, not before
  String then = "complete"; // how the requester's half ends: "complete", "fail", "never"

  // What "seen" waits for; "accepted" waits for the connection behind count others.
  String what;
  int count;

  Message first() {
    return new Message(metadata, data);
  }

  Script numbered(int i) {
    if (times == 1) {
      return this;
    }
    Script s = new Script();
    Message m = first().numbered(i);
    s.data = m.data();
    s.metadata = m.metadata();
    s.credit = credit;
    s.take = take;
    s.send = send;
    s.slowly = slowly;
    s.sendAtEnd = sendAtEnd;
    s.then = then;
    return s;
  }
}
