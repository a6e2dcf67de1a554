using System.Diagnostics;
using System.Globalization;

namespace SignalHarvester.Backup.Soak;

/// <summary>Start-SHBackupProtection, whose restores to random transactions and times are held against the journal.</summary>
internal sealed class ModuleProtection(string database, SoakOptions options, Tally tally) : IProtection
{
    // Between a commit and the first look at it, on a machine that is busy with many things.
    private static readonly TimeSpan LatestLook = TimeSpan.FromSeconds(5);
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(5);

    private readonly Random random = new(options.Seed);
    private readonly string backups = Path.Combine(options.Work, "backups");
    private readonly string restored = Path.Combine(options.Work, "restored.db");
    private SoakStore? store;
    private Process? process;
    private Task<string> error = Task.FromResult("");
    private long newest;

    private string Directory => $"-BackupDirectory {Shell.Quote(backups)}";

    public async Task StartAsync()
    {
        store ??= await SoakStore.StartAsync(options.Store, options.Work);
        store.Disturb(random, tally);
        process = Shell.Start(
            $"Start-SHBackupProtection {Shell.Quote(database)} -ThisProcess {Directory} {store.Parameters} -CreateContainer -BackupInterval 1m",
            store.Environment);
        process.StandardInput.Close();
        _ = process.StandardOutput.ReadToEndAsync();
        error = process.StandardError.ReadToEndAsync();
    }

    public void Kill()
    {
        if (process!.HasExited)
        {
            tally.Problem($"the protection ended by itself with {process.ExitCode}: {error.GetAwaiter().GetResult()}");
            return;
        }

        process.Kill();
        process.WaitForExit();
        process.Dispose();
    }

    public async Task EndAsync()
    {
        Tool.Require("kill").Run("-TERM", process!.Id.ToString(CultureInfo.InvariantCulture)).EnsureSuccess();
        await process.WaitForExitAsync().WaitAsync(Patience);
        tally.Add(string.Create(CultureInfo.InvariantCulture, $"protection ended with {process.ExitCode}"));
    }

    public async Task CheckAsync(Application reader, IReadOnlyList<TransactionRecord> journal, bool isEnd)
    {
        store!.Heal();
        if (isEnd)
        {
            await EndAsync();
        }
        else
        {
            await BackUpAsync();
        }

        if (newest > 0)
        {
            await RestoreAsync(reader, journal, $"-Transaction {random.NextInt64(1, newest + 1)}", TransactionRecordRange.All(journal));
        }

        if (journal.Count > 0)
        {
            var time = journal[random.Next(journal.Count)].Before + TimeSpan.FromMilliseconds(random.Next(2000));
            await RestoreAsync(
                reader, journal, $"-PointInTime '{time.UtcDateTime:yyyy-MM-dd'T'HH:mm:ss.fff'Z'}'", TransactionRecordRange.At(journal, time, LatestLook));
        }

        if (isEnd)
        {
            await RestoreAsync(reader, journal, "-PointInTime (Get-Date).AddDays(1)", TransactionRecordRange.End(journal));
        }
        else
        {
            store.Disturb(random, tally);
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (process is { HasExited: false })
        {
            Kill();
        }

        if (store is not null)
        {
            await store.DisposeAsync();
        }
    }

    private async Task BackUpAsync()
    {
        var (code, _, said) = await Shell.RunAsync($"$null = New-SHBackup {Shell.Quote(database)} {Directory} -ErrorAction Stop", store!.Environment);
        tally.Add(code == 0 ? "New-SHBackup" : "New-SHBackup failed");
        if (code != 0)
        {
            tally.Problem("New-SHBackup beside the protection: " + said);
        }
    }

    /// <summary>Restores, and requires an image of a moment, the right one.</summary>
    private async Task RestoreAsync(Application reader, IReadOnlyList<TransactionRecord> journal, string target, TransactionRecordRange expected)
    {
        File.Delete(restored);
        var (code, output, said) = await Shell.RunAsync(
            $"(Restore-SHBackup {target} -Database {Shell.Quote(database)} -Destination {Shell.Quote(restored)} {Directory} {store!.SourceParameters} -ErrorAction Stop).RestoredTransaction",
            store.Environment);
        if (code != 0)
        {
            tally.Problem($"Restore-SHBackup {target}: {said}");
            return;
        }

        tally.Add("restored");
        if (long.TryParse(output.Trim(), CultureInfo.InvariantCulture, out var number))
        {
            newest = Math.Max(newest, number);
        }

        var report = await reader.CheckAsync(restored);
        foreach (var problem in report.ProblemsBeside(journal))
        {
            tally.Problem($"restored by {target}: {problem}");
        }

        if (report.Transactions < expected.Least || report.Transactions > expected.Most)
        {
            tally.Problem($"restored by {target}: it has {report.Transactions} transactions and not {expected.Least} to {expected.Most}");
        }
    }
}
