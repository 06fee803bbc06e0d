package edgelayer_test

import (
	"encoding/json"
	"fmt"
	"strings"
	"testing"

	"warmline.dev/edgelayer"
	"warmline.dev/protocol"
	"warmline.dev/protocol/rsocket"
	"warmline.dev/protocol/rsocket/composite"
)

func fourCatalogues(t *testing.T) *edge {
	return offering(t, catalogue("1.4.2"), catalogue("2.1.0"), catalogue("3.0.0-rc.1"), catalogue("2.1.3"))
}

func TestEachLineGetsTheVersionThatItWants(t *testing.T) {
	e := fourCatalogues(t)
	lines := map[string]*line{}
	for wants, version := range map[string]string{"^1": "1.4.2", "~2.1.0": "2.1.3", "2.1.0": "2.1.0", ">=1.0, <2": "1.4.2", ">=3.0.0-0": "3.0.0-rc.1", "*": "2.1.3"} {
		lines[version+" "+wants] = e.dial(fmt.Sprintf(`{"wants":{"catalogue":%q}}`, wants))
	}
	for version, l := range lines { // all of them stand at once
		l.want("catalogue.version", "", `"`+strings.Fields(version)[0]+`"`)
	}
}

func TestALineThatWantsNothingGetsTheHighestStable(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		e := fourCatalogues(t)
		for _, hello := range []string{"", "{}", `{"name":"tv","wants":{}}`} {
			e.dialIn(codec, hello).want("catalogue.version", "", `"2.1.3"`)
		}
	})
}

func TestAServiceThatIsOnlyAPreReleaseIsNotThereUnlessWanted(t *testing.T) {
	e := offering(t, catalogue("3.0.0-rc.1"))
	e.dial("").want("catalogue.version", "", `ERROR unknown_method "catalogue.version": this line has edge`)
	e.dial(`{"wants":{"catalogue":"3.0.0-rc.1"}}`).want("catalogue.version", "", `"3.0.0-rc.1"`)
}

func TestSetupAnswersWithWhatWasResolved(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		e := start(t, edgelayer.Config{Name: "east", Version: "7.0.1", Services: []edgelayer.Service{catalogue("1.4.2"), catalogue("2.1.3"), echo()}})
		e.dialIn(codec, `{"wants":{"catalogue":"^1"}}`).want(protocol.RouteSetup, "",
			`{"again":{"edge":["stats"]},"name":"east","protocol":"1.0.0","resolved":{"catalogue":"1.4.2","edge":"1.0.0"},"version":"7.0.1"}`)
		e.dialIn(codec, "").want(protocol.RouteSetup, "",
			`{"again":{"edge":["stats"]},"name":"east","protocol":"1.0.0","resolved":{"catalogue":"2.1.3","echo":"1.0.0","edge":"1.0.0"},"version":"7.0.1"}`)
	})
}

func TestARefusalNamesEveryMissAndWhatIsOffered(t *testing.T) {
	inBothCodecs(t, func(t *testing.T, codec protocol.Codec) {
		e := offering(t, catalogue("1.4.2"), catalogue("2.1.3"), echo())
		l := e.dialIn(codec, `{"wants":{"catalogue":"^9","echo":"^1","nobody":"^1"}}`)
		l.wantClosed(`CLOSED REJECTED_SETUP {"code":"unsatisfied","message":"wants catalogue ^9, offered: 2.1.3, 1.4.2; wants nobody ^1, nothing of that name is offered",` +
			`"unsatisfied":[{"name":"catalogue","wanted":"^9","offered":["2.1.3","1.4.2"],"reason":"no version in that range"},` +
			`{"name":"nobody","wanted":"^1","offered":[],"reason":"no version in that range"}]}`)
		if n := e.Stats().Lines; n != 0 {
			t.Errorf("%d lines are open", n)
		}
	})
}

