package pipeline

// Names of the standard columns that code refers to.
const (
	ColumnJobID       = "job_id"
	ColumnExtractorID = "extractor_id"
	ColumnStatus      = "status"
	ColumnCreatedAt   = "created_at"
	ColumnArchivedAt  = "archived_at"
	ColumnRunID       = "run_id"
	ColumnOrdinal     = "ordinal" // of a child table: the element's place in its array, from 0
)

// standard holds the columns that every dataset of jobs begins with, in their
// order. It is never changed.
var standard = numbered([]Column{
	{Name: ColumnJobID, Type: TypeUTF8, Source: "/id"},
	{Name: "org_id", Type: TypeUTF8, Source: "/org_id"},
	{Name: ColumnExtractorID, Type: TypeUTF8, Source: "/extractor_id"},
	{Name: ColumnStatus, Type: TypeUTF8, Source: "/status"},
	{Name: "mime_type", Type: TypeUTF8, Source: "/mime_type"},
	{Name: "file_size_bytes", Type: TypeInt64, Source: "/file_size_bytes"},
	{Name: "document_url", Type: TypeUTF8, Source: "/document_url"},
	{Name: "processing_time_ms", Type: TypeInt64, Source: "/processing_time_ms"},
	{Name: "cost_credits", Type: TypeFloat64, Source: "/cost_credits"},
	{Name: "error_code", Type: TypeUTF8, Source: "/error_details/code"},
	{Name: "error_message", Type: TypeUTF8, Source: "/error_details/message"},
	{Name: ColumnCreatedAt, Type: TypeTimestamp, Source: "/created_at"},
	{Name: "started_at", Type: TypeTimestamp, Source: "/started_at"},
	{Name: "completed_at", Type: TypeTimestamp, Source: "/completed_at"},
	{Name: ColumnArchivedAt, Type: TypeTimestamp},
	{Name: ColumnRunID, Type: TypeUTF8},
})

func numbered(columns []Column) []Column {
	for i := range columns {
		columns[i].Group = GroupStandard
		columns[i].FieldID = i + 1
	}
	return columns
}
