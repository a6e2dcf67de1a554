using System.Globalization;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Folder;

/// <summary>Transactions as a user lists and restores them, with the built command.</summary>
public sealed class StreamCommandTests
{
    private const string Now = "([DateTimeOffset]::UtcNow)";

    [Fact]
    public async Task Transactions_are_listed_and_restored_by_number_by_time_and_by_row()
    {
        using var world = new StreamWorld();
        await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        for (var transaction = 1; transaction <= 3; transaction++)
        {
            world.Commit($"INSERT INTO audit(id, what) VALUES ({1000 + transaction}, 'transaction {transaction}')");
            await world.PutAsync();
        }

        world.Miss("DELETE FROM audit WHERE id = 1001");
        world.Miss("DELETE FROM audit WHERE id = 1002");
        var mended = await world.BaseAsync(BaseReason.Gap);
        var place = Directory.CreateDirectory(world["bare machine"]).FullName;
        Databases.Create(Path.Combine(place, "rows.db"), new DatabaseShape { Rows = 1 });
        using var process = new CloudProcess(place, new Dictionary<string, string>(), $$"""
            $ErrorActionPreference = 'Stop'
            $common = @{ From = '{{world.Store.Location.Container.Replace("'", "''", StringComparison.Ordinal)}}'; Database = 'app.db' }
            $all = Get-SHBackupTransaction @common
            "$($all.Transaction)"
            "$($all[0].FirstTransaction) $($all[0].IsMerged) $($all[0].BackupId)"
            "$((Get-SHBackupTransaction @common -Newest 2).Transaction) $((Get-SHBackupTransaction @common -First 2).Transaction)"
            "$((Get-SHBackupTransaction @common -After 2026-11-22T02:00:02Z -Before 2026-11-22T02:00:03Z).Transaction)"
            ($all | Format-Table | Out-String -Width 120).Contains("$($all[0].BackupId), from 4 on")
            $at = Restore-SHBackup -Transaction 2 @common -Destination two.db 6>&1
            "$($at[0])"
            "$($at[1].RestoredTransaction) $($at[1].RestoredMoment.UtcDateTime.ToString('HH:mm:ss.fff')) $($at[1].Id)"
            (Restore-SHBackup -PointInTime 2026-11-22T02:00:03Z @common -Destination three.db 6>$null).RestoredTransaction
            (Restore-SHBackup -Transaction 2 @common -Table audit -Where 'id > 1000' -Into rows.db -Force 6>$null).Inserted
            Restore-SHBackup -Transaction 1 @common -Destination none.db -WhatIf 6>$null
            Test-Path none.db
            try { Restore-SHBackup -Transaction 4 @common -Destination none.db } catch { $_.FullyQualifiedErrorId }
            (Restore-SHBackup -PointInTime 2030-01-01 @common -Destination newest.db 6>$null).Id
            """);

        var lines = (await process.SucceedAsync(StreamWorld.Stop)).Split('\n');

        Assert.Equal("5 3 2 1 0", lines[0]);
        Assert.Equal($"4 True {mended.Id}", lines[1]);
        Assert.Equal(["5 3 1 0", "2", "True"], lines[2..5]);
        Assert.StartsWith("Transaction 2 is of 2026-11-22 02:00:02.000 UTC: 'backup_", lines[5], StringComparison.Ordinal);
        Assert.StartsWith("2 02:00:02.000 backup_", lines[6], StringComparison.Ordinal);
        Assert.Equal(["3", "2"], lines[7..9]);
        Assert.StartsWith("What if: Restore transaction 1 of ", lines[9], StringComparison.Ordinal);
        Assert.Contains(lines, line => line.EndsWith("1 segment of the stream", StringComparison.Ordinal));
        Assert.Equal(["False", "StreamHole,SignalHarvester.Backup.PowerShell.Commands.RestoreSHBackupCommand", mended.Id, string.Empty], lines[^4..]);
        Assert.Equal((world.Truth[2], world.Truth[3]), (ImageHash.Of(Path.Combine(place, "two.db")), ImageHash.Of(Path.Combine(place, "three.db"))));
    }

