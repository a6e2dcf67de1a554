#!/bin/sh
# A stand-in for kubectl: writes down what it was given, and answers like a cluster in the state that FAKE_CLUSTER describes.
calls=$(ls "$FAKE_CLUSTER" | grep -c '\.args$')
call=$(printf '%s/%02d' "$FAKE_CLUSTER" "$calls")
printf '%s\n' "$@" >"$call.args"
case " $* " in *' -f - '*) cat >"$call.stdin" ;; esac

# The first argument that is neither an option nor its value.
while [ $# -gt 0 ]; do
    case $1 in
        --namespace | --context) shift 2 ;;
        *) break ;;
    esac
done

case "$1 $*" in
    'kustomize '*) cat "$FAKE_CLUSTER/manifest.yaml" ;;
    'get '*' job '*) echo "$FAKE_JOB" ;;
    'get '*' secret '*) cat "$FAKE_CLUSTER/secret.json" 2>/dev/null ;;
    'get '*' name'*) cat "$FAKE_CLUSTER/names" 2>/dev/null ;;
    'get '*' json'*) cat "$FAKE_CLUSTER/objects.json" 2>/dev/null ;;
    'apply '*'--dry-run'*) echo "$FAKE_OBJECTS" ;;
    'apply '*) [ "$FAKE_FAULT" != apply ] || case " $* " in *--server-side*) ;; *) echo 'Error from server (Forbidden)' >&2; exit 1 ;; esac ;;
    'logs '*) echo 'what the pod said' ;;
esac
exit 0
