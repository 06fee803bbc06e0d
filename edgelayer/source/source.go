package source

import "net/http"

// Source is one mid-tier service. All methods are safe for concurrent use. Make
// it with [New].
type Source struct {
	cfg       Config
	client    *http.Client
	instances *instances
	ask       step // the chain

	limit   *limit
	breaker *breaker
	budget  *budget
	retry   *retry
	hedge   *hedge
	times   *times
	figures figures
}

// New makes a source, or says what is wrong with cfg. Nothing is sent. The caller
// closes it.
func New(cfg Config) (*Source, error) {
	cfg, err := cfg.checked()
	if err != nil {
		return nil, err
	}
	s := &Source{cfg: cfg, client: cfg.Client, instances: newInstances(cfg)}
	if s.client == nil {
		s.client = newClient(cfg)
	}
	s.times = &times{quantile: cfg.Hedge.Quantile}
	s.budget = newBudget(cfg.Budget)
	s.limit = newLimit(cfg)
	s.breaker = newBreaker(cfg)
	s.retry = newRetry(cfg, s.budget)
	s.hedge = newHedge(cfg, s.times, s.limit, s.budget)
	s.figures.budget = s.budget
	s.ask = s.chain()
	return s, nil
}

// Close lets go of idle connections.
func (s *Source) Close() { s.client.CloseIdleConnections() }

// Name is the name it was made with.
func (s *Source) Name() string { return s.cfg.Name }
