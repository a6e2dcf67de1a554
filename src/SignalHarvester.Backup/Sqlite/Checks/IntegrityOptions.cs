using Microsoft.Data.Sqlite;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>How a database is checked.</summary>
/// <param name="Cancellation">Stops the check.</param>
internal sealed record IntegrityOptions(CancellationToken Cancellation)
{
    /// <summary>Whether SQLite's own integrity_check runs in any case.</summary>
    public bool IsThorough { get; init; }

    /// <summary>
    /// Opens another connection to the same file, which nobody changes, so that several processors share the check; null if there is only
    /// the one.
    /// </summary>
    public Func<CancellationToken, SqliteConnection>? OpenAnother { get; init; }

    /// <summary>Receives the progress, on the thread that runs the check.</summary>
    public Action<IntegrityProgress> Report { get; init; } = _ => { };
}
