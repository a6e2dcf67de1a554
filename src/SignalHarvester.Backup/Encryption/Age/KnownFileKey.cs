namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>The key of a file that this run has just made. It needs no unwrapping, and opens only that file.</summary>
internal sealed class KnownFileKey(AgeFileKey key) : IAgeIdentity
{
    /// <inheritdoc/>
    public AgeFileKey? TryUnwrap(AgeHeader header) => header.IsAuthenticatedBy(key) ? key : null;
}
