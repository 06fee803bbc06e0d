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

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"

	"warmline.dev/internal/credentials"
	"warmline.dev/nodelayer"
	"warmline.dev/passport"
	"warmline.dev/protocol"
)

type callOptions struct {
	edge    string
	wants   map[string]string
	profile string
	keys    string
	timeout time.Duration
	compact bool
	files   credentials.Files
}

func callCommand(s *settings) *cobra.Command {
	var o callOptions
	cmd := &cobra.Command{
		Use:   "call SERVICE.METHOD [JSON] [SERVICE.METHOD [JSON]]…",
		Short: "Ask an edge and print the answer as JSON",
		Long: `Asks an edge and prints the answer as JSON. Arguments are a JSON object; "-"
reads it from standard input.

Several calls are asked at once, in one conversation. The answers are printed as
they come, one JSON object on a line, with the number of the call. Arguments may
refer to the results of calls before: {"$ref":[1,"items",null,"id"]} is the id of
every item of the result of the first call.

  warmline call catalogue.videos '{"ids":[1,2]}'
  warmline call catalogue.videos '{"ids":[1,2]}' --want catalogue=^1
  warmline call recommendations.forProfile --profile paul --passport-keys warmline.keys
  warmline call recommendations.forProfile '{"limit":2}' \
    catalogue.videos '{"ids":{"$ref":[1,"items",null,"id"]}}' --profile paul --passport-keys warmline.keys
  warmline call edge.stats

A warmline dev on this machine is found without more. Any other that asks who dials is
shown --tls-cert or --token-file.`,
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := s.begin(cmd); err != nil {
				return err
			}
			calls, err := s.callsOf(args)
			if err != nil {
				return err
			}
			if o.files == (credentials.Files{}) {
				o.files, o.edge = leftForTools(cmd.Context(), o.edge, !cmd.Flags().Changed("edge"))
			}
			return s.call(cmd.Context(), o, calls)
		},
	}
	f := cmd.Flags()
	f.StringVar(&o.edge, "edge", defaultEdge, "the edge to ask")
	f.StringToStringVar(&o.wants, "want", nil, "ask this version, SERVICE=RANGE; without, the highest stable one")
	f.StringVar(&o.profile, "profile", "", "carry a passport for this profile; needs --passport-keys")
	f.StringVar(&o.keys, "passport-keys", "", keysHelp)
	f.DurationVar(&o.timeout, "timeout", 3*time.Second, "how long to wait for line and answer")
	f.BoolVar(&o.compact, "compact", false, "print the answer on one line")
	addDialling(f, &o.files)
	return cmd
}

// oneCall is one that the command line asks for.
type oneCall struct {
	method string
	args   any
}

// callsOf takes the command line apart: what is no JSON is a method.
func (s *settings) callsOf(args []string) ([]oneCall, error) {
	var calls []oneCall
	for _, arg := range args {
		last := len(calls) - 1
		switch isJSON := arg == "-" || strings.HasPrefix(strings.TrimSpace(arg), "{"); {
		case !isJSON && !strings.Contains(arg, "."):
			return nil, usageError{fmt.Errorf("%.40q is neither SERVICE.METHOD nor a JSON object such as {\"ids\":[1,2]}; see warmline call --help", arg)}
		case !isJSON:
			calls = append(calls, oneCall{method: arg})
		case last < 0 || calls[last].args != nil:
			return nil, usageError{errors.New("call takes SERVICE.METHOD and at most one JSON object behind each; see warmline call --help")}
		default:
			v, err := s.arguments(arg)
			if err != nil {
				return nil, err
			}
			calls[last].args = v
		}
	}
	if len(calls) == 0 {
		return nil, usageError{errors.New("call takes SERVICE.METHOD and at most one JSON object behind each; see warmline call --help")}
	}
	return calls, nil
}

