package cli

import (
	"fmt"

	"github.com/spf13/cobra"

	"warmline.dev/protocol/peers"
)

func peerCommand(s *settings) *cobra.Command {
	cmd := &cobra.Command{
		Use:   "peer",
		Short: "Say who may dial an edge or a gateway",
		Args:  cobra.NoArgs,
		RunE:  func(cmd *cobra.Command, _ []string) error { return cmd.Help() },
	}
	cmd.AddCommand(peerTokenCommand(s))
	return cmd
}

func peerTokenCommand(s *settings) *cobra.Command {
	return &cobra.Command{
		Use:   "token NAME",
		Short: "Make a token for a peer and print it; it is a secret",
		Long: `Makes a token, prints it on standard output, and on standard error the line of the
peers file that it goes with, which has no secret in it:

  warmline peer token batch > batch.token

  # peers.yaml
  peers:
    batch:    {tokens: ["sha256:…"], calls: [catalogue, ratings]}
    tv-nodes: {certificate: tv.nodes.example, offers: [tv], calls: ["*"], changes-passports: true}
    edges:    {certificate: "spiffe://example/edge", hands-over: true}
    staff:    {tokens: ["sha256:…", "sha256:…"], calls: ["*"], operates: true}

  warmline edge --listen tls://0.0.0.0:7070 --tls-cert edge.pem --tls-key edge.key --tls-ca ca.pem --peers peers.yaml
  warmline call catalogue.videos '{"ids":[1]}' --edge tls://edge.example:7070 --tls-ca ca.pem --token-file batch.token

A peer proves itself with a token or a client certificate, one of whose DNS names or
URIs is exactly that. It may offer adapters (offers) and call services (calls); "*" is
all. changes-passports is for adapters whose services change whom a request is for; without
it they can read. hands-over is for edges among themselves, operates for who drops what is warm.

To rotate: add the new line's token to the list everywhere, then give the token file to
who dials, then take the old one out.`,
		Args: cobra.ExactArgs(1),
		RunE: func(cmd *cobra.Command, args []string) error {
			if _, err := s.begin(cmd); err != nil {
				return err
			}
			token := peers.NewToken()
			hash := peers.HashToken(token)
			if _, err := peers.New(peers.Peer{Name: args[0], Tokens: []peers.Hash{hash}, Calls: []string{"*"}}); err != nil {
				return usageError{err}
			}
			fmt.Fprintf(s.stderr, "for the peers file, under peers:\n  %s: {tokens: [%q], calls: [\"*\"]}\n", args[0], hash)
			_, err := fmt.Fprintln(s.stdout, token)
			return err
		},
	}
}
