package rsocket

import (
	"reflect"
	"strings"
	"testing"
	"time"
)

func TestDefaultsAreTakenAsTheyAre(t *testing.T) {
	for _, cfg := range []Config{{}, {MaxFrame: 100, MaxStreams: -1, FirstFrameTimeout: -1, WriteTimeout: -1}} {
		once, err := cfg.WithDefaults()
		if err != nil {
			t.Fatal(err)
		}
		if twice, err := once.WithDefaults(); err != nil || !reflect.DeepEqual(once, twice) {
			t.Errorf("%+v became %+v, %v", once, twice, err)
		}
	}
}

func TestBadSetupIsNamed(t *testing.T) {
	for want, s := range map[string]Setup{
		"keepalive 1ns":             {KeepAlive: 1},
		"lifetime 1m30s":            {KeepAlive: time.Hour},
		"MIME type of 256 bytes":    {MetadataMIME: strings.Repeat("m", 256)},
		"MIME type of 257 bytes":    {DataMIME: strings.Repeat("m", 257)},
		"keepalive 1s and lifetime": {KeepAlive: time.Second, Lifetime: time.Second - 1},
	} {
		if _, err := s.WithDefaults(); err == nil || !strings.Contains(err.Error(), want) {
			t.Errorf("got %v, want %q", err, want)
		}
	}
}
