package declare

import (
	"warmline.dev/edgelayer/source"
	"warmline.dev/protocol/yamlfile"
)

// orOff is what stands in the place of a policy.
const orOff = "its fields, or off"

// policies reads what is put up with of a source, over what cfg has already.
func (r *reader) policies(f *yamlfile.Fields, cfg *source.Config) {
	if n := f.Get("timeout"); n != nil {
		if isOff(n) {
			cfg.Timeout = -1
		} else {
			cfg.Timeout = r.duration(n, "timeout")
		}
	}
	if n := f.Get("largest"); n != nil {
		cfg.MaxBody = r.size(n, "largest")
	}
	if n := f.Get("limit"); n != nil {
		if isOff(n) {
			cfg.Limit = source.Limit{Most: -1}
		} else {
			r.limit(r.Fields(n, "limit", orOff), &cfg.Limit)
		}
	}
	if n := f.Get("breaker"); n != nil {
		if isOff(n) {
			cfg.Breaker = source.Breaker{MinRequests: -1}
		} else {
			r.breaker(r.Fields(n, "breaker", orOff), &cfg.Breaker)
		}
	}
	if n := f.Get("retry"); n != nil {
		if isOff(n) {
			cfg.Retry = source.Retry{Attempts: -1}
		} else {
			r.retry(r.Fields(n, "retry", orOff), &cfg.Retry)
		}
	}
	if n := f.Get("hedge"); n != nil {
		if isOff(n) {
			cfg.Hedge = source.Hedge{Quantile: -1}
		} else {
			r.hedge(r.Fields(n, "hedge", orOff), &cfg.Hedge)
		}
	}
	if n := f.Get("budget"); n != nil {
		if isOff(n) {
			cfg.Budget = -1
		} else {
			cfg.Budget = r.share(n, "budget", true)
		}
	}
}

const maxAtOnce = 100_000

func (r *reader) limit(f *yamlfile.Fields, l *source.Limit) {
	defer f.Done()
	if l.Most < 0 {
		*l = source.Limit{} // it was off
	}
	least, most := f.Get("least"), f.Get("most")
	if least != nil {
		l.Least = r.count(least, "least", maxAtOnce)
	}
	if most != nil {
		l.Most = r.count(most, "most", maxAtOnce)
	}
	if !f.Broken() && l.Most > 0 && l.Least > l.Most {
		r.Wrong(f.At, "limit is least %d and most %d; expected least to be at most most", l.Least, l.Most)
	}
}

func (r *reader) breaker(f *yamlfile.Fields, b *source.Breaker) {
	defer f.Done()
	if b.MinRequests < 0 {
		*b = source.Breaker{}
	}
	if n := f.Get("window"); n != nil {
		b.Window = r.duration(n, "window")
	}
	if n := f.Get("failures"); n != nil {
		b.FailureRatio = r.share(n, "failures", true)
	}
	if n := f.Get("requests"); n != nil {
		b.MinRequests = r.count(n, "requests", 1_000_000)
	}
	if n := f.Get("open_for"); n != nil {
		b.OpenFor = r.duration(n, "open_for")
	}
}

func (r *reader) retry(f *yamlfile.Fields, p *source.Retry) {
	defer f.Done()
	if p.Attempts < 0 {
		*p = source.Retry{}
	}
	if n := f.Get("attempts"); n != nil {
		p.Attempts = r.count(n, "attempts", 10)
	}
	if n := f.Get("backoff"); n != nil {
		if isOff(n) {
			p.Backoff = -1
		} else {
			p.Backoff = r.duration(n, "backoff")
		}
	}
}

func (r *reader) hedge(f *yamlfile.Fields, h *source.Hedge) {
	defer f.Done()
	if h.Quantile < 0 {
		*h = source.Hedge{}
	}
	if n := f.Get("after"); n != nil {
		h.Quantile = r.share(n, "after", false)
	}
}
