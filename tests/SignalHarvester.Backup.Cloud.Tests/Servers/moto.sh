#!/usr/bin/env bash
# Runs moto, an imitation of AWS, until its standard input ends. Prints "ready" once it answers.
# Usage: moto.sh FOLDER PORT
set -uo pipefail
folder=$1 port=$2
trap 'kill -KILL $(jobs -p) 2>/dev/null; wait; rm -rf "$folder"' EXIT
trap exit TERM INT HUP
exec 3>&1
moto_server -H 127.0.0.1 -p "$port" </dev/null >"$folder/out" 2>&1 &
server=$!
for _ in $(seq 300); do
    kill -0 $server 2>/dev/null || { echo "moto did not start:" >&3; tail -n 20 "$folder/out" >&3; exit 1; }
    (: <>"/dev/tcp/127.0.0.1/$port") 2>/dev/null && break
    sleep 0.2
done
echo ready >&3
cat >/dev/null
