using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text.Json.Nodes;
using SignalHarvester.Backup.TestSupport.Applications;

namespace SignalHarvester.Backup.Durability.Tests.Support;

/// <summary>
/// A database that an application of its own uses, protected by the real command in a process of its own, which may end in any way. What is looked at
/// is what such a process leaves behind: files, the store, and what it said.
/// </summary>
/// <param name="root">A folder for everything.</param>
/// <param name="host">A process for whatever is asked meanwhile.</param>
/// <param name="place">Where the folder is for the process that protects; null if it is there for all.</param>
internal sealed class Protected(string root, Shbackup host, string? place = null) : IDisposable
{
    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    // An ordinary backup is due a minute after the start at the earliest.
    private static readonly TimeSpan LongestUntilKilled = TimeSpan.FromMinutes(4);

    private readonly string said = Path.Combine(root, "said");
    private Shbackup? process;
    private Task<IReadOnlyList<string>> end = Task.FromResult<IReadOnlyList<string>>([]);
    private int restores;

    public string Database { get; } = Path.Combine(Directory.CreateDirectory(Path.Combine(root, "app")).FullName, "app.db");

    public string Backups => Path.Combine(root, "backups");

    public string Store => Path.Combine(root, "store");

    /// <summary>The application's options: its log begins anew only if a test lets it.</summary>
    public ApplicationOptions Options => new()
    {
        DatabasePath = Database,
        Pragmas = ["journal_mode = WAL", "synchronous = OFF", "wal_autocheckpoint = 0"],
    };

    public IReadOnlyList<TransactionRecord> Journal => TransactionRecord.Read(Options.JournalPath);

    /// <summary>The folder of the protection's state.</summary>
    public string State => Assert.Single(Directory.GetDirectories(Path.Combine(Backups, ".shbackup", "protection")));

    /// <summary>The folder of the segments.</summary>
    public string Stream => Assert.Single(Directory.GetDirectories(Store, "stream-*"));

    /// <summary>The segments by name, with their bytes.</summary>
    public SortedDictionary<string, byte[]> Segments =>
        new(Directory.GetFiles(Stream, "seg_*").ToDictionary(file => Path.GetFileName(file)!, File.ReadAllBytes), StringComparer.Ordinal);

    /// <summary>The warnings so far, of all processes.</summary>
    public string Said => File.Exists(said) ? File.ReadAllText(said) : "";

    public ProtectedStatus Status => ProtectedStatus.Of(File.ReadAllBytes(Path.Combine(State, "status.json")));

    /// <summary>The segment that may not have arrived, as it is kept.</summary>
    public (string Name, byte[] Bytes) Pending
    {
        get
        {
            var place = File.ReadAllBytes(Path.Combine(State, "place"));
            var length = BinaryPrimitives.ReadInt32LittleEndian(place);
            return ((string)JsonNode.Parse(place.AsSpan(sizeof(int), length))!["pending"]!, place[(sizeof(int) + length)..]);
        }
    }

    private bool HasStatus => Directory.Exists(Path.Combine(Backups, ".shbackup", "protection"))
        && Directory.GetFiles(Path.Combine(Backups, ".shbackup", "protection"), "status.json", SearchOption.AllDirectories).Length > 0;

    public static string NameOf(long segment) => string.Create(CultureInfo.InvariantCulture, $"seg_000001_{segment:000000000000}.seg");

    /// <summary>The command that protects, without more options.</summary>
    public string Command =>
        $"Start-SHBackupProtection {Quote(Database)} -BackupDirectory {Quote(Backups)} -To {Quote(Store)} -CreateContainer -ThisProcess";

    /// <summary>Starts to protect.</summary>
    /// <param name="options">More options.</param>
    /// <param name="launcher">A program that starts it, with arguments; null for none.</param>
    public void Start(string options = "", string[]? launcher = null)
    {
        process?.Dispose();
        process = launcher is null ? Shbackup.Start() : Shbackup.StartBy(launcher);
        end = process.SendAsync(
            $"{Command} {options} -WarningAction Continue 3>&1 6>$null | ForEach-Object {{ [IO.File]::AppendAllText({Shbackup.Quote(said)}, \"$_`n\") }}");
    }

    /// <summary>Starts to protect in a process that has nothing else to do.</summary>
    public Shbackup StartAlone(string options = "") => process = Shbackup.Start($"{Command} {options}");

