package device_test

import (
	"testing"

	"warmline.dev/passport/device"
)

const chromeOnWindows = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36"

// User-Agents as devices send them, and the table that is built in.
func TestUserAgentsThatThereAre(t *testing.T) {
	for userAgent, want := range map[string]string{
		chromeOnWindows: "chrome",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36 Edg/130.0.0.0":             "edge",
		"Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0":                                                                    "firefox",
		"Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Safari/605.1.15":                     "safari",
		"Mozilla/5.0 (iPhone; CPU iPhone OS 18_0 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.0 Mobile/15E148 Safari/604.1":   "apple-iphone",
		"Mozilla/5.0 (iPad; CPU OS 12_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/12.1.2 Mobile/15E148 Safari/604.1":          "apple-ipad",
		"Mozilla/5.0 (Linux; Android 14; Pixel 8) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36":                     "google-pixel",
		"Mozilla/5.0 (Linux; Android 13; SM-S911B) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36":                    "samsung-phone",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Mobile Safari/537.36":                           "phone",
		"Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/130.0.0.0 Safari/537.36":                                  "tablet",
		"Mozilla/5.0 (SMART-TV; LINUX; Tizen 6.0) AppleWebKit/537.36 (KHTML, like Gecko) 76.0.3809.146/6.0 TV Safari/537.36":                        "samsung-tv",
		"Mozilla/5.0 (Web0S; Linux/SmartTV) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/94.0.4606.128 Safari/537.36 WebAppManager":                "lg-tv",
		"Mozilla/5.0 (Linux; Android 10; BRAVIA 4K UR2 Build/QTG3.200305.006.S38) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/90.0 Safari/537.36": "sony-tv",
		"Mozilla/5.0 (Linux; Andr0id 9) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/88.0 Safari/537.36 HbbTV/1.5.1":                               "tv",
		"Mozilla/5.0 (PlayStation; PlayStation 5/2.26) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/13.0 Safari/605.1.15":                       "sony-ps5",
		"Mozilla/5.0 (PLAYSTATION 3; 1.00)": "sony-ps3",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox Series X) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/48.0.2564.82 Safari/537.36 Edge/20.02": "xbox-series",
		"Mozilla/5.0 (Windows NT 10.0; Win64; x64; Xbox; Xbox One) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/48.0.2564.82 Safari/537.36 Edge/16.16299":   "xbox-one",
		"Mozilla/5.0 (Nintendo Switch; WifiWebAuthApplet) AppleWebKit/601.6 (KHTML, like Gecko) NF/4.0.0.5.10 NintendoBrowser/5.1.0.13343":                   "nintendo-switch",
		"AppleTV11,1/11.1":            "apple-tv",
		"Roku/DVP-12.0 (12.0.0.4182)": "roku",
		"Mozilla/5.0 (X11; Linux armv7l) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/90.0.4430.225 Safari/537.36 CrKey/1.56.500000":                                  "google-chromecast",
		"Dalvik/2.1.0 (Linux; U; Android 7.1.2; AFTMM Build/NS6265)":                                                                                                   "amazon-fire-tv",
		"Mozilla/5.0 (Linux; Android 11; KFTRWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/108.4.6 like Chrome/108.0.5359.160 Safari/537.36":                         "amazon-fire-tablet",
		"Mozilla/5.0 (X11; Linux x86_64; Quest 3) AppleWebKit/537.36 (KHTML, like Gecko) OculusBrowser/33.0 SamsungBrowser/4.0 Chrome/126.0 VR Safari/537.36":          "meta-quest",
		"Mozilla/5.0 (X11; GNU/Linux) AppleWebKit/537.36 (KHTML, like Gecko) Chromium/79.0.3945.130 Chrome/79.0.3945.130 Safari/537.36 Tesla/2020.16.2.1-e99c70fff409": "tesla-car",
		"Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.0)":                                                                                                           "browser",
		"Googlebot/2.1 (+http://www.google.com/bot.html)":                                                                                                              "other",
		"curl/8.5.0": "other",
	} {
		if got := device.Embedded().Lookup("", userAgent).ID; got != want {
			t.Errorf("%s, want %s: %s", got, want, userAgent)
		}
	}
}

func TestWordsBeginWhereWordsBegin(t *testing.T) {
	tt := tableOf(t, 1, nil, []device.Agent{
		{Words: []string{"Smart TV", "Linux"}, Without: []string{"Mobile"}, Type: kind("both")},
		{Words: []string{"Smart"}, Type: kind("smart")},
	})
	for userAgent, want := range map[string]string{
		"Smart TV Linux": "both", "Linux/Smart TV": "both", "(Smart TVs;Linux6)": "both", "Linux Smart TV xMobile": "both",
		"Linux Smart TV Mobile": "smart", "Smart  TV Linux": "smart", "Smart TV xLinux": "smart", "Smartphone": "smart", "\xffSmart": "smart", "_Smart": "smart",
		"xSmart": "other", "9Smart TV": "other", "smart": "other", "Smar": "other", "Linux": "other",
	} {
		if got := tt.Lookup("", userAgent).ID; got != want {
			t.Errorf("%q: %s, want %s", userAgent, got, want)
		}
	}
}
