// Package yamlfile reads a file of YAML that a person wrote, and tells every mistake in
// it with its place and what was expected there.
//
// # Nouns
//
//   - A [Reader] collects what is wrong with the value that [Read] found in a file. What
//     is in the value is asked of the reader ([Reader.Fields], [Reader.Text], …), which
//     tells where it is of another kind.
//   - [Fields] are the entries of a mapping whose names are known. What else is there is
//     a mistake, told with the names that are most like it.
//   - An [Entry] is NAME: VALUE of a mapping. A name that is there twice is a mistake.
//
// # Secrets
//
// Where values may be secrets, [Config.Secret] keeps all of them out of the messages of
// this package. Names of entries are always shown.
//
// # Bounds
//
// A file has [MaxSize] bytes at the most. What it has in it is no deeper than [MaxDepth],
// and of no more than [MaxValues] values, where an alias counts as all that it stands
// for: so nobody has to mind aliases, and none stands for itself.
//
// # Limitations
//
// One document in a file. A merge key (<<) is a name like others. A reader is not safe
// for concurrent use.
package yamlfile
