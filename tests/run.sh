#!/usr/bin/env bash
# Runs all tests. Fetches what they need where it may: tools by apt (as root only), real databases by apt and npm.
# What it cannot get is skipped, visibly; with CI=true, what may be had and could not be is a failure. Further arguments go to
# `dotnet test`, e.g. --filter. Names every test that failed, and ends with the line "N passed, N failed, N skipped"; fails when
# a test failed or none ran.
set -uo pipefail
root=$(cd "$(dirname "${BASH_SOURCE[0]}")/.." && pwd) || exit 1
export SHBACKUP_TEST_ASSETS=${SHBACKUP_TEST_ASSETS:-$root/tests/.assets}
# The tests start the program many hundred times for a second of work each: what it compiles anew is a quarter of that, when
# loops are optimised at once as the program itself has it for the large databases of its users.
export DOTNET_TC_QuickJitForLoops=1
# No process here lives long enough to earn back what counting its hot code costs: a third of what a test project computes.
# The program itself is built that way.
export DOTNET_TieredPGO=0
# The runtime maps its compiled code twice, against attackers that write to it: each process that starts pays for that.
export DOTNET_EnableWriteXorExecute=0
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

# style: where white space is not as .editorconfig has it, as a file of the results. The build has refused everything else there, and
# tests count the length of lines and order the usings: loading all projects for that takes two minutes. Not where arguments choose
# among the tests.
style() {
    [ ${#arguments[@]} = 0 ] || return 0
    dotnet format whitespace "$root" --folder --verify-no-changes >"$results/format.log" 2>&1 &&
        rm "$results/format.log"
    return 0
}

# A shell has its background jobs ignore Ctrl+C, nohup has its own ignore SIGHUP, and so everything that they start, which the
# tests of signals are about.
hears=(env --default-signal=INT,QUIT,HUP)
"${hears[@]}" true 2>/dev/null || hears=()

# run PROJECT: tests this one; specs and style are run as if they were one. What it says comes at its end, so that two do not mix.
run() {
    local log ended=0
    log=$(mktemp) || return 1
    case $1 in
        specs | style) "$1" ;;
        *) "${hears[@]}" dotnet test "$1" -c Release --no-build -v quiet \
            --results-directory "$results" --logger "trx;LogFilePrefix=$(basename "$1" .csproj)" --logger "console;verbosity=minimal" \
            --blame-hang-timeout 10m --blame-hang-dump-type none "${arguments[@]}" ;;
    esac >"$log" 2>&1 || ended=$?
    cat "$log"
    rm -f "$log"
    return $ended
}

# work PROJECT...: runs those of them that nobody else has taken, one after the other.
work() {
    local project number=0 ended=0
    for project in "$@"; do
        [ ! -e "$results/stopped" ] || return 130
        number=$((number + 1))
        mkdir "$results/taken.$number" 2>/dev/null || continue
        run "$project" || ended=$?
    done
    return $ended
}

have dotnet || { echo "The .NET 10 SDK (dotnet) is needed."; finish 0 1 0; }
mkdir -p "$SHBACKUP_TEST_ASSETS" || exit 1
arguments=("$@")
rm -rf "$results"
mkdir -p "$results" || exit 1
missing=$results/missing

# The network gives what it can while the processor builds. PowerShell is for the specs, which say so where it is not there, and
# for the tests that run in it.
prepare &
(cd "$root" && dotnet tool restore >/dev/null 2>&1) &
solution=$(find "$root" -maxdepth 1 -name '*.sln*' | head -n 1)
# One compiler for all projects, since a compiler of its own for each spends most of its time on being compiled itself; ours
# alone, ended here, so that it neither outlives this run nor is anybody else's.
compiler=shbackup-tests-$$
built=$(dotnet build "$solution" -c Release -v quiet -nologo "-clp:NoSummary;ErrorsOnly" \
    -p:UseSharedCompilation=true "-p:SharedCompilationId=$compiler" 2>&1) || { printf '%s\n' "$built" "The build failed."; ended=1; }
dotnet "$(dotnet --info | sed -n 's/^ *Base Path: *//p')Roslyn/bincore/VBCSCompiler.dll" "-pipename:$compiler" -shutdown >/dev/null 2>&1
[ "${ended:-0}" = 0 ] || finish 0 1 0
wait

# Three at a time, each taking what comes next, since many tests wait for a server, a clock or a disk, and two would leave a
# quarter of two cores idle: the longest come first, so that all end at about the same time.
longest=()
for name in Durability Cloud PowerShell; do longest+=("$root/tests/SignalHarvester.Backup.$name.Tests/SignalHarvester.Backup.$name.Tests.csproj"); done
mapfile -t others < <(find "$root/tests" -mindepth 2 -maxdepth 2 -name '*.Tests.csproj' | grep -vxF "$(printf '%s\n' "${longest[@]}")" | sort -r)
[ ${#others[@]} != 0 ] || { echo "No test projects were found."; finish 0 1 0; }
# Ctrl+C ends the tests that run, and jobs in the background do not hear it: they would take the next.
trap 'touch "$results/stopped"; wait; exit 130' INT TERM
sides=()
for _ in 1 2 3; do
    work "${longest[@]}" "${others[@]}" specs style &
    sides+=($!)
done
ended=0
for side in "${sides[@]}"; do wait "$side" || ended=$?; done
summary "$ended"
