using SignalHarvester.Backup.Sqlite;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes database files, by the way they begin: not their logs, keys or notes beside them.</summary>
public sealed class DatabaseFileCompleter : FileCompleter
{
    /// <inheritdoc/>
    protected override bool IsMeant(string path) => DatabaseFiles.IsDatabase(path);
}
