package deploy_test

import (
	"strings"
	"testing"

	"github.com/google/go-cmp/cmp"
	core "k8s.io/api/core/v1"

	"github.com/adteco/docarchive/deploy/manifests"
)

func TestBadValuesAreRefused(t *testing.T) {
	t.Parallel()
	for values, about := range map[string]string{
		"schedule: 17 2 * * *":                                  "schedule",
		"run: {shedule: '17 2 * * *'}":                          "shedule",
		"run: {schedule: nightly}":                              "/run/schedule",
		"run: {schedule: '17 2 * *'}":                           "/run/schedule",
		"run: {timeZone: Local}":                                "/run/timeZone",
		"run: {maxDuration: 5.5}":                               "/run/maxDuration",
		"run: {maxDuration: 5 hours}":                           "/run/maxDuration",
		"run: {maxDuration: ''}":                                "/run/maxDuration",
		"run: {backoffLimit: -1}":                               "/run/backoffLimit",
		"run: {startingDeadlineSeconds: 5}":                     "/run/startingDeadlineSeconds",
		"run: {suspend: 'no'}":                                  "/run/suspend",
		"run: {pipelines: invoices}":                            "/run/pipelines",
		"workers: {count: 0}":                                   "/workers/count",
		"image: {repository: ''}":                               "/image/repository",
		"image: {digest: latest}":                               "/image/digest",
		"image: {pullPolicy: Sometimes}":                        "/image/pullPolicy",
		"image: {pullSecrets: [registry]}":                      "/image/pullSecrets/0",
		"archive: {url: my-bucket}":                             "/archive/url",
		"secret: {mountPath: secrets}":                          "/secret/mountPath",
		"env: [{name: A, value: 1}]":                            "/env/0/value",
		"env: [{name: A, value: b, valueFrom: {fieldRef: {}}}]": "/env/0",
		"env: [{nme: A}]":                                       "nme",
		"tasks: {Monitor: {enabled: true}}":                     "Monitor",
		"tasks: {mine: {enabled: true, args: [status]}}":        "/tasks/mine",
		"tasks: {monitor: {args: []}}":                          "/tasks/monitor/args",
		"tasks: {run: {enabled: false, schedule: '@daily', args: [run], activeDeadlineSeconds: 60, backoffLimit: 0}}": "/tasks",
		"resources: {limits: {memory: 512 MB}}":          "/resources/limits/memory",
		"resources: {limits: {memory: 0.5Gi}}":           "/resources/limits/memory",
		"resources: {limits: {gpu: 1}}":                  "gpu",
		"spool: {sizeLimit: unlimited}":                  "/spool/sizeLimit",
		"backfill: {since: yesterday}":                   "/backfill/since",
		"resubmit: {enabled: true}":                      "/resubmit/pipeline",
		"resubmit: {maxCredits: -1}":                     "/resubmit/maxCredits",
		"metrics: {pushGateway: 'gateway:9091'}":         "/metrics/pushGateway",
		"metrics: {live: {podMonitor: {enabled: true}}}": "/metrics/live/enabled",
		"metrics: {live: {port: 70000}}":                 "/metrics/live/port",
		"networkPolicy: {ports: ['443']}":                "/networkPolicy/ports/0",
		"podLabels: {a: 1}":                              "/podLabels/a",
		"fullnameOverride: Nightly":                      "/fullnameOverride",
	} {
		_, err := manifests.Render(manifests.Release{Chart: chart, Name: "nightly", Values: []byte(values)})
		if err == nil || !strings.Contains(err.Error(), about) {
			t.Errorf("%s: the error should name %s: %v", values, about, err)
		}
	}
}

func TestSecretsAreFiles(t *testing.T) {
	t.Parallel()
	pod := release(t, "secret: {name: mine, mountPath: /run/secrets/mine}").pods["run"]
	if volume := pod.Volumes[3]; volume.Secret == nil || volume.Secret.SecretName != "mine" {
		t.Errorf("the volume is %+v", volume)
	}
	if mount := pod.Containers[0].VolumeMounts[3]; mount.MountPath != "/run/secrets/mine" || !mount.ReadOnly {
		t.Errorf("the mount is %+v", mount)
	}
	without := release(t, read(t, chart+"/ci/volume-values.yaml")).pods["run"]
	for _, volume := range without.Volumes {
		if volume.Secret != nil {
			t.Errorf("a secret is mounted: %+v", volume)
		}
	}
}

func TestArchive(t *testing.T) {
	t.Parallel()
	for values, want := range map[string]string{
		"archive: {url: 's3://b?region=eu-central-1'}":                   "s3://b?region=eu-central-1",
		"archive: {existingClaim: disk}":                                 "file:///archive",
		"archive: {existingClaim: disk, url: 'file:///archive/company'}": "file:///archive/company",
		"": "",
	} {
		container := release(t, values).pods["run"].Containers[0]
		if got := environment(container)["DOCARCHIVE_BUCKET"]; got != want {
			t.Errorf("%s: DOCARCHIVE_BUCKET is %q, want %q", values, got, want)
		}
		if mounted := writable(container, "/archive"); mounted != strings.Contains(values, "Claim") {
			t.Errorf("%s: a volume is mounted: %v", values, mounted)
		}
	}
}

