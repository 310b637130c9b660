// Package report lays out what a run, or a period of the archive, came to as one
// HTML page that needs nothing else: no script, no font, no picture, no network.
// Its charts are SVG in the page. Whoever opens it years later sees the same.
//
// A [Model] is plain data; [Render] turns it into the page. All texts in a model
// may come from strangers: they are shortened, made printable and escaped here.
package report
