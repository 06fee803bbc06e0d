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
	"warmline.dev/internal/revocations"
	"warmline.dev/nodelayer/gateway/identity"
	"warmline.dev/passport"
	"warmline.dev/passport/revocation"
)

// heardOptions say how a gateway hears whose account has changed.
type heardOptions struct {
	keys     string
	ignorant string
	stale    time.Duration
}

func (o *heardOptions) addFlags(f *pflag.FlagSet) {
	f.StringVar(&o.keys, "revocation-keys", "", revocationKeysHelp)
	f.DurationVar(&o.stale, "revocation-stale", defaultStale, "how old what it has heard may be; negative: any age")
	f.StringVar(&o.ignorant, "revocation-unheard", "ask", "what becomes of cookies while it hears nothing: ask (the account source about everyone) or refuse")
}

const revocationKeysHelp = "file with the keys that sign revocations, made by warmline key; read again when it changes (default: the passport keys)"

// signers are the keys that sign what is heard, and what ends that they follow their
// file.
func (o *heardOptions) signers(keys *credentials.Keys, log zerolog.Logger) (*credentials.Keys, func(), error) {
	if o.keys == "" {
		return keys, func() {}, nil
	}
	return followKeys(o.keys, log)
}

// followKeys reads a key file, and again when it changes, until the function is called.
func followKeys(path string, log zerolog.Logger) (*credentials.Keys, func(), error) {
	if path == "" {
		return nil, nil, errNoKeys
	}
	c, err := credentials.Open(credentials.Files{Passports: path}, log)
	if err != nil {
		return nil, nil, err
	}
	kept := keepCredentials(c)
	return c.Keys(), func() { _ = kept.stop(context.Background()) }, nil // it never fails
}

// window is how long a cookie may be honoured at most: what has changed before does
// not matter any more.
func (o *doorOptions) window() time.Duration {
	return lasts(o.trust, defaultTrust) + lasts(o.honour, defaultHonour)
}

// lasts is a time of which 0 is the default, and negative none.
func lasts(d, byDefault time.Duration) time.Duration {
	if d == 0 {
		return byDefault
	}
	return max(d, 0)
}

// follow is the set that a gateway goes by, and what closes it; nil: there is no bus.
func (o *doorOptions) follow(b *bus.Bus, keys *credentials.Keys, log zerolog.Logger) (*revocations.Set, func(), error) {
	if b == nil {
		return nil, nil, nil
	}
	keys, endKeys, err := o.heard.signers(keys, log)
	if err != nil {
		return nil, nil, err
	}
	var set *revocations.Set
	err = keys.Follow(func(list []passport.Key) (err error) {
		if set != nil {
			return set.ReplaceKeys(list...)
		}
		set, err = revocations.Follow(b, revocation.SetConfig{Keys: list, Window: o.window(), Stale: o.heard.stale}, log)
		return err
	})
	if err != nil {
		endKeys()
		return nil, nil, usageError{err}
	}
	return set, func() {
		endKeys()
		set.Close()
	}, nil
}

func (o *heardOptions) whenIgnorant() (identity.Ignorant, error) {
	switch o.ignorant {
	case "ask", "":
		return identity.Ask, nil
	case "refuse":
		return identity.Refuse, nil
	}
	return 0, usageError{fmt.Errorf("--revocation-unheard %q: expected ask or refuse", o.ignorant)}
}

type publisherOptions struct {
	bus    string
	window revocation.WindowConfig
}

func revocationCommand(s *settings) *cobra.Command {
	var o publisherOptions
	var keys string
	cmd := &cobra.Command{
		Use:   "revocation",
		Short: "Tell every gateway whose account has changed, so that no old cookie of it is trusted",
		Long: `Follows what account sources tell on the bus, subject warmline.accounts:

  {"customer":"c-1001","at":1790000000000}      that account has changed at that time (ms since 1970)

and tells every gateway (warmline gateway --bus). A cookie that was issued before is
checked with the account source from then on; all others are trusted as before. Run two
of them: each is enough. When one is replaced the new one hears from the other what it
has to know, or has it in its file. The keys are read again when their file changes,
and on SIGHUP.`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			log, err := s.begin(cmd)
			if err != nil {
				return err
			}
			if keys == "" {
				return usageError{errors.New("no keys that sign: expected --revocation-keys FILE, with those that gateways know (their passport keys, unless they are told others)")}
			}
			log = log.With().Str("tier", "revocation").Logger()
			signers, endKeys, err := followKeys(keys, log)
			if err != nil {
				return err
			}
			defer endKeys()
			t, err := startPublisher(o, signers, log)
			if err != nil {
				return err
			}
			fmt.Fprintln(s.stdout, "telling gateways whose account changes")
			return s.untilDone(cmd.Context(), t)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.bus, "bus", "", "nats://HOST:PORT[,…]; or embedded://127.0.0.1:7422, for others on this machine to join")
	f.StringVar(&o.window.Path, "file", "", "file in which what it knows survives a restart; without, another publisher has to run meanwhile")
	f.DurationVar(&o.window.Window, "window", defaultTrust+defaultHonour, "how long a change matters: as long as gateways trust and honour a cookie (--cookie-trust and --cookie-honour)")
	f.StringVar(&keys, "revocation-keys", "", "file with the keys that sign, made by warmline key; the first one signs; read again when it changes")
	return cmd
}

func startPublisher(o publisherOptions, keys *credentials.Keys, log zerolog.Logger) (*tier, error) {
	if o.bus == "" {
		return nil, usageError{fmt.Errorf("no bus: expected --bus nats://HOST:PORT, where account sources tell and gateways listen")}
	}
	b, err := bus.Open(bus.Config{URL: o.bus, Name: "revocation", Log: log})
	if err != nil {
		return nil, usageError{err}
	}
	var p *revocations.Publisher
	err = keys.Follow(func(list []passport.Key) (err error) {
		if p != nil {
			return p.ReplaceKeys(list...)
		}
		p, err = revocations.Publish(b, list, o.window, log)
		return err
	})
	if err != nil {
		b.Close()
		return nil, err
	}
	return publisherTier(b, p), nil
}

func publisherTier(b *bus.Bus, p *revocations.Publisher) *tier {
	return &tier{name: "revocation", stop: func(context.Context) error {
		defer b.Close()
		return p.Close()
	}}
}
