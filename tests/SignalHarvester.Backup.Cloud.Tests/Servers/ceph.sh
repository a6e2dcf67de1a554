#!/usr/bin/env bash
# Runs a Ceph cluster of one monitor, one OSD in memory and one S3 gateway until its standard input ends, which it does with
# the process that holds the other end, however that dies. Prints "ready" once the gateway answers.
# Usage: ceph.sh FOLDER MONITOR_PORT GATEWAY_PORT; users in the lines of FOLDER/users: NAME ACCESS_KEY SECRET_KEY.
set -euo pipefail
folder=$1 monitor=$2 gateway=$3
trap 'kill -KILL $(jobs -p) 2>/dev/null; wait; rm -rf "$folder"' EXIT
trap exit TERM INT HUP
mkdir -p "$folder"/{mon,osd,rgw,run}
fsid=$(cat /proc/sys/kernel/random/uuid)
osd=$(cat /proc/sys/kernel/random/uuid)
export CEPH_CONF=$folder/ceph.conf
cat >"$CEPH_CONF" <<END
[global]
fsid = $fsid
mon_initial_members = a
mon_host = v2:127.0.0.1:$monitor
public_addr = 127.0.0.1
cluster_addr = 127.0.0.1
public_network = 127.0.0.0/8
ms_bind_ipv6 = false
ms_bind_msgr1 = false
keyring = $folder/keyring
run_dir = $folder/run
admin_socket =
pid_file =
log_file = $folder/run/\$name.log
mon_data = $folder/mon
osd_data = $folder/osd
rgw_data = $folder/rgw
# Its decisions come at once, and not once a second.
paxos_propose_interval = 0.02
paxos_min_wait = 0.01
mon_data_avail_crit = 1
mon_allow_pool_size_one = true
mon_max_pg_per_osd = 1000
osd_objectstore = memstore
memstore_device_bytes = 17179869184
osd_crush_chooseleaf_type = 0
osd_pool_default_size = 1
osd_pool_default_min_size = 1
osd_pool_default_pg_num = 1
osd_pool_default_pgp_num = 1
osd_pool_default_pg_autoscale_mode = off
rgw_frontends = beast endpoint=127.0.0.1:$gateway
END
exec 3>&1 >"$folder/run/out" 2>&1
failed() {
    echo "Ceph did not start: $1" >&3
    tail -n 20 "$folder"/run/* >&3
    exit 1
}
ceph-authtool --create-keyring "$folder/keyring" --gen-key -n mon. --cap mon 'allow *'
ceph-authtool "$folder/keyring" --gen-key -n client.admin --cap mon 'allow *' --cap osd 'allow *'
ceph-authtool "$folder/keyring" --gen-key -n osd.0 --cap mon 'allow profile osd' --cap osd 'allow *'
monmaptool --create --addv a "v2:127.0.0.1:$monitor" --fsid "$fsid" "$folder/monmap"
ceph-mon -i a --mkfs --monmap "$folder/monmap" --keyring "$folder/keyring" || failed monitor
ceph-mon -i a -f </dev/null &
timeout 60 ceph osd new "$osd" </dev/null || failed monitor
ceph-osd -i 0 --mkfs --osd-uuid "$osd" || failed OSD
ceph-osd -i 0 -f </dev/null &
radosgw -n client.admin -f </dev/null &
rgw=$!
for _ in $(seq 600); do
    kill -0 $rgw 2>/dev/null || failed gateway
    (: <>"/dev/tcp/127.0.0.1/$gateway") 2>/dev/null && break
    sleep 0.2
done
while read -r name access secret; do
    timeout 60 radosgw-admin user create --uid="$name" --display-name="$name" --access-key="$access" --secret-key="$secret" </dev/null || failed user
done <"$folder/users"
echo ready >&3
cat >/dev/null
