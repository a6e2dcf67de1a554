namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>The findings of a check so far.</summary>
internal sealed class IntegrityFindings
{
    /// <summary>The most findings that are requested from SQLite at a time, and reported.</summary>
    public const int Most = 20;

    /// <summary>What is wrong with the database.</summary>
    public List<string> Damage { get; } = [];

    /// <summary>What could not be checked, and why.</summary>
    public List<string> Gaps { get; } = [];

    /// <summary>The inconsistencies of the database.</summary>
    public List<string> Inconsistencies { get; } = [];
}
