package edgelayer

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"reflect"
	"regexp"

	"github.com/Masterminds/semver/v3"

	"warmline.dev/passport"
	"warmline.dev/protocol"
)

// Service is what an edge offers under one name and version. It is copied by [New].
type Service struct {
	// Name is lower-case letters, digits and "-", such as "catalogue". "edge" and
	// "warmline" are taken.
	Name string
	// Version is semver, such as "2.1.3".
	Version string
	// Methods, no two of one name.
	Methods []Method
}

// Method is one question that a service answers. Make it with [NewMethod],
// [NewStream] or [NewRaw].
type Method struct {
	name    string
	full    string // with the service: "catalogue.videos"
	needs   *passport.Level
	reads   bool
	again   bool     // may be asked twice
	changes []string // other services that it writes to
	shape   string   // the arguments, for error messages

	// One of the two. yield takes a part and waits until the adapter takes it.
	run    func(ctx context.Context, codec protocol.Codec, args protocol.Raw) (protocol.Raw, error)
	stream func(ctx context.Context, codec protocol.Codec, args protocol.Raw, yield func(protocol.Raw) error) error

	atOnce func(ctx context.Context, codec protocol.Codec, args protocol.Raw) (result protocol.Raw, ok bool, err error) // nil: see [AtOnce]
}

// MethodOption refines a method.
type MethodOption interface{ apply(*Method) }

type needsPassport passport.Level

func (n needsPassport) apply(m *Method) { level := passport.Level(n); m.needs = &level }

// NeedsPassport refuses calls whose passport is missing, forged or expired
// ([protocol.Unauthenticated]), or below the level ([protocol.Forbidden]).
func NeedsPassport(level passport.Level) MethodOption { return needsPassport(level) }

type methodOption func(*Method)

func (o methodOption) apply(m *Method) { o(m) }

// Reads declares that a method changes nothing. A conversation that asks it the
// same twice gets the same answer, without a second run, until it writes to the
// service, or to the passport if the method has looked at that, or asks for it
// fresh. It can be asked again, elsewhere too, when a line is lost. A method that
// is not declared so counts as one that writes.
func Reads() MethodOption {
	return methodOption(func(m *Method) { m.reads, m.again = true, true })
}

// Idempotent declares that a method which writes does no harm when it is asked
// twice, so that it can be asked again when a line is lost.
func Idempotent() MethodOption { return methodOption(func(m *Method) { m.again = true }) }

// Changes names other services of which a method that writes changes what they
// answer. That it changes its own service's answers goes without saying.
func Changes(services ...string) MethodOption {
	return methodOption(func(m *Method) { m.changes = append(m.changes, services...) })
}

// NewStream makes a method of a function that gives any number of parts, one
// after another, by yield. Yield waits until the adapter takes the part; its
// error means that nobody takes any more, and is to be returned. What else is
// said of [NewMethod] holds.
func NewStream[In, Part any](name string, f func(ctx context.Context, in In, yield func(Part) error) error, opts ...MethodOption) Method {
	m := Method{name: name, shape: shapeOf(reflect.TypeFor[In]())}
	m.stream = func(ctx context.Context, codec protocol.Codec, args protocol.Raw, yield func(protocol.Raw) error) error {
		var in In
		if err := decodeArgs(codec, args, &in); err != nil {
			return err
		}
		return f(ctx, in, func(part Part) error {
			raw, err := codec.Marshal(part)
			if err != nil {
				return err
			}
			return yield(raw)
		})
	}
	for _, o := range opts {
		o.apply(&m)
	}
	return m
}

// NewMethod makes a method of a function. Arguments and result travel as msgpack
// or JSON and go by json tags; In is a struct as a rule, and an argument that it
// has no field for is refused. An integer that does not fit its field is cut to
// size by the msgpack library: take int or int64, and check ranges.
//
// An error that is or wraps a *[protocol.Error] is told to the adapter as it is;
// any other as [protocol.Internal] with its text, so it should hold no secrets.
func NewMethod[In, Out any](name string, f func(ctx context.Context, in In) (Out, error), opts ...MethodOption) Method {
	m := Method{name: name, shape: shapeOf(reflect.TypeFor[In]())}
	m.run = func(ctx context.Context, codec protocol.Codec, args protocol.Raw) (protocol.Raw, error) {
		var in In
		if err := decodeArgs(codec, args, &in); err != nil {
			return nil, err
		}
		out, err := f(ctx, in)
		if err != nil {
			return nil, err
		}
		return codec.Marshal(out)
	}
	for _, o := range opts {
		o.apply(&m)
	}
	return m
}

