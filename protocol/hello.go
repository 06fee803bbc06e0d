package protocol

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"slices"
	"strings"
	"unicode"

	"github.com/Masterminds/semver/v3"
)

// Hello is the data of a SETUP frame. One that is empty says nothing: the peer
// then has no name and wants the highest stable version of everything.
type Hello struct {
	Name     string            `json:"name,omitempty"`     // who dials
	Version  string            `json:"version,omitempty"`  // its own version
	Protocol string            `json:"protocol,omitempty"` // range of the Warmline protocol that it speaks; empty: any
	Wants    map[string]string `json:"wants,omitempty"`    // to an edge: service to range; empty: everything
	Offers   map[string]string `json:"offers,omitempty"`   // to a gateway: adapter to version
}

// Welcome is what [RouteSetup] answers: what was agreed.
type Welcome struct {
	Name     string            `json:"name"`     // who answers
	Version  string            `json:"version"`  // its own version
	Protocol string            `json:"protocol"` // version of the Warmline protocol that is spoken
	Resolved map[string]string `json:"resolved"` // service to version

	// Again are the methods, by service, whose calls may be asked twice: those that
	// only read, and those that do no harm.
	Again map[string][]string `json:"again,omitempty"`
}

// MayAskAgain reports whether a call of "service.method" may be asked twice.
func (w *Welcome) MayAskAgain(method string) bool {
	service, name, _ := strings.Cut(method, ".")
	return slices.Contains(w.Again[service], name)
}

// Refusal is why a setup was refused, as JSON the data of ERROR[REJECTED_SETUP].
type Refusal struct {
	Code        Code   `json:"code"`
	Message     string `json:"message"`
	Unsatisfied []Miss `json:"unsatisfied,omitempty"`
}

// Miss is one want that no offer satisfies.
type Miss struct {
	Name    string   `json:"name"`
	Wanted  string   `json:"wanted"`
	Offered []string `json:"offered"` // highest first; empty: nothing of that name
	Reason  string   `json:"reason"`
}

// Error is the refusal in one line.
func (r *Refusal) Error() string { return r.Message }

// JSON is the refusal for the wire.
func (r *Refusal) JSON() string {
	b, err := json.Marshal(r)
	if err != nil { // strings and codes always encode
		return r.Message
	}
	return string(b)
}

// ParseRefusal reads the data of ERROR[REJECTED_SETUP]; it returns nil if that
// is not a refusal by this protocol.
func ParseRefusal(data string) *Refusal {
	var r Refusal
	if json.Unmarshal([]byte(data), &r) != nil || r.Message == "" {
		return nil
	}
	return &r
}

// RefusalText is the data of a setup's ERROR in one line for people, whether it
// is a [Refusal] or text.
func RefusalText(data string) string {
	if r := ParseRefusal(data); r != nil {
		return r.Message
	}
	return data
}

const maxWants = 256

// ParseHello reads the data of a SETUP frame. The error says what was expected.
func ParseHello(c Codec, data []byte) (Hello, error) {
	var h Hello
	if len(data) == 0 {
		return h, nil
	}
	if err := c.Unmarshal(data, &h); err != nil {
		return h, fmt.Errorf(`SETUP data: %w: expected {"name","version","protocol","wants","offers"}`, err)
	}
	if len(h.Wants) > maxWants || len(h.Offers) > maxWants {
		return h, fmt.Errorf("SETUP data: %d wants and %d offers, expected at most %d", len(h.Wants), len(h.Offers), maxWants)
	}
	return h, nil
}

// CheckProtocol refuses a hello whose range leaves [Version] out.
func (h *Hello) CheckProtocol() *Refusal {
	if h.Protocol == "" {
		return nil
	}
	_, refusal := Resolve(map[string]string{"warmline": h.Protocol}, Offers{"warmline": {semver.MustParse(Version)}})
	return refusal
}

