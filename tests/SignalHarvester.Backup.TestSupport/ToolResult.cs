using Xunit;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>The exit code and the output of a tool.</summary>
public sealed record ToolResult(string CommandLine, int ExitCode, string Output, string Error)
{
    /// <summary>Fails the test, with the tool's own words, unless the exit code was 0.</summary>
    public ToolResult EnsureSuccess()
    {
        Assert.True(ExitCode == 0, $"{CommandLine} ended with {ExitCode}.\n{Error}{Output}");
        return this;
    }
}
