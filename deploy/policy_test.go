package deploy_test

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	"k8s.io/apimachinery/pkg/api/resource"
)

func TestEveryPodIsConfined(t *testing.T) {
	t.Parallel()
	for name, c := range releases(t) {
		for component, pod := range c.pods {
			for _, fault := range confinement(pod) {
				t.Errorf("%s: %s: %s", name, component, fault)
			}
		}
		for _, account := range c.accounts {
			if mounted := account.AutomountServiceAccountToken; mounted == nil || *mounted {
				t.Errorf("%s: the service account's token is mounted", name)
			}
		}
	}
}

func TestConfinementCanFail(t *testing.T) {
	t.Parallel()
	for what, loosen := range map[string]func(*core.PodSpec){
		"root":          func(p *core.PodSpec) { *p.SecurityContext.RunAsNonRoot = false },
		"root's id":     func(p *core.PodSpec) { *p.SecurityContext.RunAsUser = 0 },
		"seccomp":       func(p *core.PodSpec) { p.SecurityContext.SeccompProfile = nil },
		"token":         func(p *core.PodSpec) { p.AutomountServiceAccountToken = nil },
		"writable":      func(p *core.PodSpec) { p.Containers[0].SecurityContext.ReadOnlyRootFilesystem = nil },
		"escalation":    func(p *core.PodSpec) { p.Containers[0].SecurityContext.AllowPrivilegeEscalation = nil },
		"capabilities":  func(p *core.PodSpec) { p.Containers[0].SecurityContext.Capabilities.Drop = nil },
		"restart":       func(p *core.PodSpec) { p.RestartPolicy = core.RestartPolicyOnFailure },
		"grace":         func(p *core.PodSpec) { *p.TerminationGracePeriodSeconds = 10 },
		"message":       func(p *core.PodSpec) { p.Containers[0].TerminationMessagePolicy = "" },
		"spool":         func(p *core.PodSpec) { p.Volumes[1].EmptyDir.SizeLimit = nil },
		"an init":       func(p *core.PodSpec) { p.InitContainers = p.Containers },
		"host network":  func(p *core.PodSpec) { p.HostNetwork = true },
		"secret's mode": func(p *core.PodSpec) { *p.Volumes[3].Secret.DefaultMode = 0o644 },
	} {
		pod := release(t, "").pods["run"]
		if faults := confinement(pod); len(faults) > 0 {
			t.Fatalf("as it is: %v", faults)
		}
		loosen(&pod)
		if len(confinement(pod)) == 0 {
			t.Errorf("%s: nothing is found", what)
		}
	}
}

// confinement returns what a pod may do that it should not, and what it lacks.
func confinement(p core.PodSpec) (faults []string) {
	expect := func(holds bool, fault string) {
		if !holds {
			faults = append(faults, fault)
		}
	}
	s := p.SecurityContext
	expect(is(s.RunAsNonRoot, true) && is(s.RunAsUser, 65532) && is(s.RunAsGroup, 65532) && is(s.FSGroup, 65532), "may run as root")
	expect(s.SeccompProfile != nil && s.SeccompProfile.Type == core.SeccompProfileTypeRuntimeDefault, "has no seccomp profile")
	expect(is(p.AutomountServiceAccountToken, false), "holds a token of the cluster's API")
	expect(is(p.EnableServiceLinks, false), "has service links in its environment")
	expect(!p.HostNetwork && !p.HostPID && !p.HostIPC, "shares the host's namespaces")
	expect(p.RestartPolicy == core.RestartPolicyNever, "is restarted, which a podFailurePolicy does not allow")
	expect(is(p.TerminationGracePeriodSeconds, 30), "has another grace period than the 25 s that stopping takes, and a margin")
	expect(len(p.Containers) == 1 && len(p.InitContainers) == 0 && p.Containers[0].Name == "docarchive", "has other containers")
	c := p.Containers[0]
	expect(is(c.SecurityContext.ReadOnlyRootFilesystem, true), "can write to its root")
	expect(is(c.SecurityContext.AllowPrivilegeEscalation, false), "can escalate")
	expect(slices.Equal(c.SecurityContext.Capabilities.Drop, []core.Capability{"ALL"}) && c.SecurityContext.Capabilities.Add == nil, "has capabilities")
	expect(c.TerminationMessagePolicy == core.TerminationMessageFallbackToLogsOnError, "does not tell why it ended")
	expect(slices.Contains([]core.PullPolicy{core.PullAlways, core.PullIfNotPresent}, c.ImagePullPolicy), "has an odd pull policy")
	for _, v := range p.Volumes {
		if v.EmptyDir != nil {
			expect(v.EmptyDir.SizeLimit != nil && !v.EmptyDir.SizeLimit.IsZero(), "has a volume without a bound")
		}
		if v.Secret != nil {
			expect(is(v.Secret.DefaultMode, 0o440), "leaves its secrets open to all")
		}
	}
	for variable, folder := range map[string]string{"DOCARCHIVE_SPOOL": "/spool", "TMPDIR": "/spool", "DOCARCHIVE_CACHE_DIR": "/cache"} {
		expect(environment(c)[variable] == folder && writable(c, folder), "has no folder for "+variable)
	}
	return faults
}

