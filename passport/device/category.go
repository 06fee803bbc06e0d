package device

import (
	"fmt"
	"strings"
)

// Category is what a device is, as coarse as a metric's label may be: there are
// these eight, and no data adds one.
type Category uint8

// The categories. The numbers are what the wire carries and never change.
const (
	// Other is what is known and none of the rest, and what is not known. The zero value.
	Other Category = iota
	// TV is a television that runs the app itself.
	TV
	// Phone fits in a hand.
	Phone
	// Tablet has a touch screen of 7 inches or more.
	Tablet
	// Console is for games first.
	Console
	// Stick hangs on a television's HDMI port.
	Stick
	// SetTop is a box beside a television.
	SetTop
	// Browser is a web browser on a computer.
	Browser

	categories = int(Browser) + 1
)

var categoryNames = [categories]string{"other", "tv", "phone", "tablet", "console", "stick", "settop", "browser"}

// String is the category's name in lower case, as in files, logs and labels.
func (c Category) String() string {
	if int(c) < categories {
		return categoryNames[c]
	}
	return fmt.Sprintf("category %d", uint8(c))
}

// Categories returns all there are, in their order.
func Categories() []Category {
	all := make([]Category, categories)
	for n := range all {
		all[n] = Category(n)
	}
	return all
}

// ParseCategory reads a category's name. The error lists the names there are.
func ParseCategory(name string) (Category, error) {
	for n, known := range categoryNames {
		if name == known {
			return Category(n), nil
		}
	}
	return Other, fmt.Errorf("category %.40q: expected one of %s", name, strings.Join(categoryNames[:], ", "))
}
