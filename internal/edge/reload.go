package edge

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"syscall"
	"time"

	"warmline.dev/edgelayer/declare"
)

// How often the declaration is looked at, and what is hot is kept.
const (
	lookEvery = 500 * time.Millisecond
	keepEvery = time.Minute
)

// look reads the declaration again when its file has changed, and keeps what is hot.
func (e *Edge) look(ctx context.Context) {
	look, keep := time.NewTicker(lookEvery), time.NewTicker(keepEvery)
	defer look.Stop()
	defer keep.Stop()
	for {
		select {
		case <-ctx.Done():
			return
		case <-keep.C:
			e.saveKeys()
		case <-look.C:
			if e.cfg.File != "" {
				e.reload(false)
			}
		}
	}
}

// Reload reads the declaration again, whether it has changed or not. What is wrong
// with it is logged, and changes nothing.
func (e *Edge) Reload() { e.reload(true) }

func (e *Edge) reload(whatever bool) {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	if e.stopped {
		return
	}
	text, err := e.text()
	if err == nil && !whatever {
		// One that is being written is looked at again: half of it may make sense.
		still := bytes.Equal(text, e.seen)
		e.seen = text
		if !still || bytes.Equal(text, e.read) && e.wrong == "" {
			return
		}
	}
	if err == nil {
		err = e.replace(text)
	}
	log := e.cfg.Log.With().Str("file", e.cfg.File).Logger()
	if err == nil {
		e.wrong = ""
		log.Info().Msg("declaration reloaded")
		return
	}
	if whatever || err.Error() != e.wrong { // and not again each time it is looked at
		log.Error().Err(err).Msg("declaration not reloaded: everything stays as it is")
	}
	e.wrong = err.Error()
}

// replace puts another declaration into force, all of it or nothing. The caller holds
// reloading.
func (e *Edge) replace(text []byte) error {
	e.read = text
	d, err := e.parse(text)
	if err != nil {
		return err
	}
	old := e.behind.tier.Load()
	next, err := old.Next(d)
	if err != nil {
		return err
	}
	if err := e.server.Offer(next.Services()...); err != nil {
		next.Close()
		return err
	}
	e.behind.tier.Store(next)
	limitMemory(next)
	old.Retire(next)
	return nil
}

// first is the declaration that the edge starts with.
func (e *Edge) first() (*declare.Declaration, error) {
	text, err := e.text()
	if err != nil {
		return nil, err
	}
	e.reloading.Lock()
	defer e.reloading.Unlock()
	e.read, e.seen = text, text
	return e.parse(text)
}

// text is that of the declaration, as it is now.
func (e *Edge) text() ([]byte, error) {
	if e.cfg.File == "" {
		return e.cfg.Text, nil
	}
	text, err := readFile(e.cfg.File)
	if err != nil {
		return nil, ConfigError{fmt.Errorf("declaration: %w", err)}
	}
	return text, nil
}

func (e *Edge) parse(text []byte) (*declare.Declaration, error) {
	name := e.cfg.File
	if name == "" {
		name = "built in"
	}
	d, err := declare.Parse(name, text)
	if err != nil {
		return nil, err
	}
	for source, url := range e.cfg.URLs {
		if err := d.SetURL(source, strings.Fields(url)...); err != nil {
			return nil, ConfigError{err}
		}
	}
	return d, nil
}

// readFile reads what may be a pipe, too, but waits for nobody to fill it for long.
func readFile(path string) ([]byte, error) {
	const patience = 2 * time.Second
	f, err := os.OpenFile(path, os.O_RDONLY|syscall.O_NONBLOCK, 0)
	if err != nil {
		return nil, err
	}
	defer f.Close()
	_ = f.SetReadDeadline(time.Now().Add(patience))         // a file has none, and needs none
	return io.ReadAll(io.LimitReader(f, declare.MaxSize+1)) // Parse says that it is too large
}
