package gateway

import (
	"errors"
	"fmt"
	"maps"
	"slices"
	"sync"

	"github.com/Masterminds/semver/v3"

	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
)

// adapter is one line that an adapter opened.
type adapter struct {
	name    string
	version *semver.Version
	conn    *rsocket.Conn
	codec   protocol.Codec
}

// table is the set of live lines.
type table struct {
	mu    sync.RWMutex
	lines map[string][]*adapter // guarded by mu: by app, in no order
}

func (t *table) add(a *adapter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	if t.lines == nil {
		t.lines = map[string][]*adapter{}
	}
	t.lines[a.name] = append(t.lines[a.name], a)
}

func (t *table) remove(a *adapter) {
	t.mu.Lock()
	defer t.mu.Unlock()
	t.lines[a.name] = slices.DeleteFunc(t.lines[a.name], func(b *adapter) bool { return b == a })
	if len(t.lines[a.name]) == 0 {
		delete(t.lines, a.name)
	}
}

// all are the lines there are, in no order.
func (t *table) all() (lines []*adapter) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	for _, of := range t.lines {
		lines = append(lines, of...)
	}
	return lines
}

// pick returns the least busy line of the highest version in the range; "" is
// the highest stable version, or the highest of all if none is stable.
func (t *table) pick(app, rng string) (*adapter, *protocol.Error) {
	t.mu.RLock()
	defer t.mu.RUnlock()
	lines := taking(t.lines[app])
	if len(lines) == 0 {
		return nil, protocol.Errorf(protocol.NotFound, "no adapter %q is connected", app)
	}
	versions := make(protocol.Versions, len(lines))
	for i, a := range lines {
		versions[i] = a.version
	}
	want := rng
	if want == "" {
		want = "*"
	}
	v, err := protocol.Pick(want, versions)
	if rng == "" && err != nil {
		v, err = protocol.Pick(">=0.0.0-0", versions)
	}
	if bad, ok := errors.AsType[*protocol.RangeError](err); ok {
		return nil, protocol.Errorf(protocol.InvalidArgument, "%w", bad)
	}
	if err != nil {
		return nil, protocol.Errorf(protocol.Unsatisfied, "no version of %q is in %s", app, rng)
	}
	return leastBusy(lines, v), nil
}

// taking are the lines that take new requests: one that is closing finishes what
// it has.
func taking(lines []*adapter) []*adapter {
	return slices.DeleteFunc(slices.Clone(lines), func(a *adapter) bool { return a.conn.Draining() })
}

func leastBusy(lines []*adapter, v *semver.Version) *adapter {
	var best *adapter
	var load int
	for _, a := range lines {
		if !a.version.Equal(v) {
			continue
		}
		if n := a.conn.InFlight(); best == nil || n < load {
			best, load = a, n
		}
	}
	return best
}

// list is what is here: versions by app, highest first.
func (t *table) list() map[string][]string {
	t.mu.RLock()
	defer t.mu.RUnlock()
	list := make(map[string][]string, len(t.lines))
	for app, lines := range t.lines {
		byVersion := map[string]*semver.Version{}
		for _, a := range taking(lines) {
			byVersion[a.version.String()] = a.version
		}
		if len(byVersion) == 0 {
			continue
		}
		list[app] = protocol.Versions(slices.Collect(maps.Values(byVersion))).Strings()
	}
	return list
}

// String is for logs.
func (a *adapter) String() string { return fmt.Sprintf("%s@%s", a.name, a.version) }
