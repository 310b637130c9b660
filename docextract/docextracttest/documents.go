package docextracttest

import (
	"encoding/binary"
	"net/http"
	"strconv"
	"strings"
)

// serveDocument answers for the documents' host.
func (s *Simulator) serveDocument(w http.ResponseWriter, r *http.Request) {
	x := &exchange{
		sim: s, request: r, writer: w, set: s.knobs.load(),
		host: documentHost, number: s.traffic.files.Add(1), now: s.config.Clock(), route: routeOther,
	}
	if id, ok := strings.CutPrefix(r.URL.Path, "/files/"); ok && r.Method == http.MethodGet {
		x.route, x.id = routeFile, id
	}
	s.traffic.count(x.route)
	if r.Header.Get("Authorization") != "" || r.Header.Get("X-Api-Key") != "" {
		s.traffic.leaks.Add(1)
	}
	if !x.wait(x.set.transport.latency) {
		panic(http.ErrAbortHandler)
	}
	if x.set.documents.answer == "endless" {
		x.endless()
	}
	x.serve(x.document)
}

// document answers with a job's document.
func (x *exchange) document() answer {
	if to := x.set.documents.redirect; to != "" {
		return answer{status: http.StatusFound, contentType: textType, location: to}
	}
	v := x.sim.view(x.set)
	it, ok := x.sim.store.find(x.id)
	if !ok || !v.visible(&x.sim.store.plan, &it) || it.special != nil && it.special.document == nil {
		return answer{status: http.StatusNotFound, contentType: textType, body: []byte("no such document")}
	}
	if !x.signed(it.number()) {
		return answer{status: http.StatusForbidden, contentType: textType, body: []byte("the link has expired")}
	}
	mimeType, body, ok := x.content(&it)
	switch answer := x.set.documents.answer; {
	case answer == "gone" || !ok:
		return x.documentError(http.StatusNotFound, "no such document")
	case answer == "expired":
		return x.documentError(http.StatusForbidden, "the link has expired")
	case answer == "empty":
		body = nil
	case answer == "html":
		mimeType, body = htmlType, []byte("<html><body>Please sign in</body></html>")
	case answer == "truncated":
		x.fault = &fault{name: faultTruncate, stage: after}
	}
	return answer{status: http.StatusOK, contentType: mimeType, body: body}
}

func (x *exchange) documentError(status int, text string) answer {
	return answer{status: status, contentType: textType, body: []byte(text)}
}

// signed reports whether the URL is good still, where URLs expire.
func (x *exchange) signed(number uint64) bool {
	if x.set.look.documentTTL == 0 {
		return true
	}
	values := x.request.URL.Query()
	expires, err := strconv.ParseInt(values.Get("expires"), 10, 64)
	return err == nil && expires >= x.now.UnixMicro() &&
		values.Get("signature") == string(appendHex(nil, x.sim.store.plan.signature(number, expires)))
}

// content is the document of a job. That of a generated job is a function of
// its number: the right first bytes, then noise.
func (x *exchange) content(it *item) (mimeType string, body []byte, ok bool) {
	if it.special != nil {
		body, ok = x.sim.account.document(it.special.id)
		return it.special.document.mimeType, body, ok
	}
	mimeType, size := x.sim.store.plan.file(it.number())
	salt := uint64(0)
	if x.set.documents.answer == "changing" {
		salt = uint64(x.number)
	}
	d := dice(hash(x.sim.config.Seed, streamFile, it.number(), 2, salt))
	body = make([]byte, size)
	prefix, _ := magic(mimeType)
	for i := copy(body, prefix); i < size; i += 8 {
		var word [8]byte
		binary.LittleEndian.PutUint64(word[:], d.next())
		copy(body[i:], word[:])
	}
	return mimeType, body, true
}

// endless sends bytes until the client has had enough.
func (x *exchange) endless() {
	x.setHeaders(&answer{contentType: "application/pdf"})
	chunk := append([]byte("%PDF-1.7\n"), make([]byte, 64<<10)...)
	for x.request.Context().Err() == nil {
		x.write(chunk)
	}
	panic(http.ErrAbortHandler)
}
