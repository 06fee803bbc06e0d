// Package cli is the warmline command: one file per subcommand, each of which
// turns flags into a Config of the library and prints what a person needs to
// know. Results go to standard output, logs to standard error.
package cli
