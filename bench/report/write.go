package report

import (
	"encoding/json"
	"errors"
	"io/fs"
	"os"
	"path/filepath"

	"warmline.dev/bench/report/chart"
)

// Names of what [Report.Write] writes besides the charts.
const (
	PageFile = "index.html"
	JSONFile = "report.json"
)

// file is one that is written.
type file struct {
	name string
	data []byte
}

// Write writes the page, report.json and the charts as SVG and PNG, each light and
// dark, into a directory, which it makes if there is none. c is what the page is to
// say about an earlier report; nil: nothing.
//
// Everything is made before anything is replaced, each file at once, the page last:
// after a crash there is the old page or the new one, whole. Charts of an earlier
// report that this one has not are removed, other files are left alone. One Write at
// a time may have the directory.
func (r *Report) Write(dir string, c *Comparison) error {
	made, err := r.files(c)
	if err != nil {
		return err
	}
	staging := filepath.Join(dir, ".warmline-report-new")
	if err := os.RemoveAll(staging); err != nil { // of a Write that crashed
		return err
	}
	if err := os.MkdirAll(staging, 0o755); err != nil {
		return err
	}
	err = replace(dir, staging, made)
	return errors.Join(err, os.RemoveAll(staging))
}

func replace(dir, staging string, made []file) error {
	now := map[string]bool{}
	for _, f := range made {
		now[f.name] = true
		if err := writeSynced(filepath.Join(staging, f.name), f.data); err != nil {
			return err
		}
	}
	for _, f := range made {
		if err := os.Rename(filepath.Join(staging, f.name), filepath.Join(dir, f.name)); err != nil {
			return err
		}
	}
	for _, name := range chartFiles() {
		if now[name] {
			continue
		}
		if err := os.Remove(filepath.Join(dir, name)); err != nil && !errors.Is(err, fs.ErrNotExist) {
			return err
		}
	}
	return nil
}

func writeSynced(path string, data []byte) error {
	f, err := os.OpenFile(path, os.O_WRONLY|os.O_CREATE|os.O_EXCL, 0o644)
	if err != nil {
		return err
	}
	_, err = f.Write(data)
	return errors.Join(err, f.Sync(), f.Close())
}

// files makes everything, in the order in which it is put in place.
func (r *Report) files(c *Comparison) ([]file, error) {
	drawings := r.drawings()
	var made []file
	for _, d := range drawings {
		for _, v := range variants {
			pixels, err := d.PNG(chart.File, v.theme)
			if err != nil {
				return nil, err
			}
			made = append(made, file{d.File + v.suffix + ".svg", d.SVG(chart.File, v.theme)}, file{d.File + v.suffix + ".png", pixels})
		}
	}
	data, err := json.MarshalIndent(r, "", " ")
	if err != nil {
		return nil, err
	}
	html, err := r.page(drawings, c)
	if err != nil {
		return nil, err
	}
	return append(made, file{JSONFile, append(data, '\n')}, file{PageFile, html}), nil
}

// variants are the forms in which each chart is a file.
var variants = []struct {
	suffix string
	theme  chart.Theme
}{{"", chart.Light}, {"-dark", chart.Dark}}

// chartFiles are the files of all charts that there can be.
func chartFiles() []string {
	var names []string
	for _, file := range files {
		for _, v := range variants {
			names = append(names, file+v.suffix+".svg", file+v.suffix+".png")
		}
	}
	return names
}
