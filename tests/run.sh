#!/usr/bin/env bash
# Runs all tests. Fetches what they need where it may: tools by apt (as root only), real databases by apt and npm.
# What it cannot get is skipped, visibly; with CI=true, what may be had and could not be is a failure. Further arguments go to
# `dotnet test`, e.g. --filter. Names every test that failed, and ends with the line "N passed, N failed, N skipped"; fails when
# a test failed or none ran.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
export SHBACKUP_TEST_ASSETS=${SHBACKUP_TEST_ASSETS:-$root/tests/.assets}
export DOTNET_NOLOGO=1 DOTNET_CLI_TELEMETRY_OPTOUT=1 MSBUILDDISABLENODEREUSE=1
results=$root/tests/.results
# dotnet and npm keep their caches there.
[ -d "${HOME:-}" ] || { HOME=$(mktemp -d) && export HOME; }
. "$root/tests/install.sh"
. "$root/tests/results.sh"

# specs: the specs of tests/Pester, in PowerShell itself; not where arguments choose among the others.
specs() {
    [ ${#arguments[@]} = 0 ] || return 0
    (cd "$root" && dotnet tool restore >/dev/null 2>&1 && dotnet pwsh -NoLogo -NoProfile -Version >/dev/null 2>&1) ||
        { missed "not restored: pwsh (NuGet); the specs of tests/Pester are skipped" pwsh yes; return 0; }
    (cd "$root" && dotnet pwsh -NoProfile -NonInteractive -File tests/Pester/Invoke-Specs.ps1 -ResultPath "$results/specs.xml" </dev/null)
}

# style: what is laid out in another way than .editorconfig says, as a file of the results; names and types are the build's
# business, the length of lines a test's. Not where arguments choose among the tests.
style() {
    [ ${#arguments[@]} = 0 ] || return 0
    (cd "$root" && dotnet format whitespace . --folder --verify-no-changes --exclude tests/.assets tests/.results) >"$results/format.log" 2>&1 &&
        rm "$results/format.log"
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
mkdir -p "$results" || exit 1
missing=$results/missing

# The network gives what it can while the processor builds.
prepare &
solution=$(find "$root" -maxdepth 1 -name '*.sln*' | head -n 1)
built=$(dotnet build "$solution" -c Release -v quiet -nologo "-clp:NoSummary;ErrorsOnly" 2>&1) || { printf '%s\n' "$built" "The build failed."; finish 0 1 0; }
wait

# Two projects at a time. The tests of object stores wait for servers and for time-outs most of the time, those of durability
# for the disk; with them on two sides, both sides take about as long.
beside=("$root/tests/SignalHarvester.Backup.Cloud.Tests" "$root/tests/SignalHarvester.Backup.Tests" "$root/tests/SignalHarvester.Backup.PowerShell.Tests")
mapfile -t others < <(find "$root/tests" -mindepth 2 -maxdepth 2 -name '*.Tests.csproj' \
    -not -path "${beside[0]}/*" -not -path "${beside[1]}/*" -not -path "${beside[2]}/*" | sort)
[ ${#others[@]} != 0 ] || { echo "No test projects were found."; finish 0 1 0; }
style &
format=$!
log=$(mktemp) || exit 1
run "${beside[@]}" >"$log" 2>&1 &
side=$!
run "${others[@]}"
ended=$?
specs || ended=$?
wait "$side" || ended=$?
wait "$format"
cat "$log"
rm -f "$log"
summary "$ended"
