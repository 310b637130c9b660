package deploy_test

import (
	"go/ast"
	"go/parser"
	"go/token"
	"maps"
	"slices"
	"strconv"
	"testing"

	"github.com/google/go-cmp/cmp"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
)

// decisions says for each exit status of the program what becomes of a Job. A
// new status needs a line here, and one in the chart if repeating is in vain.
var decisions = map[string]batch.PodFailurePolicyAction{
	"exitFailed":      batch.PodFailurePolicyActionCount,
	"exitPartly":      batch.PodFailurePolicyActionFailJob, // the next night goes on
	"exitAlert":       batch.PodFailurePolicyActionFailJob,
	"exitUsage":       batch.PodFailurePolicyActionFailJob,
	"exitDamaged":     batch.PodFailurePolicyActionFailJob,
	"exitLocal":       batch.PodFailurePolicyActionCount, // another node has another disk
	"exitTemporary":   batch.PodFailurePolicyActionCount,
	"exitRefused":     batch.PodFailurePolicyActionFailJob,
	"exitConfig":      batch.PodFailurePolicyActionFailJob,
	"exitInterrupted": batch.PodFailurePolicyActionCount, // unless the node was to blame
	"exitTerminated":  batch.PodFailurePolicyActionCount,
}

// exitStatuses are the failures that the program's source names.
func exitStatuses(t *testing.T) map[string]int32 {
	t.Helper()
	file, err := parser.ParseFile(token.NewFileSet(), "../cmd/docarchive/exit.go", nil, parser.SkipObjectResolution)
	if err != nil {
		t.Fatal(err)
	}
	statuses := map[string]int32{}
	for _, decl := range file.Decls {
		constants, ok := decl.(*ast.GenDecl)
		if !ok || constants.Tok != token.CONST {
			continue
		}
		for _, spec := range constants.Specs {
			value := spec.(*ast.ValueSpec)
			literal, ok := value.Values[0].(*ast.BasicLit)
			if !ok {
				t.Fatalf("%s is no number", value.Names[0].Name)
			}
			status, err := strconv.ParseInt(literal.Value, 10, 32)
			if err != nil {
				t.Fatal(err)
			}
			statuses[value.Names[0].Name] = int32(status)
		}
	}
	if done, has := statuses["exitDone"]; !has || done != 0 {
		t.Fatalf("exit.go was not understood: %v", statuses)
	}
	delete(statuses, "exitDone")
	return statuses
}

// action is what the rules make of a pod that exited with a status: the first
// rule that fits counts.
func action(policy *batch.PodFailurePolicy, status int32, disrupted bool) batch.PodFailurePolicyAction {
	for _, rule := range policy.Rules {
		if codes := rule.OnExitCodes; codes != nil && codes.Operator == batch.PodFailurePolicyOnExitCodesOpIn && slices.Contains(codes.Values, status) {
			return rule.Action
		}
		for _, condition := range rule.OnPodConditions {
			if disrupted && condition.Type == core.DisruptionTarget && condition.Status == core.ConditionTrue {
				return rule.Action
			}
		}
	}
	return batch.PodFailurePolicyActionCount
}

func TestFailurePolicyFollowsExitStatuses(t *testing.T) {
	t.Parallel()
	statuses := exitStatuses(t)
	if diff := cmp.Diff(slices.Sorted(maps.Keys(decisions)), slices.Sorted(maps.Keys(statuses))); diff != "" {
		t.Fatalf("exit.go has other statuses than are decided on (-decided +exit.go):\n%s", diff)
	}
	for name, c := range releases(t) {
		for component, cron := range c.crons {
			policy := cron.Spec.JobTemplate.Spec.PodFailurePolicy
			if policy == nil {
				t.Fatalf("%s: %s has no podFailurePolicy", name, component)
			}
			for status, want := range decisions {
				if status == "exitPartly" && cron.Spec.JobTemplate.Spec.BackoffLimitPerIndex != nil {
					want = batch.PodFailurePolicyActionFailIndex // the other workers go on
				}
				if got := action(policy, statuses[status], false); got != want {
					t.Errorf("%s: %s: %s (%d) makes %s, want %s", name, component, status, statuses[status], got, want)
				}
				if want == batch.PodFailurePolicyActionCount {
					want = batch.PodFailurePolicyActionIgnore
				}
				if got := action(policy, statuses[status], true); got != want {
					t.Errorf("%s: %s: %s (%d) on a drained node makes %s, want %s", name, component, status, statuses[status], got, want)
				}
			}
			for _, unknown := range []int32{2, 137, 255} { // a panic, out of memory
				if got := action(policy, unknown, false); got != batch.PodFailurePolicyActionCount {
					t.Errorf("%s: %s: %d makes %s", name, component, unknown, got)
				}
			}
			for _, rule := range policy.Rules {
				if codes := rule.OnExitCodes; codes != nil && (!slices.IsSorted(codes.Values) || !is(codes.ContainerName, "docarchive")) {
					t.Errorf("%s: %s: the API refuses %+v", name, component, codes)
				}
			}
		}
	}
}
