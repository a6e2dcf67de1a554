using System.Globalization;

namespace SignalHarvester.Backup.Soak;

/// <summary>One application that does everything that applications do, and is killed now and then.</summary>
internal sealed class SoakWriter(ApplicationOptions first, Random random, Tally tally, SemaphoreSlim gate, bool changesLibrary, bool tearsIndex)
{
    /// <summary>What is counted when it dies halfway through writing the header of the wal-index.</summary>
    public const string Torn = "torn";

    private static readonly string[] Modes = ["PASSIVE", "FULL", "RESTART", "TRUNCATE"];

    private readonly Lock killing = new();
    private volatile Application? application;
    private volatile bool isKilled;

    public async Task RunAsync(CancellationToken stop)
    {
        try
        {
            while (!stop.IsCancellationRequested)
            {
                await gate.WaitAsync(stop);
                try
                {
                    await ActAsync();
                }
                catch (Exception exception) when (isKilled && exception is EndOfStreamException or IOException)
                {
                    Discard();
                }
                finally
                {
                    gate.Release();
                }
            }
        }
        catch (OperationCanceledException)
        {
            // The soak is over.
        }
        finally
        {
            Discard();
        }
    }

    /// <summary>Kills its process, whatever it is doing.</summary>
    public void Kill()
    {
        lock (killing)
        {
            if (application is { IsRunning: true } victim)
            {
                isKilled = true;
                victim.Kill();
                tally.Add("kills");
            }
        }
    }

    private void Discard()
    {
        lock (killing)
        {
            application?.Dispose();
            application = null;
        }
    }

    private async Task ActAsync()
    {
        if (application is null)
        {
            await StartAsync();
            return;
        }

        var choice = random.Next(100);
        switch (choice)
        {
            case < 60:
                var done = await application.WorkAsync(random.Next(1, 100), random.Next(2, 60));
                tally.Add("commits", done.Committed);
                tally.Add("refused", done.Refused);
                break;
            case < 75:
                var mode = Modes[random.Next(Modes.Length)];
                var answer = await application.ExecuteAsync($"PRAGMA wal_checkpoint({mode})");
                var how = application.Options.BusyTimeout == TimeSpan.Zero ? $"{mode} at once" : mode;
                tally.Add(answer.Error is null && answer.Value[0][0].GetInt32() == 0 ? $"{how} done" : $"{how} busy");
                break;
            case < 77:
                await TryAsync("VACUUM");
                break;
            case < 81:
                await TryAsync("PRAGMA incremental_vacuum(5)");
                break;
            case < 84:
                // Beside others it is refused; alone, it takes the log away.
                await TryAsync("PRAGMA journal_mode = DELETE");
                await TryAsync("PRAGMA journal_mode = WAL");
                break;
            case < 88:
                await TryAsync("BEGIN");
                await TryAsync("SELECT count(*) FROM item");
                await Task.Delay(random.Next(200));
                await TryAsync("ROLLBACK");
                break;
            case < 93:
                _ = (await application.CloseAsync()).Value;
                tally.Add("closed");
                await OpenAsync();
                break;
            case < 94 when tearsIndex:
                isKilled = true;
                tally.Add(Torn);
                await application.TearIndexAndDieAsync();
                break;
            default:
                await Task.Delay(random.Next(10, 400));
                break;
        }
    }

    private async Task StartAsync()
    {
        isKilled = false;
        application = await Application.StartAsync(first with
        {
            OpensAtStart = false,
            Seed = random.Next(),
            UriParameters = random.Next(2) == 0 ? "psow=0" : "",
            BusyTimeout = TimeSpan.FromMilliseconds(random.Next(3) * 2000),

            // Older ones leave frames without checksum when a rollback to a savepoint takes back pages that a transaction appended:
            // their own recovery then loses commits, and damages the database if a checkpoint has copied some of the frames.
            Library = tearsIndex ? ApplicationLibrary.Bundled : changesLibrary ? (ApplicationLibrary)random.Next(3) : first.Library,
            Pragmas =
            [
                "journal_mode = WAL",
                random.Next(3) switch { 0 => "synchronous = OFF", 1 => "synchronous = NORMAL", _ => "synchronous = FULL" },
                random.Next(2) == 0 ? "cache_size = 5" : "cache_size = 500",
                string.Create(CultureInfo.InvariantCulture, $"wal_autocheckpoint = {(random.Next(3) switch { 0 => 0, 1 => 20, _ => 1000 })}"),
            ],
        });
        tally.Add("started");
        await OpenAsync();
    }

    private async Task OpenAsync()
    {
        while (await application!.OpenAsync() is { Error: not null } answer)
        {
            RequireLocked("open", answer);
            await Task.Delay(10);
        }
    }

    private async Task TryAsync(string sql)
    {
        var answer = await application!.ExecuteAsync(sql);
        tally.Add(answer.Error is null ? sql : sql + " refused");
        RequireLocked(sql, answer);
    }

    private void RequireLocked(string what, ApplicationAnswer answer)
    {
        // SQLITE_BUSY, SQLITE_LOCKED; a statement without transaction, after one that was refused.
        if (answer.Error is not null && (answer.ErrorCode & 0xFF) is not (5 or 6)
            && !answer.Error.Contains("no transaction is active", StringComparison.Ordinal))
        {
            tally.Problem($"{application!.SqliteVersion} on {what}: {answer.Error} ({answer.ErrorCode})");
        }
    }
}
