using SignalHarvester.Backup.Formats.Seekable;

namespace SignalHarvester.Backup.Operations.Query;

/// <summary>A query and its limits.</summary>
public sealed record QueryOptions
{
    /// <summary>The default of <see cref="MemoryBytes"/>: 48 MiB.</summary>
    public const long DefaultMemoryBytes = 48L << 20;

    /// <summary>The least <see cref="MemoryBytes"/>: 16 MiB.</summary>
    public const long LeastMemoryBytes = 16L << 20;

    /// <summary>One statement in SQL that reads.</summary>
    public required string Sql { get; init; }

    /// <summary>The values of the statement's parameters, by their names without the sign before it, whatever the case of their letters, or by
    /// their numbers. Null is NULL.</summary>
    public IReadOnlyDictionary<string, object?> Parameters { get; init; } = new Dictionary<string, object?>();

    /// <summary>How long the query may take; null for any time.</summary>
    public TimeSpan? Timeout { get; init; }

    /// <summary>How much memory unpacked content and a single value may take, in bytes.</summary>
    public long MemoryBytes { get; init; } = DefaultMemoryBytes;

    internal const int LongestText = 1_000_000_000;

    internal long CacheBytes => Math.Min(MemoryBytes * 2 / 3, Math.Max(FrameCache.DefaultBytes, MemoryBytes / 2));

    internal int LongestValue => (int)Math.Min(LongestText, MemoryBytes / 4);
}
