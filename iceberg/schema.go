package iceberg

import (
	"fmt"

	ice "github.com/apache/iceberg-go"

	"github.com/adteco/docarchive/pipeline"
)

// icebergSchema returns the Iceberg schema of a dataset. Its field ids are the
// archive's, which stand in the Parquet files, too.
func icebergSchema(s *pipeline.Schema) (*ice.Schema, error) {
	fields := make([]ice.NestedField, 0, len(s.Columns))
	for i := range s.Columns {
		c := &s.Columns[i]
		t, err := icebergType(c.Type)
		if err != nil {
			return nil, fmt.Errorf("dataset %s: column %s: %w", s.Dataset, c.Name, err)
		}
		fields = append(fields, ice.NestedField{
			ID: c.FieldID, Name: c.Name, Type: t, Required: c.Name == pipeline.ColumnJobID, Doc: c.Source,
		})
	}
	return ice.NewSchema(0, fields...), nil
}

func icebergType(t pipeline.Type) (ice.Type, error) {
	switch t {
	case pipeline.TypeUTF8, pipeline.TypeJSON:
		return ice.PrimitiveTypes.String, nil
	case pipeline.TypeFloat64:
		return ice.PrimitiveTypes.Float64, nil
	case pipeline.TypeInt64:
		return ice.PrimitiveTypes.Int64, nil
	case pipeline.TypeBool:
		return ice.PrimitiveTypes.Bool, nil
	case pipeline.TypeDate32:
		return ice.PrimitiveTypes.Date, nil
	case pipeline.TypeTimestamp:
		return ice.PrimitiveTypes.TimestampTz, nil
	}
	if precision, scale, ok := t.Decimal(); ok {
		return ice.DecimalTypeOf(int(precision), int(scale)), nil
	}
	if _, ok := t.Element(); ok {
		return nil, fmt.Errorf("the files give the elements of a %s no field id, without which Iceberg's readers see nulls; archive it as json or as a table", t)
	}
	return nil, fmt.Errorf("there is no Iceberg type for %q", t)
}

// missingColumns reports whether the table lacks columns of the wanted schema.
// A column that it has otherwise, or besides, is an error.
func missingColumns(table, want *ice.Schema) (bool, error) {
	wanted := map[int]ice.NestedField{}
	for _, f := range want.Fields() {
		wanted[f.ID] = f
	}
	for _, is := range table.Fields() {
		f, ok := wanted[is.ID]
		if !ok || f.Name != is.Name || !f.Type.Equals(is.Type) {
			return false, fmt.Errorf("the table's column %s (%s, id %d) is not the archive's; another program changed the table's schema, drop it and let sync make it anew", is.Name, is.Type, is.ID)
		}
	}
	return len(wanted) > len(table.Fields()), nil
}
