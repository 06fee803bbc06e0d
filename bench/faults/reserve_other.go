//go:build !linux

package faults

import "net"

// reserve returns addresses that are free; nothing keeps others from them.
func reserve(n int) (addresses []string, release func(), err error) {
	for range n {
		l, err := net.Listen("tcp", "127.0.0.1:0")
		if err != nil {
			return nil, nil, err
		}
		defer l.Close() // only then: so all are different
		addresses = append(addresses, l.Addr().String())
	}
	return addresses, func() {}, nil
}
