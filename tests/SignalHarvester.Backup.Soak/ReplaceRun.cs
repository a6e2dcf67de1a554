using System.Diagnostics;

namespace SignalHarvester.Backup.Soak;

/// <summary>
/// Puts other content in the place of the protected database, in every way that people have, and requires that neither the database nor the
/// stream is the worse for it.
/// </summary>
internal sealed class ReplaceRun(SoakOptions options, Tally tally)
{
    private const int BetweenRestores = 10;
    private const int MostImages = 5;

    private static readonly TimeSpan BeforeStart = TimeSpan.FromMilliseconds(100);
    private static readonly TimeSpan AfterEnd = TimeSpan.FromMilliseconds(500);
    private static readonly IReadOnlyDictionary<string, string> NoEnvironment = new Dictionary<string, string>();

    private readonly Random random = new(options.Seed);
    private readonly string database = Path.Combine(options.Work, "app.db");
    private readonly string backups = Path.Combine(options.Work, "backups");
    private readonly List<(string Path, int Transactions)> images = [];
    private IReadOnlyList<Way> ways = [];
    private Application? application;
    private int made;

    private IReadOnlyList<Way> Ways() =>
    [
        new("Restore-SHBackup", WhileOpen.Always, LeavesImage: false, _ => Restore()),
        new("sqlite3 .restore", WhileOpen.Always, LeavesImage: true, image => Run("sqlite3", database, ".timeout 20000", $".restore {image}")),

        // As people restore with Litestream, which refuses to write over a file.
        new("delete with log and index, rename into its place", WhileOpen.UntilItEnds, LeavesImage: true, image =>
        {
            DeleteAll();
            Run("cp", image, database + ".tmp");
            Move(database + ".tmp");
        }),
        new("delete with log and index", WhileOpen.UntilItEnds, LeavesImage: false, _ => DeleteAll()),
        new("delete", WhileOpen.Never, LeavesImage: false, _ => Run("rm", database)),
        new("cp over it", WhileOpen.Never, LeavesImage: true, image => Run("cp", image, database)),
        new("cp -p over it", WhileOpen.Never, LeavesImage: true, image => Run("cp", "-p", image, database)),
        new("rename over it", WhileOpen.Never, LeavesImage: true, image =>
        {
            Run("cp", image, database + ".new");
            Move(database + ".new");
        }),
        new("VACUUM INTO, rename over it", WhileOpen.Never, LeavesImage: true, image =>
        {
            Run("sqlite3", image, $"VACUUM INTO '{database}.new'");
            Move(database + ".new");
        }),
    ];

    private ApplicationOptions First => new() { DatabasePath = database, Seed = random.Next(), Pragmas = ["journal_mode = WAL", "synchronous = OFF"] };

    public async Task RunAsync()
    {
        ways = Ways();
        using var reader = await Application.StartAsync(First);
        _ = await reader.WorkAsync(50);
        _ = (await reader.CloseAsync()).Value;
        await using var protection = new ModuleProtection(database, options, tally);
        await protection.StartAsync();
        await protection.RequireNewestAsync(reader);
        for (var round = 1; round <= options.Rounds && tally.Problems.Count == 0; round++)
        {
            await ReplaceAsync(reader, protection);
            await RequireSoundAsync(reader);
            if (round % BetweenRestores == 0)
            {
                await protection.RequireNewestAsync(reader);
                tally.Say();
            }
        }

        application?.Dispose();
        if (tally.Problems.Count == 0)
        {
            await protection.StopAsync();
            await RequireSoundAsync(reader);
        }
    }

