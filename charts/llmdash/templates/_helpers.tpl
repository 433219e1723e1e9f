{{- /* Names, labels, and what all pods of llmdash have alike. A dict with "root" and "role" where a role matters. */ -}}

{{- define "llmdash.name" -}}
{{- if contains "llmdash" .Release.Name }}{{ .Release.Name | trunc 50 | trimSuffix "-" }}{{ else }}{{ printf "%s-llmdash" (.Release.Name | trunc 42 | trimSuffix "-") }}{{ end }}
{{- end }}

{{- define "llmdash.account" -}}
{{- .Values.serviceAccount.name | default (include "llmdash.name" .) }}
{{- end }}

{{- define "llmdash.selector" -}}
app.kubernetes.io/name: llmdash
app.kubernetes.io/instance: {{ .root.Release.Name }}
app.kubernetes.io/component: {{ .role }}
{{- end }}

{{- define "llmdash.labels" -}}
{{ include "llmdash.selector" . }}
app.kubernetes.io/version: {{ .root.Chart.AppVersion | quote }}
app.kubernetes.io/managed-by: {{ .root.Release.Service }}
helm.sh/chart: {{ printf "%s-%s" .root.Chart.Name .root.Chart.Version }}
{{- end }}

{{- define "llmdash.image" -}}
{{ .Values.image.repository }}:{{ .Values.image.tag | default .Chart.AppVersion }}{{ with .Values.image.digest }}@{{ . }}{{ end }}
{{- end }}

{{- /* Part of a pod's spec. */ -}}
{{- define "llmdash.pod" -}}
automountServiceAccountToken: false
enableServiceLinks: false
{{- with .Values.image.pullSecrets }}
imagePullSecrets:
  {{- range . }}
  - name: {{ . }}
  {{- end }}
{{- end }}
securityContext:
  runAsNonRoot: true
  runAsUser: 10001
  runAsGroup: 10001
  fsGroup: 10001
  seccompProfile: {type: RuntimeDefault}
volumes:
  - name: tmp
    emptyDir: {}
  - name: secrets
    secret:
      secretName: {{ .Values.existingSecret.name }}
      defaultMode: 0440
  {{- with .Values.extraVolumes }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
{{- end }}

{{- /* Part of a container. */ -}}
{{- define "llmdash.container" -}}
image: {{ include "llmdash.image" .root | quote }}
imagePullPolicy: {{ .root.Values.image.pullPolicy }}
securityContext:
  allowPrivilegeEscalation: false
  readOnlyRootFilesystem: true
  runAsNonRoot: true
  capabilities: {drop: [ALL]}
  seccompProfile: {type: RuntimeDefault}
volumeMounts:
  - {name: tmp, mountPath: /tmp}
  - {name: secrets, mountPath: /run/secrets/llmdash, readOnly: true}
  {{- with .root.Values.extraVolumeMounts }}
  {{- toYaml . | nindent 2 }}
  {{- end }}
env:
  {{- with .root.Values.existingSecret.keys }}
  - {name: SECRET_KEY_FILE, value: {{ printf "/run/secrets/llmdash/%s" .secretKey | quote }}}
  - {name: LLMDASH_ENCRYPTION_KEY_FILE, value: {{ printf "/run/secrets/llmdash/%s" .encryptionKey | quote }}}
  - {name: DATABASE_URL_FILE, value: {{ printf "/run/secrets/llmdash/%s" .databaseUrl | quote }}}
  - {name: REDIS_URL_FILE, value: {{ printf "/run/secrets/llmdash/%s" .redisUrl | quote }}}
  {{- if .metricsToken }}
  - {name: LLMDASH_METRICS_TOKEN_FILE, value: {{ printf "/run/secrets/llmdash/%s" .metricsToken | quote }}}
  {{- end }}
  {{- end }}
  {{- with .root.Values }}
  - {name: LLMDASH_INSTALLATION, value: {{ .installation | quote }}}
  - {name: ALLOWED_HOSTS, value: {{ join "," .hosts | quote }}}
  - {name: LLMDASH_HTTPS, value: {{ ternary "1" "0" .https | quote }}}
  - {name: LLMDASH_BASE_PATH, value: {{ .basePath | quote }}}
  - {name: LLMDASH_TRUSTED_PROXIES, value: {{ join "," .trustedProxies | quote }}}
  {{- range $name, $value := .extraEnv }}
  - {name: {{ $name }}, value: {{ $value | quote }}}
  {{- end }}
  {{- end }}
{{- end }}

{{- /* A Deployment up to its one container's own fields. A dict with "root", "role" and "values". */ -}}
{{- define "llmdash.deployment" -}}
apiVersion: apps/v1
kind: Deployment
metadata:
  name: {{ include "llmdash.name" .root }}-{{ .role }}
  namespace: {{ .root.Release.Namespace }}
  labels:
    {{- include "llmdash.labels" . | nindent 4 }}
spec:
  replicas: {{ .values.replicas }}
  revisionHistoryLimit: 5
  selector:
    matchLabels:
      {{- include "llmdash.selector" . | nindent 6 }}
  template:
    metadata:
      labels:
        {{- include "llmdash.labels" . | nindent 8 }}
      {{- with .values.podAnnotations }}
      annotations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
    spec:
      serviceAccountName: {{ include "llmdash.account" .root }}
      terminationGracePeriodSeconds: 40
      {{- include "llmdash.pod" .root | nindent 6 }}
      {{- with .values.nodeSelector }}
      nodeSelector:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.affinity }}
      affinity:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      {{- with .values.tolerations }}
      tolerations:
        {{- toYaml . | nindent 8 }}
      {{- end }}
      topologySpreadConstraints:
        - maxSkew: 1
          topologyKey: kubernetes.io/hostname
          whenUnsatisfiable: ScheduleAnyway
          labelSelector:
            matchLabels:
              {{- include "llmdash.selector" . | nindent 14 }}
      containers:
        - name: {{ .role }}
          resources:
            {{- toYaml .values.resources | nindent 12 }}
          {{- include "llmdash.container" . | nindent 10 }}
            {{- if eq .role "web" }}
            - {name: LLMDASH_WEB_THREADS, value: {{ .values.threads | quote }}}
            {{- else }}
            - {name: LLMDASH_METRICS_PORT, value: {{ .root.Values.metrics.port | quote }}}
            {{- end }}
{{- end }}

{{- /* Ports and probes of the worker and the watcher. */ -}}
{{- define "llmdash.vitals" -}}
ports:
  - {name: metrics, containerPort: {{ .Values.metrics.port }}}
startupProbe:
  httpGet: {path: /readyz, port: metrics}
  periodSeconds: 3
  failureThreshold: 60
livenessProbe:
  httpGet: {path: /healthz, port: metrics}
  periodSeconds: 15
  timeoutSeconds: 5
  failureThreshold: 4
readinessProbe:
  httpGet: {path: /readyz, port: metrics}
  periodSeconds: 10
  timeoutSeconds: 5
{{- end }}
