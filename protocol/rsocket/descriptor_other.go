//go:build !unix

package rsocket

import "net"

// descriptor is for systems whose sockets can be asked not to wait.
type descriptor struct{ room func(waiting bool) []byte }

func descriptorOf(net.Conn) *descriptor { return nil }

func (d *descriptor) writeSome([]byte) (int, error) { panic("rsocket: no descriptor here") }
func (d *descriptor) writeAside(*aside) error       { panic("rsocket: no descriptor here") }
func (d *descriptor) readSome() (int, error)        { panic("rsocket: no descriptor here") }
