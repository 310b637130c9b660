{{- /* GOMEMLIMIT: 85 % of the memory limit, in MiB. The rest is for what the Go
heap does not count, such as the pages of files that are being written.
resourceFieldRef could only give the limit itself. */ -}}
{{- define "docarchive.memoryLimit" -}}
{{- $quantity := toString . -}}
{{- $units := dict "" 1 "k" 1000 "M" 1000000 "G" 1000000000 "T" 1000000000000 "Ki" 1024 "Mi" 1048576 "Gi" 1073741824 "Ti" 1099511627776 -}}
{{- $number := regexFind "^[0-9]+" $quantity -}}
{{- $unit := trimPrefix $number $quantity -}}
{{- div (mul (int64 $number) (int64 (get $units $unit)) 85) 104857600 -}}MiB
{{- end -}}
