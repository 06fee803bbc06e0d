package sample

import (
	"context"
	"errors"
	"fmt"
	"net"
	"strconv"
	"strings"
	"sync"
)

// Services are the services of one [Start]. The zero value has none of them.
// All methods are safe for concurrent use. Whoever called Start calls
// [Services.Shutdown].
type Services struct {
	byName map[string]*service // not written to after Start
}

// Start listens with all services before it returns. If one of them can't,
// it closes those that did and the error says which service and which address.
func Start(cfg Config) (*Services, error) {
	cfg, err := cfg.withDefaults()
	if err != nil {
		return nil, err
	}
	fs, err := loadFilms()
	if err != nil {
		return nil, fmt.Errorf("sample: %w", err)
	}
	m := newMembers(cfg.OnAccount)
	routes := map[string]map[string]endpoint{
		nameProfiles:        profilesRoutes(),
		nameMembers:         membersRoutes(m),
		nameRecommendations: recommendationsRoutes(fs),
		nameCatalogue:       catalogueRoutes(fs),
		nameRatings:         ratingsRoutes(fs),
		nameAccounts:        accountsRoutes(m, cfg.OnAccount),
	}
	s := &Services{byName: make(map[string]*service)}
	for i, name := range Names() {
		addr := net.JoinHostPort(cfg.Host, strconv.Itoa(cfg.port(i)))
		one := newService(name, addr, cfg.Latency, routes[name])
		if err := one.start(); err != nil {
			for _, earlier := range s.byName {
				err = errors.Join(err, earlier.stop())
			}
			return nil, err
		}
		s.byName[name] = one
	}
	return s, nil
}

// URL returns the base URL of a service without a slash at its end, such as
// "http://127.0.0.1:8081", or "" if there is no such service. It stays the same
// while the service is stopped.
func (s *Services) URL(name string) string {
	one, ok := s.byName[name]
	if !ok {
		return ""
	}
	return "http://" + one.addr
}

// Requests returns how many requests a service has begun since Start, answered or
// not. Those to /_sample don't count. It is 0 if there is no such service.
func (s *Services) Requests(name string) int64 {
	one, ok := s.byName[name]
	if !ok {
		return 0
	}
	return one.requests.Load()
}

// GivenUp returns how many requests to a service were given up by who made them,
// since Start. It is 0 if there is no such service.
func (s *Services) GivenUp(name string) int64 {
	one, ok := s.byName[name]
	if !ok {
		return 0
	}
	return one.givenUp.Load()
}

// Open returns how many requests a service is answering now, hung ones among
// them, and the most that it ever was at once since Start. Those to /_sample
// don't count. Both are 0 if there is no such service.
func (s *Services) Open(name string) (now, most int64) {
	one, ok := s.byName[name]
	if !ok {
		return 0, 0
	}
	return one.open.get()
}

// Set switches a service to a behaviour. It holds for requests that come and for
// those that hang. The error says what is wrong with the name, the mode or the
// latency, and then nothing has changed.
func (s *Services) Set(name string, b Behaviour) error {
	one, err := s.find(name)
	if err != nil {
		return err
	}
	mode := b.Mode.orDefault()
	if err := checkMode(mode); err != nil {
		return one.wrap(err)
	}
	if err := checkLatency(b.Latency); err != nil {
		return one.wrap(err)
	}
	if b.Latency == 0 {
		one.current.set(&mode, nil)
	} else {
		one.current.set(&mode, &b.Latency)
	}
	return nil
}

// Stop kills a service: it closes its listener and its connections without an
// answer to the requests in flight, and returns when its goroutines have. A
// service that is stopped already is no error.
func (s *Services) Stop(name string) error {
	one, err := s.find(name)
	if err != nil {
		return err
	}
	return one.stop()
}

// Restart listens again where the service listened before [Services.Stop], with
// the behaviour, the counts and the data it had. It is an error if the service
// is running, if the port was taken meanwhile, or after [Services.Shutdown].
func (s *Services) Restart(name string) error {
	one, err := s.find(name)
	if err != nil {
		return err
	}
	return one.restart()
}

// Shutdown ends all services for good: it closes the listeners, answers the
// requests that hang with 503, lets the others finish, and returns when no
// goroutine is left. When ctx ends first it closes the connections, and the
// error is the one of ctx. A second call waits for the first and returns nil.
func (s *Services) Shutdown(ctx context.Context) error {
	var (
		wg   sync.WaitGroup
		mu   sync.Mutex
		errs []error
	)
	for _, one := range s.byName {
		wg.Go(func() {
			err := one.shutdown(ctx)
			mu.Lock()
			defer mu.Unlock()
			errs = append(errs, err)
		})
	}
	wg.Wait()
	return errors.Join(errs...)
}

func (s *Services) find(name string) (*service, error) {
	one, ok := s.byName[name]
	if !ok {
		return nil, fmt.Errorf("sample: no service %q: expected one of %s", name, strings.Join(Names(), ", "))
	}
	return one, nil
}
