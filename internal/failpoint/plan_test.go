//go:build failpoint && unix

package failpoint

import "testing"

func TestPlan(t *testing.T) {
	t.Parallel()
	p, err := parsePlan("stage.each=kill:2,*=sleep:4,commit.before=error:1.0")
	if err != nil {
		t.Fatal(err)
	}
	for i, step := range []struct{ name, want string }{
		{StageEach, ""},
		{StageEach, "kill"}, // and is not counted by the rules after its own
		{Flush, ""},
		{CommitBefore, "error"},
		{CommitBefore, "sleep"}, // the fourth that the rule for all counts
		{CommitBefore, "error"},
	} {
		if got := p.hit(step.name); got != step.want {
			t.Errorf("hit %d, of %s: %q, want %q", i+1, step.name, got, step.want)
		}
	}
}

func TestPlanRefusesMistakes(t *testing.T) {
	t.Parallel()
	for _, text := range []string{
		"nothing=kill", "flush", "flush=explode", "flush=kill:", "flush=kill:0", "flush=kill:-1", "flush=kill:1.5", "flush=kill:0.0", ",",
	} {
		if _, err := parsePlan(text); err == nil {
			t.Errorf("%q is accepted", text)
		}
	}
}
