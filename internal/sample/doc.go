// Package sample runs six small HTTP/JSON services, the mid-tier that the
// Warmline demo and the tests read: profiles, members, recommendations,
// catalogue, ratings and accounts. They listen on real sockets, answer as late as real
// services do, and can be made to fail, to hang, to talk nonsense, to stop and to
// come back.
//
//	services, err := sample.Start(sample.Config{})
//	if err != nil { … }
//	defer services.Shutdown(ctx)
//	http.Get(services.URL("profiles") + "/profiles/paul")
//
// # Endpoints
//
//	profiles         GET /profiles/{id}
//	members          GET /members/{customer}
//	                 PUT /members/{customer}           {"plan":"two-stream"}
//	recommendations  GET /recommendations/{profile}    ?limit=20
//	catalogue        GET /films/{id}
//	                 GET /films?ids=1,2,3
//	ratings          GET /ratings/{profile}            ?ids=17,18
//	                 PUT /ratings/{profile}/{video}    {"rating":"THUMBS_UP"}
//	accounts         POST /sign-in                     {"email":"paul@example.com","password":"popcorn"}
//	                 POST /sign-out                    {"session":"…"}
//	                 POST /sign-out-all                {"customer":"c-1001"}
//	                 GET /accounts/{customer}          ?profile=paul&session=…
//	                 GET /objects/{sha256}
//
// Every error is JSON: {"error":{"code":"not_found","message":"no profile \"x\""}}.
// A body may have 64 KiB, a list of ids 200 of them.
//
// # Accounts
//
// Who signs in says "customer" or "email", which is the profile's name at
// example.com, and the [Password], which is everybody's; and "profile", if it is
// not the first of the customer or the one of the email. The answer is that of
// GET /accounts/{customer}, with a session:
//
//	{"customer":"c-1001","profile":"paul","plan":"four-stream","country":"FR",
//	 "preferences":{"autoplay":"on","language":"fr"},"references":{"layout":"f00…"},
//	 "signedOutAt":0,"session":{"id":"a0a1…","good":true}}
//
// It is everything that a passport needs, in one answer. "signedOutAt" is when
// all sessions of the customer were ended last, in milliseconds since 1970: what is older is
// over. "session" is there if it was asked for; one that began before the process
// did is good until it is signed out. Who asks about a customer or profile that there is
// none of gets a 403. The plan is the one of members. A reference
// is to an object that never changes. [Config.OnAccount] is told of each change.
//
// # Control
//
// Each service also answers GET /_sample with its name, its counts of requests
// (all, given up, open now, the most open at once), its mode and its latency, and
// takes PUT /_sample with a new mode, a new latency or both:
// {"mode":"hang","latency":"20ms"}. The modes are
//
//	ok       answers
//	fail     503
//	hang     no answer
//	half     every second request fails
//	garbage  200, and no JSON
//	huge     200, and 10 MiB of JSON
//
// A field that is missing stays as it is, so "0s" means there what a negative
// [Behaviour.Latency] means: none. Control requests are answered at once in every
// mode and are not counted.
//
// # State
//
// Plans, ratings and sessions live in memory: they outlast [Services.Stop] and
// [Services.Restart], and end with the process. What clients can add is bounded:
// 1,000 rated profiles with one rating for each film, 10,000 sessions of which a
// new one takes the place of the oldest.
//
// # Limitations
//
// Plain HTTP, and whoever reaches a port may control the service: this is
// for demos and tests, on the loopback interface unless [Config.Host] says
// otherwise. The films are facts about films in the public domain in the United
// States; running times of silent films depend on the restoration and are the
// commonly cited ones.
package sample
