package revocation_test

import (
	"bytes"
	"os"
	"path/filepath"
	"slices"
	"strings"
	"testing"
	"testing/synctest"
	"time"

	"warmline.dev/passport/revocation"
)

func openWindow(t testing.TB, path string) *revocation.Window {
	t.Helper()
	w, err := revocation.OpenWindow(revocation.WindowConfig{Path: path})
	if err != nil {
		t.Fatal(err)
	}
	return w
}

func closeWindow(t testing.TB, w *revocation.Window) {
	t.Helper()
	for range 2 {
		if err := w.Close(); err != nil {
			t.Fatal(err)
		}
	}
}

func syncWindow(t testing.TB, w *revocation.Window) {
	t.Helper()
	if err := w.Sync(); err != nil {
		t.Fatal(err)
	}
}

// has wants exactly these to be in a window.
func has(t testing.TB, w *revocation.Window, want ...revocation.Entry) {
	t.Helper()
	got, all := revocation.Held(w), revocation.Sorted(want)
	if !slices.Equal(got, all) {
		t.Fatalf("the window has %v, expected %v", got, all)
	}
}

func TestAWindowSurvivesARestart(t *testing.T) {
	path := filepath.Join(t.TempDir(), "window")
	at := time.Now().Add(-time.Hour)
	a, b, c := revocation.Entry{ID: "a", At: at}, revocation.Entry{ID: "b", At: at}, revocation.Entry{ID: "c", At: at}
	w := openWindow(t, path)
	if !w.Add("a", at) || !w.Add("b", at.Add(-time.Minute)) || !w.Add("b", at) {
		t.Error("news are none")
	}
	if w.Add("a", at) || w.Add("a", at.Add(-time.Minute)) {
		t.Error("what is known is news")
	}
	syncWindow(t, w)
	has(t, w, a, b)
	// The process is killed here: what was synced is there, and nothing was closed.
	text, err := os.ReadFile(path)
	if err != nil {
		t.Fatal(err)
	}
	copied := filepath.Join(t.TempDir(), "window")
	if err := os.WriteFile(copied, text, 0o600); err != nil {
		t.Fatal(err)
	}
	killed := openWindow(t, copied)
	has(t, killed, a, b)
	if st := killed.Stats(); st.Loaded != 3 || st.Broken != 0 || st.Entries != 2 {
		t.Errorf("%+v", st)
	}
	closeWindow(t, killed)

	w.Add("c", at)
	closeWindow(t, w)
	if err := w.Sync(); err == nil {
		t.Error("Sync when closed")
	}
	w = openWindow(t, path)
	has(t, w, a, b, c)
	closeWindow(t, w)
	if info, err := os.Stat(path); err != nil || info.Mode().Perm() != 0o600 {
		t.Errorf("%v, %v", info.Mode(), err)
	}
}

func TestAWindowLetsGoOfWhatIsTooOld(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		path := filepath.Join(t.TempDir(), "window")
		w := openWindow(t, path)
		now := time.Now()
		for n := range 1000 {
			w.Add(customer(n), now)
		}
		time.Sleep(8*time.Hour + 9*time.Second) // two margins: a gateway's clock may be behind
		if n := len(revocation.Held(w)); n != 1000 {
			t.Errorf("%d entries", n)
		}
		time.Sleep(3 * time.Second)
		has(t, w)
		if w.Add("old", now) {
			t.Error("what is too old is news")
		}
		if st := w.Stats(); st.TooOld != 1 || st.Entries != 0 {
			t.Errorf("%+v", st)
		}
		closeWindow(t, w)
		w = openWindow(t, path)
		has(t, w)
		closeWindow(t, w)
	})
}

func TestTimesThatCannotBe(t *testing.T) {
	synctest.Test(t, func(t *testing.T) {
		w := openWindow(t, "")
		now := time.Now()
		w.Add("zero", time.Time{})
		w.Add("to come", now.Add(1000*time.Hour))
		has(t, w, revocation.Entry{ID: "zero", At: now}, revocation.Entry{ID: "to come", At: now})
		if w.Add("long ago", time.UnixMilli(1)) {
			t.Error("1970 is news")
		}
		closeWindow(t, w)
	})
}

// Wherever a file was cut off or changed, the other records are there.
func TestABrokenFile(t *testing.T) {
	path := filepath.Join(t.TempDir(), "window")
	at := time.Now()
	all := []revocation.Entry{{ID: "a", At: at}, {ID: "b", At: at}, {ID: "c", At: at}, {ID: "d", At: at}}
	w := openWindow(t, path)
	for _, e := range all {
		w.Add(e.ID, e.At)
		syncWindow(t, w)
	}
	closeWindow(t, w)
	text, err := os.ReadFile(path)
	if err != nil || len(text) != 8+4*16 {
		t.Fatalf("%d bytes, %v", len(text), err)
	}
	reopen := func(text []byte, broken int, want ...revocation.Entry) {
		t.Helper()
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		for _, broken := range []int{broken, 0} { // it is whole again once it was opened
			w := openWindow(t, path)
			if st := w.Stats(); st.Broken != broken {
				t.Errorf("%+v, expected %d broken", st, broken)
			}
			has(t, w, want...)
			closeWindow(t, w)
		}
	}
	for n := 8 + 16; n <= len(text); n++ {
		whole := (n - 8) / 16
		reopen(text[:n], one((n-8)%16 > 0, 1, 0), all[:whole]...)
	}
	for i := 8; i < len(text); i++ {
		hit := (i - 8) / 16
		reopen(flip(text, i), 1, slices.Concat(all[:hit], all[hit+1:])...)
	}
	reopen(append(slices.Clone(text), make([]byte, 100)...), 7, all...) // what a loss of power leaves
	reopen(text[:8], 0)
}

