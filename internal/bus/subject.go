package bus

import (
	"fmt"
	"strings"
)

// maxSubject is far below the 4,096 bytes at which a server cuts the connection
// of all for the subject of one.
const maxSubject = 256

// checkSubject says what is wrong with a subject. Only who subscribes may use
// wildcards.
func checkSubject(subject string, wildcards bool) error {
	if len(subject) > maxSubject {
		return fmt.Errorf("bus: a subject of %d bytes: expected at most %d", len(subject), maxSubject)
	}
	words := strings.Split(subject, ".")
	for i, word := range words {
		switch {
		case word == "" || strings.ContainsFunc(word, func(r rune) bool { return r <= ' ' || r == 0x7f }):
			return fmt.Errorf("bus: subject %q: expected words with dots between them", subject)
		case (word == "*" || word == ">") && !wildcards:
			return fmt.Errorf("bus: subject %q: expected one without wildcards", subject)
		case word == ">" && i < len(words)-1:
			return fmt.Errorf("bus: subject %q: expected nothing behind >", subject)
		}
	}
	return nil
}
