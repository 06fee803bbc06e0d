package contender

import (
	"bytes"
	"context"
	"fmt"
	"net"
	"net/http"
	"strconv"
	"sync"
)

func serveHTTP1(l net.Listener, _ Load) error {
	bodies := sync.Pool{New: func() any { return new(bytes.Buffer) }}
	echo := func(w http.ResponseWriter, r *http.Request) {
		body := bodies.Get().(*bytes.Buffer)
		defer bodies.Put(body)
		body.Reset()
		if _, err := body.ReadFrom(r.Body); err != nil {
			http.Error(w, err.Error(), http.StatusBadRequest)
			return
		}
		// Told, so that neither is it guessed from the content nor are larger bodies chunked.
		w.Header().Set("Content-Type", "application/octet-stream")
		w.Header().Set("Content-Length", strconv.Itoa(body.Len()))
		_, _ = w.Write(body.Bytes()) // the client tells what is worth telling
	}
	return (&http.Server{Handler: http.HandlerFunc(echo)}).Serve(l)
}

func dialHTTP1(_ context.Context, address string, load Load) (Client, error) {
	client := &http.Client{Transport: &http.Transport{
		// With Go's default of two idle connections all others would be made anew
		// for each request.
		MaxIdleConnsPerHost: load.InFlight, MaxConnsPerHost: load.InFlight,
		DisableCompression: true,
	}}
	url := "http://" + address + "/"
	lanes := make([]Lane, load.InFlight)
	for i := range lanes {
		var reply bytes.Buffer
		lanes[i] = func(ctx context.Context, request []byte) ([]byte, error) {
			req, err := http.NewRequestWithContext(ctx, http.MethodPost, url, bytes.NewReader(request))
			if err != nil {
				return nil, err
			}
			resp, err := client.Do(req)
			if err != nil {
				return nil, err
			}
			defer resp.Body.Close()
			reply.Reset()
			if _, err := reply.ReadFrom(resp.Body); err != nil {
				return nil, err
			}
			if resp.StatusCode != http.StatusOK {
				return nil, fmt.Errorf("%s: %s", resp.Status, reply.Bytes())
			}
			return reply.Bytes(), nil
		}
	}
	return Client{Lanes: lanes}, nil
}
