package gateway_test

import (
	"testing"
	"time"

	"warmline.dev/internal/wildcard"
	"warmline.dev/nodelayer/gateway"
	"warmline.dev/protocol/rsocket"
)

func TestNewNamesTheMistake(t *testing.T) {
	keys := newKeys(t)
	for want, cfg := range map[string]gateway.Config{
		"gateway: Keys are required": {},
		"gateway: PassportTTL -1s, Budget 0s, MaxBody 0: expected positive values": {Keys: keys, PassportTTL: -time.Second},
		"gateway: PassportTTL 0s, Budget -1s, MaxBody 0: expected positive values": {Keys: keys, Budget: -time.Second},
		"gateway: PassportTTL 0s, Budget 0s, MaxBody -7: expected positive values": {Keys: keys, MaxBody: -7},
		"rsocket: MaxFrame is 3, expected …":                                       {Keys: keys, RSocket: rsocket.Config{MaxFrame: 3}},
	} {
		if _, err := gateway.New(cfg); err == nil || !wildcard.Match(err.Error(), want) {
			t.Errorf("\n got %v\nwant %s", err, want)
		}
	}
}
