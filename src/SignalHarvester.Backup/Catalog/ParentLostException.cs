namespace SignalHarvester.Backup.Catalog;

/// <summary>The parent of a backup in progress is gone or damaged; the backup starts again as a full one.</summary>
/// <param name="message">What happened, as the middle of a sentence.</param>
internal sealed class ParentLostException(string message) : Exception(message);
