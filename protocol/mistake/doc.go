// Package mistake says what is wrong with a file that a person wrote: each mistake
// with its place and what was expected there.
//
// A reader collects every [At] there is in a [List], instead of stopping at the first,
// and returns [List.Told] as its error. [Nearest] and [Clip] make up what a message
// says of names. Package yamlfile collects for files of YAML.
package mistake
