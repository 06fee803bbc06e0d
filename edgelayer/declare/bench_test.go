package declare

import (
	"context"
	"io"
	"net/http"
	"strings"
	"testing"

	"warmline.dev/protocol"
)

const benchFile = `
sources:
  films: {url: http://127.0.0.1:1, reads: {film: {get: "/films?ids={id}", batch: {each: id, items: films, key: id}}}}
services:
  films:
    1.0.0:
      whole: {read: films.film, args: {id: integer}}
      picked: {read: films.film, args: {id: integer}, pick: {id: id, title: title, released: year, director: director, minutes: minutes, country: country, genre: genre}}
      list: {read: films.film, args: {ids: {list: integer}}, each: {ids: id}, as: videos, pick: {id: id, title: title, released: year, director: director, minutes: minutes, country: country, genre: genre}}
`

type says string

func (s says) RoundTrip(*http.Request) (*http.Response, error) {
	return &http.Response{StatusCode: http.StatusOK, Body: io.NopCloser(strings.NewReader(string(s)))}, nil
}

// benchMethod is a method of benchFile that has been asked with args once.
func benchMethod(b *testing.B, name string, codec protocol.Codec, args protocol.Raw) func() {
	b.Helper()
	d, err := Parse("edge.yaml", []byte(benchFile))
	if err != nil {
		b.Fatal(err)
	}
	tier, err := New(d, Config{Client: &http.Client{Transport: says(`{"films":[{"id":17,"title":"Metropolis","year":1927,"director":"Fritz Lang","minutes":153,"country":"Germany","genre":"science fiction"}]}`)}})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(tier.Close)
	for decl := range d.methods() {
		if decl.name == name {
			m := &method{methodDecl: decl, reading: tier.readings[0], tier: tier}
			ask := func() {
				if _, err := m.run(context.Background(), codec, args); err != nil {
					b.Fatal(err)
				}
			}
			ask()
			return ask
		}
	}
	b.Fatal("no such method")
	return nil
}

func bench(b *testing.B, name string, codec protocol.Codec, args any) {
	b.Helper()
	raw, err := codec.Marshal(args)
	if err != nil {
		b.Fatal(err)
	}
	ask := benchMethod(b, name, codec, raw)
	b.ReportAllocs()
	for b.Loop() {
		ask()
	}
}

func BenchmarkHit(b *testing.B) { bench(b, "whole", protocol.MsgPack, map[string]int{"id": 17}) }

func BenchmarkHitPicked(b *testing.B) {
	bench(b, "picked", protocol.MsgPack, map[string]int{"id": 17})
}

func BenchmarkHitPickedJSON(b *testing.B) {
	bench(b, "picked", protocol.JSON, map[string]int{"id": 17})
}

// BenchmarkHits20 is a list of twenty.
func BenchmarkHits20(b *testing.B) {
	ids := make([]int, 20)
	for i := range ids {
		ids[i] = 17
	}
	bench(b, "list", protocol.MsgPack, map[string][]int{"ids": ids})
}

// BenchmarkTranscode is an answer of twenty films.
func BenchmarkTranscode(b *testing.B) {
	text := []byte("[" + strings.TrimSuffix(strings.Repeat(`{"id":17,"title":"Metropolis","year":1927,"director":"Fritz Lang","minutes":153,"country":"Germany","genre":"science fiction"},`, 20), ",") + "]")
	b.ReportAllocs()
	b.SetBytes(int64(len(text)))
	for b.Loop() {
		if _, err := transcode(text); err != nil {
			b.Fatal(err)
		}
	}
}
