using System.Globalization;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.Protection;
using SignalHarvester.Backup.Tests.Protection;
using SignalHarvester.Backup.TestSupport;
using SignalHarvester.Backup.TestSupport.Applications;
using Xunit;
using static SignalHarvester.Backup.Cloud.Tests.Support.StoreActions;

namespace SignalHarvester.Backup.Cloud.Tests.Folder;

/// <summary>The hourly backups of a protection, as a user meets them with the built command.</summary>
public sealed class StreamBackupTests
{
    private static readonly string[] Pragmas = ["journal_mode = WAL", "synchronous = OFF"];

    [Fact]
    public async Task The_backups_that_a_protection_makes_are_ordinary_ones()
    {
        using var folder = new TempFolder();
        var options = new ApplicationOptions { DatabasePath = folder["app.db"], Pragmas = Pragmas };
        using var application = await Application.StartAsync(options);
        _ = await application.WorkAsync(30);

        // Beside it, what changes is little.
        _ = (await application.ExecuteAsync(
            "CREATE TABLE waste AS WITH RECURSIVE n(i) AS (SELECT 1 UNION ALL SELECT i + 1 FROM n WHERE i < 500) SELECT hex(randomblob(2000)) FROM n")).Value;
        var home = new BackupDirectory(folder["backups"], TimeProvider.System);
        var made = new List<(string Id, int Transactions, string Image)>();
        using (var store = new StoreCatalog(
            new StoreLocation { Provider = CloudProvider.Directory, Container = folder["store"] }, new StoreOptions(), TimeProvider.System))
        using (var protecting = new Protecting(
            options.DatabasePath, home.Path, store, new ProtectionOptions { CreatesContainer = true, BackupInterval = TimeSpan.FromSeconds(1) }))
        {
            _ = protecting.AwaitStored();

            // The first one is an audit, which reads every page.
            for (var round = 0; round < 3; round++)
            {
                _ = await application.WorkAsync(10);
                var last = protecting.AwaitStored().Transaction;
                var status = protecting.Await(status =>
                    status.LastBackup is { } id && home.TryGet(id) is { } backup && StreamPosition.Of(backup)?.Transaction == last);

                // By another process: this one would lose its locks.
                Tool.Require("sh").Run("-c", "cp \"$0\" \"$1\"; cp \"$0-wal\" \"$1-wal\"", options.DatabasePath, folder["copy.db"]).EnsureSuccess();
                made.Add((status.LastBackup!, (await application.CheckAsync(options.DatabasePath)).Transactions, ImageHash.Of(folder["copy.db"])));
            }

            await application.EndAsync();
            Assert.Null(protecting.Stop());
        }

        made.RemoveAt(0);
        Assert.All(made, one => Assert.Equal("followed", home.Get(one.Id).Metadata["snapshot_method"]));
        using var process = new CloudProcess(folder.Path, new Dictionary<string, string>(), $$"""
            $ErrorActionPreference = 'Stop'
            $here = @{ BackupDirectory = './backups' }
            $all = Get-SHBackup @here | Sort-Object Timestamp
            "$(($all | Test-SHBackup -Level Full @here).Verified)"
            $one, $two = '{{made[0].Id}}', '{{made[1].Id}}'
            $drill = Invoke-SHRestoreDrill $two @here -Assertion @{ Query = 'SELECT count(*) FROM ledger'; Expect = {{Text(made[1].Transactions)}} }
            "$($drill.Passed)"
            (Invoke-SHBackupQuery 'SELECT count(*) n FROM ledger' -Id $one @here).n
            (Compare-SHBackup $one -Difference $two -Table ledger @here | ForEach-Object { "$($_.RowsAdded) $($_.RowsRemoved) $($_.RowsChanged)" })
            $null = Restore-SHBackup $one -Destination ./one.db @here
            $kept = Invoke-SHBackupRetention -KeepDaily 0 -KeepWeekly 0 -KeepMonthly 0 -KeepLast 1 -IncludeManual -RetentionDays 0 @here
            "$(($kept.Action | Sort-Object -Unique)) $($kept.Count -eq $all.Count)"
            $merged = Merge-SHBackup $two @here
            "$($merged.Type) $((Test-SHBackup $two -Level Full @here).Verified)"
            $null = Restore-SHBackup $two -Destination ./two.db @here
            Get-SHBackupHealth @here | ForEach-Object Checks | Where-Object Check -in RecoveryPoint, Chain | ForEach-Object { "$($_.Check) $($_.Status)" }
            """);

        var lines = (await process.SucceedAsync(Stop)).Split('\n', StringSplitOptions.RemoveEmptyEntries);

        Assert.DoesNotContain("False", lines[0], StringComparison.Ordinal);
        Assert.Equal(
            ["True", Text(made[0].Transactions), $"{Text(made[1].Transactions - made[0].Transactions)} 0 0", "Keep True", "Full True"], lines[1..6]);
        Assert.Contains("RecoveryPoint Ok", lines[6..]);
        Assert.Equal((made[0].Image, made[1].Image), (ImageHash.Of(folder["one.db"]), ImageHash.Of(folder["two.db"])));

        static string Text(int number) => number.ToString(CultureInfo.InvariantCulture);
    }
}
