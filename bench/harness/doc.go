// Package harness holds what every bench of Warmline needs, whatever it measures:
// processes of its own ([Process]), their ends ([Told]), what it ran on
// ([Machine]), and the progress that a person watches ([Progress]).
package harness