func TestABadRangeIsRefusedWithWhatOneLooksLike(t *testing.T) {
	l := fourCatalogues(t).dial(`{"wants":{"catalogue":"newest please"}}`)
	l.wantClosed(`CLOSED REJECTED_SETUP {"code":"unsatisfied",…\"newest please\" is not a version range…expected something like ^1.2…"offered":["3.0.0-rc.1","2.1.3","2.1.0","1.4.2"]…`)
	long, _ := json.Marshal(strings.Repeat("|| ^1 ", 100))
	l = fourCatalogues(t).dial(`{"wants":{"catalogue":` + string(long) + `}}`)
	l.wantClosed(`CLOSED REJECTED_SETUP …600 characters, at most 256 are read…`)
}

func TestAProtocolThatIsNotSpokenIsRefused(t *testing.T) {
	e := fourCatalogues(t)
	e.dial(`{"protocol":"^2"}`).wantClosed(`CLOSED REJECTED_SETUP {"code":"unsatisfied","message":"wants warmline ^2, offered: 1.0.0",…`)
	e.dial(`{"protocol":"banana"}`).wantClosed(`CLOSED REJECTED_SETUP …\"banana\" is not a version range…`)
	e.dial(`{"protocol":"^1.0"}`).want("catalogue.version", "", `"2.1.3"`)
}

func TestMIMETypesThatAreNotSpokenAreUnsupported(t *testing.T) {
	e := fourCatalogues(t)
	e.dialRaw(protocol.JSON, rsocket.Setup{MetadataMIME: composite.MIME, DataMIME: "text/plain"}).
		wantClosed(`CLOSED UNSUPPORTED_SETUP data MIME type "text/plain": expected application/vnd.msgpack or application/json`)
	e.dialRaw(protocol.JSON, rsocket.Setup{MetadataMIME: composite.Routing, DataMIME: protocol.MIMEJSON}).
		wantClosed(`CLOSED UNSUPPORTED_SETUP metadata MIME type "message/x.rsocket.routing.v0": expected message/x.rsocket.composite-metadata.v0`)
	e.dialRaw(protocol.JSON, rsocket.Setup{}).wantClosed("CLOSED UNSUPPORTED_SETUP …")
}

func TestAMalformedHelloIsInvalid(t *testing.T) {
	e := fourCatalogues(t)
	for what, tc := range map[string]struct {
		codec protocol.Codec
		hello string
	}{
		"an array of 2³² elements": {protocol.MsgPack, "\xdd\xff\xff\xff\xff"},
		"a map of 2³² elements":    {protocol.MsgPack, "\xdf\xff\xff\xff\xff"},
		"a name of 2³² bytes":      {protocol.MsgPack, "\x81\xa4name\xdb\xff\xff\xff\xff"},
		"bytes behind it":          {protocol.MsgPack, "\x80\x80"},
		"a string":                 {protocol.MsgPack, "\xa2tv"},
		"half a JSON object":       {protocol.JSON, `{"wants":{`},
		"two JSON objects":         {protocol.JSON, `{}{}`},
		"JSON of the wrong shape":  {protocol.JSON, `{"wants":["catalogue"]}`},
		"msgpack on a JSON line":   {protocol.JSON, "\x80"},
	} {
		t.Run(what, func(t *testing.T) {
			setup := rsocket.Setup{MetadataMIME: composite.MIME, DataMIME: tc.codec.MIME(), Payload: rsocket.Payload{Data: []byte(tc.hello)}}
			e.dialRaw(tc.codec, setup).wantClosed(`CLOSED INVALID_SETUP SETUP data: …expected {"name","version","protocol","wants","offers"}`)
		})
	}
	e.dial("").want("catalogue.version", "", `"2.1.3"`)
}

func TestTooManyWantsAreInvalid(t *testing.T) {
	wants := map[string]string{}
	for i := range 257 {
		wants[fmt.Sprintf("service-%d", i)] = "*"
	}
	text, _ := json.Marshal(map[string]any{"wants": wants})
	offering(t).dial(string(text)).wantClosed("CLOSED INVALID_SETUP SETUP data: 257 wants and 0 offers, expected at most 256")
}
