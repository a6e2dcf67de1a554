namespace SignalHarvester.Backup.Configuration.Settings;

/// <summary>What is verified (<c>app.backup.verification</c>).</summary>
public sealed record VerificationSettings
{
    /// <summary>Whether a backup is read back and checked before it is published.</summary>
    public bool VerifyAfterBackup { get; init; } = true;

    /// <summary>Whether integrity, schema and rows are checked before and after a restore. Checksums always are.</summary>
    public bool VerifyBeforeRestore { get; init; } = true;

    /// <summary>Whether SQLite's own integrity_check is run even where a faster check finds nothing wrong.</summary>
    public bool Thorough { get; init; }
}
