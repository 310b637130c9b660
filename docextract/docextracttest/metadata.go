package docextracttest

import "strconv"

// metadata is what a submitter said of a generated job.
type metadata struct {
	department, source string
	customer, batch    int
	priority           string // empty: not said
}

// metadata is that of a generated job; it needs no rendering, so that filters
// are cheap.
func (p *plan) metadata(number uint64) metadata {
	course := dice(hash(p.seed, streamCourse, number))
	kind := kindShares[course.below(len(kindShares))]
	d := dice(hash(p.seed, streamMetadata, number))
	m := metadata{customer: d.below(400), batch: int(number / 250)}
	switch kind {
	case kindContract:
		m.department = "legal"
	case kindForm, kindIdentity:
		m.department = "hr"
	default:
		m.department = "accounting"
		if d.chance(300) {
			m.department = "procurement"
		}
	}
	m.source = [...]string{"email", "upload", "api", "scanner"}[d.below(4)]
	if d.chance(120) {
		m.priority = [...]string{"high", "low"}[d.below(2)]
	}
	return m
}

func (m *metadata) get(key string) (value string, ok bool) {
	switch key {
	case "department":
		return m.department, true
	case "customer_id":
		return string(appendPadded([]byte("cust_"), m.customer, 4)), true
	case "batch_id":
		return string(appendPadded([]byte("batch_"), m.batch, 6)), true
	case "source":
		return m.source, true
	case "priority":
		return m.priority, m.priority != ""
	}
	return "", false
}

func (m *metadata) append(dst []byte) []byte {
	dst = append(dst, `{"department":"`...)
	dst = append(dst, m.department...)
	dst = append(dst, `","customer_id":"cust_`...)
	dst = appendPadded(dst, m.customer, 4)
	dst = append(dst, `","batch_id":"batch_`...)
	dst = appendPadded(dst, m.batch, 6)
	dst = append(dst, `","source":"`...)
	dst = append(dst, m.source...)
	if m.priority != "" {
		dst = append(dst, `","priority":"`...)
		dst = append(dst, m.priority...)
	}
	return append(dst, `"}`...)
}

// pages is the number of pages of a generated document, on which its price
// depends.
func (p *plan) pages(number uint64) int {
	d := dice(hash(p.seed, streamFile, number))
	if d.chance(850) {
		return 1 + d.below(4)
	}
	return 1 + d.below(120)
}

// creditsFor is the price of a document in credits.
func creditsFor(pages int) int {
	switch {
	case pages <= 2:
		return 1
	case pages <= 10:
		return 2
	case pages <= 25:
		return 3
	case pages <= 50:
		return 5
	default:
		return 8
	}
}

// file is what a generated job was made from: its MIME type and size.
func (p *plan) file(number uint64) (mimeType string, size int) {
	d := dice(hash(p.seed, streamFile, number, 1))
	mimeType = "application/pdf"
	if n := d.below(10); n >= 7 {
		mimeType = [...]string{"image/jpeg", "image/png", "image/tiff"}[n-7]
	}
	return mimeType, 8_000 + d.below(12_000)*p.pages(number) + d.below(997)
}

// failure is the error of a failed job.
func (p *plan) failure(number uint64) (code, message string, more []byte) {
	d := dice(hash(p.seed, streamCourse, number, 2))
	switch d.below(10) {
	case 0, 1, 2, 3:
		return "timeout", "Processing took longer than 120 seconds", []byte(`,"retryable":true`)
	case 4, 5, 6:
		more = append([]byte(`,"page":`), strconv.Itoa(1+d.below(p.pages(number)))...)
		return "document_unreadable", `The document could not be read: no text found on the page \"1\"`, more
	case 7, 8:
		return "unsupported_format", "The document is encrypted", nil
	default:
		return "internal_error", "An internal error occurred – please retry", []byte(`,"retryable":true`)
	}
}
