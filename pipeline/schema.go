package pipeline

import (
	"fmt"
	"sort"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
)

// Keys of the Arrow field metadata by which sinks learn more of a column than
// its name and type.
const (
	MetaFieldID = "PARQUET:field_id"   // a positive integer that never changes its meaning
	MetaSource  = "docarchive.source"  // JSON Pointer into the job, as received
	MetaGroup   = "docarchive.group"   // a [Group]
	MetaType    = "docarchive.type"    // a [Type]: what is JSON is text to Arrow
	MetaSibling = "docarchive.text_of" // on a NAME__text column: the typed column's name
)

// Group orders columns: each group is sorted by name, and the groups follow one
// another as the constants do.
type Group string

// The groups of columns.
const (
	GroupStandard   Group = "standard" // in their own fixed order
	GroupData       Group = "data"
	GroupConfidence Group = "confidence"
	GroupMetadata   Group = "metadata"
)

func (g Group) rank() int {
	switch g {
	case GroupStandard:
		return 0
	case GroupData:
		return 1
	case GroupConfidence:
		return 2
	default:
		return 3
	}
}

// Column is one column of a dataset. It never changes its name, type, source or
// field id once a schema version that holds it is durable.
type Column struct {
	Name      string `json:"name"`
	Group     Group  `json:"group"`
	Type      Type   `json:"type"`
	Source    string `json:"source,omitempty"`     // JSON Pointer (RFC 6901) into the job; empty for archived_at and run_id
	TextOf    string `json:"text_of,omitempty"`    // set on a sibling column: the column whose misfits it holds
	FieldID   int    `json:"field_id"`             // Parquet field id, unique in the dataset for ever
	FirstSeen string `json:"first_seen,omitempty"` // id of the run that added it
}

// Schema is one version of a dataset's union schema. A later version holds
// every column of an earlier one, unchanged.
type Schema struct {
	Dataset string   `json:"dataset"`
	Version int      `json:"version"` // from 1
	Columns []Column `json:"columns"` // in the table's order
}

// sortColumns puts columns into the table's order: standard columns by field
// id, the others by group and name.
func sortColumns(columns []Column) {
	sort.SliceStable(columns, func(i, j int) bool {
		a, b := &columns[i], &columns[j]
		if a.Group != b.Group {
			return a.Group.rank() < b.Group.rank()
		}
		if a.Group == GroupStandard {
			return a.FieldID < b.FieldID
		}
		return a.Name < b.Name
	})
}

// Field returns the column as an Arrow field, with the metadata that sinks use.
func (c *Column) Field() (arrow.Field, error) {
	dt, err := c.Type.Arrow()
	if err != nil {
		return arrow.Field{}, fmt.Errorf("column %s: %w", c.Name, err)
	}
	keys := []string{MetaFieldID, MetaGroup, MetaType}
	values := []string{strconv.Itoa(c.FieldID), string(c.Group), string(c.Type)}
	if c.Source != "" || c.Group == GroupData {
		keys, values = append(keys, MetaSource), append(values, c.Source)
	}
	if c.TextOf != "" {
		keys, values = append(keys, MetaSibling), append(values, c.TextOf)
	}
	return arrow.Field{
		Name: c.Name, Type: dt, Nullable: c.Name != ColumnJobID,
		Metadata: arrow.NewMetadata(keys, values),
	}, nil
}
