package device

import (
	"fmt"
	"math/bits"
	"slices"
	"strings"
)

// maxUserAgent is how many bytes of a User-Agent are read.
const maxUserAgent = 512

// agents are the User-Agent rules. A User-Agent is read once, whatever their
// number: the words that it has become bits, and a rule is two masks over them.
type agents struct {
	rules []Agent
	masks []mask      // of each rule
	words []string    // of all rules, ordered by the first byte; the n-th has bit n
	first [257]uint16 // words that begin with byte b are words[first[b]:first[b+1]]
}

type mask struct{ all, none uint64 }

// set takes rules that have been checked. The error is that they have too many words.
func (a *agents) set(rules []Agent) error {
	if len(rules) > MaxAgents {
		return fmt.Errorf("%d User-Agent rules, expected at most %d", len(rules), MaxAgents)
	}
	for _, r := range rules {
		a.words = append(append(a.words, r.Words...), r.Without...)
	}
	slices.SortFunc(a.words, strings.Compare)
	a.words = slices.Clip(slices.Compact(a.words))
	if len(a.words) > MaxAgents {
		return fmt.Errorf("User-Agent rules of more than %d different words: expected fewer", MaxAgents)
	}
	for _, w := range a.words {
		for b := int(w[0]) + 1; b < len(a.first); b++ {
			a.first[b]++
		}
	}
	a.rules = cloneAgents(rules)
	for _, r := range rules {
		a.masks = append(a.masks, mask{a.mask(r.Words), a.mask(r.Without)})
	}
	return nil
}

func (a *agents) mask(words []string) (m uint64) {
	for _, w := range words {
		n, _ := slices.BinarySearch(a.words, w)
		m |= 1 << n
	}
	return m
}

// find returns the first rule that a User-Agent satisfies, nil if there is none.
func (a *agents) find(userAgent string) *Agent {
	if userAgent == "" || len(a.rules) == 0 {
		return nil
	}
	found := a.wordsOf(userAgent[:min(len(userAgent), maxUserAgent)])
	for n := range a.masks {
		if m := &a.masks[n]; found&m.all == m.all && found&m.none == 0 {
			return &a.rules[n]
		}
	}
	return nil
}

func (a *agents) wordsOf(text string) (found uint64) {
	begins := true
	for i := range len(text) {
		c := text[i]
		if begins {
			for n := a.first[c]; n < a.first[int(c)+1]; n++ {
				if strings.HasPrefix(text[i:], a.words[n]) {
					found |= 1 << n
				}
			}
		}
		begins = !inWord[c]
	}
	return found
}

// inWord are the bytes behind which no word begins.
var inWord = func() (in [256]bool) {
	for c := range in {
		in[c] = c >= '0' && c <= '9' || c >= 'A' && c <= 'Z' || c >= 'a' && c <= 'z'
	}
	return in
}()

// unreachable returns for which rules there is an earlier one that decides whenever
// they would, and which that is.
func (a *agents) unreachable() map[int]int {
	by := map[int]int{}
	for later := range a.masks {
		l := a.masks[later]
		l.all = a.implied(l.all)
		for earlier := range later {
			if e := a.masks[earlier]; e.all&^l.all == 0 && a.refused(e.none, l.none) {
				by[later] = earlier
				break
			}
		}
	}
	return by
}

// implied adds the words that others begin with: where "iPhone" is, "iPh" is too.
func (a *agents) implied(all uint64) uint64 {
	for m := all; m != 0; m &= m - 1 {
		longer := a.words[bits.TrailingZeros64(m)]
		for n, w := range a.words {
			if strings.HasPrefix(longer, w) {
				all |= 1 << n
			}
		}
	}
	return all
}

// refused reports whether each of words is never there where none of others is.
func (a *agents) refused(words, others uint64) bool {
	for m := words; m != 0; m &= m - 1 {
		if a.implied(m&-m)&others == 0 {
			return false
		}
	}
	return true
}

func cloneAgents(rules []Agent) []Agent {
	rules = slices.Clone(rules)
	for n := range rules {
		rules[n].Words, rules[n].Without = slices.Clone(rules[n].Words), slices.Clone(rules[n].Without)
	}
	return rules
}

func sameAgents(a, b []Agent) bool {
	return slices.EqualFunc(a, b, func(a, b Agent) bool {
		return a.Type == b.Type && slices.Equal(a.Words, b.Words) && slices.Equal(a.Without, b.Without)
	})
}
