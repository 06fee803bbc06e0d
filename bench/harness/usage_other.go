//go:build !unix

package harness

import "time"

func processTime() time.Duration { return 0 }
