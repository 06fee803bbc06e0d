package peer;

import io.rsocket.Payload;
import io.rsocket.util.DefaultPayload;
import java.nio.ByteBuffer;
import java.nio.charset.StandardCharsets;
import java.util.regex.Matcher;
import java.util.regex.Pattern;
import java.util.zip.CRC32;

/**
 * A payload as text, so that it fits on a line: what is longer than {@link #SHOWN} bytes is
 * described by its length and checksum. Metadata that is null is absent; the text "&lt;empty&gt;" is
 * metadata of no bytes, and "&lt;N bytes&gt;" asks for so many bytes of a pattern.
 */
record Message(String metadata, String data) {
  private static final int SHOWN = 1000;
  private static final String EMPTY = "<empty>";
  private static final Pattern LONG = Pattern.compile("<(\\d+) bytes>");

  static Message of(Payload p) {
    String metadata = null;
    if (p.hasMetadata()) {
      metadata = p.getMetadata().hasRemaining() ? describe(p.getMetadata()) : EMPTY;
    }
    return new Message(metadata, describe(p.getData()));
  }

  Payload payload() {
    return DefaultPayload.create(bytes(data), metadata == null ? null : bytes(metadata));
  }

  /** The same with a number behind each part. */
  Message numbered(int i) {
    return new Message(metadata == null ? null : metadata + " " + i, data + " " + i);
  }

  private static byte[] bytes(String text) {
    if (text == null || text.equals(EMPTY)) {
      return new byte[0];
    }
    Matcher m = LONG.matcher(text);
    return m.matches() ? pattern(Integer.parseInt(m.group(1))) : text.getBytes(StandardCharsets.UTF_8);
  }

  /** Bytes of which no two neighbouring pages are alike. */
  private static byte[] pattern(int n) {
    byte[] b = new byte[n];
    for (int i = 0; i < n; i++) {
      b[i] = (byte) (i ^ i >> 8 ^ i >> 16);
    }
    return b;
  }

  private static String describe(ByteBuffer b) {
    int n = b.remaining();
    if (n <= SHOWN) {
      return StandardCharsets.UTF_8.decode(b.duplicate()).toString();
    }
    CRC32 sum = new CRC32();
    sum.update(b.duplicate());
    return String.format("<%d bytes, crc32 %08x>", n, sum.getValue());
  }
}
