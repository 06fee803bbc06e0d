package bus

import (
	"fmt"
	"net"
	"strconv"
	"sync"
	"time"

	"github.com/nats-io/nats-server/v2/server"
	"github.com/rs/zerolog"
)

// startServer starts the embedded server; it takes connections, at listen too,
// when this returns. Who calls it shuts it down.
func startServer(listen string, log zerolog.Logger) (*server.Server, error) {
	opts := &server.Options{
		ServerName: defaultName,
		DontListen: listen == "",
		NoSigs:     true,
		// Its own events would be published by goroutines that Shutdown does not join.
		NoSystemAccount:  true,
		MaxPayload:       MaxMessage,
		MaxConn:          1024,
		MaxSubs:          1024, // a connection
		MaxPending:       maxPendingBytes,
		WriteDeadline:    2 * time.Second,
		AuthTimeout:      connectTimeout.Seconds(),
		PingInterval:     pingInterval,
		MaxPingsOut:      maxPingsOut,
		MaxClosedClients: 16,
	}
	if listen != "" {
		host, port, err := net.SplitHostPort(listen)
		if err == nil {
			opts.Host = host
			opts.Port, err = strconv.Atoi(port)
		}
		if err != nil {
			return nil, fmt.Errorf("bus: listen at %s: %w", listen, err)
		}
		if opts.Port == 0 {
			opts.Port = server.RANDOM_PORT
		}
	}
	s, err := server.NewServer(opts)
	if err != nil {
		return nil, fmt.Errorf("bus: the embedded server: %w", err)
	}
	told := &serverLog{log: log}
	s.SetLoggerV2(told, false, false, false)
	s.Start()
	if fatal := told.why(); fatal != "" || listen != "" && s.Addr() == nil {
		stopServer(s)
		return nil, fmt.Errorf("bus: the embedded server at %s: %s", listen, fatal)
	}
	return s, nil
}

// stopServer returns when the server's goroutines have ended.
func stopServer(s *server.Server) {
	s.Shutdown()
	s.WaitForShutdown()
}

// serverLog is where the embedded server logs.
type serverLog struct {
	log zerolog.Logger

	mu    sync.Mutex
	fatal string // guarded by mu
}

var _ server.Logger = (*serverLog)(nil)

// why is what kept the server from starting, if anything did.
func (l *serverLog) why() string {
	l.mu.Lock()
	defer l.mu.Unlock()
	return l.fatal
}

// Fatalf implements [server.Logger]: the server can't go on, the process can.
func (l *serverLog) Fatalf(format string, v ...any) {
	l.mu.Lock()
	defer l.mu.Unlock()
	l.fatal = fmt.Sprintf(format, v...)
}

// Errorf implements [server.Logger].
func (l *serverLog) Errorf(format string, v ...any) { l.write(zerolog.ErrorLevel, format, v) }

// Warnf implements [server.Logger].
func (l *serverLog) Warnf(format string, v ...any) { l.write(zerolog.WarnLevel, format, v) }

// Noticef implements [server.Logger]: what NATS thinks worth a notice is routine here.
func (l *serverLog) Noticef(format string, v ...any) { l.write(zerolog.DebugLevel, format, v) }

// Debugf implements [server.Logger].
func (l *serverLog) Debugf(format string, v ...any) { l.write(zerolog.TraceLevel, format, v) }

// Tracef implements [server.Logger].
func (l *serverLog) Tracef(format string, v ...any) { l.write(zerolog.TraceLevel, format, v) }

func (l *serverLog) write(level zerolog.Level, format string, v []any) {
	l.log.WithLevel(level).Str("server", clip(fmt.Sprintf(format, v...))).Msg("embedded bus")
}
