package cli

import (
	"context"
	"errors"
	"fmt"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"warmline.dev/internal/bus"
	"warmline.dev/internal/credentials"
	"warmline.dev/internal/devicedata"
	"warmline.dev/passport"
	"warmline.dev/passport/device"
)

// deviceOptions say which kinds of device a gateway knows.
type deviceOptions struct {
	keys    string
	version uint64
}

func (o *deviceOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.keys, "device-keys", "", "file with the keys that sign device data, made by warmline key (default: the passport keys)")
	f.Uint64Var(&o.version, "device-version", 0, "the only version of the device data to use, once it is here; 0: the newest")
}

// follow is what a gateway holds, and what ends it. Without a bus that is what is built
// in.
func (o *deviceOptions) follow(b *bus.Bus, keys *credentials.Keys, log zerolog.Logger) (_ *device.Devices, end func(), err error) {
	var list []passport.Key
	if o.keys != "" {
		list, err = readKeys(o.keys)
	} else {
		err = keys.Follow(func(now []passport.Key) error {
			if list == nil { // as they are at the start
				list = now
			}
			return nil
		})
	}
	if err != nil {
		return nil, nil, err
	}
	ring, err := device.NewKeyring(list...)
	if err != nil {
		return nil, nil, err
	}
	held, end := (*device.Devices)(nil), func() {}
	if b == nil {
		held, err = device.New(device.Config{Pin: o.version})
	} else {
		var heard *devicedata.Devices
		if heard, err = devicedata.Follow(b, devicedata.Config{Keyring: ring, Version: o.version, Log: log}); err == nil {
			held, end = heard.Devices, heard.Close
		}
	}
	if err != nil {
		return nil, nil, err
	}
	if has := device.Embedded().Version(); o.version != 0 && o.version != has {
		then := "it is asked for"
		if b == nil {
			then = "there is no --bus to ask for it on"
		}
		log.Warn().Uint64("pinned", o.version).Uint64("version", has).Msg("device data: the pinned version is not here, the one that is built in is used; " + then)
	}
	return held, end, nil
}

// publishPatience is how long a bus may take to be there, for --once.
const publishPatience = 10 * time.Second

type publishOptions struct {
	bus, keys, from string
	once            bool
}

func publishCommand(s *settings) *cobra.Command {
	var o publishOptions
	cmd := &cobra.Command{
		Use:   "publish FILE",
		Short: "Tell every gateway which kinds of device there are",
		Long: `Tells every gateway on the bus (warmline gateway --bus) of a new version of the
table of device types: what has changed since the version before, then all of it. Then
it goes on: who comes later asks it, and it repeats all every minute, until Ctrl-C.

  warmline devices publish devices.tsv --bus nats://127.0.0.1:4222 --device-keys devices.keys --from devices-before.tsv

How FILE is written stands in the one that is built in, passport/device/devices.tsv;
warmline devices check says what is wrong with it. Its version has to be higher than
what gateways have. To take a version back everywhere, publish what was before with the
next number; in one gateway, --device-version does.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			log, err := s.begin(cmd)
			if err != nil {
				return err
			}
			return s.publishDevices(cmd.Context(), args[0], o, log.With().Str("tier", "devices").Logger())
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.bus, "bus", "", "nats://HOST:PORT[,…]; or embedded://127.0.0.1:7422, for others on this machine to join")
	f.StringVar(&o.keys, "device-keys", "", "file with the keys that sign, made by warmline key; the first one signs")
	f.StringVar(&o.from, "from", "", "file with the version before (default: what is built in, if it is that): gateways that have it are told what has changed, those that are pinned to it can have it")
	f.BoolVar(&o.once, "once", false, "end when it is published: who comes later does not hear of it")
	return cmd
}

func (s *settings) publishDevices(ctx context.Context, file string, o publishOptions, log zerolog.Logger) error {
	switch {
	case o.bus == "":
		return usageError{errors.New("no bus: expected --bus nats://HOST:PORT, where gateways listen")}
	case o.keys == "":
		return usageError{errors.New("no keys: make them with \"warmline key > devices.keys\", and give --device-keys devices.keys here and to gateways alike")}
	}
	keys, err := readKeys(o.keys)
	if err != nil {
		return err
	}
	cfg := devicedata.PublisherConfig{Log: log}
	if cfg.Keyring, err = device.NewKeyring(keys...); err != nil {
		return err
	}
	if cfg.Table, err = loadTable(file); err != nil {
		return err
	}
	if o.from != "" {
		if cfg.From, err = loadTable(o.from); err != nil {
			return err
		}
	}
	b, err := bus.Open(bus.Config{URL: o.bus, Name: "devices", Log: log})
	if err != nil {
		return usageError{err}
	}
	defer b.Close()
	p, err := devicedata.Publish(b, cfg)
	if err != nil {
		return fmt.Errorf("%s can't be published: %w", file, err)
	}
	defer p.Close()
	if err := told(ctx, p, o.once); err != nil {
		if ctx.Err() != nil && !o.once {
			return nil // it was told to stop while it waited
		}
		return fmt.Errorf("%s can't be published: %w", file, err)
	}
	snapshot, delta := p.Size()
	whole := fmt.Sprintf("all in %d bytes", snapshot)
	if delta > 0 {
		whole += fmt.Sprintf(", what has changed in %d", delta)
	}
	fmt.Fprintf(s.stdout, "version %d is published: %s\n", cfg.Table.Version(), whole)
	if !o.once {
		fmt.Fprintln(s.stdout, "who comes later is told too, until Ctrl-C")
		<-ctx.Done()
	}
	return nil
}

// told waits until it is published; to do that once, not for a bus that is not there.
func told(ctx context.Context, p *devicedata.Publisher, once bool) error {
	if once {
		var cancel context.CancelFunc
		ctx, cancel = context.WithTimeout(ctx, publishPatience)
		defer cancel()
	}
	return p.Told(ctx)
}