func is[T comparable](value *T, want T) bool { return value != nil && *value == want }

func writable(c core.Container, folder string) bool {
	return slices.ContainsFunc(c.VolumeMounts, func(m core.VolumeMount) bool { return m.MountPath == folder && !m.ReadOnly })
}

func TestEveryMountHasItsVolume(t *testing.T) {
	t.Parallel()
	for name, c := range releases(t) {
		for component, pod := range c.pods {
			var mounted, there []string
			for _, m := range pod.Containers[0].VolumeMounts {
				mounted = append(mounted, m.Name)
			}
			for _, v := range pod.Volumes {
				there = append(there, v.Name)
			}
			if !slices.Equal(mounted, there) {
				t.Errorf("%s: %s: mounts %v, volumes %v", name, component, mounted, there)
			}
		}
	}
}

func TestCronJobs(t *testing.T) {
	t.Parallel()
	for name, c := range releases(t) {
		for component, cron := range c.crons {
			at := name + ": " + component
			spec := cron.Spec
			if spec.ConcurrencyPolicy != batch.ForbidConcurrent || spec.TimeZone == nil || spec.StartingDeadlineSeconds == nil {
				t.Errorf("%s: concurrency %q, zone %v, deadline to start %v", at, spec.ConcurrencyPolicy, spec.TimeZone, spec.StartingDeadlineSeconds)
			}
			if _, err := time.LoadLocation(*spec.TimeZone); err != nil {
				t.Errorf("%s: %v", at, err)
			}
			byHand := component == "backfill" || component == "resubmit"
			if suspended := is(spec.Suspend, true); suspended != byHand {
				t.Errorf("%s: suspended: %v", at, suspended)
			}
			job := spec.JobTemplate.Spec
			if job.ActiveDeadlineSeconds == nil {
				t.Fatalf("%s: may last for ever", at)
			}
			if longest, has := maxDuration(t, job); has && longest+10*time.Minute > time.Duration(*job.ActiveDeadlineSeconds)*time.Second {
				t.Errorf("%s: --max-duration %v is no less than activeDeadlineSeconds %d", at, longest, *job.ActiveDeadlineSeconds)
			}
			if (job.BackoffLimit == nil) == (job.BackoffLimitPerIndex == nil) {
				t.Errorf("%s: wants one backoff limit", at)
			}
		}
	}
}

// The names of a CronJob's Jobs and pods add to its own, so that it may have 52
// characters at most.
func TestNamesAreShort(t *testing.T) {
	t.Parallel()
	const full = "backfill: {enabled: true}\ntasks: {monitor: {enabled: true}}\nworkers: {count: 2}\n"
	long := strings.Repeat("long-name-", 6) + "s"
	for _, values := range []string{"nameOverride: " + long, "fullnameOverride: " + long} {
		for component, cron := range release(t, full+values).crons {
			if name := cron.Name; len(name) > 52 || (component != "run" && !strings.HasSuffix(name, "-"+component)) || strings.Contains(name, "--") {
				t.Errorf("%s: the name of %s is %q", values, component, name)
			}
		}
	}
}

