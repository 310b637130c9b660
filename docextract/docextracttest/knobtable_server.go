package docextracttest

import "time"

func accessKnobs() []knob {
	r := func(s *settings) *rateSettings { return &s.rate }
	return []knob{
		choice("auth", "off takes any request; revoked refuses every key; forbidden and read_only answer 403",
			func(s *settings) *string { return &s.access.auth }, "required", off, "revoked", "forbidden", "read_only"),
		whole("key_revoked_after", "0", "the key is revoked after so many requests; 0 is never",
			func(s *settings) *int64 { return &s.access.revokedAfter }, 0),
		whole("rate_limit_minute", "0", "requests a minute; 0 is no limit, and without any limit there are no rate headers", func(s *settings) *int64 { return &r(s).minute }, 0),
		whole("rate_limit_hour", "0", "requests an hour; 0 is no limit", func(s *settings) *int64 { return &r(s).hour }, 0),
		seconds("rate_window", "1m", "how long the minute of rate_limit_minute lasts: a test has no minute to wait",
			func(s *settings) *time.Duration { return &r(s).window }),
		whole("concurrent_jobs", "0", "submitted jobs that may be open at once, past it 429; 0 is no limit",
			func(s *settings) *int64 { return &r(s).concurrent }, 0),
		choice("retry_after", "whether a 429 has Retry-After, and in which form",
			func(s *settings) *string { return &r(s).retryAfter }, on, off, "date"),
		toggle("rate_headers", "whether answers have X-RateLimit headers", func(s *settings) *bool { return &r(s).hideHeaders }, off, on, off),
		toggle("rate_reset", "X-RateLimit-Reset in Unix seconds, or in seconds from now",
			func(s *settings) *bool { return &r(s).resetDelta }, "delta", "unix", "delta"),
	}
}

func transportKnobs() []knob {
	t := func(s *settings) *transportSettings { return &s.transport }
	return []knob{
		toggle("gzip", "answers are compressed for clients that accept it", func(s *settings) *bool { return &t(s).gzip }, on, on, off),
		toggle("date", "whether answers have a Date", func(s *settings) *bool { return &t(s).hideDate }, off, on, off),
		length("date_skew", "0s", "how far the Date of an answer is ahead of the clock", func(s *settings) *time.Duration { return &t(s).dateSkew }, true),
		length("latency", "0s", "real time before an answer begins", func(s *settings) *time.Duration { return &t(s).latency }, false),
		length("drip_interval", "1s", "real time between two bytes of the fault drip", func(s *settings) *time.Duration { return &t(s).dripInterval }, false),
		whole("bomb_bytes", "314572800", "size of the fault gzip_bomb, inflated", func(s *settings) *int64 { return &t(s).bombBytes }, 1),
		address("redirect_to", "the API redirects every request to this URL", func(s *settings) *string { return &t(s).redirectTo }),
	}
}

func submissionKnobs() []knob {
	return []knob{
		whole("credits", "100000", "credits ever bought; submissions use them up", func(s *settings) *int64 { return &s.money.credits }, 0),
		toggle("check_documents", "on refuses a document whose first bytes are not of its MIME type",
			func(s *settings) *bool { return &s.money.strict }, on, off, on),
		whole("document_max", "52428800", "greatest size of a document in bytes", func(s *settings) *int64 { return &s.money.maxDocument }, 1),
	}
}
