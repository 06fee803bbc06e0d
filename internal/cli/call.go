package cli

import (
	"bytes"
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"warmline.dev/nodelayer"
	"warmline.dev/passport"
)

type callOptions struct {
	edge    string
	wants   map[string]string
	profile string
	keys    string
	timeout time.Duration
	compact bool
}

func callCommand(s *settings) *cobra.Command {
	var o callOptions
	cmd := &cobra.Command{
		Use:   "call SERVICE.METHOD [JSON]",
		Short: "Ask an edge and print the answer as JSON",
		Long: `Asks an edge and prints the answer as JSON. Arguments are a JSON object; "-"
reads it from standard input.

  warmline call catalogue.videos '{"ids":[1,2]}'
  warmline call catalogue.videos '{"ids":[1,2]}' --want catalogue=^1
  warmline call recommendations.forProfile --profile paul --passport-keys warmline.keys
  warmline call edge.stats`,
		Args: func(_ *cobra.Command, args []string) error {
			if len(args) < 1 || len(args) > 2 {
				return usageError{errors.New("call takes SERVICE.METHOD and at most one JSON object; see warmline call --help")}
			}
			return nil
		},
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := s.begin(cmd); err != nil {
				return err
			}
			in, err := s.arguments(args[1:])
			if err != nil {
				return err
			}
			return s.call(cmd.Context(), o, args[0], in)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.edge, "edge", defaultEdge, "the edge to ask")
	f.StringToStringVar(&o.wants, "want", nil, "ask this version, SERVICE=RANGE; without, the highest stable one")
	f.StringVar(&o.profile, "profile", "", "carry a passport for this profile; needs --passport-keys")
	f.StringVar(&o.keys, "passport-keys", "", keysHelp)
	f.DurationVar(&o.timeout, "timeout", 3*time.Second, "how long to wait for line and answer")
	f.BoolVar(&o.compact, "compact", false, "print the answer on one line")
	return cmd
}

// arguments decodes the JSON of the command line into what msgpack can encode.
func (s *settings) arguments(args []string) (any, error) {
	if len(args) == 0 {
		return nil, nil
	}
	text := []byte(args[0])
	if args[0] == "-" {
		var err error
		if text, err = io.ReadAll(io.LimitReader(s.stdin, 1<<20)); err != nil {
			return nil, err
		}
	}
	dec := json.NewDecoder(bytes.NewReader(text))
	dec.UseNumber()
	var v map[string]any
	if err := dec.Decode(&v); err != nil {
		return nil, usageError{fmt.Errorf(`the arguments are not a JSON object such as {"ids":[1,2]}: %w`, err)}
	}
	return numbers(v), nil
}

// numbers makes integers of the numbers that are, since services tell them apart.
func numbers(v any) any {
	switch v := v.(type) {
	case json.Number:
		if n, err := v.Int64(); err == nil {
			return n
		}
		if f, err := v.Float64(); err == nil {
			return f
		}
	case map[string]any:
		for k, e := range v {
			v[k] = numbers(e)
		}
	case []any:
		for i, e := range v {
			v[i] = numbers(e)
		}
	}
	return v
}

func (s *settings) call(ctx context.Context, o callOptions, method string, args any) error {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	if o.profile != "" {
		carrier, err := mintFor(o.profile, o.keys)
		if err != nil {
			return err
		}
		ctx = passport.NewContext(ctx, carrier)
	}
	edge, err := nodelayer.Dial(ctx, nodelayer.Config{Edges: []string{o.edge}, Name: "warmline-call", Version: version, Wants: o.wants})
	if err != nil {
		return err
	}
	defer edge.Close()
	result, err := nodelayer.Ask[any](ctx, edge, method, args)
	if err != nil {
		return err
	}
	enc := json.NewEncoder(s.stdout)
	enc.SetEscapeHTML(false)
	if !o.compact {
		enc.SetIndent("", "  ")
	}
	return enc.Encode(result)
}

// mintFor makes the passport that a gateway would, for trying methods out.
func mintFor(profile, keys string) (*passport.Carrier, error) {
	ring, err := loadKeys(keys)
	if err != nil {
		return nil, err
	}
	now := time.Now()
	sealed, err := ring.Seal(passport.Passport{
		Profile: strings.TrimSpace(profile), Level: passport.Recognised, Origin: "warmline call", Issued: now, Expires: now.Add(time.Minute),
	})
	return passport.NewCarrier(sealed), err
}