func TestAFileThatIsNone(t *testing.T) {
	dir := t.TempDir()
	for want, path := range map[string]string{
		"begin with":              "empty",
		`to begin with "WLrevoc1`: "other",
		"none of its 2 records":   "zeros",
		"the window":              "dir",
		"lock":                    "nowhere/window",
	} {
		at := filepath.Join(dir, path)
		switch path {
		case "empty":
			_ = os.WriteFile(at, nil, 0o600)
		case "other":
			_ = os.WriteFile(at, bytes.Repeat([]byte("something else\n"), 100), 0o600)
		case "zeros":
			_ = os.WriteFile(at, append([]byte("WLrevoc1"), make([]byte, 32)...), 0o600)
		case "dir":
			_ = os.Mkdir(at, 0o700)
		}
		before, _ := os.ReadFile(at)
		w, err := revocation.OpenWindow(revocation.WindowConfig{Path: at})
		if err == nil || w != nil || !strings.Contains(err.Error(), want) {
			t.Errorf("%s: %v", path, err)
		}
		if after, _ := os.ReadFile(at); !bytes.Equal(before, after) {
			t.Errorf("%s: is not what it was", path)
		}
	}
	path := filepath.Join(dir, "window")
	w := openWindow(t, path)
	if _, err := revocation.OpenWindow(revocation.WindowConfig{Path: path}); err == nil || !strings.Contains(err.Error(), "in use") {
		t.Errorf("opened twice: %v", err)
	}
	closeWindow(t, w)
	closeWindow(t, openWindow(t, path))
	if _, err := revocation.OpenWindow(revocation.WindowConfig{MaxEntries: 1}); err == nil {
		t.Error("a window of one")
	}
}

// A file is written anew when most of it is of no use, and what fails meanwhile is
// made up for.
func TestAFileIsWrittenAnew(t *testing.T) {
	path := filepath.Join(t.TempDir(), "window")
	w := openWindow(t, path)
	now := time.Now().Add(-7 * time.Hour)
	last := now
	add := func() { last = last.Add(time.Second); w.Add("a", last) }
	for range 4000 {
		add()
	}
	syncWindow(t, w)
	if err := os.Mkdir(path+".new", 0o700); err != nil { // in the way
		t.Fatal(err)
	}
	for range 200 {
		add()
	}
	if err := w.Sync(); err == nil {
		t.Fatal("it was written anew, or not")
	}
	add()
	if err := w.Sync(); err == nil {
		t.Fatal("forgotten")
	}
	if err := os.Remove(path + ".new"); err != nil {
		t.Fatal(err)
	}
	syncWindow(t, w)
	if st := w.Stats(); st.Failures != 2 || st.Rewrites != 2 {
		t.Errorf("%+v", st)
	}
	if info, err := os.Stat(path); err != nil || info.Size() != 8+16 {
		t.Errorf("%v %v", info, err)
	}
	w.Add("b", now)
	closeWindow(t, w)
	w = openWindow(t, path)
	has(t, w, revocation.Entry{ID: "a", At: last}, revocation.Entry{ID: "b", At: now})
	closeWindow(t, w)
}

// Where there is no room, everybody's cookies from before are in question.
func TestAFullWindow(t *testing.T) {
	cfg := revocation.WindowConfig{Path: filepath.Join(t.TempDir(), "window"), MaxEntries: 100}
	w, err := revocation.OpenWindow(cfg)
	if err != nil {
		t.Fatal(err)
	}
	first := time.Now().Add(-time.Hour)
	for n := range 500 {
		w.Add(customer(n), first.Add(time.Duration(n)*time.Second))
	}
	check := func() {
		t.Helper()
		if st := w.Stats(); st.Entries > 100 || st.Entries < 80 {
			t.Fatalf("%+v", st)
		}
		s, p := newSet(t), newTeller(1)
		take(t, s, p.Sign(3, revocation.PartOf(w, 1))) // as it is told
		for n := range 500 {
			revoked(t, s, first.Add(time.Duration(n)*time.Second), customer(n))
		}
		passes(t, s, first.Add(500*time.Second), "anybody")
		if w.Add(customer(0), first) {
			t.Error("what all are in question for is news")
		}
	}
	check()
	if w.Stats().Full == 0 {
		t.Error("it was never full")
	}
	closeWindow(t, w)
	if w, err = revocation.OpenWindow(cfg); err != nil {
		t.Fatal(err)
	}
	check()
	closeWindow(t, w)
}

// FuzzOpenWindow opens whatever may be in a file: it is refused and left as it is, or
// goes on to be a window.
func FuzzOpenWindow(f *testing.F) {
	path := filepath.Join(f.TempDir(), "window")
	w := openWindow(f, path)
	w.Add("a", time.Now())
	closeWindow(f, w)
	text, err := os.ReadFile(path)
	if err != nil {
		f.Fatal(err)
	}
	f.Add(text)
	f.Add(text[:20])
	f.Add([]byte{})
	f.Fuzz(func(t *testing.T, text []byte) {
		path := filepath.Join(t.TempDir(), "window")
		if err := os.WriteFile(path, text, 0o600); err != nil {
			t.Fatal(err)
		}
		w, err := revocation.OpenWindow(revocation.WindowConfig{Path: path})
		if err != nil {
			if left, _ := os.ReadFile(path); !bytes.Equal(left, text) {
				t.Error("refused, and changed")
			}
			return
		}
		w.Add("b", time.Now())
		want := revocation.Held(w)
		closeWindow(t, w)
		w = openWindow(t, path)
		if got := revocation.Held(w); !slices.Equal(got, want) {
			t.Errorf("%v, expected %v", got, want)
		}
		closeWindow(t, w)
	})
}
