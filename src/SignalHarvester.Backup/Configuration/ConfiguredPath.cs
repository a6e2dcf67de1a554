namespace SignalHarvester.Backup.Configuration;

/// <summary>A path that was set.</summary>
/// <param name="Path">The full path.</param>
/// <param name="Need">What must be there.</param>
/// <param name="Given">The value that says so.</param>
internal sealed record ConfiguredPath(string Path, PathNeed Need, GivenValue Given);
