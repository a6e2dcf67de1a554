using Xunit;

namespace SignalHarvester.Backup.TestSupport.Tests;

/// <summary>What tests/run.sh reports about a run, and how it gets the needs of the tests.</summary>
public sealed class TestRunTests : IDisposable
{
    private readonly TempFolder folder = new(plain: true);

    public TestRunTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "run.sh is for Unix");

    public void Dispose() => folder.Dispose();

    [Fact]
    public void Each_test_that_failed_is_named_with_the_first_line_of_its_message_before_the_counts()
    {
        Result("""
            <UnitTestResult testName="A.Passed" outcome="Passed" />
            <UnitTestResult testName="A.Failed(x: &quot;&lt;1&gt;&quot;)" outcome="Failed"><Output><ErrorInfo><Message>Assert.Equal() Failure
            Expected: 1
            Actual:   2</Message><StackTrace>at A</StackTrace></ErrorInfo></Output></UnitTestResult>
            <UnitTestResult testName="A.Silent" outcome="Failed"></UnitTestResult>
            <UnitTestResult testName="A.Skipped" outcome="NotExecuted"><Output><StdOut>'age' is not installed (tests/run.sh installs it where it may)</StdOut></Output></UnitTestResult>
            """, total: 4, executed: 3, passed: 1, failed: 2);
        File.WriteAllText(folder["results", "specs.xml"], """
            <testsuites name="Pester" tests="2" errors="0" failures="1" disabled="0">
            <testcase name="Get-SHBackup.lists" status="Passed"></testcase>
            <testcase name="Get-SHBackup.filters" status="Failed"><failure message="Expected 1,&#xD;&#xA;but got 2">at</failure></testcase>
            </testsuites>
            """);

        var summary = Run("summary 1");

        Assert.Equal(1, summary.ExitCode);
        Assert.Equal(
            [
                "skipped: A.Skipped: 'age' is not installed (tests/run.sh installs it where it may)",
                "FAILED: A.Failed(x: \"<1>\"): Assert.Equal() Failure",
                "FAILED: A.Silent",
                "FAILED: Get-SHBackup.filters: Expected 1,",
                "1 tests were skipped for what is not installed here.",
                "2 passed, 3 failed, 1 skipped",
            ],
            summary.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Fact]
    public void A_run_in_which_all_went_well_says_no_more_than_the_counts()
    {
        Result("""<UnitTestResult testName="A.Passed" outcome="Passed" />""", total: 1, executed: 1, passed: 1, failed: 0);

        var summary = Run("summary 0");

        Assert.Equal((0, "1 passed, 0 failed, 0 skipped"), (summary.ExitCode, summary.Output.Trim()));
    }

    [Fact]
    public void What_is_not_in_the_style_is_named_once_and_is_a_failure_though_all_tests_passed()
    {
        Result("""<UnitTestResult testName="A.Passed" outcome="Passed" />""", total: 1, executed: 1, passed: 1, failed: 0);
        File.WriteAllText(
            folder["results", "format.log"], "/src/A.cs(3,9): error WHITESPACE: Insert '\\s'. [.]\n/src/A.cs(3,9): error WHITESPACE: Insert '\\s'. [.]\n");

        var summary = Run("summary 0");

        Assert.Equal(1, summary.ExitCode);
        Assert.Equal(
            [
                "FAILED: dotnet format: /src/A.cs(3,9): error WHITESPACE: Insert '\\s'.",
                "The style is not that of .editorconfig: run dotnet format.", "1 passed, 1 failed, 0 skipped",
            ],
            summary.Output.Split('\n', StringSplitOptions.RemoveEmptyEntries));
    }

    [Theory]
    [InlineData("true", 1, "1 passed, 1 failed, 0 skipped")]
    [InlineData("", 0, "1 passed, 0 failed, 0 skipped")]
    public void What_may_be_installed_and_could_not_be_is_told_in_one_line_and_a_failure_in_CI(string ci, int exitCode, string counts)
    {
        Result("""<UnitTestResult testName="A.Passed" outcome="Passed" />""", total: 1, executed: 1, passed: 1, failed: 0);

        var summary = Run(
            $"export CI={ci}; missed 'not installed: age' age yes; missed 'not installed: moto' moto no; missed 'not fetched' proj.db yes; summary 0");

        Assert.Equal(exitCode, summary.ExitCode);
        Assert.Contains(
            "0 tests were skipped for what is not installed here; what may be installed and could not be: age proj.db.", summary.Output,
            StringComparison.Ordinal);
        Assert.EndsWith(counts, summary.Output.Trim(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(0, 1, false)]
    [InlineData(1, 2, false)]
    [InlineData(2, 2, true)]
    public void A_lock_that_somebody_else_holds_for_a_moment_is_waited_for_and_asked_for_once_more(int failures, int asked, bool isMissed)
    {
        // A stand-in for apt: it counts its calls, and fails the first ones.
        Program(
            "apt-get",
            $"""echo "$@" >>'{folder["asked"]}'; [ $(wc -l <'{folder["asked"]}') -gt {failures} ] && printf '#!/bin/sh\n' >'{folder["bin", "wanted"]}' && chmod +x '{folder["bin", "wanted"]}'""");
        Program("apt-cache", "exit 0");
        Program("id", "echo 0");
        Program("sleep", "exit 0");

        var installed = Run("install wanted package; cat \"$missing\" 2>/dev/null; true");

        var calls = File.ReadAllLines(folder["asked"]);
        Assert.Equal(asked, calls.Length);
        Assert.All(calls, call => Assert.StartsWith("-o DPkg::Lock::Timeout=", call, StringComparison.Ordinal));
        Assert.Equal(isMissed ? "not installed: wanted (package package); its tests are skipped\nwanted" : "", installed.Output.Trim());
    }

    private void Result(string tests, int total, int executed, int passed, int failed)
    {
        Directory.CreateDirectory(folder["results"]);
        File.WriteAllText(folder["results", "a.trx"], string.Create(System.Globalization.CultureInfo.InvariantCulture, $"""
            <TestRun><Results>{tests}</Results><ResultSummary outcome="Failed"><Counters total="{total}" executed="{executed}" passed="{passed}" failed="{failed}" /></ResultSummary></TestRun>
            """));
    }

    private void Program(string name, string script)
    {
        Directory.CreateDirectory(folder["bin"]);
        File.WriteAllText(folder["bin", name], "#!/bin/sh\n" + script + "\n");
        Tool.Require("chmod").Run("+x", folder["bin", name]).EnsureSuccess();
    }

    private ToolResult Run(string command)
    {
        var tests = AppContext.BaseDirectory;
        while (!File.Exists(Path.Combine(tests, "run.sh")))
        {
            tests = Path.GetDirectoryName(tests)!;
        }

        Directory.CreateDirectory(folder["results"]);
        return Tool.Require("bash").Run("-c", $"""
            export CI= PATH='{folder["bin"]}':"$PATH" SHBACKUP_TEST_ASSETS='{folder.Path}'; results='{folder["results"]}'; missing='{folder["missing"]}'
            . '{tests}/install.sh'; . '{tests}/results.sh'; {command}
            """);
    }
}
