{{- /* Arguments as lists, handed over as JSON. */ -}}
{{- define "docarchive.runArgs" -}}
{{- $v := .Values -}}
{{- $args := concat (list "run") $v.run.pipelines (list (printf "--max-duration=%s" $v.run.maxDuration)) -}}
{{- if gt (int $v.workers.count) 1 -}}
{{- $args = append $args (printf "--shard-count=%d" (int $v.workers.count)) -}}
{{- end -}}
{{- if and $v.metrics.pushGateway (eq (int $v.workers.count) 1) -}}
{{- $args = append $args (printf "--push-gateway=%s" $v.metrics.pushGateway) -}}
{{- end -}}
{{- if $v.metrics.live.enabled -}}
{{- $args = append $args (printf "--metrics-addr=:%d" (int $v.metrics.live.port)) -}}
{{- end -}}
{{- concat $args $v.run.extraArgs | toJson -}}
{{- end -}}

{{- /* Of several workers none knows the whole: finalize tells metrics. */ -}}
{{- define "docarchive.finalizeArgs" -}}
{{- $args := concat (list "finalize") .Values.run.pipelines -}}
{{- with .Values.metrics.pushGateway -}}
{{- $args = append $args (printf "--push-gateway=%s" .) -}}
{{- end -}}
{{- $args | toJson -}}
{{- end -}}

{{- define "docarchive.backfillArgs" -}}
{{- $b := .Values.backfill -}}
{{- $args := concat (list "run") $b.pipelines (list (printf "--since=%s" $b.since)) -}}
{{- with $b.until -}}
{{- $args = append $args (printf "--until=%s" .) -}}
{{- end -}}
{{- append $args (printf "--max-duration=%s" $b.maxDuration) | toJson -}}
{{- end -}}

{{- define "docarchive.resubmitArgs" -}}
{{- $r := .Values.resubmit -}}
{{- $args := list "resubmit" $r.pipeline (printf "--since=%s" $r.since) (printf "--max=%d" (int $r.max)) -}}
{{- range $r.codes -}}
{{- $args = append $args (printf "--code=%s" .) -}}
{{- end -}}
{{- if $r.maxCredits -}}
{{- $args = append $args (printf "--max-credits=%v" $r.maxCredits) -}}
{{- end -}}
{{- if $r.dryRun -}}
{{- $args = append $args "--dry-run" -}}
{{- end -}}
{{- if $r.wait -}}
{{- $args = append $args "--wait" -}}
{{- end -}}
{{- $args | toJson -}}
{{- end -}}
