package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"warmline.dev/protocol"
)

// version is the command's, told to peers in SETUP.
const version = "0.1.0"

func versionCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "version",
		Short: "Print the version, and that of the protocol it speaks",
		Args:  cobra.NoArgs,
		RunE: func(cmd *cobra.Command, _ []string) error {
			if _, err := s.begin(cmd); err != nil {
				return err
			}
			_, err := fmt.Fprintf(s.stdout, "warmline %s, protocol %s\n", version, protocol.Version)
			return err
		},
	}
}