    private async Task ReplaceAsync(Application reader, ModuleProtection protection)
    {
        await StartAsync();
        _ = await application!.WorkAsync(random.Next(1, 60), 20);
        if (images.Count == 0 || random.Next(3) == 0)
        {
            await TakeImageAsync(reader);
        }

        // Mostly while it protects, now and then while it is just starting.
        if (random.Next(4) > 0)
        {
            _ = await protection.AwaitStoredAsync();
        }

        var isUp = random.Next(3) == 0;
        if (!isUp)
        {
            await application.EndAsync();
            application.Dispose();
            application = null;
            await Task.Delay(AfterEnd);
        }

        var isStopped = random.Next(3) == 0;
        if (isStopped)
        {
            await protection.StopAsync();
        }

        Way[] possible = [.. ways.Where(one => !isUp || one.Open != WhileOpen.Never)];
        var way = possible[random.Next(possible.Length)];
        var image = images[random.Next(images.Count)];
        way.Put(image.Path);
        var name = $"{way.Name}{(isUp ? ", application up" : "")}{(isStopped ? ", protection stopped" : "")}";
        tally.Add(name);
        var isStartedFirst = isStopped && random.Next(2) == 0;
        if (isStartedFirst)
        {
            await protection.StartAsync();
        }

        await Task.Delay(BeforeStart);
        if (isUp && way.Open == WhileOpen.UntilItEnds)
        {
            _ = await application!.WorkAsync(random.Next(1, 40), 20);
            await application.EndAsync();
            application.Dispose();
            application = null;
        }

        await StartAsync();
        var ledger = (await application!.ExecuteAsync("SELECT count(*) FROM ledger")).Value[0][0].GetInt32();
        if (way.LeavesImage && ledger != image.Transactions)
        {
            tally.Problem($"{name}: the new database has {ledger} transactions and not {image.Transactions}");
        }

        _ = await application.WorkAsync(random.Next(1, 40), 20);
        if (isStopped && !isStartedFirst)
        {
            await protection.StartAsync();
        }
    }

    /// <summary>Restores some backup over the database.</summary>
    private void Restore()
    {
        var restore = Shell.RunAsync(
            $"Get-SHBackup -BackupDirectory {Shell.Quote(backups)} -Database {Shell.Quote(database)} | Where-Object {{ -not $_.IsSafety }} | Get-Random | Restore-SHBackup -Destination {Shell.Quote(database)} -Force -ErrorAction Stop",
            NoEnvironment).GetAwaiter().GetResult();
        if (restore.ExitCode != 0)
        {
            tally.Problem("Restore-SHBackup over the database: " + restore.Error);
        }
    }

    private void Move(string from) => Run("mv", from, database);

    private void DeleteAll() => Run("rm", "-f", database, database + "-wal", database + "-shm");

    private async Task TakeImageAsync(Application reader)
    {
        var path = Path.Combine(options.Work, $"image{made++ % MostImages}.db");
        images.RemoveAll(image => image.Path == path);
        File.Delete(path);
        Run("sqlite3", database, ".timeout 20000", random.Next(2) == 0 ? $".backup {path}" : $"VACUUM INTO '{path}'");
        images.Add((path, (await reader.CheckAsync(path)).Transactions));
        File.Delete(path + "-wal");
        File.Delete(path + "-shm");
    }

    private async Task StartAsync()
    {
        if (application is not null)
        {
            return;
        }

        var began = Stopwatch.GetTimestamp();
        while (application is null)
        {
            try
            {
                application = await Application.StartAsync(First);
            }
            catch (EndOfStreamException exception) when (exception.Message.Contains("database is locked", StringComparison.Ordinal)
                && Stopwatch.GetElapsedTime(began) < TimeSpan.FromMinutes(1))
            {
                tally.Add("the application met a lock as it started");
            }
        }
    }

    private async Task RequireSoundAsync(Application reader)
    {
        foreach (var problem in (await reader.CheckAsync(database)).Problems)
        {
            tally.Problem("the database: " + problem);
        }

        tally.Add("sound");
    }

    private static void Run(string tool, params string[] arguments) => Tool.Require(tool).Run(arguments).EnsureSuccess();

    /// <summary>A way to put something else in the place of a database.</summary>
    /// <param name="Name">What people call it.</param>
    /// <param name="Open">Whether it harms nobody, without us, while an application has the database open.</param>
    /// <param name="LeavesImage">Whether the database is the image afterwards.</param>
    /// <param name="Put">Does it with an image.</param>
    private sealed record Way(string Name, WhileOpen Open, bool LeavesImage, Action<string> Put);

    private enum WhileOpen
    {
        Never,

        /// <summary>The application keeps the old files, and finds what is new when it is started again.</summary>
        UntilItEnds,

        Always,
    }
}
