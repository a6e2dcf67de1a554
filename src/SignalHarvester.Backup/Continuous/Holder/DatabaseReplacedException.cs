namespace SignalHarvester.Backup.Continuous.Holder;

/// <summary>The path no longer leads to the database that was followed, or something else than SQLite has written to it.</summary>
/// <param name="message">What happened, as a clause.</param>
/// <param name="isOverwritten">Whether it is the same file, in which something else than SQLite has written.</param>
internal sealed class DatabaseReplacedException(string message, bool isOverwritten = false) : Exception(message)
{
    /// <summary>Whether it is the same file, in which something else than SQLite has written.</summary>
    public bool IsOverwritten => isOverwritten;
}
