package docextracttest

import "time"

// settings are the values of all knobs at one moment. They are never changed,
// only replaced.
type settings struct {
	listing   listingSettings
	filter    filterSettings
	look      look
	access    accessSettings
	rate      rateSettings
	transport transportSettings
	money     moneySettings
	documents documentSettings
	stuck     bool
}

type listingSettings struct {
	order        string
	total        string
	totalCap     int64
	limitMax     int64
	limitDefault int64
	refuseLimit  bool // above limitMax; else it is clamped
	offsetMax    int64
	ignoreOffset bool
	shortPages   float64
	nullJobs     bool
	echo         bool
}

type filterSettings struct {
	bounds           string
	boundsResolution time.Duration
	refuseUnknown    bool // parameters
	refuseExtractor  bool // that does not exist
	metadataSearch   string
	lowestConfidence bool // min_confidence is compared with the lowest one; else with the mean
	commitLag        time.Duration
}

// look is what the bytes of a finished job depend on, beside the job.
type look struct {
	resolution   time.Duration // of created_at, as it is sent
	stored       time.Duration // of created_at, as it is compared
	oddities     string
	documentBase string
	documentTTL  time.Duration
}

type accessSettings struct {
	auth         string
	revokedAfter int64
}

type rateSettings struct {
	minute      int64
	hour        int64
	window      time.Duration // of the minute's limit; whole seconds
	concurrent  int64
	retryAfter  string
	hideHeaders bool
	resetDelta  bool // X-RateLimit-Reset is seconds from now; else Unix seconds
}

type transportSettings struct {
	gzip         bool
	hideDate     bool
	latency      time.Duration
	dateSkew     time.Duration
	dripInterval time.Duration
	redirectTo   string
	bombBytes    int64
}

type moneySettings struct {
	credits     int64
	strict      bool // the bytes of a document must be of its MIME type
	maxDocument int64
}

type documentSettings struct {
	answer   string
	redirect string
}
