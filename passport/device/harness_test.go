package device_test

import (
	"fmt"
	"testing"
	"time"

	"warmline.dev/passport"
	"warmline.dev/passport/device"
)

var made = time.Date(2026, 11, 1, 0, 0, 0, 0, time.UTC)

// kind is a type of an ID, for tests that care for nothing else.
func kind(id string) device.Type {
	return device.Type{ID: id, Category: device.TV, Brand: "Acme", Name: "Acme " + id}
}

// table has a row PREFIX=ID for each of rows, and is made a day after the version
// before.
func table(t testing.TB, version uint64, rows ...device.Row) *device.Table {
	t.Helper()
	return tableOf(t, version, rows, nil)
}

func tableOf(t testing.TB, version uint64, rows []device.Row, rules []device.Agent) *device.Table {
	t.Helper()
	tt, err := device.NewTable(version, made.AddDate(0, 0, int(version)), rows, rules)
	if err != nil {
		t.Fatal(err)
	}
	return tt
}

func row(prefix, id string) device.Row { return device.Row{Prefix: prefix, Type: kind(id)} }

// chain is versions 1 to n: each has one row more, V1- to Vn-, and the row NOW- is vN.
func chain(t testing.TB, n int) []*device.Table {
	t.Helper()
	var all []*device.Table
	var rows []device.Row
	for v := 1; v <= n; v++ {
		rows = append(rows, row(fmt.Sprintf("V%d-", v), fmt.Sprintf("v%d", v)))
		all = append(all, table(t, uint64(v), append(rows[:v:v], row("NOW-", fmt.Sprintf("v%d", v)))...))
	}
	return all
}

func keyring(t testing.TB, keys ...passport.Key) *device.Keyring {
	t.Helper()
	r, err := device.NewKeyring(keys...)
	if err != nil {
		t.Fatal(err)
	}
	return r
}

func snapshot(t testing.TB, r *device.Keyring, tt *device.Table) []byte {
	t.Helper()
	sealed, err := r.SealSnapshot(tt)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func delta(t testing.TB, r *device.Keyring, from, to *device.Table) []byte {
	t.Helper()
	d, err := device.Diff(from, to)
	if err != nil {
		t.Fatal(err)
	}
	sealed, err := r.SealDelta(d)
	if err != nil {
		t.Fatal(err)
	}
	return sealed
}

func holding(t testing.TB, c device.Config) *device.Devices {
	t.Helper()
	d, err := device.New(c)
	if err != nil {
		t.Fatal(err)
	}
	return d
}