// Offers are the versions that there are of each name, in any order.
type Offers map[string]Versions

// Versions are versions of one thing, in any order.
type Versions []*semver.Version

// Strings lists the versions, highest first.
func (vs Versions) Strings() []string {
	sorted := slices.Clone(vs)
	slices.SortFunc(sorted, func(a, b *semver.Version) int { return b.Compare(a) })
	list := make([]string, len(sorted))
	for i, v := range sorted {
		list[i] = v.String()
	}
	return list
}

// Resolve finds for each want the highest version in its range, or says of every
// want that has none why. Without wants it takes the highest stable version of
// each name. Ranges are Masterminds/semver's: a pre-release matches only a range
// that names one.
func Resolve(wants map[string]string, offers Offers) (map[string]*semver.Version, *Refusal) {
	if len(wants) == 0 {
		wants = make(map[string]string, len(offers))
		for name, versions := range offers {
			if slices.ContainsFunc(versions, func(v *semver.Version) bool { return v.Prerelease() == "" }) {
				wants[name] = "*"
			}
		}
	}
	resolved := make(map[string]*semver.Version, len(wants))
	var missed []Miss
	for _, name := range slices.Sorted(maps.Keys(wants)) {
		v, err := Pick(wants[name], offers[name])
		if err != nil {
			missed = append(missed, Miss{Name: plain(name), Wanted: plain(wants[name]), Offered: offers[name].Strings(), Reason: err.Error()})
			continue
		}
		resolved[name] = v
	}
	if missed == nil {
		return resolved, nil
	}
	lines := make([]string, len(missed))
	for i, m := range missed {
		lines[i] = m.String()
	}
	return nil, &Refusal{Code: Unsatisfied, Message: strings.Join(lines, "; "), Unsatisfied: missed}
}

// String is "wants catalogue ^3, offered are 2.1.3 and 1.4.2".
func (m Miss) String() string {
	switch {
	case len(m.Offered) == 0:
		return fmt.Sprintf("wants %s %s, nothing of that name is offered", m.Name, m.Wanted)
	case m.Reason != notInRange:
		return fmt.Sprintf("wants %s %s: %s; offered: %s", m.Name, m.Wanted, m.Reason, strings.Join(m.Offered, ", "))
	}
	return fmt.Sprintf("wants %s %s, offered: %s", m.Name, m.Wanted, strings.Join(m.Offered, ", "))
}

const notInRange = "no version in that range"

// plain is what a peer said as a message of one line can repeat it.
func plain(s string) string {
	if len(s) > maxRange {
		s = strings.ToValidUTF8(s[:32], "") + "…"
	}
	return strings.Map(func(r rune) rune {
		if !unicode.IsPrint(r) {
			return '\uFFFD'
		}
		return r
	}, s)
}

// RangeError is a range that can't be read.
type RangeError struct{ Range, Reason string }

// Error shows the range and what one looks like.
func (e *RangeError) Error() string {
	return fmt.Sprintf("%q is not a version range: %s; expected something like ^1.2, ~2.0.1 or >=1.0, <3", e.Range, e.Reason)
}

const maxRange = 256 // characters; what people write takes a tenth

// Pick returns the highest version in a range, a *[RangeError] if the range
// can't be read, or another error if there is no such version.
func Pick(rng string, versions Versions) (*semver.Version, error) {
	if len(rng) > maxRange {
		return nil, &RangeError{rng[:32] + "…", fmt.Sprintf("%d characters, at most %d are read", len(rng), maxRange)}
	}
	c, err := semver.NewConstraint(rng)
	if err != nil {
		return nil, &RangeError{rng, err.Error()}
	}
	var best *semver.Version
	for _, v := range versions {
		if c.Check(v) && (best == nil || v.GreaterThan(best)) {
			best = v
		}
	}
	if best == nil {
		return nil, errors.New(notInRange)
	}
	return best, nil
}
