package composite

// The MIME types of metadata that the extensions define.
const (
	MIME           = "message/x.rsocket.composite-metadata.v0" // for SETUP
	Routing        = "message/x.rsocket.routing.v0"
	Tracing        = "message/x.rsocket.tracing-zipkin.v0"
	Authentication = "message/x.rsocket.authentication.v0"
	AcceptMIMEs    = "message/x.rsocket.accept-mime-types.v0"
	MIMEType       = "message/x.rsocket.mime-type.v0"
)

const (
	mimeTypeID       = 0x7A
	acceptMIMEsID    = 0x7B
	authenticationID = 0x7C
	routingID        = 0x7E
)

// ID returns the id of a MIME type that the extension "Well-known MIME Types"
// lists: below 0x80.
func ID(mime string) (id byte, ok bool) {
	id, ok = ids[mime]
	return id, ok
}

// Name returns the MIME type with an id. The ids 0x2B to 0x79 are reserved.
func Name(id byte) (mime string, ok bool) {
	if int(id) >= len(names) || names[id] == "" {
		return "", false
	}
	return names[id], true
}

// names are the well-known MIME types by their id.
var names = [128]string{
	0x00: "application/avro",
	0x01: "application/cbor",
	0x02: "application/graphql",
	0x03: "application/gzip",
	0x04: "application/javascript",
	0x05: "application/json",
	0x06: "application/octet-stream",
	0x07: "application/pdf",
	0x08: "application/vnd.apache.thrift.binary",
	0x09: "application/vnd.google.protobuf",
	0x0A: "application/xml",
	0x0B: "application/zip",
	0x0C: "audio/aac",
	0x0D: "audio/mp3",
	0x0E: "audio/mp4",
	0x0F: "audio/mpeg3",
	0x10: "audio/mpeg",
	0x11: "audio/ogg",
	0x12: "audio/opus",
	0x13: "audio/vorbis",
	0x14: "image/bmp",
	0x15: "image/gif",
	0x16: "image/heic-sequence",
	0x17: "image/heic",
	0x18: "image/heif-sequence",
	0x19: "image/heif",
	0x1A: "image/jpeg",
	0x1B: "image/png",
	0x1C: "image/tiff",
	0x1D: "multipart/mixed",
	0x1E: "text/css",
	0x1F: "text/csv",
	0x20: "text/html",
	0x21: "text/plain",
	0x22: "text/xml",
	0x23: "video/H264",
	0x24: "video/H265",
	0x25: "video/VP8",
	0x26: "application/x-hessian",
	0x27: "application/x-java-object",
	0x28: "application/cloudevents+json",
	0x29: "application/x-capnp",
	0x2A: "application/x-flatbuffers",

	mimeTypeID:       MIMEType,
	acceptMIMEsID:    AcceptMIMEs,
	authenticationID: Authentication,
	0x7D:             Tracing,
	routingID:        Routing,
	0x7F:             MIME,
}

// ids are the ids by their MIME type.
var ids = func() map[string]byte {
	m := map[string]byte{}
	for id, name := range names {
		if name != "" {
			m[name] = byte(id)
		}
	}
	return m
}()
