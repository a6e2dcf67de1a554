using System.Globalization;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>The options of the writer. Its process gets them as a list of arguments.</summary>
public sealed record WriterOptions
{
    /// <summary>The database. A missing one is made, and an existing ledger is continued.</summary>
    public required string DatabasePath { get; init; }

    /// <summary>The file with every commit in order, one <see cref="Transfer.Size"/> bytes record each.</summary>
    public string CommitJournalPath => DatabasePath + ".commits";

    /// <summary>Connections that commit at the same time, each on a thread of its own.</summary>
    public int Threads { get; init; } = 2;

    public JournalMode JournalMode { get; init; } = JournalMode.Wal;

    /// <summary>The number of pages in the WAL at which a commit checkpoints it; 1 is the hardest for readers, 0 never does.</summary>
    public int WalAutoCheckpoint { get; init; } = 1000;

    /// <summary>The value for PRAGMA synchronous. OFF is safe as long as only processes die, and not the machine.</summary>
    public string Synchronous { get; init; } = "OFF";

    /// <summary>Page size of a new database, in bytes.</summary>
    public int PageSize { get; init; } = 4096;

    /// <summary>Accounts of a new database.</summary>
    public int Accounts { get; init; } = 2000;

    /// <summary>Bytes of padding in the longest account's row of a new database.</summary>
    public int RowBytes { get; init; } = 100;

    /// <summary>When to stop even if standard input is still open; null for never.</summary>
    public TimeSpan? Duration { get; init; }

    /// <summary>The arguments that <see cref="Parse"/> turns back into these options.</summary>
    public IReadOnlyList<string> ToArguments()
    {
        List<string> arguments =
        [
            "--database", DatabasePath,
            "--threads", Text(Threads),
            "--journal-mode", JournalMode.ToString(),
            "--wal-autocheckpoint", Text(WalAutoCheckpoint),
            "--synchronous", Synchronous,
            "--page-size", Text(PageSize),
            "--accounts", Text(Accounts),
            "--row-bytes", Text(RowBytes),
        ];
        if (Duration is { } duration)
        {
            arguments.AddRange(["--seconds", duration.TotalSeconds.ToString(CultureInfo.InvariantCulture)]);
        }

        return arguments;
    }

    /// <exception cref="ArgumentException">An option is unknown, or --database is missing.</exception>
    public static WriterOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new WriterOptions { DatabasePath = "" };
        for (var i = 0; i + 1 < arguments.Count; i += 2)
        {
            var value = arguments[i + 1];
            options = arguments[i] switch
            {
                "--database" => options with { DatabasePath = value },
                "--threads" => options with { Threads = Number(value) },
                "--journal-mode" => options with { JournalMode = Enum.Parse<JournalMode>(value, ignoreCase: true) },
                "--wal-autocheckpoint" => options with { WalAutoCheckpoint = Number(value) },
                "--synchronous" => options with { Synchronous = value },
                "--page-size" => options with { PageSize = Number(value) },
                "--accounts" => options with { Accounts = Number(value) },
                "--row-bytes" => options with { RowBytes = Number(value) },
                "--seconds" => options with { Duration = Seconds(value) },
                _ => throw new ArgumentException($"'{arguments[i]}' is no option of the writer."),
            };
        }

        return options.DatabasePath.Length > 0 ? options : throw new ArgumentException("--database is missing.");
    }

    private static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);

    private static int Number(string text) => int.Parse(text, CultureInfo.InvariantCulture);

    private static TimeSpan Seconds(string text) => TimeSpan.FromSeconds(double.Parse(text, CultureInfo.InvariantCulture));
}
