package edge

import (
	"bytes"
	"context"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"warmline.dev/edgelayer/declare"
)

// How often the declaration is looked at, and what is hot is kept.
const (
	lookEvery = time.Second
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
	log := e.cfg.Log.With().Str("file", e.cfg.File).Logger()
	before := e.read
	next, err := e.declarationLocked()
	if err == nil {
		if bytes.Equal(before, e.read) && !whatever && e.wrong == "" {
			return
		}
		err = e.replace(next)
	}
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

// replace puts another declaration into force, all of it or nothing.
func (e *Edge) replace(d *declare.Declaration) error {
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

func (e *Edge) declaration() (*declare.Declaration, error) {
	e.reloading.Lock()
	defer e.reloading.Unlock()
	return e.declarationLocked()
}

// declarationLocked reads the declaration. The caller holds reloading.
func (e *Edge) declarationLocked() (*declare.Declaration, error) {
	text, name := e.cfg.Text, "built in"
	if e.cfg.File != "" {
		var err error
		if text, err = readFile(e.cfg.File); err != nil {
			return nil, ConfigError{err}
		}
		name = e.cfg.File
	}
	e.read = text
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

func readFile(path string) ([]byte, error) {
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("declaration: %w", err)
	}
	defer f.Close()
	text, err := io.ReadAll(io.LimitReader(f, declare.MaxSize+1)) // Parse says that it is too large
	if err != nil {
		return nil, fmt.Errorf("declaration: %w", err)
	}
	return text, nil
}
