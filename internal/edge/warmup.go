package edge

import (
	"context"
	"fmt"
	"time"

	"warmline.dev/internal/handover"
)

func (e *Edge) peers() handover.Peers {
	return handover.Peers{Addresses: e.cfg.Peers, Version: e.cfg.Version, Keys: e.cfg.Keys, Credentials: e.cfg.Credentials, Log: e.cfg.Log}
}

// warmUp fills the caches before the edge is ready: from another edge, otherwise
// with what was hot, otherwise not at all.
func (e *Edge) warmUp(ctx context.Context) {
	if e.cfg.WarmUp < 0 || len(e.cfg.Peers) == 0 && e.cfg.HotKeys == "" {
		return
	}
	log := e.cfg.Log
	ctx, cancel := context.WithTimeout(ctx, e.cfg.WarmUp)
	defer cancel()
	// What comes before the bus is heard could have been invalidated unheard, and
	// would be dropped when it is there.
	hearing, stop := context.WithTimeout(ctx, e.cfg.WarmUp/4)
	if err := e.link.Ready(hearing); err != nil {
		log.Warn().Err(err).Msg("warming up without the bus: what comes now is dropped when it is there")
	}
	stop()
	began := time.Now()
	if len(e.cfg.Peers) > 0 {
		asking, stop := context.WithTimeout(ctx, e.cfg.WarmUp*3/5) // and there is time for the keys
		taken, err := e.peers().Fetch(asking, e.behind.memories(), e.progress("from another edge"))
		stop()
		if err != nil {
			log.Info().Strs("peers", e.cfg.Peers).Err(err).Int("entries", taken).Msg("no other edge hands over what is warm, or not all of it")
		}
		if taken > 0 {
			log.Info().Int("entries", taken).Dur("took", time.Since(began)).Msg("warm: another edge has handed over")
			return
		}
	}
	if e.cfg.HotKeys != "" {
		loaded, err := handover.LoadKeys(ctx, e.cfg.HotKeys, e.behind.memories(), e.progress("from the sources"))
		if err != nil {
			log.Warn().Err(err).Int("values", loaded).Msg("not everything that was hot is loaded")
		}
		if loaded > 0 {
			log.Info().Int("values", loaded).Dur("took", time.Since(began)).Msg("warm: what was hot is loaded")
			return
		}
	}
	log.Info().Msg("a cold start: there was nothing to warm up with")
}

// progress says on the admin port how far it is, and in the log once a second.
func (e *Edge) progress(whence string) func(n int) {
	last := time.Now()
	return func(n int) {
		if time.Since(last) < time.Second {
			return
		}
		last = time.Now()
		if e.admin != nil {
			e.admin.NotReady(fmt.Sprintf("warming up: %d entries %s", n, whence))
		}
		e.cfg.Log.Info().Int("entries", n).Str("whence", whence).Msg("warming up")
	}
}

// handOver gives what is warm to another edge, and keeps what is hot.
func (e *Edge) handOver(ctx context.Context) {
	e.saveKeys()
	if e.cfg.WarmUp < 0 || len(e.cfg.Peers) == 0 {
		return
	}
	ctx, cancel := context.WithTimeout(ctx, e.cfg.WarmUp)
	defer cancel()
	began := time.Now()
	given, err := 0, e.link.Vouch(ctx)
	if err == nil {
		given, err = e.peers().HandOver(ctx, e.behind.memories())
	}
	line, what := e.cfg.Log.Info().Int("entries", given).Dur("took", time.Since(began)), "handed over to another edge"
	if err != nil {
		line, what = line.Err(err), "not everything that is warm is handed over"
	}
	line.Msg(what)
}

func (e *Edge) saveKeys() {
	if e.cfg.HotKeys == "" {
		return
	}
	if err := handover.SaveKeys(e.cfg.HotKeys, e.behind.memories()); err != nil {
		e.cfg.Log.Warn().Err(err).Msg("what is hot is not kept")
	}
}
