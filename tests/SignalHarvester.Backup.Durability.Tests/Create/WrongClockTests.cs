namespace SignalHarvester.Backup.Durability.Tests.Create;

/// <summary>Whole processes, some of them with a wrong clock: the last one's work counts as the last.</summary>
public sealed class WrongClockTests : IDisposable
{
    private readonly TempFolder files = new();
    private readonly string faketime;

    public WrongClockTests()
    {
        Tool.Require("faketime");
        faketime = Tool.Find("faketime")!;
        Databases.Create(files["app.db"], new DatabaseShape { Rows = 20 });
    }

    public void Dispose() => files.Dispose();

    [Fact]
    public async Task What_a_restore_overwrites_is_kept_and_what_was_made_last_is_the_newest_though_the_clock_was_ahead_and_when_that_time_has_come()
    {
        var first = await RunAsync("+0 days", $"(New-SHBackup {Database} {There}).Id");
        foreach (var days in (int[])[30, 31, 32])
        {
            Insert($"ahead {days}");
            await RunAsync(
                $"+{days} days", $"(New-SHBackup {Database} {There}).Id; Restore-SHBackup {first} {There} -Destination {Database} -Force | Out-Null");
        }

        Insert("precious");
        await RunAsync("+0 days", $"Restore-SHBackup {first} {There} -Destination {Database} -Force | Out-Null");
        var safety = await RunAsync("+0 days", $"@(Get-SHBackup {There} | Where-Object IsSafety)[0].Id");
        await RunAsync("+0 days", $"Restore-SHBackup {safety} {There} -Destination {Shbackup.Quote(files["back.db"])} -Force | Out-Null");
        using (var connection = Databases.Open(files["back.db"]))
        {
            Assert.Equal("1", Databases.Scalar(connection, "SELECT count(*) FROM sqlite_schema WHERE name = 'precious'"));
        }

        var last = await RunAsync("+0 days", $"(New-SHBackup {Database} {There} -Type Auto).Id");
        foreach (var time in (string[])["+1 hours", "+31 days", "+40 days"])
        {
            Assert.Equal(last, await RunAsync(time, $"(Get-SHBackup {There} -Newest 1).Id"));
        }
    }

    private string Database => Shbackup.Quote(files["app.db"]);

    private string There => "-BackupDirectory " + Shbackup.Quote(files["backups"]);

    private void Insert(string table)
    {
        using var connection = Databases.Open(files["app.db"]);
        Databases.Execute(connection, $"CREATE TABLE \"{table}\" (x)");
    }

    private async Task<string> RunAsync(string time, string command) =>
        (await Shbackup.RunByAsync([faketime, time], command)).EnsureSuccess().Output.Trim();
}
