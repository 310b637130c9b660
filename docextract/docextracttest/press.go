package docextracttest

import (
	"slices"
	"strconv"
	"sync"
)

// press renders jobs for one look. It keeps what it rendered as far as its
// memory allows.
type press struct {
	plan   *plan
	look   look
	kinds  *[kindCount]kind
	words  *words
	blocks *blockCache // nil: renders change with every answer
	rater  *rater

	writers sync.Pool // of *writer: kept for their memory
}

func newPress(p *plan, l look, kinds *[kindCount]kind, cacheBytes int64) *press {
	pr := &press{plan: p, look: l, kinds: kinds, words: vocabulary()}
	pr.rater = &rater{press: pr}
	if l.documentTTL == 0 && cacheBytes > 0 {
		pr.blocks = newBlockCache(cacheBytes, pr.renderBlock)
	}
	return pr
}

const orgID = "org_7f3a91c2"

// append appends a job as the server answers it at that moment.
func (p *press) append(dst []byte, it *item, c clock) []byte {
	if it.special != nil && it.special.raw != nil {
		return append(dst, it.special.raw...)
	}
	st := it.status(c)
	if st.final() && it.special == nil && p.blocks != nil {
		return p.blocks.append(dst, int(it.ref))
	}
	w := p.writer()
	defer p.writers.Put(w)
	w.b = dst
	p.render(w, it, st, c.now)
	dst, w.b = w.b, nil
	return dst
}

func (p *press) writer() *writer {
	if w, ok := p.writers.Get().(*writer); ok {
		return w
	}
	return &writer{keys: make([]span, 0, 32)}
}

func (it *item) number() uint64 {
	if it.special != nil {
		return it.special.number
	}
	return uint64(it.ref)
}

// render writes a job to w.b and returns its confidences. The look must not be
// signed unless now is given.
func (p *press) render(w *writer, it *item, st status, now micros) rating {
	number := it.number()
	w.b = append(w.b, `{"id":"`...)
	w.b = p.plan.appendID(w.b, number)
	w.b = append(w.b, `","org_id":"`+orgID+`","extractor_id":"`...)
	w.b = append(w.b, kindIDs[it.kind]...)
	w.b = append(w.b, `","status":"`...)
	w.b = append(w.b, statusNames[st]...)
	w.b = append(w.b, `","document_url":"`...)
	w.b = p.appendDocumentURL(w.b, number, now)
	mimeType, size := p.plan.file(number)
	credits := creditsFor(p.plan.pages(number))
	if it.special != nil {
		mimeType, size, credits = it.special.document.mimeType, it.special.document.size, it.special.document.credits
	}
	w.b = append(w.b, `","mime_type":"`...)
	w.b = append(w.b, mimeType...)
	w.b = append(w.b, `","file_size_bytes":`...)
	w.b = strconv.AppendInt(w.b, int64(size), 10)
	var r rating
	if st == completed {
		r = p.renderData(w, it, number)
	} else {
		w.b = append(w.b, `,"extracted_data":null,"confidence":null`...)
	}
	w.b = append(w.b, `,"metadata":`...)
	if it.special != nil {
		w.b = append(w.b, it.special.metadata...)
	} else {
		m := p.plan.metadata(number)
		w.b = m.append(w.b)
	}
	p.renderCourse(w, it, st, credits)
	return r
}

// renderData writes extracted_data and confidence.
func (p *press) renderData(w *writer, it *item, number uint64) rating {
	w.b = append(w.b, `,"extracted_data":`...)
	w.d = dice(hash(p.plan.seed, streamContent, number))
	w.keys, w.depth, w.conflict, w.digits, w.hostile = w.keys[:0], 0, 0, false, false
	w.setOddities(p.look.oddities)
	w.open('{')
	p.kinds[it.kind].write(w, p.words, int(it.created/dayMicros))
	w.writeRare()
	w.close('}')
	w.b = append(w.b, `,"confidence":{`...)
	d := dice(hash(p.plan.seed, streamContent, number, 1))
	base := 7_600 + d.below(2_000)
	r := rating{low: 10_000}
	for i, key := range w.keys {
		if i > 0 {
			w.b = append(w.b, ',')
		}
		w.b = append(w.b, w.b[key.from:key.to]...)
		c := min(9_999, base+d.below(1_400)-500)
		if d.chance(20) {
			c = 1_000 + d.below(5_000)
		}
		w.b = append(w.b, `:0.`...)
		w.padded(c, 4)
		r.add(c)
	}
	w.b = append(w.b, '}')
	return r
}

// renderCourse writes what became of the job, and when.
func (p *press) renderCourse(w *writer, it *item, st status, credits int) {
	w.b = append(w.b, `,"processing_time_ms":`...)
	if st.final() {
		w.b = strconv.AppendInt(w.b, int64(it.work), 10)
	} else {
		w.b = append(w.b, "null"...)
	}
	w.b = append(w.b, `,"cost_credits":`...)
	w.b = strconv.AppendInt(w.b, int64(credits), 10)
	w.b = append(w.b, `,"error_details":`...)
	if st == failed {
		code, message, more := p.plan.failure(it.number())
		w.b = append(w.b, `{"code":"`...)
		w.b = append(w.b, code...)
		w.b = append(w.b, `","message":"`...)
		w.b = append(w.b, message...)
		w.b = append(w.b, '"')
		w.b = append(w.b, more...)
		w.b = append(w.b, '}')
	} else {
		w.b = append(w.b, "null"...)
	}
	w.b = append(w.b, `,"created_at":`...)
	p.renderTime(w, it.created, true)
	w.b = append(w.b, `,"started_at":`...)
	p.renderTime(w, it.begin(), st != queued)
	w.b = append(w.b, `,"completed_at":`...)
	p.renderTime(w, it.finish, st.final())
	w.b = append(w.b, '}')
}

func (p *press) renderTime(w *writer, t micros, known bool) {
	if !known {
		w.b = append(w.b, "null"...)
		return
	}
	w.b = append(w.b, '"')
	w.b = appendTime(w.b, t, p.look.resolution)
	w.b = append(w.b, '"')
}

// appendDocumentURL appends where the document lies. A signed URL says until
// when it is good.
func (p *press) appendDocumentURL(dst []byte, number uint64, now micros) []byte {
	dst = append(dst, p.look.documentBase...)
	dst = append(dst, '/')
	dst = p.plan.appendID(dst, number)
	if p.look.documentTTL == 0 {
		return dst
	}
	expires := now + p.look.documentTTL.Microseconds()
	dst = append(dst, "?expires="...)
	dst = strconv.AppendInt(dst, expires, 10)
	dst = append(dst, "&signature="...)
	return appendHex(dst, p.plan.signature(number, expires))
}

// signature guards a document's URL.
func (p *plan) signature(number uint64, expires micros) uint64 {
	return hash(p.seed, streamFile, number, uint64(expires), 3)
}

// renderBlock renders the jobs of a block in their final form, one after the
// other.
func (p *press) renderBlock(first int) ([]byte, [blockJobs]uint32) {
	w := p.writer()
	defer p.writers.Put(w)
	w.b = w.scratch[:0]
	var ends [blockJobs]uint32
	for i := range blockJobs {
		number := first + i
		if number < p.plan.jobs || p.plan.arrivals > 0 {
			it := item{entry: p.plan.entry(number)}
			p.render(w, &it, it.outcome, 0)
		}
		ends[i] = uint32(len(w.b))
	}
	w.scratch, w.b = w.b, nil
	return slices.Clone(w.scratch), ends
}
