package sinks

import (
	"encoding/json"
	"fmt"
	"strconv"

	"github.com/apache/arrow/go/v17/arrow"
	"github.com/parquet-go/parquet-go"

	"github.com/adteco/docarchive/pipeline"
)

// orderedGroup is a group whose fields stand in the table's order. That of
// parquet-go sorts them by name.
type orderedGroup struct {
	parquet.Group
	fields []parquet.Field
}

func (g orderedGroup) Fields() []parquet.Field { return g.fields }

// parquetColumns returns the columns of a file whose first rows are those of
// batch, and the root of its schema.
func parquetColumns(batch arrow.Record) ([]*parquetColumn, parquet.Node, error) {
	root := orderedGroup{Group: parquet.Group{}}
	columns := make([]*parquetColumn, 0, batch.NumCols())
	for i, f := range batch.Schema().Fields() {
		c := &parquetColumn{path: []string{f.Name}}
		node, err := c.node(f, batch.Column(i))
		if err != nil {
			return nil, nil, fmt.Errorf("column %s: %w", f.Name, err)
		}
		if id, ok := f.Metadata.GetValue(pipeline.MetaFieldID); ok {
			number, err := strconv.Atoi(id)
			if err != nil {
				return nil, nil, fmt.Errorf("column %s: the Parquet field id: %w", f.Name, err)
			}
			node = parquet.FieldID(node, number)
		}
		if _, taken := root.Group[f.Name]; taken {
			return nil, nil, fmt.Errorf("column %s stands twice", f.Name)
		}
		root.Group[f.Name] = node
		root.fields = append(root.fields, parquet.Group{f.Name: node}.Fields()...)
		columns = append(columns, c)
	}
	return columns, root, nil
}

// columnSource is what the key-value metadata says of a column, since Parquet
// has no metadata of fields.
type columnSource struct {
	Source string `json:"source,omitempty"`
	Group  string `json:"group,omitempty"`
	Type   string `json:"type,omitempty"` // as in the schema file
	TextOf string `json:"text_of,omitempty"`
}

func describeColumns(schema *arrow.Schema) (string, error) {
	described := map[string]columnSource{}
	for _, f := range schema.Fields() {
		get := func(key string) string {
			value, _ := f.Metadata.GetValue(key)
			return value
		}
		described[f.Name] = columnSource{
			Source: get(pipeline.MetaSource), Group: get(pipeline.MetaGroup), Type: get(pipeline.MetaType),
			TextOf: get(pipeline.MetaSibling),
		}
	}
	text, err := json.Marshal(described)
	return string(text), err
}

// node sets how the column is written and returns its place in the schema.
func (c *parquetColumn) node(f arrow.Field, values arrow.Array) (parquet.Node, error) {
	if list, ok := f.Type.(*arrow.ListType); ok {
		c.path = append(c.path, "list", "element")
		element, err := c.leaf(list.Elem(), nil)
		if err != nil {
			return nil, err
		}
		c.elementOptional = list.ElemField().Nullable
		return c.nullable(f, parquet.List(optionalIf(c.elementOptional, element))), nil
	}
	leaf, err := c.leaf(f.Type, values)
	if err != nil {
		return nil, err
	}
	return c.nullable(f, leaf), nil
}

func (c *parquetColumn) nullable(f arrow.Field, node parquet.Node) parquet.Node {
	c.optional = f.Nullable
	return optionalIf(f.Nullable, node)
}

func optionalIf(optional bool, node parquet.Node) parquet.Node {
	if optional {
		return parquet.Optional(node)
	}
	return node
}

// leaf is the node of a type that is no list. values, if known, are a sample.
func (c *parquetColumn) leaf(dt arrow.DataType, values arrow.Array) (parquet.Node, error) {
	node, err := c.plainLeaf(dt)
	switch {
	case err != nil || c.skipBounds || dt.ID() == arrow.BOOL:
		return node, err
	case repeats(values):
		return parquet.Encoded(node, &parquet.RLEDictionary), nil
	default:
		return parquet.Encoded(node, &parquet.Plain), nil
	}
}

func (c *parquetColumn) plainLeaf(dt arrow.DataType) (parquet.Node, error) {
	switch dt := dt.(type) {
	case *arrow.StringType:
		return parquet.String(), nil
	case *arrow.Int64Type:
		return parquet.Leaf(parquet.Int64Type), nil
	case *arrow.Float64Type:
		return parquet.Leaf(parquet.DoubleType), nil
	case *arrow.BooleanType:
		return parquet.Leaf(parquet.BooleanType), nil
	case *arrow.Date32Type:
		return parquet.Date(), nil
	case *arrow.TimestampType:
		if dt.Unit == arrow.Microsecond {
			return parquet.TimestampAdjusted(parquet.Microsecond, dt.TimeZone != ""), nil
		}
	case *arrow.Decimal128Type:
		return c.decimal(int(dt.Precision), int(dt.Scale)), nil
	}
	return nil, unsupported(dt)
}

// Precisions that the physical types hold.
const (
	maxInt32Digits = 9
	maxInt64Digits = 18
)

func (c *parquetColumn) decimal(precision, scale int) parquet.Node {
	switch {
	case precision <= maxInt32Digits:
		return parquet.Decimal(scale, precision, parquet.Int32Type)
	case precision <= maxInt64Digits:
		return parquet.Decimal(scale, precision, parquet.Int64Type)
	default:
		c.skipBounds = true
		node := parquet.Decimal(scale, precision, parquet.FixedLenByteArrayType(decimalBytes))
		return parquet.Leaf(wideDecimal{Type: node.Type(), precision: precision})
	}
}
