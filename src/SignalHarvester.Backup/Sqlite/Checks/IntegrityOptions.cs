using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>How a database is checked.</summary>
/// <param name="Cancellation">Stops the check.</param>
internal sealed record IntegrityOptions(CancellationToken Cancellation)
{
    /// <summary>Whether SQLite's own integrity_check is run in any case.</summary>
    public bool IsThorough { get; init; }

    /// <summary>Opens another connection to the same file, which nobody changes; null if there is only the one.</summary>
    public Func<CancellationToken, SqliteConnection>? OpenAnother { get; init; }
}
