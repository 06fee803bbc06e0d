// Package declare runs an edge from a YAML file, without Go: sources, which are
// mid-tier services that speak HTTP and JSON, what is read from them and kept, and
// the services that adapters call.
//
//	sources:
//	  catalogue:
//	    url: http://127.0.0.1:9104
//	    reads:
//	      film:
//	        get: /films?ids={id}
//	        batch: {each: id, most: 100, items: films, key: id}
//	        cache: {ttl: 10m}
//	services:
//	  catalogue:
//	    1.4.2:
//	      videos:
//	        read: catalogue.film
//	        args: {ids: {list: integer, most: 200}}
//	        each: {ids: id}
//	        as: videos
//	        pick: [id, title, year]
//
// examples/edge.yaml has all there is with a word on each.
//
// # Nouns
//
//   - A [Declaration] is a file that [Parse] found nothing wrong with. Otherwise it
//     says everything that is wrong, each with its place (a mistake.List), and nothing
//     runs.
//   - A [Tier] is what a declaration runs as: package source's sources, package
//     warm's caches, and services for an edgelayer.Server.
//   - [Tier.Next] is the tier of a declaration that has changed. It keeps what is
//     declared the same: breakers, figures, and what is warm.
//
// # Variables and keys
//
// Paths, queries, headers and bodies hold variables: {passport.customer} and the
// passport's other fields, and arguments, such as {id}. What fills them is escaped
// and can't leave its place; a part of a path that is empty, "." or ".." is refused,
// and so is what no header can have.
//
// What is read is kept under a key that is made of all the variables of its path,
// headers (also those of the source) and body, in the order in which they appear,
// and of the passport's fields that it says it may vary by. Who has the same key
// asks the same question, and nobody is given what was read for another. A method
// that has fields of the passport needs one that is recognised, if it does not say
// otherwise, and in which they are not empty.
//
// # Values
//
// A source's answer becomes msgpack when it is loaded, and stays that: fields are
// picked by copying slices, and a line in JSON has it made JSON again. Whole
// numbers of up to 64 bits stay as they are; larger ones become floats. An answer
// that is no JSON, is deeper than 24 or has more than 100,000 values, has a name
// twice in one mapping, or lacks the list that it should have is a failure of the
// source.
//
// Of a list some may fail: what is there is given, and beside it, under "errors",
// which elements failed and why. What a source does not have is left out. If all
// fail, the call does.
//
// # Writes
//
// A write is sent once. What it invalidates is forgotten unless it was refused: also
// when nobody knows whether it was carried out.
//
// # Limitations
//
// One request per method. JSON only. A file may have 1 MiB; the bounds of arguments
// are in the file, 1,024 bytes for a text and 100 elements for a list if it does not
// say. Elements of a list that stand separated by commas can't be empty or have
// commas themselves: such are not asked for.
package declare
