namespace SignalHarvester.Backup.Catalog;

/// <summary>What a backup under way builds on has gone, or turned out damaged; it is begun anew as a full one.</summary>
/// <param name="message">What happened, as the middle of a sentence.</param>
internal sealed class ParentLostException(string message) : Exception(message);
