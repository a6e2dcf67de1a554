using System.Text.Json;

namespace SignalHarvester.Backup.TestSupport.Applications;

/// <summary>The options of an <see cref="Application"/>.</summary>
public sealed record ApplicationOptions
{
    /// <summary>The database. A missing one is made.</summary>
    public required string DatabasePath { get; init; }

    /// <summary>The application's own record of its transactions, which processes on the same database share.</summary>
    public string JournalPath => JournalOf(DatabasePath);

    /// <summary>Parameters of the URI by which the database is opened, such as psow=0.</summary>
    public string UriParameters { get; init; } = "";

    /// <summary>What each connection sets. OFF is safe as long as only processes die, and not the machine.</summary>
    public IReadOnlyList<string> Pragmas { get; init; } = ["journal_mode = WAL", "synchronous = OFF"];

    /// <summary>How long SQLite waits for a lock.</summary>
    public TimeSpan BusyTimeout { get; init; } = TimeSpan.FromSeconds(5);

    /// <summary>Determines the mix of the transactions.</summary>
    public int Seed { get; init; } = 1;

    /// <summary>The SQLite in use.</summary>
    public ApplicationLibrary Library { get; init; }

    /// <summary>Whether it opens the database as it starts, and makes missing tables.</summary>
    public bool OpensAtStart { get; init; } = true;

    /// <summary>The path of the journal that belongs to a database.</summary>
    public static string JournalOf(string databasePath) => databasePath + ".transactions";

    internal string ToJson() => JsonSerializer.Serialize(new
    {
        path = DatabasePath,
        journal = JournalPath,
        uri = UriParameters,
        pragmas = Pragmas,
        busy = (long)BusyTimeout.TotalMilliseconds,
        seed = Seed,
        open = OpensAtStart,
    });
}
