package ledger

import (
	"crypto/sha256"
	"encoding/hex"
	"fmt"
	"path"
	"strconv"
	"strings"

	"github.com/adteco/docarchive/internal/store"
	"github.com/adteco/docarchive/pipeline"
)

// Where things are in the bucket.
const (
	controlDir    = "_archive/"
	identityKey   = controlDir + "identity.json"
	logDir        = controlDir + "log/"
	schemaDir     = controlDir + "schema/"
	settingsDir   = controlDir + "pipelines/"
	idsDir        = controlDir + "ids/"
	stagingDir    = controlDir + "staging/"
	runsDir       = controlDir + "runs/"
	rawDir        = controlDir + "raw/"
	quarantineDir = controlDir + "quarantine/"
	extractorsDir = controlDir + "extractors/"
	swapsDir      = controlDir + "swaps/"
	filesDir      = controlDir + "files/"
	documentsDir  = controlDir + "documents/"
	documentLists = controlDir + "document-lists/"

	jsonSuffix  = ".json"
	namedSuffix = ".json.zst"
	doneSuffix  = ".done"
	pageSuffix  = ".html"
)

// A year of hourly commits fits six digits many times over; more digits would
// be read just as well.
func numbered(dir string, n int) string { return fmt.Sprintf("%s%06d%s", dir, n, jsonSuffix) }

// number is the inverse of numbered, for the last element of a key.
func number(name string) (int, bool) {
	digits, ok := strings.CutSuffix(name, jsonSuffix)
	n, err := strconv.Atoi(digits)
	return n, ok && err == nil && n > 0 && numbered("", n) == name
}

// doneNumber is the number of the swap that a mark says is done.
func doneNumber(name string) (int, bool) {
	stem, ok := strings.CutSuffix(name, doneSuffix)
	if !ok {
		return 0, false
	}
	return number(stem + jsonSuffix)
}

func windowDir(pipelineName, window string) string {
	return logDir + pipelineName + "/" + window + "/"
}

func recordKey(pipelineName, window string, seq int) string {
	return numbered(windowDir(pipelineName, window), seq)
}

func schemaKey(dataset string, version int) string {
	return numbered(schemaDir+dataset+"/", version)
}

// namedKey is the key of what is named by its checksum.
func namedKey(dir, sum string) string { return dir + sum + namedSuffix }

func idsKey(sum string) string { return namedKey(idsDir, sum) }

// stagingKey follows from a file's entry in the record. The final path is part
// of it, so that equal bytes in two records are staged twice, and publishing one
// record cannot take away what the other still waits for.
func stagingKey(f *pipeline.File) string {
	place := sha256.Sum256([]byte(f.Path))
	name := path.Base(f.Path)
	extension := ""
	if dot := strings.IndexByte(name, '.'); dot >= 0 {
		extension = name[dot:]
	}
	return stagingDir + f.SHA256 + "-" + hex.EncodeToString(place[:8]) + extension
}

// checkName refuses names that are not one segment of a key.
func checkName(what, name string) error {
	if strings.Contains(name, "/") {
		return fmt.Errorf("%s %q must not contain a slash", what, name)
	}
	if err := store.CheckKey(name); err != nil {
		return fmt.Errorf("%s: %w", what, err)
	}
	return nil
}

// checkFile refuses a file whose entry cannot be right, above all one whose
// final name would lie where it must not.
func checkFile(pipelineName string, f *pipeline.File) error {
	if err := store.CheckKey(f.Path); err != nil {
		return err
	}
	if err := store.CheckKey(stagingKey(f)); err != nil {
		return err
	}
	ok := false
	switch f.Kind {
	case pipeline.KindData:
		ok = !strings.HasPrefix(f.Path, controlDir) && strings.Contains(f.Path, "/") && !hidden(path.Base(f.Path))
	case pipeline.KindRaw:
		ok = strings.HasPrefix(f.Path, rawDir+pipelineName+"/")
	case pipeline.KindQuarantine:
		ok = strings.HasPrefix(f.Path, quarantineDir+pipelineName+"/")
	case pipeline.KindDocuments:
		ok = strings.HasPrefix(f.Path, documentLists+pipelineName+"/")
	default:
		return fmt.Errorf("file %s has the unknown kind %q", f.Path, f.Kind)
	}
	switch sum, err := hex.DecodeString(f.SHA256); {
	case !ok:
		return fmt.Errorf("file %s of kind %s has no place there", f.Path, f.Kind)
	case err != nil || len(sum) != sha256.Size || f.SHA256 != hex.EncodeToString(sum):
		return fmt.Errorf("file %s has the malformed checksum %q", f.Path, f.SHA256)
	case f.Size < 0 || f.Rows < 0:
		return fmt.Errorf("file %s has a negative size or count of rows", f.Path)
	}
	return nil
}

// hidden reports whether readers that search folders skip a file of this name.
func hidden(name string) bool { return name[0] == '.' || name[0] == '_' }

func hashOf(data []byte) string {
	sum := sha256.Sum256(data)
	return hex.EncodeToString(sum[:])
}