// maxDuration is after how long the program stops by itself.
func maxDuration(t *testing.T, job batch.JobSpec) (longest time.Duration, has bool) {
	t.Helper()
	for _, arg := range job.Template.Spec.Containers[0].Args {
		if text, found := strings.CutPrefix(arg, "--max-duration="); found {
			longest, err := time.ParseDuration(text)
			if err != nil {
				t.Error(err)
			}
			return longest, true
		}
	}
	return 0, false
}

func TestWorkers(t *testing.T) {
	t.Parallel()
	c := release(t, read(t, chart+"/ci/workers-values.yaml"))
	job := c.crons["run"].Spec.JobTemplate.Spec
	if !is(job.CompletionMode, batch.IndexedCompletion) || !is(job.Completions, 4) || !is(job.Parallelism, 4) || !is(job.BackoffLimitPerIndex, 6) {
		t.Errorf("the job is not indexed: %+v", job)
	}
	if args := job.Template.Spec.Containers[0].Args; !slices.Contains(args, "--shard-count=4") {
		t.Errorf("the workers do not share: %v", args)
	}
	finalize := c.crons["finalize"]
	const push = "--push-gateway=$(PUSHGATEWAY_URL)"
	if args := c.pods["finalize"].Containers[0].Args; args[0] != "finalize" || !slices.Contains(args, push) {
		t.Errorf("finalize runs %v", args)
	}
	if args := c.pods["run"].Containers[0].Args; slices.Contains(args, push) {
		t.Errorf("each worker pushes its part for the whole: %v", args)
	}
	ends := clockTime(t, c.crons["run"].Spec.Schedule) + time.Duration(*job.ActiveDeadlineSeconds)*time.Second
	if begins := clockTime(t, finalize.Spec.Schedule); begins < ends {
		t.Errorf("finalize begins %v into the day, the workers may last until %v", begins, ends)
	}
	if one := release(t, ""); one.crons["run"].Spec.JobTemplate.Spec.CompletionMode != nil || one.crons["finalize"] != nil {
		t.Error("a single worker is indexed, or needs finalize")
	}
}

// clockTime is the time of day of a schedule such as "17 2 * * *".
func clockTime(t *testing.T, schedule string) time.Duration {
	t.Helper()
	var minute, hour int
	if _, err := fmt.Sscanf(schedule, "%d %d", &minute, &hour); err != nil {
		t.Fatal(err)
	}
	return time.Duration(hour)*time.Hour + time.Duration(minute)*time.Minute
}

// The heap must stay below the limit of the container, and use most of it.
func TestMemoryLimit(t *testing.T) {
	t.Parallel()
	for _, quantity := range []string{`512Mi`, `1Gi`, `2Ti`, `300M`, `1G`, `2T`, `600000Ki`, `600000k`, `"268435456"`} {
		c := release(t, "resources: {limits: {memory: "+quantity+"}}")
		container := c.pods["run"].Containers[0]
		limit := container.Resources.Limits.Memory().Value()
		heap, err := strconv.ParseInt(strings.TrimSuffix(environment(container)["GOMEMLIMIT"], "MiB"), 10, 64)
		if err != nil {
			t.Errorf("%s: %v", quantity, err)
		}
		if share := float64(heap<<20) / float64(limit); share > 0.85 || share < 0.84 {
			t.Errorf("%s: GOMEMLIMIT %d MiB is %.3f of the limit", quantity, heap, share)
		}
	}
	none := release(t, "resources: {limits: {memory: null}}").pods["run"].Containers[0]
	if _, set := environment(none)["GOMEMLIMIT"]; set || !none.Resources.Limits.Memory().IsZero() {
		t.Errorf("without a limit: %v", none.Env)
	}
}

func TestRequestsFitLimits(t *testing.T) {
	t.Parallel()
	resources := release(t, "").pods["run"].Containers[0].Resources
	for name, request := range resources.Requests {
		if limit := resources.Limits[name]; request.Cmp(limit) > 0 || limit.Cmp(resource.Quantity{}) == 0 {
			t.Errorf("%s: %v is asked for, the limit is %v", name, &request, &limit)
		}
	}
}
