// Package peers says who may dial an edge or a gateway, and what each may do.
//
// # Nouns
//
//   - A [Peer] has a name, ways to prove that it is that one, and rights: adapters
//     that it may offer, services that it may call, and what edges and operators do.
//   - [Peers] are all that there are. [New] makes them of a program's own list,
//     [Parse] of a file. [Peers.Identify] finds the one that sent a SETUP.
//   - A token is a secret that [NewToken] makes; what is kept of it is its [Hash].
//
// # Proof
//
// A peer proves itself with a client certificate, one of whose DNS names or URIs is
// exactly that of the peer, or with a token in the metadata of SETUP. That the
// certificate is good is the listener's business: set ClientCAs, and ClientAuth to
// tls.VerifyClientCertIfGiven (or tls.RequireAndVerifyClientCert, where nobody has a
// token), and see rsocket.ListenTLS. One that was not verified proves nothing.
//
// # The file
//
//	peers:
//	  tv-nodes: {certificate: tv.nodes.example, offers: [tv], calls: ["*"], changes-passports: true}
//	  batch:    {tokens: ["sha256:…"], calls: [catalogue, ratings]}
//	  edges:    {certificate: "spiffe://example/edge", hands-over: true}
//	  staff:    {tokens: ["sha256:…", "sha256:…"], calls: ["*"], operates: true}
//
// # Rotation
//
// A peer may have several tokens and several names in certificates: give it the new
// one, let the dialling side change, take the old one out. [Peers.Replace] puts
// another list into force. Servers look who their lines are of again when they are
// told (edgelayer.Server.PeersChanged and that of gateway).
//
// # Limitations
//
// A token is as safe as the line: without TLS whoever listens on the way has it.
package peers
