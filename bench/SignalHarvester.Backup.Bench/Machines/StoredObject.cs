namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>An object in a store.</summary>
/// <param name="Name">Its name, with slashes.</param>
/// <param name="Stored">When it was stored, as a timestamp; 0 if the store does not tell.</param>
/// <param name="Size">Its bytes.</param>
internal sealed record StoredObject(string Name, long Stored, Func<long> Size)
{
    /// <summary>The last part of its name.</summary>
    public ReadOnlySpan<char> FileName => Name.AsSpan(Name.LastIndexOf('/') + 1);

    /// <summary>The first part of its name.</summary>
    public string Top => Name[..Math.Max(0, Name.IndexOf('/', StringComparison.Ordinal))];
}