    [Fact]
    public async Task A_missing_segment_is_told_and_a_restore_from_this_machine_alone_says_where_the_transactions_are()
    {
        using var world = await FourTransactionsAsync();
        var segments = Directory.GetFiles(world.Store.Location.Container, "seg_*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
        File.Delete(segments[^2]);
        var place = Directory.CreateDirectory(world["bare machine"]).FullName;
        using var process = new CloudProcess(place, new Dictionary<string, string>(), $$"""
            $from = '{{world.Store.Location.Container.Replace("'", "''", StringComparison.Ordinal)}}'
            "$((Get-SHBackupTransaction -From $from -Database app.db -ErrorVariable told 2>$null).Transaction)"
            "$($told.Count) $($told[0].FullyQualifiedErrorId) $($told[0])"
            $null = Receive-SHBackup -Id * -From $from -BackupDirectory here
            $made = Restore-SHBackup -PointInTime 2030-01-01 -BackupDirectory here -Database app.db -Destination back.db -WarningVariable warnings 3>$null 6>$null
            "$warnings"
            """);

        var lines = (await process.SucceedAsync(StreamWorld.Stop)).Split('\n');

        Assert.Equal("4 2 1 0", lines[0]);
        Assert.StartsWith("1 StreamHole,", lines[1], StringComparison.Ordinal);
        Assert.Contains($"between '{Path.GetFileName(segments[^3])}' and '{Path.GetFileName(segments[^1])}' are missing", lines[1], StringComparison.Ordinal);
        Assert.Contains("its later transactions are in a store: with -From", lines[2], StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_listed_transaction_is_piped_to_a_restore_from_the_place_where_it_was_listed()
    {
        using var world = await FourTransactionsAsync();
        var place = Directory.CreateDirectory(world["bare machine"]).FullName;
        using var process = new CloudProcess(place, new Dictionary<string, string>(), $$"""
            $from = '{{world.Store.Location.Container.Replace("'", "''", StringComparison.Ordinal)}}'
            $listed = Get-SHBackupTransaction -From $from
            "$(($listed | Where-Object Transaction -eq 2 | Restore-SHBackup -Destination two.db 6>$null).RestoredTransaction)"
            $listed[0] | Restore-SHBackup -Destination newest.db -WhatIf 6>$null
            "$(($listed[0] | Restore-SHBackup -Destination newest.db 6>$null).RestoredTransaction)"
            @($listed | Restore-SHBackup -Destination all.db -ErrorVariable told 6>$null 2>$null).Count
            "$($told[0].FullyQualifiedErrorId)"
            $none = @() | Restore-SHBackup -Destination all.db -WarningVariable warned 3>$null
            "$warned"
            $listed | Export-Clixml kept.xml
            "$((Import-Clixml kept.xml | Where-Object Transaction -eq 2 | Restore-SHBackup -Destination kept.db 6>$null).RestoredTransaction)"
            $changed = Import-Clixml kept.xml | Select-Object -First 1
            $changed.Timestamp = [DateTimeOffset]'2026-11-22T02:00:01Z'
            $changed | Restore-SHBackup -Destination other.db -ErrorVariable told 6>$null 2>$null
            "$($told[0].FullyQualifiedErrorId)"
            Remove-Item -LiteralPath '{{Directory.GetFiles(world.Store.Location.Container, "seg_*4.seg", SearchOption.AllDirectories)[0].Replace("'", "''", StringComparison.Ordinal)}}'
            @($listed | Restore-SHBackup -Destination { "each$($_.Transaction).db" } -ErrorVariable told 6>$null 2>$null).Count
            "$($told[0].FullyQualifiedErrorId)"
            """);

        var lines = (await process.SucceedAsync(StreamWorld.Stop)).Split('\n');

        Assert.Equal("2", lines[0]);
        Assert.StartsWith("What if: Restore transaction 4 of ", lines[1], StringComparison.Ordinal);
        Assert.Contains("4", lines);
        Assert.StartsWith("InvalidArgument,", lines[^7], StringComparison.Ordinal);
        Assert.StartsWith("No backup came through the pipeline", lines[^6], StringComparison.Ordinal);
        Assert.Equal("2", lines[^5]);
        Assert.StartsWith("TransactionNotFound,", lines[^4], StringComparison.Ordinal);
        Assert.Equal("3", lines[^3]);
        Assert.StartsWith("StreamHole,", lines[^2], StringComparison.Ordinal);
        Assert.Equal(world.Truth[2], ImageHash.Of(Path.Combine(place, "kept.db")));
        Assert.False(File.Exists(Path.Combine(place, "other.db")));
        Assert.Equal((world.Truth[2], world.Truth[4]), (ImageHash.Of(Path.Combine(place, "two.db")), ImageHash.Of(Path.Combine(place, "newest.db"))));
    }

    [Fact]
    public async Task A_stream_is_drilled_from_its_store_alone()
    {
        using var world = await FourTransactionsAsync();
        var segments = Directory.GetFiles(world.Store.Location.Container, "seg_*", SearchOption.AllDirectories).Order(StringComparer.Ordinal).ToList();
        var place = Directory.CreateDirectory(world["bare machine"]).FullName;
        using var process = new CloudProcess(place, new Dictionary<string, string>(), $$"""
            $from = '{{world.Store.Location.Container.Replace("'", "''", StringComparison.Ordinal)}}'
            Invoke-SHRestoreDrill -Stream -From $from -WhatIf
            $drill = Invoke-SHRestoreDrill -Stream -From $from -Assertion @{ Query = "SELECT count(*) FROM audit WHERE what = 'transaction 4'"; Expect = 1 }
            "$($drill.Passed) $($drill.Transaction) $($drill.StoredTransaction) $drill"
            $event = Get-SHBackupHistory -Operation StreamDrill -Newest 1
            "$($event.Status) $($event.Operation)"
            try { Invoke-SHRestoreDrill -Stream -From $from -Database other.db } catch { "$($_.FullyQualifiedErrorId)" }
            try { Invoke-SHRestoreDrill -Stream } catch { "$($_.FullyQualifiedErrorId)" }
            Remove-Item -LiteralPath '{{segments[^2].Replace("'", "''", StringComparison.Ordinal)}}'
            Invoke-SHRestoreDrill -Stream -From $from -Quiet
            $drill = Invoke-SHRestoreDrill -Stream -From $from -ErrorVariable told 2>$null
            "$($drill.Passed) $($drill.ErrorId) $($told[0].FullyQualifiedErrorId)"
            "$($drill.Reason)"
            """);

        var lines = (await process.SucceedAsync(StreamWorld.Stop)).Split('\n');

        Assert.Contains("Restore the newest transaction to a temporary place", lines[0], StringComparison.Ordinal);
        Assert.Equal("True 4  transaction 4 restores", lines[1]);
        Assert.Equal("Success StreamDrill", lines[2]);
        Assert.StartsWith("TransactionNotFound,", lines[3], StringComparison.Ordinal);
        Assert.StartsWith("InvalidArgument,", lines[4], StringComparison.Ordinal);
        Assert.Equal("False", lines[5]);
        Assert.StartsWith("False StreamHole RestoreDrillFailed,", lines[6], StringComparison.Ordinal);
        Assert.Contains("The newest transaction cannot be restored", lines[7], StringComparison.OrdinalIgnoreCase);
    }

    [Fact]
    public async Task A_restore_to_a_moment_warns_of_transactions_whose_times_are_still_to_come()
    {
        using var world = new StreamWorld();
        await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        for (var transaction = 1; transaction <= 6; transaction++)
        {
            world.Standing = transaction < 4 ? null : new DateTimeOffset(2100, 1, 2, 3, 4, 5, TimeSpan.Zero);
            world.Commit($"INSERT INTO audit(what) VALUES ('transaction {transaction}')");
            if (transaction != 3)
            {
                await world.PutAsync();
            }
        }

        var at2 = await WarnedAsync("2026-11-22T02:00:02Z");
        var at3 = await WarnedAsync("2026-11-22T02:00:03Z");
        var now = await WarnedAsync(Now);
        var end = await WarnedAsync("2101-01-01");
        var made = world.BackUp();
        var whole = await WarnedAsync(Now);
        world.Commit("INSERT INTO audit(what) VALUES ('transaction 7')");
        await world.PutAsync();
        await world.SealAsync();
        var since = await WarnedAsync(Now);

        const string warning =
            " The clock of the machine that protects '.*app.db' was ahead: transactions 4 to {0} .* until 2100-01-02 03:04:05 UTC.* Get-SHBackupTransaction.* -Transaction";
        Assert.Equal(("2 ", "6 ", $"{made.Id} "), (at2, end, whole));
        Assert.All([at3, now], line => Assert.Matches("^3" + string.Format(CultureInfo.InvariantCulture, warning, 6), line));
        Assert.Matches("^" + made.Id + string.Format(CultureInfo.InvariantCulture, warning, 7), since);

        async Task<string> WarnedAsync(string moment)
        {
            var place = Directory.CreateDirectory(world[Guid.NewGuid().ToString("N")]).FullName;
            using var process = new CloudProcess(place, new Dictionary<string, string>(), $$"""
                $from = '{{world.Store.Location.Container.Replace("'", "''", StringComparison.Ordinal)}}'
                $made = Restore-SHBackup -PointInTime {{moment}} -From $from -Database app.db -Destination back.db -WarningVariable warnings 3>$null 6>$null
                "$($made.RestoredTransaction ?? $made.Id) $warnings"
                """);
            return (await process.SucceedAsync(StreamWorld.Stop)).TrimEnd('\n');
        }
    }

    /// <summary>A stream with a segment for each transaction.</summary>
    private static async Task<StreamWorld> FourTransactionsAsync()
    {
        var world = new StreamWorld();
        await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        for (var transaction = 1; transaction <= 4; transaction++)
        {
            world.Commit($"INSERT INTO audit(what) VALUES ('transaction {transaction}')");
            await world.PutAsync();
        }

        return world;
    }
}
