using System.Globalization;

namespace SignalHarvester.Backup.Durability.Tests.Runs;

/// <summary>The history with many processes at once, and in places where it may not be written.</summary>
public sealed class HistoryTests
{
    [Fact]
    public async Task Eight_processes_that_record_at_once_lose_no_event_nor_the_making_of_the_file()
    {
        const int processes = 8;
        const int each = 25;
        using var folder = new TempFolder();
        var to = $"-BackupDirectory {Shbackup.Quote(folder.Folder("backups"))}";
        Shbackup[] hosts = [.. Enumerable.Range(0, processes).Select(_ => Shbackup.Start())];
        try
        {
            await Task.WhenAll(hosts.Select(host => host.AskAsync("$null = Get-Command New-SHBackup; 'warm'")));

            // A backup that fails at once only records. Warnings would be lines of output.
            var said = await Task.WhenAll(hosts.Select((host, number) => host.AskAsync(
                $"1..{each} | ForEach-Object {{ New-SHBackup -LiteralPath \"/missing/{number}-$_.db\" {to} -ErrorAction Ignore -WarningVariable w; $w }}")));

            Assert.Empty(said.SelectMany(lines => lines));
            var recorded = await hosts[0].AskAsync(
                $"Get-SHBackupHistory {to} | ForEach-Object {{ \"$($_.EventId) $($_.ProcessId) $($_.ErrorId) $($_.Database)\" }}");
            Assert.Equal(
                Enumerable.Range(0, processes)
                    .SelectMany(number => Enumerable.Range(1, each).Select(i => $"{hosts[number].Id} SourceNotFound /missing/{number}-{i}.db"))
                    .Order(StringComparer.Ordinal),
                recorded.Select(line => line[(line.IndexOf(' ', StringComparison.Ordinal) + 1)..]).Order(StringComparer.Ordinal));
            Assert.Equal(
                Enumerable.Range(1, processes * each).Reverse(),
                recorded.Select(line => int.Parse(line.Split(' ')[0], CultureInfo.InvariantCulture)));

            var metric = Assert.Single(
                (await hosts[1].AskAsync($"Export-SHBackupMetric {to}")).SelectMany(text => text.Split('\n')),
                line => line.StartsWith("backup_runs_total{backup_type=\"full\",status=\"failed\"}", StringComparison.Ordinal));
            Assert.EndsWith(string.Create(CultureInfo.InvariantCulture, $" {processes * each}"), metric, StringComparison.Ordinal);
        }
        finally
        {
            foreach (var host in hosts)
            {
                host.Dispose();
            }
        }

        Assert.Equal("ok\n", Tool.Require("sqlite3").Run(folder["backups", ".shbackup", "history.db"], "PRAGMA integrity_check").EnsureSuccess().Output);
        Assert.False(File.Exists(folder["backups", ".shbackup", "history.damaged.db"]));
    }

    [Fact]
    public async Task On_read_only_media_the_history_is_read_and_nothing_is_recorded()
    {
        using var folder = new TempFolder();
        var media = folder.Folder("media");
        using var mounted = new Mount(media, mebibytes: 16);
        var source = Databases.Create(folder["app.db"]);
        var to = $"-BackupDirectory {Shbackup.Quote(media)}";
        using var host = Shbackup.Start();
        await host.AskAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} | Out-Null");
        mounted.MakeReadOnly();

        var said = await host.AskAsync(
            $"Get-SHBackup {to} | Test-SHBackup -Level Quick -Verbose 4>&1 3>$null | Where-Object {{ $_ -is [System.Management.Automation.VerboseRecord] }} | ForEach-Object {{ \"$_\" }}");

        Assert.Contains(said, line => line.Contains("is not recorded in the history", StringComparison.Ordinal));
        Assert.Equal(["Create"], await host.AskAsync($"Get-SHBackupHistory {to} | ForEach-Object {{ \"$($_.Operation)\" }}"));
        Assert.Contains(
            "backup_runs_total{backup_type=\"full\",status=\"success\"} 1",
            (await host.AskAsync($"Export-SHBackupMetric {to}")).SelectMany(text => text.Split('\n')));
    }
}
