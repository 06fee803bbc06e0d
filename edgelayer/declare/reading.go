package declare

import (
	"context"
	"fmt"
	"slices"
	"strings"
	"sync/atomic"
	"time"

	"github.com/rs/zerolog"
	"github.com/tinylib/msgp/msgp"

	"warmline.dev/edgelayer/source"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/protocol"
)

// reading is what is read from a source, and what is kept of it. Several tiers may
// have it.
type reading struct {
	decl  *readDecl
	shape string
	src   *source.Source
	kept  *warm.Cache[protocol.Raw]

	tiers atomic.Int32 // that have it
}

func newReading(decl *readDecl, src *source.Source, log zerolog.Logger) (*reading, error) {
	rd := &reading{decl: decl, shape: shapeOf(decl), src: src}
	k := decl.keeping
	cfg := warm.Config[protocol.Raw]{
		Source: decl.source, Name: decl.name, Load: rd.load, Log: log,
		MaxBytes: k.bytes, MaxEntries: k.entries,
		TTL: k.ttl, Jitter: k.jitter, RefreshAhead: k.refreshAhead, Stale: k.stale, StaleIfError: k.staleIfError, Missing: k.missing,
	}
	if k.off { // what remains is that those who ask at once ask together
		cfg.MaxBytes, cfg.TTL, cfg.RefreshAhead, cfg.Stale, cfg.StaleIfError, cfg.Missing = 64<<10, time.Nanosecond, -1, -1, -1, -1
	}
	if b := decl.batch; b != nil {
		cfg.Batch, cfg.Within, cfg.Group = b.most, b.within, decl.group
	}
	if decl.fallback != nil {
		cfg.Fallback = func(string) (protocol.Raw, bool) { return decl.fallback, true }
	}
	var err error
	rd.kept, err = warm.New(cfg)
	return rd, err
}

// asking is the context to read with: one whose answers are not kept is asked
// every time.
func (rd *reading) asking(ctx context.Context) context.Context {
	if rd.decl.keeping.off {
		return warm.WithFresh(ctx)
	}
	return ctx
}

// get reads the value of a key. It reports false if that is not in memory and is to
// be had at once.
func (rd *reading) get(ctx context.Context, key string, atOnce bool) (v protocol.Raw, ok bool, err error) {
	if atOnce {
		a, ok := rd.kept.Peek(rd.asking(ctx), key)
		return a.Value, ok, a.Err
	}
	v, err = rd.kept.Get(rd.asking(ctx), key)
	if err != nil && rd.decl.keeping.off {
		v, err = rd.otherwise(v, err)
	}
	return v, true, err
}

// getAll is get of many keys: of all of them, if it is to be at once.
func (rd *reading) getAll(ctx context.Context, keys []string, atOnce bool) (answers []warm.Answer[protocol.Raw], ok bool, err error) {
	if atOnce {
		answers, ok = rd.kept.PeekAll(rd.asking(ctx), keys)
		return answers, ok, nil
	}
	answers, err = rd.kept.GetAll(rd.asking(ctx), keys)
	if rd.decl.keeping.off {
		for i, a := range answers {
			if a.Err != nil {
				answers[i].Value, answers[i].Err = rd.otherwise(a.Value, a.Err)
			}
		}
	}
	return answers, true, err
}

// otherwise gives the static value instead of a failure, where nothing is kept.
func (rd *reading) otherwise(v protocol.Raw, err error) (protocol.Raw, error) {
	switch protocol.AsError(err).Code {
	case protocol.NotFound, protocol.InvalidArgument, protocol.Forbidden, protocol.Canceled:
		return v, err
	}
	if rd.decl.fallback == nil {
		return v, err
	}
	return rd.decl.fallback, nil
}

// load asks the source for keys of one group.
func (rd *reading) load(ctx context.Context, keys []string) (map[string]protocol.Raw, error) {
	if rd.decl.batch != nil {
		return rd.loadMany(ctx, keys)
	}
	values, err := rd.decl.split(keys[0])
	if err != nil {
		return nil, err
	}
	var answer protocol.Raw
	err = rd.ask(ctx, values, func(body []byte) (err error) {
		answer, err = transcode(body)
		return err
	})
	if err != nil {
		return nil, err
	}
	return map[string]protocol.Raw{keys[0]: slices.Clone(answer)}, nil // without the room that transcoding took
}

func (rd *reading) ask(ctx context.Context, values []value, accept func([]byte) error) error {
	d := rd.decl
	req, err := d.asks.request(values, d.types, d.batch != nil && d.batch.repeat)
	if err != nil {
		return err
	}
	req.Safe, req.Accept = true, accept
	return rd.src.Do(ctx, req)
}

// loadMany asks for many keys with one request.
func (rd *reading) loadMany(ctx context.Context, keys []string) (map[string]protocol.Raw, error) {
	b := rd.decl.batch
	var values []value
	keyOf := make(map[string]string, len(keys)) // by what stands for it in request and answer
	asked := make([]string, 0, len(keys))
	for _, key := range keys {
		own, err := rd.decl.split(key)
		if err != nil {
			return nil, err
		}
		if values == nil {
			values = own // they differ in each only
		}
		one := own[b.each]
		if one.absent || !rd.decl.listable(one.text) {
			continue // no answer could be told to be its own
		}
		keyOf[one.text] = key
		asked = append(asked, one.text)
	}
	found := make(map[string]protocol.Raw, len(keys))
	if len(asked) == 0 {
		return found, nil
	}
	values[b.each] = value{list: asked}
	err := rd.ask(ctx, values, func(body []byte) error {
		clear(found)
		return b.itemsOf(body, func(text string, item protocol.Raw) {
			if key, ok := keyOf[text]; ok {
				found[key] = slices.Clone(item)
			}
		})
	})
	if err != nil {
		return nil, err
	}
	return found, nil
}

// listable reports whether a value can stand among others.
func (rd *readDecl) listable(s string) bool {
	return rd.batch.repeat || rd.asks.body != nil || s != "" && s != "." && s != ".." && !strings.Contains(s, ",")
}

// itemsOf calls f with each item of an answer, and with the text of its key.
func (b *batch) itemsOf(body []byte, f func(key string, item protocol.Raw)) error {
	answer, err := transcode(body)
	if err != nil {
		return err
	}
	list, ok := find(answer, b.items)
	if !ok {
		return fmt.Errorf("nothing is at %s, expected a list", b.items)
	}
	if isNil(list) {
		return nil
	}
	n, rest, err := msgp.ReadArrayHeaderBytes(list)
	if err != nil {
		return fmt.Errorf("what is at %s is no list", b.items)
	}
	for i := range n {
		var item []byte
		if item, rest, err = next(rest); err != nil {
			return err
		}
		key, ok := find(item, b.key)
		s, isText := asText(key)
		if !ok || !isText {
			return fmt.Errorf("item %d of %s does not say at %s which one it is", i, b.items, b.key)
		}
		f(s, item)
	}
	return nil
}
