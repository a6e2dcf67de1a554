namespace SignalHarvester.Backup;

/// <summary>A named store of the configuration: a place for copies of backups.</summary>
public sealed record BackupStore
{
    /// <summary>Its name, for -To and -From.</summary>
    public required string Name { get; init; }

    /// <summary>The place.</summary>
    public required StoreLocation Location { get; init; }

    /// <summary>The kind of store.</summary>
    public CloudProvider Provider => Location.Provider;

    /// <summary>The place as an address without credentials, such as s3://bucket/prefix/.</summary>
    public string Address => Location.ToString();

    /// <summary>Whether it is enabled: a disabled store is used only if a command names it.</summary>
    public bool Enabled { get; init; } = true;

    /// <summary>Whether each new backup is sent there.</summary>
    public bool UploadAfterBackup { get; init; }

    /// <summary>The configuration file with the entry; null for an entry that comes from the environment alone.</summary>
    public string? ConfigurationPath { get; init; }

    /// <summary>What was tried in the store, in this order: Reach, Write, Read, List, Delete. Empty if nothing was.</summary>
    public IReadOnlyList<StoreCheck> Checks { get; init => field = ReadableValues.List(value); } = ReadableValues.List<StoreCheck>([]);

    /// <summary>What works: "everything", or what does and what does not, as "reach, write, read, list; not delete". Empty if nothing was tried.</summary>
    public string Works
    {
        get
        {
            var passed = string.Join(", ", Checks.Where(check => check.Passed).Select(Word));
            var failed = string.Join(", ", Checks.Where(check => !check.Passed).Select(Word));
            return Checks.Count > 0 && failed.Length == 0 ? "everything" : passed.Length == 0 ? $"not {failed}" : $"{passed}; not {failed}";

            static string Word(StoreCheck check) => check.Action.ToString().ToLowerInvariant();
        }
    }

    /// <summary>The name.</summary>
    public override string ToString() => Name;
}
