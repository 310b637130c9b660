{{- /* Every CronJob. Of: root, component, schedule, suspend, args, deadline (in
seconds), backoffLimit; and workers or port where it has them. */ -}}
{{- define "docarchive.cronJob" -}}
{{- $run := .root.Values.run -}}
{{- $workers := int (default 1 .workers) -}}
apiVersion: batch/v1
kind: CronJob
metadata:
  name: {{ include "docarchive.fullname" .root }}{{ if ne .component "run" }}-{{ .component }}{{ end }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "docarchive.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
spec:
  schedule: {{ .schedule | quote }}
  timeZone: {{ $run.timeZone | quote }}
  suspend: {{ .suspend }}
  # Two at once would do no harm, but share one request budget.
  concurrencyPolicy: Forbid
  startingDeadlineSeconds: {{ $run.startingDeadlineSeconds }}
  successfulJobsHistoryLimit: {{ $run.successfulJobsHistoryLimit }}
  failedJobsHistoryLimit: {{ $run.failedJobsHistoryLimit }}
  jobTemplate:
    metadata:
      labels:
        {{- include "docarchive.labels" .root | nindent 8 }}
        app.kubernetes.io/component: {{ .component }}
    spec:
      {{- if gt $workers 1 }}
      completionMode: Indexed
      completions: {{ $workers }}
      parallelism: {{ $workers }}
      backoffLimitPerIndex: {{ .backoffLimit }}
      {{- else }}
      backoffLimit: {{ .backoffLimit }}
      {{- end }}
      activeDeadlineSeconds: {{ .deadline }}
      podFailurePolicy:
        {{- include (ternary "docarchive.podFailurePolicy.indexed" "docarchive.podFailurePolicy" (gt $workers 1)) . | nindent 8 }}
      template:
        {{- include "docarchive.pod" . | nindent 8 }}
{{- end -}}
