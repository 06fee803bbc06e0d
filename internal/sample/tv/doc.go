// Package tv is the sample adapter: two versions of the app "tv", whose pages
// differ, on the services of package service. It shows how an adapter of one's
// own is written.
//
//	GET  /home?limit=12        the page
//	POST /ratings/{video}      {"rating":"THUMBS_UP"}
//	POST /plan                 {"plan":"two-stream"}: changes the passport
package tv
