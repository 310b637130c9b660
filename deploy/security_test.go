package deploy_test

import (
	"testing"

	core "k8s.io/api/core/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	security "k8s.io/pod-security-admission/api"
	"k8s.io/pod-security-admission/policy"
)

// A namespace may enforce the strictest of the Pod Security Standards.
func TestPodsAreRestricted(t *testing.T) {
	t.Parallel()
	evaluator, err := policy.NewEvaluator(policy.DefaultChecks(), nil)
	if err != nil {
		t.Fatal(err)
	}
	restricted := security.LevelVersion{Level: security.LevelRestricted, Version: security.LatestVersion()}
	refused := func(pod core.PodSpec) string {
		result := policy.AggregateCheckResults(evaluator.EvaluatePod(restricted, &meta.ObjectMeta{}, &pod))
		return result.ForbiddenDetail()
	}
	for name, c := range releases(t) {
		for component, pod := range c.pods {
			if detail := refused(pod); detail != "" {
				t.Errorf("%s: %s is refused: %s", name, component, detail)
			}
		}
	}
	loose := release(t, "").pods["run"]
	loose.SecurityContext.SeccompProfile = nil
	if refused(loose) == "" {
		t.Error("a pod without a seccomp profile is not refused")
	}
}
