using Xunit;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>How a tool ended and what it said.</summary>
public sealed record ToolResult(string CommandLine, int ExitCode, string Output, string Error)
{
    /// <summary>Fails the test, with the tool's own words, unless it ended with 0.</summary>
    public ToolResult EnsureSuccess()
    {
        Assert.True(ExitCode == 0, $"{CommandLine} ended with {ExitCode}.\n{Error}{Output}");
        return this;
    }
}
