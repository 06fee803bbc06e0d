package device_test

import (
	"fmt"
	"time"

	"warmline.dev/passport"
	"warmline.dev/passport/device"
)

func Example() {
	devices, err := device.New(device.Config{})
	if err != nil {
		fmt.Println(err)
		return
	}
	for _, who := range [][2]string{
		{"WLTV-SAM-2021-Q80-7F3A09C41B2E", ""},
		{"WLTV-SAM-2029-Q99-7F3A09C41B2E", ""}, // a model that came later
		{"", "Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15"},
		{"", "curl/8.5.0"},
	} {
		t := devices.Lookup(who[0], who[1])
		fmt.Printf("%s: %s, %s\n", t.Category, t.ID, t.Name)
	}
	// Output:
	// tv: samsung-tv-2021-q80, Samsung TV Q80 (2021)
	// tv: samsung-tv, Samsung TV
	// console: sony-ps5, PlayStation 5
	// other: other, unknown device
}

// A publisher has a new version of a table, and a gateway takes it.
func ExampleDiff() {
	keys, err := device.NewKeyring(passport.NewKey("2026-11"))
	if err != nil {
		fmt.Println(err)
		return
	}
	kept := device.Type{ID: "acme-tv", Category: device.TV, Brand: "Acme", Name: "Acme TV"}
	came := device.Type{ID: "acme-tv-2027", Category: device.TV, Brand: "Acme", Name: "Acme TV (2027)"}
	day := time.Date(2026, 11, 21, 0, 0, 0, 0, time.UTC)
	one, _ := device.NewTable(1, day, []device.Row{{Prefix: "WLTV-ACM-", Type: kept}}, nil)
	two, _ := device.NewTable(2, day.AddDate(0, 0, 1), []device.Row{{Prefix: "WLTV-ACM-", Type: kept}, {Prefix: "WLTV-ACM-2027-", Type: came}}, nil)

	gateway, err := device.New(device.Config{Keyring: keys, Table: one})
	if err != nil {
		fmt.Println(err)
		return
	}
	delta, err := device.Diff(one, two)
	if err != nil {
		fmt.Println(err)
		return
	}
	sealed, err := keys.SealDelta(delta)
	if err != nil {
		fmt.Println(err)
		return
	}
	fmt.Println(gateway.Lookup("WLTV-ACM-2027-1", "").Name)
	fmt.Println(gateway.Take(sealed), gateway.Lookup("WLTV-ACM-2027-1", "").Name)
	fmt.Println(gateway.Pin(1), gateway.Lookup("WLTV-ACM-2027-1", "").Name)
	// Output:
	// Acme TV
	// <nil> Acme TV (2027)
	// <nil> Acme TV
}
