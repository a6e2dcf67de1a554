using System.Globalization;
using Microsoft.Extensions.Time.Testing;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Protection;
using SignalHarvester.Backup.TestSupport;
using SignalHarvester.Backup.TestSupport.Applications;
using Xunit;

namespace SignalHarvester.Backup.Tests.Protection;

/// <summary>As after a fault of a disk, or a program that writes past SQLite: a page that no transaction has written is another one.</summary>
public sealed class StreamAuditTests : IDisposable
{
    private const int PageSize = 4096;
    private const int InThePage = 2000;

    private readonly TempFolder folder = new();
    private readonly StoreCatalog store;
    private long damaged;

    public StreamAuditTests() => store = new StoreCatalog(
        new StoreLocation { Provider = CloudProvider.Directory, Container = folder["store"] }, new StoreOptions(), TimeProvider.System);

    private static CancellationToken Cancelled => TestContext.Current.CancellationToken;

    private static OperationContext Context => new(TimeProvider.System, _ => { }, Cancelled);

    private static ProtectionOptions Often => new()
    {
        CreatesContainer = true,
        BackupInterval = TimeSpan.FromSeconds(1),
        AuditInterval = TimeSpan.FromMilliseconds(1),
    };

    private string Database => folder["app.db"];

    private string Backups => folder["backups"];

    private ApplicationOptions Options => new() { DatabasePath = Database, Pragmas = ["journal_mode = WAL", "synchronous = OFF"] };

    public void Dispose()
    {
        store.Dispose();
        folder.Dispose();
    }

    /// <param name="text">What fills the pages. What hardly takes room makes each next backup a full one.</param>
    [Theory]
    [InlineData("hex(randomblob(2000))")]
    [InlineData("zeroblob(4000)")]
    public async Task What_transactions_have_written_passes_and_what_none_has_is_found(string text)
    {
        using var application = await StartAsync(text, rows: 300);
        using var protecting = new Protecting(Database, Backups, store, Often);
        var before = protecting.AwaitStored();
        for (var round = 0; round < 4; round++)
        {
            _ = await application.WorkAsync(5);
            var last = before.LastAudit;
            before = protecting.Await(status => status.LastAudit > last || (last is null && status.LastAudit is not null));
        }

        before = protecting.AwaitStored();
        Assert.Equal((0, 0), (before.AuditFindings, before.Gaps));
        Assert.DoesNotContain(store.List(Cancelled).Backups, backup => Equals(backup.Metadata["snapshot_method"], "followed"));
        await DamageAsync(application);
        _ = await application.WorkAsync(5);
        var found = protecting.Await(status => status.AuditFindings == 1);
        var after = protecting.AwaitStored();
        Assert.Equal(1, after.Gaps);
        Assert.Contains($"1 of its pages ({damaged}) differ from 'backup_", protecting.Said, StringComparison.Ordinal);
        _ = await application.WorkAsync(5);
        _ = protecting.Await(status => status.LastAudit > found.LastAudit);
        _ = protecting.AwaitStored();
        Assert.Equal(1, protecting.Status.AuditFindings);
        await application.EndAsync();
        Assert.Null(protecting.Stop());

        // What the transactions lead to does not have it; the database has.
        Assert.Equal(ImageHash.Of(Database), ImageHash.Of(Restored(StreamPlanner.Newest)));
        Assert.True(IsDamaged(Database));
        Assert.False(IsDamaged(Restored((catalog, backups, context) => StreamPlanner.OfTransaction(catalog, backups, before.Transaction, context))));
    }

    /// <summary>Else it would have the page that is another one in the file. Its image is good by the digests of what was read from the log.</summary>
    [Fact]
    public async Task A_backup_between_two_audits_is_made_without_reading_what_no_transaction_has_written()
    {
        using var application = await StartAsync("hex(randomblob(2000))", rows: 300);
        using var protecting = new Protecting(Database, Backups, store, Often with { AuditInterval = TimeSpan.FromDays(1) });
        _ = protecting.AwaitStored();
        _ = await application.WorkAsync(5);
        var audit = protecting.Await(status => status.LastAudit is not null).LastAudit;
        await DamageAsync(application);

        // The first one may have been begun before.
        for (var round = 0; round < 2; round++)
        {
            var before = protecting.Status.LastBackup;
            _ = await application.WorkAsync(5);
            _ = protecting.Await(status => status.LastBackup != before);
        }

        _ = protecting.AwaitStored();
        await application.EndAsync();
        Assert.Null(protecting.Stop());
        Assert.Equal((0, 0, audit), (protecting.Status.AuditFindings, protecting.Status.Gaps, protecting.Status.LastAudit));
        var home = new BackupDirectory(Backups, TimeProvider.System);
        var last = BackupSource.In(home, home.Get(protecting.Status.LastBackup!));
        Assert.Equal("followed", last.Backup.Metadata["snapshot_method"]);
        Assert.True(BackupEngine.Verify(last, VerificationLevel.Full, Context).Backup.Verified);
        _ = BackupEngine.Restore(last, new RestoreOptions { Destination = folder["restored.db"] }, Context);
        Assert.False(IsDamaged(folder["restored.db"]));
        Assert.True(IsDamaged(Database));
    }

