package rsocket

import (
	"context"
	"fmt"
	"io"
	"net"
	"runtime"
	"sync"
	"sync/atomic"
	"testing"
	"time"

	"warmline.dev/internal/await"
	"warmline.dev/protocol/rsocket/frame"
)

// BenchmarkTable is a stream's life in the table, on all processors at once.
func BenchmarkTable(b *testing.B) {
	var t table
	var ids atomic.Uint32
	s := &call{}
	b.ReportAllocs()
	b.RunParallel(func(pb *testing.PB) {
		for pb.Next() {
			id := 2*ids.Add(1) + 1
			t.put(id, s)
			if t.find(id) == nil || !t.take(id, s) {
				b.Error("lost")
			}
		}
	})
}

// BenchmarkWriter is a frame's way to the socket: alone, and in the company of
// other goroutines' frames.
func BenchmarkWriter(b *testing.B) {
	for _, company := range []int{1, 128} {
		b.Run(fmt.Sprint(company), func(b *testing.B) {
			l, err := net.Listen("tcp", "127.0.0.1:0")
			if err != nil {
				b.Fatal(err)
			}
			defer l.Close()
			nc, err := net.Dial("tcp", l.Addr().String())
			if err != nil {
				b.Fatal(err)
			}
			sink, err := l.Accept()
			if err != nil {
				b.Fatal(err)
			}
			read := make(chan struct{})
			go func() {
				defer close(read)
				_, _ = io.Copy(io.Discard, sink)
				sink.Close()
			}()
			var wg sync.WaitGroup
			w := writer{nc: nc, fd: descriptorOf(nc), limit: 1 << 20, wg: &wg, failed: func(err error) { b.Error(err) }}
			w.flush, w.finish = w.flushAll, w.finishAll
			data := make([]byte, 256)
			with := others
			if company == 1 {
				with = nobody
			}
			b.ReportAllocs()
			b.SetBytes(int64(len(data)))
			b.SetParallelism(company)
			b.RunParallel(func(pb *testing.PB) {
				for pb.Next() {
					for {
						dst, wait := w.try(Payload{Data: data})
						if dst != nil {
							w.endWith(frame.AppendPayload(dst, 1, frame.FlagNext, nil, nil), data, with)
							break
						}
						<-wait
					}
				}
			})
			w.stop(time.Second)
			wg.Wait()
			nc.Close()
			<-read
		})
	}
}

// memory is what the process holds, heap and stacks, after a collection.
func memory() float64 {
	runtime.GC()
	runtime.GC()
	var m runtime.MemStats
	runtime.ReadMemStats(&m)
	return float64(m.HeapAlloc + m.StackInuse)
}

// BenchmarkIdleConnection reports what a connection holds after it has been
// used, both of its ends together, in this one process.
func BenchmarkIdleConnection(b *testing.B) {
	const pairs = 500
	for b.Loop() {
		addr := benchServer(b, echo())
		before := memory()
		conns := make([]*Conn, pairs)
		for i := range conns {
			conns[i] = benchDial(b, addr)
			if _, err := conns[i].Call(b.Context(), text("a")); err != nil {
				b.Fatal(err)
			}
		}
		b.ReportMetric((memory()-before)/pairs, "B/pair")
		for _, c := range conns {
			c.Close()
		}
	}
}

// BenchmarkIdleStream reports what an open channel on which nothing happens
// holds: on the side that opened it, and on both sides with the goroutine on
// which the handler waits for items.
func BenchmarkIdleStream(b *testing.B) {
	const streams = 4000
	for b.Loop() {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			b.Fatal(err)
		}
		go func() { // a server that says nothing, so that only this side is counted
			nc, err := l.Accept()
			if err == nil {
				_, _ = io.Copy(io.Discard, nc)
				nc.Close()
			}
			l.Close()
		}()
		c := benchDial(b, "tcp://"+l.Addr().String())
		b.ReportMetric(perStream(b, c, streams), "B/requester")
		c.Close()

		c = benchDial(b, benchServer(b, Handler{Channel: func(ctx context.Context, ch Channel) error {
			for {
				if _, err := ch.Recv(ctx); err != nil {
					return err
				}
			}
		}}))
		b.ReportMetric(perStream(b, c, streams), "B/both+handler")
		c.Close()
	}
}

func perStream(b *testing.B, c *Conn, streams int) float64 {
	open := make([]Channel, streams)
	before := memory()
	for i := range open {
		ch, err := c.OpenChannel(b.Context(), text("a"))
		if err != nil {
			b.Fatal(err)
		}
		open[i] = ch
	}
	time.Sleep(100 * time.Millisecond) // the last handlers have begun to wait
	held := (memory() - before) / float64(streams)
	runtime.KeepAlive(open)
	return held
}

func benchServer(b *testing.B, h Handler) (addr string) {
	s, err := NewServer(func(context.Context, *Conn) (Handler, error) { return h, nil }, Config{})
	if err != nil {
		b.Fatal(err)
	}
	l, err := Listen(await.Context(b), "tcp://127.0.0.1:0")
	if err != nil {
		b.Fatal(err)
	}
	go func() { _ = s.Serve(l) }()
	b.Cleanup(func() { s.Close() })
	return "tcp://" + l.Addr().String()
}

func benchDial(b *testing.B, addr string) *Conn {
	c, err := Dial(b.Context(), addr, Setup{}, Handler{}, Config{})
	if err != nil {
		b.Fatal(err)
	}
	b.Cleanup(func() { c.Close() })
	return c
}

// BenchmarkLargeData is a request of so many bytes that is answered with none:
// what it takes to get them across, both sides in this process.
func BenchmarkLargeData(b *testing.B) {
	for _, size := range []int{16 << 10, 64 << 10, 256 << 10, 1 << 20, 16 << 20} {
		b.Run(fmt.Sprintf("%d_KiB", size>>10), func(b *testing.B) {
			c := benchDial(b, benchServer(b, Handler{Response: func(context.Context, Payload) (Payload, error) {
				return Payload{}, nil
			}}))
			data := make([]byte, size)
			b.ReportAllocs()
			b.SetBytes(int64(size))
			for b.Loop() {
				if _, err := c.Call(b.Context(), Payload{Data: data}); err != nil {
					b.Fatal(err)
				}
			}
		})
	}
}
