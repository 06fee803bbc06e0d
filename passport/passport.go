package passport

import (
	"fmt"
	"time"

	"github.com/vmihailenco/msgpack/v5"
)

// Level is how sure the gateway is of who is calling.
type Level uint8

// The levels, each surer than the one before.
const (
	// Anonymous: nobody in particular. The zero value.
	Anonymous Level = iota
	// Recognised: the device said who it is for, and nothing proved it today.
	Recognised
	// Authenticated: signed in.
	Authenticated
)

// String names the level in lower case.
func (l Level) String() string {
	switch l {
	case Anonymous:
		return "anonymous"
	case Recognised:
		return "recognised"
	case Authenticated:
		return "authenticated"
	}
	return fmt.Sprintf("level %d", uint8(l))
}

// Passport says whom a call is made for. Strings are at most 255 bytes; empty is
// unknown. Times have millisecond precision.
type Passport struct {
	Customer string    // the account
	Profile  string    // who of the household
	Plan     string    // membership plan
	Device   string    // kind of device
	Country  string    // ISO 3166-1 alpha-2
	Level    Level     // how sure that is
	Origin   string    // who minted it or changed it last: "gateway", "members@1.2.0"
	Issued   time.Time // when it was minted
	Expires  time.Time // when it stops being taken; not zero
}

const fields = 9

var (
	_ msgpack.CustomEncoder = (*Passport)(nil)
	_ msgpack.CustomDecoder = (*Passport)(nil)
)

func (p *Passport) texts() [6]*string {
	return [6]*string{&p.Customer, &p.Profile, &p.Plan, &p.Device, &p.Country, &p.Origin}
}

// EncodeMsgpack writes the body of the sealed form.
func (p *Passport) EncodeMsgpack(enc *msgpack.Encoder) error {
	if err := enc.EncodeArrayLen(fields); err != nil {
		return err
	}
	t := p.texts()
	for _, s := range t[:5] {
		if err := enc.EncodeString(*s); err != nil {
			return err
		}
	}
	if err := enc.EncodeUint(uint64(p.Level)); err != nil {
		return err
	}
	if err := enc.EncodeString(p.Origin); err != nil {
		return err
	}
	if err := enc.EncodeInt(p.Issued.UnixMilli()); err != nil {
		return err
	}
	return enc.EncodeInt(p.Expires.UnixMilli())
}

// DecodeMsgpack reads the body of the sealed form.
func (p *Passport) DecodeMsgpack(dec *msgpack.Decoder) error {
	n, err := dec.DecodeArrayLen()
	if err != nil {
		return err
	}
	if n != fields {
		return fmt.Errorf("%d fields, expected %d", n, fields)
	}
	t := p.texts()
	for _, s := range t[:5] {
		if *s, err = dec.DecodeString(); err != nil {
			return err
		}
	}
	level, err := dec.DecodeUint8()
	if err != nil {
		return err
	}
	p.Level = Level(level)
	if p.Origin, err = dec.DecodeString(); err != nil {
		return err
	}
	for _, at := range []*time.Time{&p.Issued, &p.Expires} {
		ms, err := dec.DecodeInt64()
		if err != nil {
			return err
		}
		*at = time.UnixMilli(ms).UTC()
	}
	return nil
}

func (p *Passport) validate() error {
	for _, s := range p.texts() {
		if len(*s) > 255 {
			return fmt.Errorf("passport: a field of %d bytes, expected at most 255", len(*s))
		}
	}
	if p.Expires.IsZero() {
		return fmt.Errorf("passport: no expiry time")
	}
	return nil
}
