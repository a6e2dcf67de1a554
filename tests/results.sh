# What the result files in the folder $results tell. Sourced by run.sh.

# spec NAME: a count of the specs, 0 where they did not run.
spec() {
    sed -n "s/.*<testsuites .*[ ]$1=\"\([0-9]*\)\".*/\1/p" "$results/specs.xml" 2>/dev/null | grep . || echo 0
}

# counter NAME: the sum of one counter over all result files.
counter() {
    find "$results" -name '*.trx' -exec grep -ho '<Counters [^>]*' {} + |
        sed -n "s/.* $1=\"\([0-9]*\)\".*/\1/p" | awk '{ n += $1 } END { print n + 0 }'
}

# records FILE-PATTERN ELEMENT: each element of that name on a line of its own, in which \001 stands for an end of line.
records() {
    find "$results" -name "$1" -exec cat {} + | tr -d '\r' | tr '\n' '\001' | sed "s/<$2 /\n&/g" | sed -n "/^<$2 /s/<\/$2>.*//p; /^<$2 /{ /<\/$2>/!p; }" | sort -u
}

plain() { sed 's/&quot;/"/g; s/&apos;/'"'"'/g; s/&#x27;/'"'"'/g; s/&#x[Dd];//g; s/&#x[Aa];.*//; s/&lt;/</g; s/&gt;/>/g; s/&amp;/\&/g'; }

# Every test that failed with the first line of its message, one line each.
failures() {
    {
        records '*.trx' UnitTestResult | grep '^<UnitTestResult [^>]*outcome="Failed"' |
            sed -n 's/.*testName="\([^"]*\)".*<Message>[[:space:]\x01]*\([^<\x01]*\).*/FAILED: \1: \2/p; t
                    s/.*testName="\([^"]*\)".*/FAILED: \1/p'
        records specs.xml testcase | grep -E '<(failure|error)' |
            sed -n 's/^[^>]* name="\([^"]*\)"[^>]*>.*<\(failure\|error\)[^>]* message="\([^"\x01]*\).*/FAILED: \1: \3/p; t
                    s/^[^>]* name="\([^"]*\)".*/FAILED: \1/p'
    } | plain | sort
}

# Every skipped test with its reason, one line each.
skips() {
    records '*.trx' UnitTestResult | grep '^<UnitTestResult [^>]*outcome="NotExecuted"' | tr '\001' ' ' |
        sed -n 's/.*testName="\([^"]*\)".*<Message>\([^<]*\)<.*/skipped: \1: \2/p; t
                s/.*testName="\([^"]*\)".*<StdOut>\([^<]*\)<.*/skipped: \1: \2/p; t
                s/.*testName="\([^"]*\)".*/skipped: \1/p' | plain | sort
}

# unstyled: what dotnet format said, each place once, where it found something.
unstyled() { [ ! -e "$results/format.log" ] || sed "s/^/FAILED: dotnet format: /; s/ \[[^]]*\]$//" "$results/format.log" | sort -u; }

# lacking: how many tests were skipped for what is not here, and what could have been installed; nothing where neither is.
lacking() {
    local count what
    count=$(skips | grep -cE 'is not installed|are not installed|is not there \(|tests/run\.sh')
    what=$(sort -u "$missing" 2>/dev/null | paste -sd ' ')
    [ "$count" = 0 ] && [ -z "$what" ] && return 0
    echo "$count tests were skipped for what is not installed here${what:+; what may be installed and could not be: $what}."
}

# summary ENDED: all of that, and the counts as the last line; fails when a test failed or none ran, where the style is not kept,
# and in CI where something that may be installed is not here.
summary() {
    local broken passed failed skipped ended=$1
    broken=$(($(spec failures) + $(spec errors)))
    passed=$(($(counter passed) + $(spec tests) - broken - $(spec disabled)))
    failed=$(($(counter failed) + broken))
    skipped=$(($(counter total) - $(counter executed) + $(spec disabled)))
    skips
    failures
    unstyled
    # A test process that dies leaves results in which nothing failed.
    if [ "$ended" != 0 ] && [ "$failed" = 0 ]; then
        echo "dotnet test ended with $ended although no test failed: a test process died, or none could start."
        failed=1
    fi
    if [ -e "$results/format.log" ]; then
        echo "The style is not that of .editorconfig: run dotnet format."
        failed=$((failed + 1))
    fi
    lacking
    if [ "${CI:-}" = true ] && [ -s "$missing" ]; then
        echo "In CI, what may be installed and is not is a failure."
        failed=$((failed + 1))
    fi
    finish "$passed" "$failed" "$skipped"
}

finish() { # PASSED FAILED SKIPPED
    echo "$1 passed, $2 failed, $3 skipped"
    [ "$2" = 0 ] && [ "$1" != 0 ]
    exit
}