    /// <summary>The backup in the place of transactions that were too many takes the foreign page along, and the stream continues from it.</summary>
    [Fact]
    public async Task A_backup_from_which_the_stream_continues_keeps_its_place_although_it_is_a_finding()
    {
        using var application = await StartAsync("randomblob(1000000)", rows: 75);
        using var protecting = new Protecting(Database, Backups, store, new ProtectionOptions { CreatesContainer = true });
        _ = protecting.AwaitStored();
        _ = await application.WorkAsync(3);
        _ = protecting.AwaitStored();
        await DamageAsync(application);
        _ = (await application.ExecuteAsync("UPDATE waste SET x = randomblob(1000000) WHERE rowid < 72")).Value;
        _ = protecting.Await(status => status.AuditFindings == 1);
        _ = await application.WorkAsync(3);
        var stored = protecting.AwaitStored();
        Assert.Equal(0, stored.Gaps);
        await application.EndAsync();
        Assert.Null(protecting.Stop());
        Assert.Equal(ImageHash.Of(Database), ImageHash.Of(Restored(StreamPlanner.Newest)));
        Assert.Equal(ImageHash.Of(Database), ImageHash.Of(Restored((catalog, backups, context) =>
            StreamPlanner.OfTransaction(catalog, backups, stored.StoredTransaction, context))));
    }

    /// <summary>The user's backup takes the foreign page along, and the next one of the protection builds on it.</summary>
    [Fact]
    public async Task A_backup_of_the_users_own_hides_nothing()
    {
        using var application = await StartAsync("hex(randomblob(2000))", rows: 300);
        using var protecting = new Protecting(Database, Backups, store, Often with { BackupInterval = TimeSpan.FromSeconds(3) });
        _ = protecting.AwaitStored();
        _ = await application.WorkAsync(5);
        _ = protecting.Await(status => status.LastAudit is not null);
        await DamageAsync(application);
        var home = new BackupDirectory(Backups, TimeProvider.System);
        var own = BackupEngine.Create(Database, home, new CreateBackupOptions { Strategy = BackupStrategy.Incremental, Verify = false }, Context);
        _ = await application.WorkAsync(5);
        _ = protecting.Await(status => status.AuditFindings == 1);
        _ = protecting.AwaitStored();
        await application.EndAsync();
        Assert.Null(protecting.Stop());
        Assert.Contains(home.List().Backups, backup => backup.ParentId == own.Id && StreamPosition.Of(backup) is null);
        Assert.Equal(1, protecting.Status.Gaps);
    }

    /// <summary>A writer past SQLite, whom its file's new time tells at once: the pages are named, and a new start does not hide them.</summary>
    [Fact]
    public async Task What_another_program_writes_at_rest_is_a_finding_that_outlives_the_process()
    {
        using var application = await StartAsync("hex(randomblob(2000))", rows: 300);
        long last;
        using (var protecting = new Protecting(Database, Backups, store, new ProtectionOptions { CreatesContainer = true }))
        {
            _ = protecting.AwaitStored();

            // Pages that are known to have changed since the last backup: the next one must not be made of these alone.
            _ = await application.WorkAsync(20);
            last = protecting.AwaitStored().Transaction;
            Assert.NotEqual(0, last);

            // At rest its log is empty.
            _ = protecting.Await(status => status.LogBytes == 0 && new FileInfo(Database + "-wal").Length == 0);
            Write(keepsTime: false);
            var found = protecting.Await(status => status.AuditFindings == 1);
            Assert.NotNull(found.LastFinding);
            Assert.Equal(1, protecting.AwaitStored().Gaps);
            Assert.Contains("something else than SQLite wrote to the file", protecting.Said, StringComparison.Ordinal);
            Assert.Contains($"1 of its pages ({damaged}) differ from 'backup_", protecting.Said, StringComparison.Ordinal);
            Assert.Contains($"Restore-SHBackup -Transaction {last} -From 'file://", protecting.Said, StringComparison.Ordinal);
            Assert.Null(protecting.Stop());
        }

        using var next = new Protecting(Database, Backups, store);
        Assert.Equal(1, next.AwaitStored().AuditFindings);
        await application.EndAsync();
        Assert.Null(next.Stop());
        Assert.True(IsDamaged(Database));
        Assert.Equal(ImageHash.Of(Database), ImageHash.Of(Restored(StreamPlanner.Newest)));
        Assert.False(IsDamaged(Restored((catalog, backups, context) => StreamPlanner.OfTransaction(catalog, backups, last, context))));
    }

