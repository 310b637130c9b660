package docextracttest

import (
	"slices"
	"testing"
	"time"

	"pgregory.net/rapid"
)

func TestMixIsBijective(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		x := rapid.Uint64().Draw(t, "x")
		if got := unmix(mix(x)); got != x {
			t.Fatalf("unmix(mix(%d)) = %d", x, got)
		}
	})
}

func TestNumberFindsTheWayBack(t *testing.T) {
	p := plan{seed: 5}
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.Uint64().Draw(t, "number")
		if got, ok := p.number(p.id(n)); !ok || got != n {
			t.Fatalf("number(id(%d)) = %d, %v", n, got, ok)
		}
	})
	for _, id := range []string{"", "job_", "job_00000000000000G0", "JOB_0000000000000000", "job_00000000000000000"} {
		if _, ok := p.number(id); ok {
			t.Errorf("%q is taken for an id", id)
		}
	}
}

func TestPermutation(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		n := rapid.IntRange(1, 300).Draw(t, "n")
		p := newPermutation(n, rapid.Uint64().Draw(t, "key"))
		seen := make([]bool, n)
		for i := range n {
			j := p.at(i)
			if j < 0 || j >= n || seen[j] {
				t.Fatalf("at(%d) = %d of %d, or twice", i, j, n)
			}
			seen[j] = true
		}
	})
}

func TestAppendTime(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		at := rapid.Int64Range(-1<<45, 1<<53).Draw(t, "micros")
		when := time.UnixMicro(at).UTC()
		for unit, layout := range map[time.Duration]string{
			time.Microsecond: "2006-01-02T15:04:05.000000Z", time.Millisecond: "2006-01-02T15:04:05.000Z", time.Second: "2006-01-02T15:04:05Z",
		} {
			want := when.Truncate(unit).Format(layout)
			if when.Year() < 1 || when.Year() > 9999 {
				continue
			}
			if got := string(appendTime(nil, at, unit)); got != want {
				t.Fatalf("%d is %s, want %s", at, got, want)
			}
		}
	})
}

func TestEqualFiltersHaveEqualLines(t *testing.T) {
	rapid.Check(t, func(t *rapid.T) {
		lines := rapid.SliceOfN(rapid.SampledFrom([]string{"a=1", "b=2", "c=3", "d=4"}), 1, 6).Draw(t, "lines")
		forward, backward := "", ""
		for _, l := range lines {
			forward = sortedLines(forward, l)
		}
		for _, l := range slices.Backward(lines) {
			backward = sortedLines(backward, l)
		}
		if forward != backward {
			t.Fatalf("%q and %q", forward, backward)
		}
	})
}
