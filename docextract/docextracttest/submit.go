package docextracttest

import (
	"bytes"
	"crypto/sha256"
	"encoding/base64"
	"encoding/hex"
	"encoding/json"
	"net/http"
	"slices"
	"time"
)

// submitted is the body of a submission.
type submitted struct {
	ExtractorID string          `json:"extractor_id"`
	Document    string          `json:"document"`
	MimeType    string          `json:"mime_type"`
	Metadata    json.RawMessage `json:"metadata"`
}

// submit takes a document, charges for it and makes it a job.
func (x *exchange) submit(body []byte) answer {
	var in submitted
	if err := json.Unmarshal(body, &in); err != nil {
		return x.refuse(badRequest("invalid_json", "The request is not valid JSON.", "Send an object with extractor_id, document and mime_type."))
	}
	content, refused := in.check(&x.set.money)
	if refused != nil {
		return x.refuse(refused)
	}
	v := x.sim.view(x.set)
	if most := x.set.rate.concurrent; most > 0 && x.sim.openSubmissions(v.clock) >= most {
		return x.tooMany(x.now.Add(5 * time.Second))
	}
	sum := sha256.Sum256(content)
	doc := &document{
		sha256: hex.EncodeToString(sum[:]), mimeType: in.MimeType, size: len(content),
		credits: creditsFor(1 + len(content)/12_000),
	}
	if !x.sim.account.charge(doc.credits, x.set.money.credits) {
		return x.refuse(&refusal{http.StatusPaymentRequired, "insufficient_credits", "The balance does not cover this document.", "Buy credits."})
	}
	it := x.sim.store.submit(in.ExtractorID, in.Metadata, doc, v.now)
	x.sim.account.add(Submission{
		JobID: it.special.id, ExtractorID: in.ExtractorID, SHA256: doc.sha256,
		Metadata: in.Metadata, At: x.now, Credits: doc.credits,
	}, content)
	return answer{status: http.StatusCreated, contentType: jsonType, body: x.sim.press(x.set).append(nil, &it, v.clock)}
}

// magic is what files of the accepted types begin with.
func magic(mimeType string) (prefix string, ok bool) {
	switch mimeType {
	case "application/pdf":
		return "%PDF-", true
	case "image/jpeg":
		return "\xff\xd8\xff", true
	case "image/png":
		return "\x89PNG\r\n\x1a\n", true
	case "image/tiff":
		return "II*\x00", true
	}
	return "", false
}

// check validates the submission and returns the document's bytes.
func (in *submitted) check(set *moneySettings) ([]byte, *refusal) {
	if kindOf(in.ExtractorID) == noKind {
		return nil, badRequest("invalid_extractor", "The extractor does not exist.", "List the extractors for their ids.")
	}
	prefix, ok := magic(in.MimeType)
	if !ok {
		return nil, badRequest("unsupported_format", "The MIME type is not supported.", "Send a PDF, JPEG, PNG or TIFF file.")
	}
	content, err := base64.StdEncoding.Strict().DecodeString(in.Document)
	switch {
	case err != nil:
		return nil, badRequest("invalid_document", "The document is not valid base64.", "Encode it by RFC 4648, with padding.")
	case len(content) == 0:
		return nil, badRequest("document_unreadable", "The document is empty.", "")
	case int64(len(content)) > set.maxDocument:
		return nil, badRequest("document_too_large", "The document is too large.", "")
	case set.strict && !bytes.HasPrefix(content, []byte(prefix)):
		return nil, badRequest("document_unreadable", "The document is not of its MIME type.", "")
	}
	if len(in.Metadata) == 0 || string(in.Metadata) == "null" {
		in.Metadata = json.RawMessage("{}")
	}
	if in.Metadata[0] != '{' {
		return nil, badParameter("metadata", "an object")
	}
	return content, nil
}

// submit adds a job that is queued now.
func (s *store) submit(extractor string, metadata []byte, doc *document, now micros) item {
	s.mu.Lock()
	defer s.mu.Unlock()
	number := uint64(submittedBase + len(s.specials))
	e := entry{created: now}
	s.plan.course(&e, number)
	e.kind = kindOf(extractor)
	sp := &special{
		id: s.plan.id(number), number: number, label: extractor,
		metadata: slices.Clone(metadata), document: doc,
	}
	s.addLocked(e, sp)
	return item{entry: e, special: sp}
}

// openSubmissions is the number of submitted jobs that are not final.
func (s *Simulator) openSubmissions(c clock) int64 {
	s.store.mu.RLock()
	defer s.store.mu.RUnlock()
	open := int64(0)
	for i := range s.store.entries {
		e := &s.store.entries[i]
		if e.ref < 0 && s.store.specials[-1-e.ref].document != nil && !e.status(c).final() {
			open++
		}
	}
	return open
}
