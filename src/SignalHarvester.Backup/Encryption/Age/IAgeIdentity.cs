namespace SignalHarvester.Backup.Encryption.Age;

/// <summary>A secret that may open a file.</summary>
internal interface IAgeIdentity
{
    /// <summary>Unwraps the key of a file; null if it was not wrapped for this secret.</summary>
    /// <exception cref="InvalidDataException">A stanza of this kind is malformed.</exception>
    AgeFileKey? TryUnwrap(AgeHeader header);
}
