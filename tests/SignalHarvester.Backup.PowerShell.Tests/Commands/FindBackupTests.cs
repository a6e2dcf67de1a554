using System.Text.Json.Nodes;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>Find-SHBackup: the newest backup in which a query has a row.</summary>
public sealed class FindBackupTests : IDisposable
{
    private const string HasSeven = "'SELECT 1 FROM customer WHERE id = 7'";

    private readonly Workspace workspace = new();

    [Fact]
    public void The_newest_that_has_it_is_found_newest_first()
    {
        var days = WithUntil(day: 3, of: 6);
        var result = workspace.Run($"Find-SHBackup {HasSeven} -Verbose").WithoutErrors();
        Assert.Equal([days[3]], Workspace.Ids(result));
        Assert.Equal([days[1], days[2], days[3]], Asked(result, days));
        Assert.Contains(result.Progress, record => record.Activity == "Searching backups");
    }

    [Fact]
    public void Halving_asks_few()
    {
        var days = WithUntil(day: 27, of: 32);
        var result = workspace.Run($"Get-SHBackup | Find-SHBackup {HasSeven} -Bisect -Verbose").WithoutErrors();
        Assert.Equal([days[27]], Workspace.Ids(result));
        Assert.InRange(Asked(result, days).Count, 2, 6);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-Bisect")]
    public void A_damaged_backup_is_an_error_and_the_search_goes_on(string parameters)
    {
        var days = WithUntil(day: 3, of: 4);
        File.Delete(workspace.FileOf(days[1]));
        Workspace.FlipByte(workspace.FileOf(days[3]));
        var result = workspace.Run($"Find-SHBackup {HasSeven} {parameters}");
        Assert.Equal([days[4]], Workspace.Ids(result));
        Assert.All(result.Errors, error => Assert.Contains(IdOf(error.FullyQualifiedErrorId), (string[])["BackupFileMissing", "BackupCorrupt"]));
        Assert.Contains(result.Errors, error => (string)error.TargetObject == days[3]);
    }

    [Theory]
    [InlineData("")]
    [InlineData("-Bisect")]
    public void Where_all_are_damaged_nothing_is_said_about_rows(string parameters)
    {
        var days = WithUntil(day: 1, of: 2);
        Array.ForEach(days[1..], id => Workspace.FlipByte(workspace.FileOf(id)));
        var result = workspace.Run($"Find-SHBackup {HasSeven} {parameters}");
        Assert.Equal(2, result.Errors.Count);
        Assert.Empty(result.Output);
        Assert.Empty(result.Warnings);
    }

    [Fact]
    public void What_no_backup_can_answer_is_an_error_beside_those_of_damaged_ones()
    {
        var days = WithUntil(day: 1, of: 3);
        Workspace.FlipByte(workspace.FileOf(days[2]));
        var result = workspace.Run("Find-SHBackup 'SELECT 1 FROM absent'");
        Assert.Equal(["BackupCorrupt", "QueryFailed"], result.Errors.Select(error => IdOf(error.FullyQualifiedErrorId)).Order(StringComparer.Ordinal));
        Assert.Empty(result.Output);
    }

    [Fact]
    public void A_table_that_came_later_is_not_in_the_older_ones_which_is_no_error()
    {
        workspace.MakeBackup();
        Execute("CREATE TABLE later(x); INSERT INTO later VALUES (1)");
        var with = workspace.MakeBackup();
        Execute("DELETE FROM later");
        workspace.MakeBackup();
        Assert.Equal([with.Id], Workspace.Ids(workspace.Run("Find-SHBackup 'SELECT 1 FROM later'").WithoutErrors()));
        var none = workspace.Run("Find-SHBackup 'SELECT 1 FROM later WHERE x = 2'").WithoutErrors();
        Assert.Empty(none.Output);
        Assert.Contains("3 were asked", Assert.Single(none.Warnings), StringComparison.Ordinal);
        var halved = workspace.Run("Find-SHBackup 'SELECT 1 FROM later WHERE x = 2' -Bisect").WithoutErrors();
        Assert.Contains("few are asked", Assert.Single(halved.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void Only_backups_of_the_given_time_and_database_are_asked()
    {
        var days = WithUntil(day: 1, of: 4);
        var other = workspace.AddBackup(TimeSpan.FromHours(1), sidecar => sidecar["db_path"] = "/elsewhere/other.db");
        Assert.Equal([other], Workspace.Ids(workspace.Run($"Find-SHBackup {HasSeven}").WithoutErrors()));
        Assert.Equal([days[1]], Workspace.Ids(workspace.Run($"Find-SHBackup {HasSeven} -Database app.db").WithoutErrors()));
        var moment = DateTime.UtcNow.AddDays(-2.5).ToString("yyyy-MM-dd HH:mm'Z'", System.Globalization.CultureInfo.InvariantCulture);
        Assert.Equal([days[3]], Workspace.Ids(workspace.Run($"Find-SHBackup {HasSeven} -Database app.db -Before '{moment}'").WithoutErrors()));
        Assert.Empty(workspace.Run($"Find-SHBackup 'SELECT 1 FROM customer WHERE id = 99' -Database app.db -After '{moment}'").WithoutErrors().Output);
        var early = workspace.Run($"Find-SHBackup {HasSeven} -Before 2001-01-01").WithoutErrors();
        Assert.Contains("no backup to search", Assert.Single(early.Warnings), StringComparison.Ordinal);

        var error = Assert.Single(workspace.Run($"Find-SHBackup {HasSeven} -Bisect").Errors);
        Assert.Equal("DatabaseAmbiguous", IdOf(error.FullyQualifiedErrorId));
        Assert.Equal([days[1]], Workspace.Ids(workspace.Run($"Find-SHBackup {HasSeven} -Bisect -Database app.db").WithoutErrors()));
    }

    [Fact]
    public void What_is_found_in_a_store_goes_into_a_restore_of_its_rows()
    {
        workspace.MakeBackup("-Type Full");
        Execute("DELETE FROM attachment; DELETE FROM customer WHERE id = 7");
        workspace.MakeBackup();
        workspace.Run("Get-SHBackup | Send-SHBackup -Provider Directory -Container ./offsite -CreateContainer | Out-Null").WithoutErrors();
        Directory.Delete(workspace.Backups, recursive: true);
        workspace.Run($"Find-SHBackup {HasSeven} -From ./offsite | Restore-SHBackup -Table customer -Where 'id = 7' -Into ./app.db -Force").WithoutErrors();
        using var connection = Databases.Open(workspace.Database);
        Assert.Equal("1", Databases.Scalar(connection, "SELECT count(*) FROM customer WHERE id = 7"));
    }

    [Fact]
    public void A_log_of_the_predecessor_is_not_searched_unless_it_is_named()
    {
        var crashed = Databases.CreateWithLeftWal(workspace["crashed.db"], new DatabaseShape { Rows = 20 });
        var predecessor = new PredecessorBackups(workspace.Backups);
        var log = predecessor.Add(crashed, PredecessorBackups.Forms["raw WAL"]);
        var full = predecessor.Add(
            workspace.Database, PredecessorBackups.Forms["full"] with { Timestamp = new DateTime(2025, 1, 1, 0, 0, 0, DateTimeKind.Utc) });
        Assert.Equal([full.Id], Workspace.Ids(workspace.Run($"Find-SHBackup {HasSeven}").WithoutErrors()));
        Assert.Equal("BackupTypeUnsupported", IdOf(Assert.Single(workspace.Run($"Find-SHBackup {HasSeven} -Id {log.Id}").Errors).FullyQualifiedErrorId));
    }

    [Fact]
    public async Task Ctrl_C_ends_it()
    {
        workspace.MakeBackup();
        Assert.Empty(await workspace.Session.StopAtAsync(
            "Find-SHBackup 'WITH RECURSIVE n(i) AS (VALUES (1) UNION ALL SELECT i + 1 FROM n) SELECT i FROM n WHERE i < 0'",
            record => record.Activity.StartsWith("Querying", StringComparison.Ordinal)));
    }

    public void Dispose() => workspace.Dispose();

    private static string IdOf(string fullyQualified) => fullyQualified.Split(',')[0];

    private static IReadOnlyList<string> Asked(SessionResult result, string[] days) =>
        [.. days.Skip(1).Where(id => result.Verbose.Any(line => line.StartsWith($"'{id}' has", StringComparison.Ordinal)))];

    /// <summary>Makes backups of the last days, of which those that are as old as a day or older have the row, and no other has it.</summary>
    /// <returns>Their ids by the days of their age, from 1.</returns>
    private string[] WithUntil(int day, int of)
    {
        var without = Deleted();
        return
        [
            string.Empty,
            .. Enumerable.Range(1, of).Select(age => age >= day ? workspace.AddBackup(TimeSpan.FromDays(age)) : AddWithout(TimeSpan.FromDays(age), without)),
        ];
    }

    /// <summary>A backup without the row, which is no more among the backups.</summary>
    private (byte[] File, JsonObject Sidecar) Deleted()
    {
        Execute("DELETE FROM attachment; DELETE FROM customer WHERE id = 7");
        var made = workspace.MakeBackup();
        var (file, sidecar) = (File.ReadAllBytes(made.BackupPath), JsonNode.Parse(File.ReadAllText(workspace.SidecarOf(made.Id)))!.AsObject());
        Directory.Delete(workspace.Backups, recursive: true);
        Directory.CreateDirectory(workspace.Backups);
        return (file, sidecar);
    }

    private string AddWithout(TimeSpan age, (byte[] File, JsonObject Sidecar) without)
    {
        var id = workspace.AddBackup(age, sidecar =>
        {
            foreach (var (name, value) in without.Sidecar.Where(
                field => field.Key is not ("backup_id" or "backup_path" or "timestamp" or "order" or "db_path")))
            {
                sidecar[name] = value?.DeepClone();
            }
        });
        File.WriteAllBytes(workspace.FileOf(id), without.File);
        return id;
    }

    private void Execute(string sql)
    {
        using var connection = Databases.Open(workspace.Database);
        Databases.Execute(connection, sql);
    }
}
