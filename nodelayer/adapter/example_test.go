package adapter_test

import (
	"context"
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"

	"warmline.dev/nodelayer/adapter"
	"warmline.dev/nodelayer/gateway"
	"warmline.dev/passport"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// An adapter for televisions, offered to a gateway that a device asks over HTTP.
func ExampleServe() {
	ctx := context.Background()
	devices, address, stop := exampleGateway(ctx)
	defer stop()

	mux := http.NewServeMux()
	mux.Handle("GET /home", adapter.JSON(func(*http.Request) (any, error) {
		return map[string]any{"rows": []string{"Continue watching", "New"}}, nil
	}))
	mux.Handle("GET /film/{id}", adapter.JSON(func(r *http.Request) (any, error) {
		return nil, protocol.Errorf(protocol.NotFound, "no film %s", r.PathValue("id"))
	}))
	tv, err := adapter.Serve(ctx, adapter.Config{
		Name: "tv", Version: "2.0.0", Handler: mux, Gateways: []string{address},
	})
	if err != nil {
		fmt.Println(err)
		return
	}
	defer func() { _ = tv.Shutdown(ctx) }()

	for _, path := range []string{"/tv@^2/home", "/tv/film/7"} {
		response, err := devices.Client().Get(devices.URL + path)
		if err != nil {
			fmt.Println(err)
			return
		}
		body, _ := io.ReadAll(response.Body)
		_ = response.Body.Close()
		fmt.Print(response.StatusCode, " ", response.Header.Get("Warmline-Adapter"), " ", string(body))
	}

	// Output:
	// 200 tv@2.0.0 {"rows":["Continue watching","New"]}
	// 404 tv@2.0.0 {"error":{"code":"not_found","message":"no film 7"}}
}

// exampleGateway is a gateway with HTTP in front.
func exampleGateway(ctx context.Context) (devices *httptest.Server, address string, stop func()) {
	keys, err := passport.NewKeyring(passport.NewKey("k1"))
	if err != nil {
		panic(err)
	}
	gw, err := gateway.New(gateway.Config{Keys: keys})
	if err != nil {
		panic(err)
	}
	listener, err := rsocket.Listen(ctx, "tcp://127.0.0.1:0")
	if err != nil {
		panic(err)
	}
	go func() { _ = gw.ServeLines(listener) }() // ends with Close
	devices = httptest.NewServer(gw)
	return devices, "tcp://" + listener.Addr().String(), func() {
		devices.Close()
		_ = gw.Close()
	}
}