    /// <summary>Waits until the status is as wanted; a test never hangs for ever.</summary>
    public async Task<ProtectedStatus> AwaitAsync(Predicate<ProtectedStatus> isSo)
    {
        var began = Stopwatch.GetTimestamp();
        while (true)
        {
            var status = HasStatus ? Status : null;
            if (status is not null && isSo(status))
            {
                return status;
            }

            var ended = end.IsCompletedSuccessfully ? string.Join('\n', end.Result) : "";
            Assert.True(Stopwatch.GetElapsedTime(began) < Hang, $"It did not come: {status}\n{Said}{ended}");
            await Task.Delay(20, TestContext.Current.CancellationToken);
        }
    }

    /// <summary>Waits until it follows, and everything that is committed is stored.</summary>
    public Task<ProtectedStatus> AwaitStoredAsync()
    {
        var looked = DateTimeOffset.UtcNow.AddMilliseconds(50);
        return AwaitAsync(status => status is { State: "Following", Segment: > 0, Lag.Ticks: 0 } && status.LastLook > looked
            && status.Transaction == status.StoredTransaction);
    }

    /// <summary>Lets the process be killed before a later call, as <see cref="KilledBeforeCall"/> does.</summary>
    public Task<KilledBeforeCall> TrapAsync(string call, int number, string path) => KilledBeforeCall.AttachAsync(process!, call, number, path);

    /// <summary>Waits until it is killed.</summary>
    public async Task KilledAsync()
    {
        var ended = await Task.WhenAny(end, Task.Delay(2 * Hang, TestContext.Current.CancellationToken));

        // What waits to kill it ends only with it.
        Kill();
        Assert.True(ended == end, $"It was not killed.\n{Said}");
        _ = await Assert.ThrowsAnyAsync<IOException>(() => end);
    }

    public void Kill() => process!.Kill();

    public void Signal(string name) => process!.Signal(name);

    /// <summary>Waits for the end of the command, and returns its errors.</summary>
    public async Task<string> EndAsync() => string.Join('\n', await end.WaitAsync(Hang));

    /// <summary>Stops it in the ordinary way.</summary>
    public async Task StopAsync()
    {
        await host.AskAsync($"Stop-SHBackupProtection {Quote(Database)} -BackupDirectory {Shbackup.Quote(Backups)} | Out-Null");
        Assert.Empty(await EndAsync());
    }

    /// <summary>Restores from the store alone.</summary>
    /// <param name="what">The parameter that chooses.</param>
    /// <returns>The path of the restored database.</returns>
    public async Task<string> RestoreAsync(string what)
    {
        var target = Path.Combine(root, string.Create(CultureInfo.InvariantCulture, $"restored{++restores}.db"));
        await host.AskAsync($"Restore-SHBackup {what} -From {Shbackup.Quote(Store)} -Database app.db -Destination {Shbackup.Quote(target)} 6>$null | Out-Null");
        return target;
    }

    /// <summary>Restores a transaction, which must be the application's one of this number.</summary>
    public async Task AssertRestoresAsync(long transaction, IReadOnlyList<TransactionRecord> journal) =>
        await AssertIsAsync(await RestoreAsync(string.Create(CultureInfo.InvariantCulture, $"-Transaction {transaction}")), journal);

    /// <summary>Restores the newest moment, which must be the database, byte for byte. Nobody may have it open any more.</summary>
    public async Task AssertNewestAsync()
    {
        var restored = await RestoreAsync("-PointInTime 2100-01-01");
        Assert.Equal(ImageHash.Of(Database), ImageHash.Of(restored));
        await AssertIsAsync(restored, Journal);
    }

    /// <summary>Requires that an image has exactly the transactions of a journal.</summary>
    public async Task AssertIsAsync(string image, IReadOnlyList<TransactionRecord> journal)
    {
        using var reader = await Application.StartAsync(Options with { OpensAtStart = false });
        var report = await reader.CheckAsync(image);
        Assert.Empty(report.ProblemsBeside(journal));
        Assert.Equal(journal.Count, report.Transactions);
    }

    public void Dispose() => process?.Dispose();

    /// <summary>Returns a path as the process that protects knows it.</summary>
    private string Quote(string path) => Shbackup.Quote(place is null ? path : Path.Combine(place, Path.GetRelativePath(root, path)));
}
