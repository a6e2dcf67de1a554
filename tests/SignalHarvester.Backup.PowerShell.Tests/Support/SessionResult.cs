using System.Management.Automation;

namespace SignalHarvester.Backup.PowerShell.Tests.Support;

/// <summary>The result of one script in a <see cref="PowerShellSession"/>.</summary>
/// <param name="Output">The objects of the pipeline.</param>
/// <param name="Errors">Every error record in the order of writing; that of <paramref name="Failure"/> is the last.</param>
/// <param name="Failure">The terminating error that ended the script, if one did.</param>
/// <param name="Warnings">The warnings.</param>
/// <param name="Verbose">The verbose messages; the script must ask for them with -Verbose.</param>
/// <param name="Information">The informational messages.</param>
/// <param name="Progress">The progress records.</param>
internal sealed record SessionResult(
    IReadOnlyList<PSObject> Output,
    IReadOnlyList<ErrorRecord> Errors,
    RuntimeException? Failure,
    IReadOnlyList<string> Warnings,
    IReadOnlyList<string> Verbose,
    IReadOnlyList<string> Information,
    IReadOnlyList<ProgressRecord> Progress)
{
    /// <summary>Returns the output as objects of one type; fails the test if one has another type.</summary>
    public IReadOnlyList<T> As<T>() => [.. Output.Select(item => Assert.IsType<T>(item.BaseObject, exactMatch: false))];

    /// <summary>Fails the test, naming every error, unless there was none.</summary>
    public SessionResult WithoutErrors()
    {
        Assert.True(Errors.Count == 0, string.Join(Environment.NewLine, Errors.Select(e => $"{e.FullyQualifiedErrorId}: {e.Exception}")));
        return this;
    }
}
