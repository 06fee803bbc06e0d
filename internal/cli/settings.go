package cli

import (
	"errors"
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/rs/zerolog"
	"github.com/spf13/cobra"
	"github.com/spf13/pflag"

	"warmline.dev/passport"
)

// settings are what all subcommands share.
type settings struct {
	stdin          io.Reader
	stdout, stderr io.Writer

	logLevel  string
	logFormat string
	grace     time.Duration

	started bool // the command line was understood
}

func (s *settings) addGlobalFlags(f *pflag.FlagSet) {
	f.StringVar(&s.logLevel, "log-level", "info", "least important log line to write: debug, info, warn, error or off")
	f.StringVar(&s.logFormat, "log-format", "auto", "text for people, json for programs; auto: text on a terminal")
	f.DurationVar(&s.grace, "grace", 10*time.Second, "how long requests under way may take to finish when it is told to stop")
}

// variable is the environment variable of a flag: --log-level of every command
// is WARMLINE_LOG_LEVEL, --listen of warmline edge is WARMLINE_EDGE_LISTEN, --admin
// of warmline cache invalidate is WARMLINE_CACHE_INVALIDATE_ADMIN.
func variable(cmd *cobra.Command, f *pflag.Flag) string {
	path := cmd.Root().Name()
	if cmd.Root().PersistentFlags().Lookup(f.Name) == nil {
		path = cmd.CommandPath()
	}
	return strings.ToUpper(strings.NewReplacer("-", "_", " ", "_").Replace(path + "_" + f.Name))
}

// nameVariables puts the variables into the help of a command's own flags.
func nameVariables(cmd *cobra.Command, flags *pflag.FlagSet) {
	flags.VisitAll(func(f *pflag.Flag) {
		f.Usage += " [$" + variable(cmd, f) + "]"
	})
}

// begin reads the environment for the flags that were not given, and makes the log.
func (s *settings) begin(cmd *cobra.Command) (zerolog.Logger, error) {
	var bad error
	read := func(f *pflag.Flag) {
		name := variable(cmd, f)
		if value, ok := os.LookupEnv(name); ok && !f.Changed && f.Name != "help" && bad == nil {
			if err := cmd.Flags().Set(f.Name, value); err != nil {
				bad = usageError{fmt.Errorf("$%s: %w", name, err)}
			}
		}
	}
	cmd.Flags().VisitAll(read)
	if bad != nil {
		return zerolog.Nop(), bad
	}
	log, err := s.newLog()
	s.started = err == nil
	return log, err
}

func (s *settings) newLog() (zerolog.Logger, error) {
	if s.logLevel == "off" {
		s.logLevel = "disabled"
	}
	level, err := zerolog.ParseLevel(s.logLevel)
	if err != nil || s.logLevel == "" {
		return zerolog.Nop(), usageError{fmt.Errorf("--log-level %q: expected debug, info, warn, error or off", s.logLevel)}
	}
	out := s.stderr
	switch s.logFormat {
	case "json":
	case "text":
		out = console(s.stderr)
	case "auto":
		if isTerminal(s.stderr) {
			out = console(s.stderr)
		}
	default:
		return zerolog.Nop(), usageError{fmt.Errorf("--log-format %q: expected text, json or auto", s.logFormat)}
	}
	// Several tiers write at once in warmline dev.
	return zerolog.New(zerolog.SyncWriter(out)).Level(level).With().Timestamp().Logger(), nil
}

const keysHelp = "file with the passport keys, made by warmline key; the first one signs"

// loadKeys reads a key file.
func loadKeys(path string) (*passport.Keyring, error) {
	keys, err := readKeys(path)
	if err != nil {
		return nil, err
	}
	return passport.NewKeyring(keys...)
}

var errNoKeys = usageError{errors.New("no passport keys: make them with \"warmline key > warmline.keys\", and give --passport-keys warmline.keys to edge and gateway alike")}

// readKeys is loadKeys for who derives other keys from them.
func readKeys(path string) ([]passport.Key, error) {
	if path == "" {
		return nil, errNoKeys
	}
	text, err := os.ReadFile(path)
	if err != nil {
		return nil, fmt.Errorf("passport keys: %w", err)
	}
	keys, err := passport.ParseKeys(string(text))
	if err == nil {
		_, err = passport.NewKeyring(keys...)
	}
	if err != nil {
		return nil, fmt.Errorf("%s: %w", path, err)
	}
	return keys, nil
}
