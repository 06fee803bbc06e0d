package revocation

import (
	"bufio"
	"encoding/binary"
	"errors"
	"fmt"
	"hash/crc32"
	"io"
	"os"
	"path/filepath"
)

// A journal begins with journalHead. Records follow, 16 bytes each: an entry as on
// the wire, and CRC-32C over it, big-endian.
const (
	journalHead = "WLrevoc1"
	recordBytes = entryBytes + 4
)

var castagnoli = crc32.MakeTable(crc32.Castagnoli)

// journal is the file of a window: what was added, in order.
type journal struct {
	path    string
	lock    *os.File
	file    *os.File // nil until it is written anew
	records int
}

// openJournal locks a journal, and gives what is in it to take. What was not
// written as a whole, or has changed since, is left out and counted.
func openJournal(path string, take func(entry)) (_ *journal, broken int, err error) {
	j := &journal{path: path}
	if j.lock, err = os.OpenFile(path+".lock", os.O_CREATE|os.O_RDWR, 0o600); err != nil {
		return nil, 0, fmt.Errorf("revocation: the window's lock: %w", err)
	}
	defer func() {
		if err != nil {
			j.close()
		}
	}()
	if lock(j.lock) != nil {
		return nil, 0, fmt.Errorf("revocation: %s is in use by another publisher: give each its own file", path)
	}
	f, err := os.OpenFile(path, os.O_RDWR|os.O_APPEND, 0)
	if errors.Is(err, os.ErrNotExist) {
		return j, 0, nil
	}
	if err != nil {
		return nil, 0, fmt.Errorf("revocation: the window: %w", err)
	}
	j.file = f
	if info, err := f.Stat(); err != nil || !info.Mode().IsRegular() {
		return nil, 0, fmt.Errorf("revocation: %s is no file of this package; give another path, or move it away to begin with nothing", path)
	}
	whole, broken, err := readJournal(f, take)
	if err != nil {
		return nil, 0, fmt.Errorf("revocation: %s: %w; give another path, or move it away to begin with nothing", path, err)
	}
	j.records = whole
	return j, broken, nil
}

// readJournal reads what is whole, wherever it stands: records have one length.
func readJournal(f io.Reader, take func(entry)) (whole, broken int, err error) {
	r := bufio.NewReaderSize(f, 64<<10)
	var head [len(journalHead)]byte
	if _, err := io.ReadFull(r, head[:]); err != nil || string(head[:]) != journalHead {
		return 0, 0, fmt.Errorf("expected it to begin with %q", journalHead)
	}
	for {
		var b [recordBytes]byte
		n, err := io.ReadFull(r, b[:])
		switch {
		case err == io.EOF:
			if whole == 0 && broken > 0 {
				return 0, broken, fmt.Errorf("none of its %d records is whole", broken)
			}
			return whole, broken, nil
		case err == nil && crc32.Checksum(b[:entryBytes], castagnoli) == binary.BigEndian.Uint32(b[entryBytes:]):
			take(entry{binary.BigEndian.Uint64(b[:]), binary.BigEndian.Uint32(b[8:])})
			whole++
		case err == nil, n > 0 && err == io.ErrUnexpectedEOF:
			broken++
		default:
			return 0, 0, err
		}
	}
}

func appendRecord(b []byte, e entry) []byte {
	from := len(b)
	b = appendEntry(b, e)
	return binary.BigEndian.AppendUint32(b, crc32.Checksum(b[from:], castagnoli))
}

// append adds records, and returns when they are on disk. After an error the
// journal must be written anew.
func (j *journal) append(entries []entry) error {
	b := make([]byte, 0, recordBytes*len(entries))
	for _, e := range entries {
		b = appendRecord(b, e)
	}
	if _, err := j.file.Write(b); err != nil {
		return err
	}
	j.records += len(entries)
	return j.file.Sync()
}

// rewrite puts a journal of these in the place of the one there is. Either the old
// one is there afterwards, or the new one, whatever happens meanwhile.
func (j *journal) rewrite(t *table) error {
	temp := j.path + ".new" // nobody else has the lock
	f, err := os.OpenFile(temp, os.O_CREATE|os.O_TRUNC|os.O_WRONLY|os.O_APPEND, 0o600)
	if err != nil {
		return err
	}
	w := bufio.NewWriterSize(f, 64<<10)
	_, err = w.WriteString(journalHead)
	var buf [recordBytes]byte
	for e := range t.entries(0) {
		if err == nil {
			_, err = w.Write(appendRecord(buf[:0], e))
		}
	}
	if err == nil {
		err = w.Flush()
	}
	if err == nil {
		err = f.Sync()
	}
	if err == nil {
		err = os.Rename(temp, j.path)
	}
	if err == nil {
		err = syncDir(filepath.Dir(j.path))
	}
	if err != nil {
		_ = f.Close() // the first error says why
		return err
	}
	if j.file != nil {
		_ = j.file.Close() // it is another's place now
	}
	j.file, j.records = f, len(t.ids)
	return nil
}

// syncDir has a rename survive the loss of power.
func syncDir(path string) error {
	d, err := os.Open(path)
	if err != nil {
		return err
	}
	return errors.Join(d.Sync(), d.Close())
}

func (j *journal) close() {
	for _, f := range []*os.File{j.file, j.lock} {
		if f != nil {
			_ = f.Close() // all that matters was synced
		}
	}
}
