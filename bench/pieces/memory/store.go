package memory

import (
	"context"
	"errors"
	"fmt"
	"strconv"
	"time"

	"warmline.dev/edgelayer"
	"warmline.dev/edgelayer/declare"
	"warmline.dev/edgelayer/warm"
	"warmline.dev/protocol"
)

// The methods of a store. All take {"id": a film's number} and answer the same: about
// 200 bytes.
const (
	Value    = "memory.value"  // a method in Go that looks a value up, which is then encoded
	Bytes    = "memory.bytes"  // the same, of what is encoded already
	Declared = "declared.film" // a read of package declare
)

// Films is how many there are, from 0.
const Films = 4096

// Store has all films in warm caches. Make it with [New], and close it.
type Store struct {
	values  *warm.Cache[film]
	encoded *warm.Cache[protocol.Raw]
	tier    *declare.Tier
}

// film is an answer of about 200 bytes.
type film struct {
	ID       int      `json:"id"`
	Title    string   `json:"title"`
	Released int      `json:"released"`
	Director string   `json:"director"`
	Minutes  int      `json:"minutes"`
	Country  string   `json:"country"`
	Genres   []string `json:"genres"`
	Rating   float64  `json:"rating"`
}

func numbered(id int) film {
	return film{
		ID: id, Title: fmt.Sprintf("The film with the number %d", id), Released: 1920 + id%100, Director: "Margarethe von Trotta",
		Minutes: 80 + id%60, Country: "Germany", Genres: []string{"drama", "history", "documentary"}, Rating: 7.3,
	}
}

// declaration is of a source that is asked for nothing.
const declaration = `
sources:
  films: {url: "http://127.0.0.1:9", reads: {film: {get: "/films/{id}", cache: {ttl: 1h}}}}
services:
  declared: {1.0.0: {film: {read: films.film, args: {id: integer}}}}
`

// New fills a store.
func New() (*Store, error) {
	d, err := declare.Parse("edge.yaml", []byte(declaration))
	if err != nil {
		return nil, err
	}
	s := &Store{}
	if s.tier, err = declare.New(d, declare.Config{}); err != nil {
		return nil, err
	}
	if s.values, err = newCache[film](); err != nil {
		s.Close()
		return nil, err
	}
	if s.encoded, err = newCache[protocol.Raw](); err != nil {
		s.Close()
		return nil, err
	}
	if err := s.fill(); err != nil {
		s.Close()
		return nil, err
	}
	return s, nil
}

// newCache is a cache that has to be filled.
func newCache[V any]() (*warm.Cache[V], error) {
	return warm.New(warm.Config[V]{TTL: time.Hour, Load: func(context.Context, []string) (map[string]V, error) {
		return nil, errors.New("it is not in memory")
	}})
}

func (s *Store) fill() error {
	for id := range Films {
		f, key := numbered(id), strconv.Itoa(id)
		raw, err := protocol.MsgPack.Marshal(f)
		if err != nil {
			return err
		}
		s.values.Set(key, f)
		s.encoded.Set(key, raw)
		s.tier.Caches()[0].Set(key, raw)
	}
	return nil
}

// Services are what an edge offers of the store. They must not be called any more when
// it is closed.
func (s *Store) Services() []edgelayer.Service {
	type byID struct {
		ID int `json:"id"`
	}
	return append([]edgelayer.Service{{Name: "memory", Version: "1.0.0", Methods: []edgelayer.Method{
		edgelayer.NewMethod("value", func(ctx context.Context, in byID) (film, error) { return s.values.Get(ctx, strconv.Itoa(in.ID)) }, edgelayer.Reads()),
		edgelayer.NewMethod("bytes", func(ctx context.Context, in byID) (protocol.Raw, error) {
			return s.encoded.Get(ctx, strconv.Itoa(in.ID))
		}, edgelayer.Reads()),
	}}}, s.tier.Services()...)
}

// Close ends the caches.
func (s *Store) Close() {
	s.tier.Close()
	if s.values != nil {
		s.values.Close()
	}
	if s.encoded != nil {
		s.encoded.Close()
	}
}