func TestConfigurationChangesThePod(t *testing.T) {
	t.Parallel()
	sum := func(values string) string {
		template := release(t, values).crons["run"].Spec.JobTemplate.Spec.Template
		return template.Annotations["checksum/jobs.yaml"]
	}
	if one, other := sum(""), sum("jobsYaml: 'api: {}'"); one == "" || one == other {
		t.Errorf("the checksums are %q and %q", one, other)
	}
	c := release(t, read(t, chart+"/ci/volume-values.yaml"))
	if volume := c.pods["run"].Volumes[0]; volume.ConfigMap.Name != "company-jobs" || len(c.configs) != 0 {
		t.Errorf("the configuration comes from %+v, and there are %v", volume, c.configs)
	}
}

func TestIdentity(t *testing.T) {
	t.Parallel()
	full := release(t, read(t, chart+"/ci/full-values.yaml"))
	if got := full.accounts[0].Annotations["eks.amazonaws.com/role-arn"]; !strings.HasPrefix(got, "arn:aws:iam::") {
		t.Errorf("the service account's role is %q", got)
	}
	if got, want := full.pods["run"].ServiceAccountName, full.accounts[0].Name; got != want {
		t.Errorf("the pod runs as %q, the account is %q", got, want)
	}
	volume := release(t, read(t, chart+"/ci/volume-values.yaml"))
	if got := volume.pods["run"].ServiceAccountName; got != "batch" || len(volume.accounts) != 0 {
		t.Errorf("the pod runs as %q, and there are %v", got, volume.accounts)
	}
}

func TestNetworkPolicy(t *testing.T) {
	t.Parallel()
	egress := func(c *cluster) (ports []string) {
		for _, rule := range c.policies[0].Spec.Egress {
			for _, port := range rule.Ports {
				whom := "anywhere"
				if len(rule.To) > 0 {
					whom = "chosen"
				}
				ports = append(ports, string(*port.Protocol)+" "+port.Port.String()+" "+whom)
			}
		}
		return ports
	}
	c := release(t, "")
	if diff := cmp.Diff([]string{"UDP 53 chosen", "TCP 53 chosen", "TCP 443 anywhere"}, egress(c)); diff != "" {
		t.Errorf("by default (-want +got):\n%s", diff)
	}
	if policy := c.policies[0].Spec; len(policy.Ingress) != 0 || len(policy.PolicyTypes) != 2 {
		t.Errorf("the policy lets in %v, and is about %v", policy.Ingress, policy.PolicyTypes)
	}
	full := release(t, read(t, chart+"/ci/full-values.yaml"))
	want := []string{
		"UDP 53 chosen", "TCP 53 chosen", "TCP 443 anywhere", "TCP 6379 anywhere", "TCP 5432 anywhere", "TCP 9091 anywhere",
		"TCP 80 chosen", "TCP 988 chosen", "TCP 9000 chosen",
	}
	if diff := cmp.Diff(want, egress(full)); diff != "" {
		t.Errorf("with everything (-want +got):\n%s", diff)
	}
	if in := full.policies[0].Spec.Ingress; len(in) != 1 || in[0].Ports[0].Port.IntValue() != 9464 {
		t.Errorf("metrics cannot be scraped: %+v", in)
	}
	for component, cron := range full.crons {
		labels := cron.Spec.JobTemplate.Spec.Template.Labels
		for name, value := range full.policies[0].Spec.PodSelector.MatchLabels {
			if labels[name] != value {
				t.Errorf("the policy does not choose %s: %v", component, labels)
			}
		}
	}
	if volume := release(t, read(t, chart+"/ci/volume-values.yaml")); len(volume.policies) != 0 {
		t.Error("the policy cannot be turned off")
	}
}

func TestScraping(t *testing.T) {
	t.Parallel()
	full := release(t, read(t, chart+"/ci/full-values.yaml"))
	run := full.crons["run"].Spec.JobTemplate.Spec.Template
	ports := run.Spec.Containers[0].Ports
	if diff := cmp.Diff([]core.ContainerPort{{Name: "metrics", ContainerPort: 9464}}, ports); diff != "" {
		t.Errorf("ports (-want +got):\n%s", diff)
	}
	monitor := full.monitors[0].Spec
	if port := monitor.PodMetricsEndpoints[0].Port; port == nil || *port != "metrics" {
		t.Errorf("the PodMonitor scrapes %v", port)
	}
	for name, value := range monitor.Selector.MatchLabels {
		if run.Labels[name] != value {
			t.Errorf("the PodMonitor does not choose the run: %v", run.Labels)
		}
	}
}

func TestNotes(t *testing.T) {
	t.Parallel()
	for values, want := range map[string]string{
		"":                               "archive.url is not set",
		"archive: {existingClaim: disk}": "at \"17 2 * * *\" (Etc/UTC).\n",
		"run: {suspend: true}":           "It is suspended",
		"workers: {count: 3}":            "with 3 workers",
		"secret: {name: keys}":           "create secret generic keys",
		"backfill: {enabled: true}":      "create job --from=cronjob/nightly-docarchive-backfill",
		"resubmit: {enabled: true, pipeline: invoices, dryRun: false}":            "which costs credits",
		"{existingConfigMap: mine, secret: {name: ''}, run: {pipelines: [a, b]}}": "archives a, b at",
	} {
		if notes := release(t, values).notes; !strings.Contains(notes, want) {
			t.Errorf("%s: the notes lack %q:\n%s", values, want, notes)
		}
	}
}
