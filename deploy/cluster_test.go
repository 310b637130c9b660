package deploy_test

import (
	"os"
	"path/filepath"
	"strings"
	"testing"

	monitoring "github.com/prometheus-operator/prometheus-operator/pkg/apis/monitoring/v1"
	batch "k8s.io/api/batch/v1"
	core "k8s.io/api/core/v1"
	networking "k8s.io/api/networking/v1"
	meta "k8s.io/apimachinery/pkg/apis/meta/v1"
	"sigs.k8s.io/yaml"

	"github.com/adteco/docarchive/deploy/manifests"
)

const chart = "chart/docarchive"

// cluster holds what a release puts into a cluster, decoded strictly.
type cluster struct {
	crons    map[string]*batch.CronJob // by component
	pods     map[string]core.PodSpec   // of every workload, by component
	configs  map[string]*core.ConfigMap
	accounts []*core.ServiceAccount
	policies []*networking.NetworkPolicy
	monitors []*monitoring.PodMonitor
	rules    []*monitoring.PrometheusRule
	notes    string
}

// releases are the releases that rules about all of them are tried on.
func releases(t *testing.T) map[string]*cluster {
	t.Helper()
	all := map[string]*cluster{"default": release(t, "")}
	files, err := filepath.Glob(chart + "/ci/*.yaml")
	if err != nil || len(files) == 0 {
		t.Fatalf("no values in ci (%v)", err)
	}
	for _, name := range files {
		all[strings.TrimSuffix(filepath.Base(name), "-values.yaml")] = release(t, read(t, name))
	}
	return all
}

// release renders the chart with values over its own.
func release(t *testing.T, values string) *cluster {
	t.Helper()
	rendered, err := manifests.Render(manifests.Release{Chart: chart, Name: "nightly", Namespace: "archive", Values: []byte(values)})
	if err != nil {
		t.Fatal(err)
	}
	c := decode(t, manifests.Documents(rendered))
	c.notes = rendered["NOTES.txt"]
	return c
}

// decode reads manifests. A field that the API does not know is an error, and so
// is a kind that is not expected here.
func decode(t *testing.T, documents []string) *cluster {
	t.Helper()
	c := &cluster{crons: map[string]*batch.CronJob{}, pods: map[string]core.PodSpec{}, configs: map[string]*core.ConfigMap{}}
	names := map[string]bool{}
	for _, document := range documents {
		var head struct {
			meta.TypeMeta
			Meta meta.ObjectMeta `json:"metadata"`
		}
		if err := yaml.Unmarshal([]byte(document), &head); err != nil {
			t.Fatalf("%v in\n%s", err, document)
		}
		if id := head.Kind + " " + head.Meta.Name; names[id] {
			t.Errorf("%s stands there twice", id)
		} else {
			names[id] = true
		}
		component := head.Meta.Labels["app.kubernetes.io/component"]
		switch head.APIVersion + " " + head.Kind {
		case "batch/v1 CronJob":
			job := strictly[batch.CronJob](t, document)
			c.crons[component], c.pods[component] = job, job.Spec.JobTemplate.Spec.Template.Spec
		case "v1 Pod":
			c.pods[component] = strictly[core.Pod](t, document).Spec
		case "v1 ConfigMap":
			c.configs[head.Meta.Name] = strictly[core.ConfigMap](t, document)
		case "v1 ServiceAccount":
			c.accounts = append(c.accounts, strictly[core.ServiceAccount](t, document))
		case "networking.k8s.io/v1 NetworkPolicy":
			c.policies = append(c.policies, strictly[networking.NetworkPolicy](t, document))
		case "monitoring.coreos.com/v1 PodMonitor":
			c.monitors = append(c.monitors, strictly[monitoring.PodMonitor](t, document))
		case "monitoring.coreos.com/v1 PrometheusRule":
			c.rules = append(c.rules, strictly[monitoring.PrometheusRule](t, document))
		default:
			t.Errorf("unexpected: %s %s", head.APIVersion, head.Kind)
		}
	}
	return c
}

func strictly[T any](t *testing.T, document string) *T {
	t.Helper()
	object := new(T)
	if err := yaml.UnmarshalStrict([]byte(document), object); err != nil {
		t.Fatalf("%v in\n%s", err, document)
	}
	return object
}

// All tests of the chart rely on it that misspelt fields are refused.
func TestDecoderIsStrict(t *testing.T) {
	t.Parallel()
	for document, fine := range map[string]bool{
		"spec: {concurrencyPolicy: Forbid}":                  true,
		"spec: {concurencyPolicy: Forbid}":                   false,
		"spec: {suspend: \"no\"}":                            false,
		"spec: {suspend: true, suspend: false}":              false,
		"spec: {jobTemplate: {spec: {backoffLimt: 3}}}":      false,
		"spec: {jobTemplate: {spec: {backoffLimit: 3}}}":     true,
		"spec: {jobTemplate: {spec: {backoffLimit: three}}}": false,
	} {
		if err := yaml.UnmarshalStrict([]byte(document), new(batch.CronJob)); (err == nil) != fine {
			t.Errorf("%s: %v", document, err)
		}
	}
}

func read(t *testing.T, name string) string {
	t.Helper()
	data, err := os.ReadFile(name)
	if err != nil {
		t.Fatal(err)
	}
	return string(data)
}

// elsewhere stands for a value that comes from a Secret or the like.
const elsewhere = "from elsewhere"

// environment is a container's environment.
func environment(c core.Container) map[string]string {
	all := map[string]string{}
	for _, e := range c.Env {
		all[e.Name] = e.Value
		if e.ValueFrom != nil {
			all[e.Name] = elsewhere
		}
	}
	return all
}
