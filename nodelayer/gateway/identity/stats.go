package identity

import "sync/atomic"

// how a request was decided
const (
	anonymous = iota // no cookie, no token
	trusted          // a cookie that nobody was asked about
	renewed          // a stale cookie, and the account source said yes
	checked          // a cookie or token in question, the same
	honoured         // a stale cookie, and the account source could not say
	byToken
	refused   // a cookie or token that is not good
	signedOff // the account source said no
	unknown   // one in question, and the account source could not say
	asked     // questions to the account source
	outcomes
)

var outcomeNames = [outcomes]string{"anonymous", "trusted", "renewed", "checked", "honoured", "token", "refused", "signed_out", "unknown", "asked"}

type counts [outcomes]atomic.Uint64

func (d *Door) count(what int) { d.counts[what].Add(1) }

// Stats are how many requests were decided how, since the start: anonymous, trusted,
// renewed, checked, honoured, token, refused, signed_out, unknown; and asked, how
// often the account source was.
func (d *Door) Stats() map[string]uint64 {
	stats := make(map[string]uint64, outcomes)
	for i := range d.counts {
		stats[outcomeNames[i]] = d.counts[i].Load()
	}
	return stats
}
