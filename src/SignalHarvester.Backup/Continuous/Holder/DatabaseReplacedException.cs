namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>The path no longer leads to the database that was followed, or something else than SQLite has written to it.</summary>
/// <param name="message">What happened, as a clause.</param>
internal sealed class DatabaseReplacedException(string message) : Exception(message);
