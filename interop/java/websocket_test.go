package java

import "testing"

var webSocket = link{theirs: options{WebSocket: true}}

// Every model over WebSocket, each way.
func TestWebSocket(t *testing.T) {
	webSocket.each(t, func(t *testing.T, asks, answers end, _ *proxy) { testModels(t, asks, answers) })
}

// Our fragments are as long as they are by default: rsocket-java takes every
// length on this transport.
func TestWebSocketHuge(t *testing.T) {
	l := webSocket
	l.theirs.Fragment = 1 << 20
	data, came := large(16 << 20)
	l.each(t, func(t *testing.T, asks, answers end, _ *proxy) {
		wantEverywhere(t, asks, answers, script{Data: data}, came)
	})
}

func TestWebSocketCut(t *testing.T) {
	webSocket.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, p *proxy) {
		waiting := append(hanging(t, theirs, ours), hanging(t, ours, theirs)...)
		p.Cut()
		wantFailed(t, waiting)
		wantOver(t, theirs, ours)
	})
}

func TestWebSocketResume(t *testing.T) {
	l := webSocket
	l.ours, l.theirs.Resume = resumable.ours, resumable.theirs.Resume
	l.each(t, testResume)
}

func TestWebSocketClose(t *testing.T) {
	for name, weClose := range map[string]bool{"they close": false, "we close": true} {
		t.Run(name, func(t *testing.T) {
			webSocket.both(t, func(t *testing.T, theirs *javaEnd, ours *ourEnd, _ *proxy) {
				waiting := append(hanging(t, theirs, ours), hanging(t, ours, theirs)...)
				var closes end = theirs
				if weClose {
					closes = ours
				}
				closes.close(t)
				wantFailed(t, waiting)
				wantOver(t, theirs, ours)
			})
		})
	}
}