// NewRaw makes a method of a function that takes its arguments and gives its result
// encoded, by the line's codec: for services that are not known when the program is
// written. Arguments are well-formed and within protocol.DefaultLimits, or empty;
// shape says in messages how they look: {"ids":[integer]}. The function may keep
// and return bytes that it shares with others, and may not change those it is given.
// What else is said of [NewMethod] holds.
func NewRaw(name, shape string, f func(ctx context.Context, codec protocol.Codec, args protocol.Raw) (protocol.Raw, error), opts ...MethodOption) Method {
	m := Method{name: name, shape: shape}
	m.run = func(ctx context.Context, codec protocol.Codec, args protocol.Raw) (protocol.Raw, error) {
		if err := checkArgs(codec, args); err != nil {
			return nil, err
		}
		return f(ctx, codec, args)
	}
	for _, o := range opts {
		o.apply(&m)
	}
	return m
}

// WrongArguments is the error of a [NewRaw] method whose arguments do not have the
// shape that it takes. The adapter is told err, and the shape.
func WrongArguments(err error) error { return errArgs{err} }

// errArgs is arguments of the wrong shape; whoever knows the method says which it expects.
type errArgs struct{ error }

// errMalformedArgs is arguments that are no encoding of anything. It has a type
// of its own because a method can come across malformed bytes too, which are no
// fault of the adapter's.
type errMalformedArgs struct{ error }

// decodeArgs reads arguments; nothing at all is the zero value.
func decodeArgs(codec protocol.Codec, args protocol.Raw, into any) error {
	if len(args) == 0 || isNil(codec, args) {
		return nil
	}
	switch err := codec.UnmarshalStrict(args, into); {
	case err == nil:
		return nil
	case errors.Is(err, protocol.ErrMalformed):
		return errMalformedArgs{err}
	default:
		return errArgs{err}
	}
}

// checkArgs finds out whether arguments are an encoding of anything.
func checkArgs(codec protocol.Codec, args protocol.Raw) error {
	var err error
	switch {
	case len(args) == 0:
	case codec == protocol.JSON:
		if !json.Valid(args) {
			err = fmt.Errorf("%w JSON", protocol.ErrMalformed)
		}
	default:
		err = protocol.DefaultLimits.Check(args)
	}
	if err != nil {
		return errMalformedArgs{err}
	}
	return nil
}

func isNil(codec protocol.Codec, v protocol.Raw) bool {
	if codec == protocol.JSON {
		return string(v) == "null"
	}
	return len(v) == 1 && v[0] == 0xC0
}

var (
	validName   = regexp.MustCompile(`^[a-z][a-z0-9-]{0,62}$`)
	validMethod = regexp.MustCompile(`^[a-z][A-Za-z0-9]{0,62}$`)
)

// service is a validated Service.
type service struct {
	name    string
	version *semver.Version
	signs   string // passports that it changes: "members@1.2.0"
	methods map[string]*Method
}

// only is the service with some of its methods.
func (sv *service) only(which func(method string) bool) *service {
	some := *sv
	some.methods = make(map[string]*Method, len(sv.methods))
	for name, m := range sv.methods {
		if which(name) {
			some.methods[name] = m
		}
	}
	return &some
}

func newService(s Service) (*service, error) {
	if !validName.MatchString(s.Name) || s.Name == "warmline" {
		return nil, fmt.Errorf("edgelayer: service name %q: expected lower-case letters, digits and '-', and not \"warmline\"", s.Name)
	}
	v, err := semver.StrictNewVersion(s.Version)
	if err != nil {
		return nil, fmt.Errorf("edgelayer: service %s: version %q: %w, expected something like 2.1.3", s.Name, s.Version, err)
	}
	sv := &service{name: s.Name, version: v, signs: s.Name + "@" + v.String(), methods: make(map[string]*Method, len(s.Methods))}
	for _, m := range s.Methods {
		if !validMethod.MatchString(m.name) || m.run == nil && m.stream == nil {
			return nil, fmt.Errorf("edgelayer: service %s: method name %q: expected letters and digits, the first in lower case", s.Name, m.name)
		}
		if sv.methods[m.name] != nil {
			return nil, fmt.Errorf("edgelayer: service %s: two methods named %q", s.Name, m.name)
		}
		if m.atOnce != nil && (!m.reads || m.stream != nil) {
			return nil, fmt.Errorf("edgelayer: service %s: method %s answers at once: expected that it reads and gives one result", s.Name, m.name)
		}
		m.full = s.Name + "." + m.name
		sv.methods[m.name] = &m
	}
	return sv, nil
}