    [Fact]
    public void A_finding_is_shown_for_three_days_whoever_was_started_anew_meanwhile()
    {
        var clock = new FakeTimeProvider(new DateTimeOffset(2026, 11, 30, 3, 0, 0, TimeSpan.Zero));
        var home = new BackupDirectory(Backups, clock);
        var backup = new BackupMetadata { Id = "backup_20261130_030000_000001", BackupPath = folder["b"], BackupDirectory = Backups, Clock = clock };
        var first = Audit();
        Assert.Contains("-Transaction 7 ", first.Judge(backup, new AuditResult("backup_20261129_030000_000001", [5]), 7), StringComparison.Ordinal);
        var shown = new BackupProtection { Database = Database, AuditFindings = first.Findings, LastFinding = first.LastFinding, LastAudit = first.Last };
        var next = Audit();
        next.Continue(shown);
        clock.Advance(TimeSpan.FromDays(3) - TimeSpan.FromSeconds(1));
        Assert.Equal((1, 1), (first.Findings, next.Findings));
        clock.Advance(TimeSpan.FromSeconds(1));
        Assert.Equal((0, 0), (first.Findings, next.Findings));
        _ = next.Judge(backup, new AuditResult("backup_20261129_030000_000001", [5]), 7);
        Assert.Equal(1, next.Findings);

        StreamAudit Audit()
        {
            var context = Context with { Clock = clock };
            var history = new ProtectionHistory(Database, store.Location, home, clock.GetUtcNow(), context);
            return new StreamAudit(Database, store.Location, home, TimeSpan.FromDays(1), history, context);
        }
    }

    [Fact]
    public async Task A_finding_that_was_made_as_the_protection_was_stopped_is_told()
    {
        using var application = await StartAsync("hex(randomblob(2000))", rows: 300);
        var home = new BackupDirectory(Backups, TimeProvider.System);
        using var protecting = new Protecting(Database, Backups, store, Often);
        _ = protecting.AwaitStored();
        _ = await application.WorkAsync(5);
        _ = protecting.Await(status => status.LastAudit is not null);
        await DamageAsync(application);
        _ = await application.WorkAsync(5);
        _ = protecting.Await(_ => home.List().Backups.Any(backup => StreamPosition.Of(backup) is null));
        Assert.Null(protecting.Stop());
        Assert.Equal((ProtectionState.Stopped, 1), (protecting.Status.State, protecting.Status.AuditFindings));
        Assert.Contains("although no transaction since has written them", protecting.Said, StringComparison.Ordinal);
        await application.EndAsync();
    }

    private async Task<Application> StartAsync(string text, int rows)
    {
        using (var connection = Databases.Open(Database))
        {
            Databases.Execute(connection, "CREATE TABLE waste(x)");
            Databases.Execute(
                connection,
                string.Create(
                    CultureInfo.InvariantCulture,
                    $"INSERT INTO waste WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < {rows}) SELECT {text} FROM n"));
            damaged = long.Parse(Databases.Scalar(connection, "PRAGMA page_count"), CultureInfo.InvariantCulture) - 20;
        }

        return await Application.StartAsync(Options);
    }

    /// <summary>
    /// Writes a byte as a fault does it, without a new time; and not in this process, which would lose its locks. A reader keeps the database from rest, in
    /// which the new time would be seen before it is set back.
    /// </summary>
    private async Task DamageAsync(Application application)
    {
        using var reader = await Application.StartAsync(Options);
        _ = (await reader.ExecuteAsync("BEGIN")).Value;
        _ = (await reader.ExecuteAsync("SELECT count(*) FROM waste")).Value;
        _ = await application.WorkAsync(1);

        // Until the commit is seen.
        await Task.Delay(500, Cancelled);
        Write(keepsTime: true);
        await reader.EndAsync();
    }

    private void Write(bool keepsTime)
    {
        var after = keepsTime ? $"; touch -r {Quoted(folder["time of it"])} {Quoted(Database)}" : string.Empty;
        var (file, reference, offset) = (Quoted(Database), Quoted(folder["time of it"]), ((damaged - 1) * PageSize) + InThePage);
        Tool.Require("sh").Run(
            "-c",
            string.Create(
                CultureInfo.InvariantCulture,
                $"touch -r {file} {reference}; printf z | dd of={file} bs=1 seek={offset} conv=notrunc{after}")).EnsureSuccess();

        static string Quoted(string path) => "'" + path.Replace("'", "'\\''", StringComparison.Ordinal) + "'";
    }

    private bool IsDamaged(string path) => File.ReadAllBytes(path)[((damaged - 1) * PageSize) + InThePage] == (byte)'z';

    private string Restored(Func<StoreCatalog, IReadOnlyCollection<BackupMetadata>, OperationContext, StreamPlan> choose)
    {
        var plan = choose(store, BackupChain.WithDepths(store.List(Cancelled).Backups), Context);
        var target = folder[string.Create(CultureInfo.InvariantCulture, $"restored {plan.Transaction} {Guid.NewGuid():N}.db")];
        var empty = new BackupDirectory(folder["empty"], TimeProvider.System);
        var options = new RestoreOptions { Destination = target, Stream = plan, SafetyDirectory = empty };
        _ = BackupEngine.Restore(new BackupSource(plan.Start, BackupCatalog.Of(store, empty)), options, Context);
        return target;
    }
}
