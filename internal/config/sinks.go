package config

import (
	"io/fs"
	"regexp"
	"slices"
	"strconv"
	"strings"
	"unicode"
)

const database = "database"

// checkSinks completes the sinks of a pipeline and checks each by its type.
func checkSinks(p *Pipeline, path string, d *decoder) {
	for i := range p.Sinks {
		at := path + "/sinks/" + strconv.Itoa(i)
		s := &p.Sinks[i]
		if s.Type == "" {
			continue
		}
		refuseForeign(s, at, d)
		if s.Type == database {
			checkDatabase(p, s, at, d)
			continue
		}
		checkFiles(p, s, at, d)
	}
	if i := slices.IndexFunc(p.Sinks, func(s Sink) bool { return s.Type == database }); i >= 0 && !p.Raw {
		d.fault(path+"/raw", "a database sink is filled from the raw layer: set raw: true")
	}
}

// keysFor lists the keys that make sense for a type of sink, besides type.
func keysFor(kind string) []string {
	switch kind {
	case database:
		return []string{"url", "table"}
	case "arrow":
		return []string{"path", "partition"}
	case "csv":
		return []string{"path", "partition", "compression", "escape_formulas"}
	}
	return []string{"path", "partition", "compression"}
}

func refuseForeign(s *Sink, at string, d *decoder) {
	fitting := keysFor(s.Type)
	for _, name := range []string{"path", "partition", "compression", "escape_formulas", "url", "table"} {
		if d.given(join(at, name)) && !slices.Contains(fitting, name) {
			d.fault(join(at, name), "%s makes no sense for a sink of type %s: it takes %s", name, s.Type, strings.Join(fitting, ", "))
		}
	}
}

func checkFiles(p *Pipeline, s *Sink, at string, d *decoder) {
	if d.given(join(at, "path")) {
		if why := pathFault(s.Path); why != "" {
			d.fault(join(at, "path"), "path is %s: %s", d.written(join(at, "path")), why)
		}
	} else {
		s.Path = p.Name
	}
	choices := []string{"none", "gzip", "zstd"}
	switch s.Type {
	case "parquet":
		choices = []string{"zstd", "snappy", "gzip", "none"}
	case "arrow":
		choices = []string{"none"}
	}
	if s.Compression == "" {
		s.Compression = choices[0]
	}
	if !slices.Contains(choices, s.Compression) {
		d.fault(join(at, "compression"), "compression is %s: a sink of type %s takes %s",
			d.written(join(at, "compression")), s.Type, strings.Join(choices, ", "))
	}
}

func checkDatabase(p *Pipeline, s *Sink, at string, d *decoder) {
	s.Compression = ""
	if d.given(join(at, "url")) {
		d.checkURL(join(at, "url"), "url", s.URL, databaseURL)
	} else {
		d.fault(join(at, "url"), "a database sink has no url: write one, such as sqlite://./archive/warehouse.db")
	}
	if !d.given(join(at, "table")) {
		s.Table = p.Name
		return
	}
	const name = `[A-Za-z0-9_][A-Za-z0-9_-]{0,62}`
	if !regexp.MustCompile(`^` + name + `(\.` + name + `)?$`).MatchString(s.Table) {
		d.fault(join(at, "table"), "table is %s: it must be a table or schema.table of letters, digits, _ and -", d.written(join(at, "table")))
	}
}

// pathFault says why a path may not be written to, or "".
func pathFault(path string) string {
	const longest = 512
	switch {
	case path == "" || len(path) > longest:
		return "it must have 1 to 512 bytes; leave it out to use the name of the pipeline"
	case !fs.ValidPath(path) || path == ".":
		return "it must be relative to the bucket, without empty parts, . or .."
	}
	for segment := range strings.SplitSeq(path, "/") {
		if segment[0] == '_' || segment[0] == '.' {
			return "no part of it may begin with _ or a dot: such folders are control files, and hidden from readers"
		}
		if strings.TrimSpace(segment) != segment || strings.HasSuffix(segment, ".") {
			return "no part of it may begin or end with a blank, or end with a dot"
		}
	}
	for _, c := range path {
		if !unicode.IsLetter(c) && !unicode.IsDigit(c) && !strings.ContainsRune("/-_.=+@ ", c) {
			return "it may hold letters, digits and - _ . = + @ only"
		}
	}
	return ""
}

// claim is a place that a sink writes to: a folder for one format, or a table of
// one database.
type claim struct {
	place  string // what must be unique
	scope  string // among claims of the same scope
	name   string // of the place, for messages
	tables bool   // child tables may be written beside it
	path   string // of the sink
	at     Position
	owner  string // the pipeline
}

// claims finds sinks that would overwrite each other.
type claims []claim

func (cs *claims) addAll(p *Pipeline, path string, d *decoder) {
	tables := slices.ContainsFunc(p.Fields, func(f Field) bool { return f.Type.Kind == KindTable })
	for i, s := range p.Sinks {
		at := path + "/sinks/" + strconv.Itoa(i)
		c := claim{tables: tables, path: at, at: s.Pos, owner: p.Name}
		switch {
		case s.Type == "":
			continue
		case s.Type == database:
			// Most databases fold the case of a table's name.
			c.scope, c.place, c.name = database+" "+s.URL, strings.ToLower(s.Table), "table "+quote(s.Table)
		default:
			// Some stores are file systems that fold case.
			c.scope, c.place, c.name = s.Type, strings.ToLower(s.Path), s.Type+" files under "+quote(s.Path)
		}
		if !d.spoilt(at) {
			*cs = append(*cs, c)
		}
	}
}

// spoilt reports whether a key of the sink at path has a problem, so that
// comparing it with others would only add noise.
func (d *decoder) spoilt(path string) bool {
	for _, name := range []string{"url", "table", "path"} {
		if d.faulty[join(path, name)] {
			return true
		}
	}
	return false
}

// check reports every sink that writes where an earlier one does.
func (cs claims) check(d *decoder) {
	const most = 500
	if len(cs) > most {
		d.fault(cs[most].path, "there are more than %d sinks", most)
		return
	}
	for i, later := range cs {
		for _, earlier := range cs[:i] {
			if why := later.clash(earlier); why != "" {
				d.fault(later.path, "%s: pipeline %s, line %d, %s", later.name, quote(earlier.owner), earlier.at.Line, why)
				break
			}
		}
	}
}

// clash says how two claims conflict, or "".
func (c claim) clash(earlier claim) string {
	inside := func(outer, inner string) bool { return strings.HasPrefix(inner, outer+"/") }
	child := func(parent, other claim) bool {
		return parent.tables && strings.HasPrefix(other.place, parent.place+"__")
	}
	switch {
	case c.scope != earlier.scope:
		return ""
	case c.place == earlier.place:
		return "writes there already"
	case inside(earlier.place, c.place):
		return "writes to the folder around it: a reader of that one would see both"
	case inside(c.place, earlier.place):
		return "writes to a folder inside it: a reader of this one would see both"
	case child(c, earlier), child(earlier, c):
		return "may clash with it through a child table, which is named PIPELINE__FIELD"
	}
	return ""
}
