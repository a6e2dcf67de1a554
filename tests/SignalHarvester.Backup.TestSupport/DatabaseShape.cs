namespace SignalHarvester.Backup.TestSupport;

/// <summary>What a generated database looks like.</summary>
public sealed record DatabaseShape
{
    /// <summary>Bytes, a power of two from 512 to 65536.</summary>
    public int PageSize { get; init; } = 4096;

    public JournalMode JournalMode { get; init; } = JournalMode.Wal;

    public AutoVacuum AutoVacuum { get; init; }

    /// <summary>As PRAGMA encoding names it.</summary>
    public string Encoding { get; init; } = "UTF-8";

    /// <summary>Rows of the largest table; a row costs some 300 bytes in all. 0 leaves the tables empty.</summary>
    public int Rows { get; init; } = 1000;
}
