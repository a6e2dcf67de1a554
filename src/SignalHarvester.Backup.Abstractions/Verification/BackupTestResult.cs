using System.Diagnostics.CodeAnalysis;

namespace SignalHarvester.Backup;

/// <summary>The result of a test, as Test-SHBackup emits it: the tested backup, with what this test did. Its checks are in Verification.</summary>
public sealed record BackupTestResult : BackupMetadata
{
    /// <summary>Makes an empty result, to be filled from the properties of one that came out of a job or a file.</summary>
    public BackupTestResult()
    {
    }

    /// <summary>Makes the result of a test of a backup.</summary>
    [SetsRequiredMembers]
    internal BackupTestResult(BackupMetadata tested)
        : base(tested)
    {
    }

    /// <summary>Whether every check of this test passed.</summary>
    public bool Passed { get; init; }

    /// <summary>The level of this test. VerificationLevel is that of the deepest test that the backup has passed.</summary>
    public VerificationLevel Level { get; init; }

    /// <summary>The duration of this test.</summary>
    public TimeSpan Elapsed { get; init; }

    /// <summary>What was checked, or what failed, in a phrase.</summary>
    public string Detail => VerificationCheck.Summary(Verification);
}
