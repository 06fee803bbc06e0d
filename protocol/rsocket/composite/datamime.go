package composite

import (
	"fmt"
	"iter"
)

// AppendDataMIME appends an entry that says in which MIME type the data of this
// payload's stream is, if not in that of SETUP. The MIME type must be a
// well-known one or 1 to 128 bytes of printable ASCII; with an error nothing is
// appended.
func AppendDataMIME(dst []byte, mime string) ([]byte, error) {
	return appendEntry(dst, mimeTypeID, func(dst []byte) ([]byte, error) { return appendMIME(dst, mime) })
}

// AppendAcceptedMIMEs appends an entry of a request that says in which MIME
// types the answer is welcome, the best first. For each goes what is said of
// [AppendDataMIME].
func AppendAcceptedMIMEs(dst []byte, mimes ...string) ([]byte, error) {
	return appendEntry(dst, acceptMIMEsID, func(dst []byte) (_ []byte, err error) {
		for _, mime := range mimes {
			if dst, err = appendMIME(dst, mime); err != nil {
				return nil, err
			}
		}
		return dst, nil
	})
}

func appendMIME(dst []byte, mime string) ([]byte, error) {
	id, ok := ids[mime]
	return appendName(dst, mime, id, ok)
}

// DataMIME parses the data of an entry with the MIME type [MIMEType]: one name,
// "0x30" and the like where its id is reserved.
func DataMIME(data []byte) (string, error) {
	mime, n, err := parseName(data, Name)
	if err == nil && n < len(data) {
		err = fmt.Errorf("%d bytes after %q, expected none", len(data)-n, mime)
	}
	if err != nil {
		return "", fmt.Errorf("MIME type metadata: %w", err)
	}
	return mime, nil
}

// AcceptedMIMEs yields the names in the data of an entry with the MIME type
// [AcceptMIMEs]. The first that is malformed is yielded as an error, and is the
// last.
func AcceptedMIMEs(data []byte) iter.Seq2[string, error] {
	return func(yield func(string, error) bool) {
		for at := 0; at < len(data); {
			mime, n, err := parseName(data[at:], Name)
			if err != nil {
				err = fmt.Errorf("accepted MIME types, byte %d: %w", at, err)
			}
			if !yield(mime, err) || err != nil {
				return
			}
			at += n
		}
	}
}
