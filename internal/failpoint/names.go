package failpoint

// The failpoints, in the order in which a window's commit passes them.
const (
	LoadAfter     = "load.after"     // the window's log is read
	ProvePage     = "prove.page"     // a page of a listing is in hand
	Flush         = "flush"          // new jobs are about to be encoded
	EncodeFinish  = "encode.finish"  // all parts stand in the local spool
	SchemaBefore  = "schema.before"  // the schemas are about to be published
	SchemaAfter   = "schema.after"   // they are durable
	StageBefore   = "stage.before"   // nothing is staged yet
	StageEach     = "stage.each"     // one part is
	StageAfter    = "stage.after"    // all parts are
	CommitBefore  = "commit.before"  // the record is about to be created
	CommitAfter   = "commit.after"   // it is durable, and nobody was told
	PublishBefore = "publish.before" // no file of a record is published yet
	PublishEach   = "publish.each"   // one file is, or was before
	PublishCopied = "publish.copied" // all files are, the staged ones still stand
	PublishAfter  = "publish.after"  // and are removed now
	MarkAfter     = "mark.after"     // the cache knows of the commit
	ReportBefore  = "report.before"  // the run's report is about to be written

	FileBegun   = "file.begun"   // a local file exists, empty, under a temporary name
	FileWritten = "file.written" // it has its bytes
	FileSynced  = "file.synced"  // they are on disk
	FileNamed   = "file.named"   // it has its name
	FileDurable = "file.durable" // the name is on disk, too
	CopyNamed   = "copy.named"   // a local file has its second name, which may not be on disk
)

// Names returns the names of all failpoints.
func Names() []string {
	return []string{
		LoadAfter, ProvePage, Flush, EncodeFinish, SchemaBefore, SchemaAfter,
		StageBefore, StageEach, StageAfter, CommitBefore, CommitAfter,
		PublishBefore, PublishEach, PublishCopied, PublishAfter, MarkAfter, ReportBefore,
		FileBegun, FileWritten, FileSynced, FileNamed, FileDurable, CopyNamed,
	}
}
