package peer;

import com.google.gson.Gson;
import io.netty.buffer.ByteBuf;
import io.netty.buffer.ByteBufAllocator;
import io.netty.buffer.ByteBufUtil;
import io.netty.buffer.CompositeByteBuf;
import io.netty.buffer.Unpooled;
import io.rsocket.Payload;
import io.rsocket.metadata.AuthMetadataCodec;
import io.rsocket.metadata.CompositeMetadata;
import io.rsocket.metadata.CompositeMetadataCodec;
import io.rsocket.metadata.MimeTypeMetadataCodec;
import io.rsocket.metadata.RoutingMetadata;
import io.rsocket.metadata.TaggingMetadataCodec;
import io.rsocket.metadata.WellKnownAuthType;
import io.rsocket.util.DefaultPayload;
import java.nio.charset.StandardCharsets;
import java.util.ArrayList;
import java.util.List;

/** Composite metadata, written and read with the library's codecs. */
final class Entries {
  private static final ByteBufAllocator ALLOC = ByteBufAllocator.DEFAULT;
  private static final String ROUTING = "message/x.rsocket.routing.v0";
  private static final String AUTH = "message/x.rsocket.authentication.v0";
  private static final String MIME_TYPE = "message/x.rsocket.mime-type.v0";
  private static final String ACCEPT = "message/x.rsocket.accept-mime-types.v0";

  /** One entry, with what its MIME type makes of it. */
  record Entry(
      String mime, List<String> tags, String bearer, String user, String password, List<String> mimes, String text) {

    ByteBuf content() {
      return switch (mime) {
        case ROUTING -> TaggingMetadataCodec.createTaggingContent(ALLOC, tags);
        case AUTH -> bearer != null
            ? AuthMetadataCodec.encodeBearerMetadata(ALLOC, bearer.toCharArray())
            : AuthMetadataCodec.encodeSimpleMetadata(ALLOC, user.toCharArray(), password.toCharArray());
        case MIME_TYPE, ACCEPT -> MimeTypeMetadataCodec.encode(ALLOC, mimes);
        default -> Unpooled.copiedBuffer(text == null ? "" : text, StandardCharsets.UTF_8);
      };
    }

    static Entry of(String mime, ByteBuf content) {
      return switch (mime) {
        case ROUTING -> {
          List<String> tags = new ArrayList<>();
          new RoutingMetadata(content).forEach(tags::add);
          yield new Entry(mime, tags, null, null, null, null, null);
        }
        case AUTH -> {
          if (AuthMetadataCodec.readWellKnownAuthType(content) == WellKnownAuthType.BEARER) {
            String token = new String(AuthMetadataCodec.readBearerTokenAsCharArray(content));
            yield new Entry(mime, null, token, null, null, null, null);
          }
          String user = AuthMetadataCodec.readUsername(content).toString(StandardCharsets.UTF_8);
          String password = AuthMetadataCodec.readPassword(content).toString(StandardCharsets.UTF_8);
          yield new Entry(mime, null, null, user, password, null, null);
        }
        case MIME_TYPE, ACCEPT ->
            new Entry(mime, null, null, null, null, MimeTypeMetadataCodec.decode(content), null);
        default -> new Entry(mime, null, null, null, null, null, content.toString(StandardCharsets.UTF_8));
      };
    }
  }

  static Payload write(String data, List<Entry> entries) {
    CompositeByteBuf all = ALLOC.compositeBuffer();
    for (Entry e : entries) {
      CompositeMetadataCodec.encodeAndAddMetadataWithCompression(all, ALLOC, e.mime(), e.content());
    }
    byte[] metadata = ByteBufUtil.getBytes(all);
    all.release();
    return DefaultPayload.create(data.getBytes(StandardCharsets.UTF_8), metadata);
  }

  /** A payload whose data lists the entries of p's metadata. */
  static Payload read(Payload p) {
    List<Entry> entries = new ArrayList<>();
    for (CompositeMetadata.Entry e : new CompositeMetadata(p.sliceMetadata(), false)) {
      entries.add(Entry.of(e.getMimeType(), e.getContent()));
    }
    return DefaultPayload.create(new Gson().toJson(entries));
  }

  private Entries() {}
}
