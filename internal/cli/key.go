package cli

import (
	"fmt"
	"time"

	"github.com/spf13/cobra"

	"warmline.dev/passport"
)

func keyCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "key [NAME]",
		Short: "Make a passport key and print it; it is a secret",
		Long: `Makes a passport key and prints it as NAME:BASE64, a line of the file that edge
and gateway read with --passport-keys. The name defaults to today's date.

To rotate: add the new line at the end of the file everywhere, then move it to
the top, then take the old line out. No restart is needed: the file is read again
when it changes, and on SIGHUP, and the log says "read again". Wait for that
everywhere before the next step; and before the last one until nothing is left that
the old key has sealed: five minutes for passports, and for cookies as long as devices
may stay away and be signed in all the same.`,
		Args: cobra.MaximumNArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := s.begin(cmd); err != nil {
				return err
			}
			name := time.Now().UTC().Format("2006-01-02")
			if len(args) == 1 {
				name = args[0]
			}
			key := passport.NewKey(name)
			if _, err := passport.NewKeyring(key); err != nil {
				return usageError{err}
			}
			_, err := fmt.Fprintln(s.stdout, key.Format())
			return err
		},
	}
}
