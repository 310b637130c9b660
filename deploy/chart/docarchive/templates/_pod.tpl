{{- /* The failures that no repetition mends end the Job at once. The exit
statuses are those of the program's README. Everything else counts towards the
backoff limit: 1 (unknown), 74 (local disk), 75 (something is away, or
--max-duration was reached), 130 and 143 (stopped), 137 (out of memory). 75 is
counted and not ignored, because ignored failures are repeated without a pause.
A pod that is replaced never runs beside its successor: with a podFailurePolicy
the successor waits until it has ended. */ -}}
{{- define "docarchive.podFailurePolicy" -}}
rules:
  - action: FailJob
    onExitCodes:
      containerName: docarchive
      operator: In
      values: [3, 4, 64, 65, 77, 78]
{{ include "docarchive.disruption" . }}
{{- end -}}

{{- /* One worker that is partly done does not stop the others. */ -}}
{{- define "docarchive.podFailurePolicy.indexed" -}}
rules:
  - action: FailIndex
    onExitCodes:
      containerName: docarchive
      operator: In
      values: [3]
  - action: FailJob
    onExitCodes:
      containerName: docarchive
      operator: In
      values: [4, 64, 65, 77, 78]
{{ include "docarchive.disruption" . }}
{{- end -}}

{{- /* A drained, preempted or lost node is not the program's failure. */ -}}
{{- define "docarchive.disruption" }}  - action: Ignore
    onPodConditions:
      - type: DisruptionTarget
        status: "True"
{{- end -}}

{{- define "docarchive.podSecurity" -}}
runAsNonRoot: true
runAsUser: 65532
runAsGroup: 65532
fsGroup: 65532
fsGroupChangePolicy: OnRootMismatch
seccompProfile:
  type: RuntimeDefault
{{- end -}}

{{- /* The pod of every workload. Of: root, component, args (a list), and port
if it serves metrics. */ -}}
{{- define "docarchive.pod" -}}
{{- $v := .root.Values -}}
metadata:
  labels:
    {{- include "docarchive.labels" .root | nindent 4 }}
    app.kubernetes.io/component: {{ .component }}
    {{- with $v.podLabels }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- if or (not $v.existingConfigMap) $v.podAnnotations }}
  annotations:
    {{- if not $v.existingConfigMap }}
    checksum/jobs.yaml: {{ $v.jobsYaml | sha256sum }}
    {{- end }}
    {{- with $v.podAnnotations }}
    {{- toYaml . | nindent 4 }}
    {{- end }}
  {{- end }}
spec:
  {{- include "docarchive.podSpec" . | nindent 2 }}
{{- end -}}

{{- define "docarchive.podSpec" -}}
{{- $v := .root.Values -}}
restartPolicy: Never
# A run ends within 25 s of SIGTERM, with nothing half-written.
terminationGracePeriodSeconds: 30
serviceAccountName: {{ include "docarchive.serviceAccountName" .root }}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with $v.image.pullSecrets }}
imagePullSecrets:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $v.priorityClassName }}
priorityClassName: {{ . }}
{{- end }}
{{- with $v.nodeSelector }}
nodeSelector:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $v.tolerations }}
tolerations:
  {{- toYaml . | nindent 2 }}
{{- end }}
{{- with $v.affinity }}
affinity:
  {{- toYaml . | nindent 2 }}
{{- end }}
securityContext:
  {{- include "docarchive.podSecurity" . | nindent 2 }}
containers:
  - name: docarchive
    image: {{ include "docarchive.image" .root | quote }}
    imagePullPolicy: {{ $v.image.pullPolicy }}
    args:
      {{- toYaml .args | nindent 6 }}
      - --config=/etc/docarchive/jobs.yaml
      - --log-format=json
    {{- with .port }}
    ports:
      - name: metrics
        containerPort: {{ . }}
    {{- end }}
    env:
      {{- include "docarchive.env" .root | nindent 6 }}
    {{- with $v.envFrom }}
    envFrom:
      {{- toYaml . | nindent 6 }}
    {{- end }}
    resources:
      {{- toYaml $v.resources | nindent 6 }}
    # The last lines of the log tell why a run failed: kubectl describe shows them.
    terminationMessagePolicy: FallbackToLogsOnError
    securityContext:
      allowPrivilegeEscalation: false
      readOnlyRootFilesystem: true
      capabilities:
        drop: [ALL]
    volumeMounts:
      - name: config
        mountPath: /etc/docarchive
        readOnly: true
      - name: spool
        mountPath: /spool
      - name: cache
        mountPath: /cache
      {{- with $v.secret.name }}
      - name: secret
        mountPath: {{ $v.secret.mountPath }}
        readOnly: true
      {{- end }}
      {{- with $v.archive.existingClaim }}
      - name: archive
        mountPath: /archive
      {{- end }}
volumes:
  - name: config
    configMap:
      name: {{ include "docarchive.configMapName" .root }}
  - name: spool
    emptyDir:
      sizeLimit: {{ $v.spool.sizeLimit }}
  - name: cache
    {{- if $v.cache.existingClaim }}
    persistentVolumeClaim:
      claimName: {{ $v.cache.existingClaim }}
    {{- else }}
    emptyDir:
      sizeLimit: {{ $v.cache.sizeLimit }}
    {{- end }}
  {{- with $v.secret.name }}
  - name: secret
    secret:
      secretName: {{ . }}
      defaultMode: 0440
  {{- end }}
  {{- with $v.archive.existingClaim }}
  - name: archive
    persistentVolumeClaim:
      claimName: {{ . }}
  {{- end }}
{{- end -}}

{{- define "docarchive.env" -}}
{{- $limits := default dict .Values.resources.limits -}}
- name: DOCARCHIVE_SPOOL
  value: /spool
- name: TMPDIR
  value: /spool
- name: DOCARCHIVE_CACHE_DIR
  value: /cache
{{- if or .Values.archive.url .Values.archive.existingClaim }}
- name: DOCARCHIVE_BUCKET
  value: {{ default "file:///archive" .Values.archive.url | quote }}
{{- end }}
{{- with $limits.memory }}
- name: GOMEMLIMIT
  value: {{ include "docarchive.memoryLimit" . }}
{{- end }}
{{- with .Values.env }}
{{ toYaml . }}
{{- end }}
{{- end -}}
