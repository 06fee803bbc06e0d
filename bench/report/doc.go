// Package report makes one report of what the benches have measured: a page with
// charts, the charts as files, and one JSON object.
//
//   - A [Report] holds the reports of the benches. [Report.Add] takes them as they
//     are, [Read] takes one from a file, [Report.Write] makes the files.
//   - A [Comparison] sets one report beside an earlier one, and says which
//     differences are beyond the noise.
//
// The page needs nothing but itself: no script, no font, no other file. What stands
// in a report is foreign to it, whoever wrote it: sizes, counts and figures are
// bounded when it is read, and text is escaped when it is written.
//
// Nothing here measures, and nothing runs on after a function has returned.
package report
