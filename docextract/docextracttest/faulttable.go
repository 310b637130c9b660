package docextracttest

// The names of the faults.
const (
	fault500              = "e500"
	fault502              = "e502"
	fault503              = "e503"
	fault504              = "e504"
	faultHTML             = "html"
	faultHTMLError        = "html_error"
	fault429              = "e429"
	fault429Bare          = "e429_bare"
	faultHangHeaders      = "hang_headers"
	faultGarbage          = "garbage"
	faultGzipBomb         = "gzip_bomb"
	faultReset            = "reset"
	faultTruncate         = "truncate"
	faultTruncateJSON     = "truncate_json"
	faultTrailing         = "trailing"
	faultHangBody         = "hang_body"
	faultDrip             = "drip"
	faultAbsurdRates      = "absurd_rate_headers"
	faultDuplicate        = "duplicate"
	faultShift            = "shift"
	faultAcceptedReset    = "post_accept_then_reset"
	faultAccepted500      = "post_accept_then_500"
	faultAcceptedHang     = "post_accept_then_hang"
	faultSubmittedWithout = "post_no_id"
)

func faultTable() []fault {
	api := func(x *exchange) bool { return x.host == apiHost }
	listing := func(x *exchange) bool { return x.route == routeList }
	deeper := func(x *exchange) bool { return x.route == routeList && x.request.URL.Query().Get("offset") > "0" }
	submission := func(x *exchange) bool { return x.route == routeSubmit }
	return []fault{
		{fault500, "the API's error 500", instead, nil},
		{fault502, "a gateway's error 502, as plain text", instead, nil},
		{fault503, "the API's error 503", instead, nil},
		{fault504, "a gateway's error 504, as plain text", instead, nil},
		{faultHTML, "a web page with status 200, as from a captive portal", instead, nil},
		{faultHTMLError, "a web page with status 502", instead, nil},
		{fault429, "429 with Retry-After and rate headers, though the limit is not reached", instead, api},
		{fault429Bare, "429 without any header that says when to come back", instead, api},
		{faultHangHeaders, "no answer, until the client gives up", instead, nil},
		{faultGarbage, "bytes that are not JSON, said to be JSON", instead, nil},
		{faultGzipBomb, "a small compressed answer that inflates to bomb_bytes", instead, nil},
		{faultDuplicate, "a page has one of its jobs twice", during, listing},
		{faultShift, "a page past the first begins one job too early or too late", during, deeper},
		{faultAcceptedReset, "the job is accepted, the connection reset before the answer", after, submission},
		{faultAccepted500, "the job is accepted, the answer an error 500", after, submission},
		{faultAcceptedHang, "the job is accepted, but no answer comes", after, submission},
		{faultSubmittedWithout, "the job is accepted, the answer has no id", after, submission},
		{faultReset, "the connection is reset in the middle of the body", after, nil},
		{faultTruncate, "the body ends before its announced length", after, nil},
		{faultTruncateJSON, "the body is cut, its length announced as if it were whole", after, nil},
		{faultTrailing, "bytes follow the JSON", after, nil},
		{faultHangBody, "half of the body comes, then nothing until the client gives up", after, nil},
		{faultDrip, "the body comes one byte each drip_interval", after, nil},
		{faultAbsurdRates, "rate headers that cannot be", after, api},
	}
}
