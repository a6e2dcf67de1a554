namespace SignalHarvester.Backup.TestSupport;

/// <summary>The shape of a generated database.</summary>
public sealed record DatabaseShape
{
    /// <summary>Bytes, a power of two from 512 to 65536.</summary>
    public int PageSize { get; init; } = 4096;

    public JournalMode JournalMode { get; init; } = JournalMode.Wal;

    public AutoVacuum AutoVacuum { get; init; }

    /// <summary>The name for PRAGMA encoding.</summary>
    public string Encoding { get; init; } = "UTF-8";

    /// <summary>Rows of the largest table; a row takes about 300 bytes in all. 0 leaves the tables empty.</summary>
    public int Rows { get; init; } = 1000;
}
