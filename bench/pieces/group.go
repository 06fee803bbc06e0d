package pieces

import "context"

// group is pieces that are made ready together.
type group struct {
	name    string
	what    string   // for the reader of a table
	modules []string // whose versions matter

	prepare func(ctx context.Context) (ready, error)
}

// ready is what can be measured.
type ready struct {
	pieces  []piece
	figures []Figure // what needs no rounds: sizes, counts
	close   func()   // if not nil, when all is measured
}

// piece is one thing that is measured.
type piece struct {
	group, name string
	encoded     int // bytes of what one op encodes or decodes; 0: it does neither

	measure func(ctx context.Context, cfg Config) (sample, error)
}

// sample is what one measurement came to, for each op.
type sample struct{ ns, cpu, allocs, bytes float64 }

// all returns every group, in the order of the table.
func all() []group {
	return []group{
		{
			name: "passport", prepare: preparePassport,
			what: "a passport of nine fields, by a keyring of one key; first sight: 4,096 in turn, a keyring remembers 1,024",
		},
		{
			name: "revocation", prepare: prepareRevocation, modules: []string{"github.com/FastFilter/xorfilter"},
			what: "a set of 115,000 ids and 240 newer ones that a publisher told it over the bus",
		},
		{
			name: "cache", prepare: prepareCache, modules: []string{"github.com/maypok86/otter/v2"},
			what: "hits in a warm cache by as many goroutines as there are processors, the time of all for the hits of all",
		},
		{
			name: "codec", prepare: prepareCodec, modules: []string{"github.com/vmihailenco/msgpack/v5", "github.com/tinylib/msgp"},
			what: "a call with 12 numbers, its answer with 12 films, values and messages around them",
		},
		{
			name: "call", prepare: prepareCall,
			what: "one call of a conversation of 1,024, a declared read answered from memory: processor time of the edge's process",
		},
	}
}

// Groups are the names of all groups.
func Groups() []string {
	var names []string
	for _, g := range all() {
		names = append(names, g.name)
	}
	return names
}
