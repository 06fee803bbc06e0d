package declare

import (
	"warmline.dev/edgelayer/source"
)

// orOff is what stands in the place of a policy.
const orOff = "its fields, or off"

// policies reads what is put up with of a source, over what cfg has already.
func (r *reader) policies(f *fields, cfg *source.Config) {
	if n := f.get("timeout"); n != nil {
		if isOff(n) {
			cfg.Timeout = -1
		} else {
			cfg.Timeout = r.duration(n, "timeout")
		}
	}
	if n := f.get("largest"); n != nil {
		cfg.MaxBody = r.size(n, "largest")
	}
	if n := f.get("limit"); n != nil {
		if isOff(n) {
			cfg.Limit = source.Limit{Most: -1}
		} else {
			r.limit(r.fields(n, "limit", orOff), &cfg.Limit)
		}
	}
	if n := f.get("breaker"); n != nil {
		if isOff(n) {
			cfg.Breaker = source.Breaker{MinRequests: -1}
		} else {
			r.breaker(r.fields(n, "breaker", orOff), &cfg.Breaker)
		}
	}
	if n := f.get("retry"); n != nil {
		if isOff(n) {
			cfg.Retry = source.Retry{Attempts: -1}
		} else {
			r.retry(r.fields(n, "retry", orOff), &cfg.Retry)
		}
	}
	if n := f.get("hedge"); n != nil {
		if isOff(n) {
			cfg.Hedge = source.Hedge{Quantile: -1}
		} else {
			r.hedge(r.fields(n, "hedge", orOff), &cfg.Hedge)
		}
	}
	if n := f.get("budget"); n != nil {
		if isOff(n) {
			cfg.Budget = -1
		} else {
			cfg.Budget = r.share(n, "budget", true)
		}
	}
}

const maxAtOnce = 100_000

func (r *reader) limit(f *fields, l *source.Limit) {
	defer f.done()
	if l.Most < 0 {
		*l = source.Limit{} // it was off
	}
	least, most := f.get("least"), f.get("most")
	if least != nil {
		l.Least = r.count(least, "least", maxAtOnce)
	}
	if most != nil {
		l.Most = r.count(most, "most", maxAtOnce)
	}
	if !f.broken() && l.Most > 0 && l.Least > l.Most {
		r.wrong(f.at, "limit is least %d and most %d; expected least to be at most most", l.Least, l.Most)
	}
}

func (r *reader) breaker(f *fields, b *source.Breaker) {
	defer f.done()
	if b.MinRequests < 0 {
		*b = source.Breaker{}
	}
	if n := f.get("window"); n != nil {
		b.Window = r.duration(n, "window")
	}
	if n := f.get("failures"); n != nil {
		b.FailureRatio = r.share(n, "failures", true)
	}
	if n := f.get("requests"); n != nil {
		b.MinRequests = r.count(n, "requests", 1_000_000)
	}
	if n := f.get("open_for"); n != nil {
		b.OpenFor = r.duration(n, "open_for")
	}
}

func (r *reader) retry(f *fields, p *source.Retry) {
	defer f.done()
	if p.Attempts < 0 {
		*p = source.Retry{}
	}
	if n := f.get("attempts"); n != nil {
		p.Attempts = r.count(n, "attempts", 10)
	}
	if n := f.get("backoff"); n != nil {
		if isOff(n) {
			p.Backoff = -1
		} else {
			p.Backoff = r.duration(n, "backoff")
		}
	}
}

func (r *reader) hedge(f *fields, h *source.Hedge) {
	defer f.done()
	if h.Quantile < 0 {
		*h = source.Hedge{}
	}
	if n := f.get("after"); n != nil {
		h.Quantile = r.share(n, "after", false)
	}
}
