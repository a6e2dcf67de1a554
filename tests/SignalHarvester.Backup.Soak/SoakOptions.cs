using System.Globalization;

namespace SignalHarvester.Backup.Soak;

/// <summary>The command line.</summary>
internal sealed record SoakOptions
{
    public const string Usage = """
        soak [--minutes 10] [--writers 3] [--what protection|holder|nothing|replace|standby] [--rounds 200] [--store s3|folder] [--window 0] [--seed N] [--kill-after 1] [--work DIR] [--old] [--torn]
          --what        protection: Start-SHBackupProtection; holder: the log's holder alone, in a process that keeps an image;
                        nothing: the applications alone, held against their own journal;
                        replace: other content is put in the protected database's place, in every way that people have;
                        standby: a second machine keeps the database up to date, and takes its place again and again
          --rounds      of replacing
          --store       protection's store: Ceph's S3 gateway behind a proxy that causes faults, or a folder
          --window      minutes for which each transaction must be restorable; older ones are deleted from the store meanwhile. 0 for a day
          --seed        a run's random choices; what the processes do to each other is random anyhow
          --kill-after  mean seconds between two kills; 0 for none
          --work        where everything is; kept if something is wrong
          --old         one of the applications has SQLite 3.28.0
          --torn        applications also die halfway through writing the wal-index, which SQLite then recovers from the log;
                        all have the module's own SQLite, as the recovery of older ones loses commits of the rest of the mix
        """;

    public double Minutes { get; private init; } = 10;

    public int Writers { get; private init; } = 3;

    public string What { get; private init; } = "protection";

    public int Rounds { get; private init; } = 200;

    public string Store { get; private init; } = "s3";

    public double WindowMinutes { get; private init; }

    public TimeSpan Window => WindowMinutes > 0 ? TimeSpan.FromMinutes(WindowMinutes) : TimeSpan.FromDays(1);

    public int Seed { get; private init; } = Environment.TickCount;

    public double KillAfter { get; private init; } = 1;

    public string Work { get; private init; } = Path.Combine(Path.GetTempPath(), "shbackup-soak");

    public bool HasOld { get; private init; }

    public bool TearsIndex { get; private init; }

    /// <exception cref="ArgumentException">An argument is unknown or has no fitting value.</exception>
    public static SoakOptions Parse(IReadOnlyList<string> arguments)
    {
        var options = new SoakOptions();
        for (var i = 0; i < arguments.Count; i++)
        {
            var name = arguments[i];
            options = name switch
            {
                "--old" => options with { HasOld = true },
                "--torn" => options with { TearsIndex = true },
                _ => options.With(name, ++i < arguments.Count ? arguments[i] : ""),
            };
        }

        return options;
    }

    private SoakOptions With(string name, string value) => (name, value) switch
    {
        ("--minutes", _) => this with { Minutes = Number(name, value) },
        ("--writers", _) => this with { Writers = (int)Number(name, value) },
        ("--rounds", _) => this with { Rounds = (int)Number(name, value) },
        ("--what", "holder" or "protection" or "nothing" or "replace" or "standby") => this with { What = value },
        ("--store", "folder" or "s3") => this with { Store = value },
        ("--window", _) => this with { WindowMinutes = Number(name, value) },
        ("--seed", _) => this with { Seed = (int)Number(name, value) },
        ("--kill-after", _) => this with { KillAfter = Number(name, value) },
        ("--work", not "") => this with { Work = Path.GetFullPath(value) },
        _ => throw new ArgumentException($"{name} {value} is no argument of the soak.\n{Usage}"),
    };

    private static double Number(string name, string value) =>
        double.TryParse(value, NumberStyles.AllowDecimalPoint, CultureInfo.InvariantCulture, out var number)
            ? number
            : throw new ArgumentException($"{name} takes a number, not '{value}'.");
}
