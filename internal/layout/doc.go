// Package layout holds the test that keeps imports running one way.
package layout
