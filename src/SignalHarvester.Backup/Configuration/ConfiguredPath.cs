namespace SignalHarvester.Backup.Configuration;

/// <summary>A configured path.</summary>
/// <param name="Path">The full path.</param>
/// <param name="Need">What must exist there.</param>
/// <param name="Given">The value with the path.</param>
internal sealed record ConfiguredPath(string Path, PathNeed Need, GivenValue Given);
