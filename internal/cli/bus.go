package cli

import (
	"github.com/rs/zerolog"
	"github.com/spf13/pflag"

	"warmline.dev/internal/bus"
)

// busOptions say on which bus a gateway hears all that it hears: it has one connection.
type busOptions struct {
	url string

	shared *bus.Bus // instead of url: another's, in the same process
}

func (o *busOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.url, "bus", "", "bus on which warmline revocation tells whose account has changed, and warmline devices publish which kinds of device there are: nats://HOST:PORT[,…]; without, cookies are trusted until their time is over, and devices are known as is built in")
}

// open opens the bus, and returns what closes it; nil: there is none.
func (o *busOptions) open(log zerolog.Logger) (*bus.Bus, func(), error) {
	if o.shared != nil || o.url == "" {
		return o.shared, func() {}, nil
	}
	b, err := bus.Open(bus.Config{URL: o.url, Name: "gateway", Log: log})
	if err != nil {
		return nil, nil, usageError{err}
	}
	return b, b.Close, nil
}
