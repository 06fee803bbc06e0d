package cli

import (
	"fmt"
	"io"
	"os"
	"strings"
	"time"

	"github.com/spf13/cobra"

	"warmline.dev/passport"
	"warmline.dev/passport/device"
)

// maxTable is a byte more than a table's file may have, so that it is told.
const maxTable = 1<<20 + 1

func devicesCommand(s *settings) *cobra.Command {
	var table string
	cmd := &cobra.Command{
		Use:   "devices",
		Short: "Say which kinds of device are known",
		Long: `Says which kinds of device are known: the version of the table that is built
in, when it was made, and how many device types it has of each category.

  warmline devices
  warmline devices lookup WLTV-SAM-2021-Q80-7F3A09C41B2E
  warmline devices check devices.tsv
  warmline devices publish devices.tsv --bus nats://127.0.0.1:4222 --device-keys devices.keys`,
		Args: cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := s.begin(cmd); err != nil {
				return err
			}
			t, err := loadTable(table)
			if err != nil {
				return err
			}
			return s.describe(t)
		},
	}
	cmd.Flags().StringVar(&table, "table", "", tableHelp)
	cmd.AddCommand(lookupCommand(s), checkCommand(s), publishCommand(s))
	return cmd
}

const tableHelp = "file with another table than the one that is built in"

func lookupCommand(s *settings) *cobra.Command {
	var table string
	cmd := &cobra.Command{
		Use:   "lookup ESN-OR-USER-AGENT",
		Short: "Say what kind of device one is",
		Long: `Says what kind of device one is, by its ESN or by its User-Agent: category, ID,
brand and name. What is not known is "other".

  warmline devices lookup WLTV-SAM-2021-Q80-7F3A09C41B2E
  warmline devices lookup "Mozilla/5.0 (PlayStation; PlayStation 5/2.26)"`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := s.begin(cmd); err != nil {
				return err
			}
			t, err := loadTable(table)
			if err != nil {
				return err
			}
			kind := t.Lookup(args[0], args[0])
			brand := kind.Brand
			if brand == "" {
				brand = "-"
			}
			_, err = fmt.Fprintf(s.stdout, "category  %s\nid        %s\nbrand     %s\nname      %s\n", kind.Category, kind.ID, brand, kind.Name)
			return err
		},
	}
	cmd.Flags().StringVar(&table, "table", "", tableHelp)
	return cmd
}

func checkCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "check FILE",
		Short: "Say what is wrong with a table of device types",
		Long: `Says what is wrong with a table of device types: every mistake, with its line and
what was expected. If nothing is, it says what the table has. How such a file is
written stands in the one that is built in, passport/device/devices.tsv.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := s.begin(cmd); err != nil {
				return err
			}
			t, err := loadTable(args[0])
			if err != nil {
				return err
			}
			if err := s.describe(t); err != nil {
				return err
			}
			// With a name as long as a key's may be: with any other it is shorter.
			keys, err := device.NewKeyring(passport.NewKey(strings.Repeat("k", 64)))
			if err == nil {
				_, err = keys.SealSnapshot(t)
			}
			if err != nil {
				return fmt.Errorf("%s can't be published: %w", args[0], err)
			}
			return nil
		},
	}
}

// loadTable reads a table's file; without one, it is the table that is built in.
func loadTable(path string) (*device.Table, error) {
	if path == "" {
		return device.Embedded(), nil
	}
	f, err := os.Open(path)
	if err != nil {
		return nil, fmt.Errorf("device types: %w", err)
	}
	defer func() { _ = f.Close() }() // it is only read
	text, err := io.ReadAll(io.LimitReader(f, maxTable))
	if err != nil {
		return nil, fmt.Errorf("device types: %w", err)
	}
	return device.Parse(path, text)
}

func (s *settings) describe(t *device.Table) error {
	types := t.Types()
	var of [256]int
	for _, one := range types {
		of[one.Category]++
	}
	var text strings.Builder
	fmt.Fprintf(&text, "version %d, made %s: %d device types, %d ESN prefixes, %d User-Agent rules; a snapshot of %d bytes\n",
		t.Version(), t.Made().Format(time.RFC3339), len(types), t.Len(), len(t.Agents()), len(t.Encode()))
	for _, c := range device.Categories() {
		fmt.Fprintf(&text, "%-8s %5d\n", c, of[c])
	}
	_, err := io.WriteString(s.stdout, text.String())
	return err
}
