namespace SignalHarvester.Backup.Host;

/// <summary>There is no module to load; the message says where it was looked for.</summary>
internal sealed class ModuleMissingException(string message) : Exception(message);