// arguments decodes the JSON of the command line into what msgpack can encode.
func (s *settings) arguments(arg string) (any, error) {
	text := []byte(arg)
	if arg == "-" {
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

func (s *settings) call(ctx context.Context, o callOptions, calls []oneCall) error {
	ctx, cancel := context.WithTimeout(ctx, o.timeout)
	defer cancel()
	if o.profile != "" {
		carrier, err := mintFor(o.profile, o.keys)
		if err != nil {
			return err
		}
		ctx = passport.NewContext(ctx, carrier)
	}
	_, p, err := openCredentials(o.files, zerolog.Nop())
	if err != nil {
		return err
	}
	edge, err := nodelayer.Dial(ctx, nodelayer.Config{Edges: []string{o.edge}, Name: "warmline-call", Version: version, Wants: o.wants, Credentials: p.node})
	if err != nil {
		return err
	}
	defer edge.Close()
	enc := json.NewEncoder(s.stdout)
	enc.SetEscapeHTML(false)
	if len(calls) > 1 {
		return converse(ctx, edge, calls, enc.Encode)
	}
	result, err := nodelayer.Ask[any](ctx, edge, calls[0].method, calls[0].args)
	if err != nil {
		return err
	}
	if !o.compact {
		enc.SetIndent("", "  ")
	}
	return enc.Encode(result)
}

// answered is what is printed of one of several calls.
type answered struct {
	Call   int            `json:"call"`
	Method string         `json:"method"`
	Result any            `json:"result,omitempty"`
	Error  map[string]any `json:"error,omitempty"`
}

// converse asks several calls in one conversation and prints the answers as they
// come.
func converse(ctx context.Context, edge *nodelayer.Edge, calls []oneCall, print func(any) error) error {
	conv := edge.Converse(ctx)
	defer conv.Close()
	var started []*nodelayer.Pending
	for i, c := range calls {
		args, err := references(c.args, started)
		if err != nil {
			return usageError{fmt.Errorf("call %d, %s: %w", i+1, c.method, err)}
		}
		started = append(started, conv.Start(c.method, args))
	}
	answers := make(chan answered, len(calls))
	for i, p := range started {
		go func() {
			a := answered{Call: i + 1, Method: calls[i].method}
			result, err := nodelayer.Await[any](ctx, p)
			if a.Result = result; err != nil {
				e := protocol.AsError(err)
				a.Error = map[string]any{"code": e.Code.String(), "message": e.Message, "retry": e.Retry}
			}
			answers <- a
		}()
	}
	failed := 0
	for range calls {
		a := <-answers
		if a.Error != nil {
			failed++
		}
		if err := print(a); err != nil {
			return err
		}
	}
	if failed > 0 {
		return fmt.Errorf("%d of %d calls failed", failed, len(calls))
	}
	return nil
}

// references makes references of {"$ref":[1, "items", null, "id"]} to calls that
// were started before, counted from 1.
func references(v any, started []*nodelayer.Pending) (_ any, err error) {
	switch v := v.(type) {
	case map[string]any:
		if steps, ok := v["$ref"].([]any); ok && len(v) == 1 {
			return reference(steps, started)
		}
		for k, e := range v {
			if v[k], err = references(e, started); err != nil {
				return nil, err
			}
		}
	case []any:
		for i, e := range v {
			if v[i], err = references(e, started); err != nil {
				return nil, err
			}
		}
	}
	return v, nil
}

func reference(steps []any, started []*nodelayer.Pending) (any, error) {
	var n int64
	if len(steps) > 0 {
		n, _ = steps[0].(int64)
	}
	if n < 1 || n > int64(len(started)) {
		return nil, fmt.Errorf(`{"$ref":%v}: expected the number of a call before it first, then keys, indices and null for each`, steps)
	}
	path := []any{}
	for _, s := range steps[1:] {
		switch s := s.(type) {
		case nil:
			path = append(path, nodelayer.Each)
		case int64:
			path = append(path, int(s))
		default:
			path = append(path, s)
		}
	}
	return started[n-1].Ref(path...), nil
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
