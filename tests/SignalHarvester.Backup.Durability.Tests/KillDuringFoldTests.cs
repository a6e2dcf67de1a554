namespace SignalHarvester.Backup.Durability.Tests;

/// <summary>Chains that are being rewritten: killed at any moment, every backup that was not asked to go restores.</summary>
public sealed class KillDuringFoldTests(ITestOutputHelper output)
{
    // From the first rewritten file to the last deleted one, and each kind of step by itself.
    private static readonly KillPoint[] s_points =
    [
        new(WatcherChangeTypes.Created, "_g2_*", IsRandom: true),
        new(WatcherChangeTypes.Created, "_g2_*", IsRandom: true),
        new(WatcherChangeTypes.Created, "_g2_*", IsRandom: true),
        new(WatcherChangeTypes.Created, "superseded/*", IsRandom: false),
        new(WatcherChangeTypes.Created, "publishing/*", IsRandom: false),
        new(WatcherChangeTypes.Renamed, "_g2_*", IsRandom: false),
        new(WatcherChangeTypes.Renamed, ".json", IsRandom: false),
        new(WatcherChangeTypes.Deleted, ".wal.zst", IsRandom: false),
        new(WatcherChangeTypes.Deleted, "superseded/*", IsRandom: true),
        new(WatcherChangeTypes.Renamed, "removing/*", IsRandom: false),
        new(WatcherChangeTypes.Deleted, "removing/*", IsRandom: true),
    ];

    [Fact]
    public async Task A_killed_removal_leaves_every_other_backup_and_a_second_run_completes_it()
    {
        using Chains chains = await Chains.CreateAsync();
        string doomed = chains.List("F", "I1", "J1", "G");
        await KillAsync(
            chains,
            kills: 50,
            s_points,
            to => $"Get-SHBackup {to} | Where-Object {{ $_.Id -in {doomed} }} | Remove-SHBackup -Force",
            survivors: ["I2", "I3", "I4", "J2", "K", "H"]);
    }

    [Fact]
    public async Task Killed_retention_leaves_what_it_keeps_and_a_second_run_completes_it()
    {
        using Chains chains = await Chains.CreateAsync();
        await KillAsync(
            chains,
            kills: 14,
            s_points,
            to => $"Invoke-SHBackupRetention {to} -KeepDaily 1 -KeepWeekly 0 -KeepMonthly 0 -KeepLast 3 -Confirm:$false",
            survivors: ["J1", "J2", "K", "G", "H"]);
    }

    [Fact]
    public async Task A_killed_merge_leaves_an_increment_or_a_full_backup()
    {
        using Chains chains = await Chains.CreateAsync();
        string directory = await KillAsync(
            chains,
            kills: 14,
            s_points[..^2],
            to => $"Merge-SHBackup {chains.Id("I2")} {to}",
            survivors: ["F", "I1", "I2", "I3", "I4", "J1", "J2", "K", "G", "H"]);
        Assert.Equal(["Full 0"], await chains.Host.AskAsync($"Get-SHBackup {chains.Id("I2")} -BackupDirectory {Shbackup.Quote(directory)} | ForEach-Object {{ \"$($_.Type) $($_.Depth)\" }}"));
    }

    private async Task<string> KillAsync(Chains chains, int kills, KillPoint[] points, Func<string, string> command, string[] survivors)
    {
        string directory = "";
        string Command() => command("-BackupDirectory " + Shbackup.Quote(directory)) + " | Out-Null";
        string[] kept = [.. survivors.Select(chains.Id).Order(StringComparer.Ordinal)];
        int unfinished = 0;
        var victims = new Victims(kills);
        await victims.KillAsync(
            points,
            _ =>
            {
                directory = chains.Copy();
                return (directory, Command());
            },
            async _ =>
            {
                IReadOnlyList<string> listed = await chains.RestoreAllAsync(directory);
                Assert.Empty(kept.Except(listed));
                Assert.Empty(listed.Except(chains.Ids));
                unfinished += listed.Count > kept.Length ? 1 : 0;

                await chains.Host.AskAsync(Command());
                await chains.NextRunAsync(directory);
                Assert.Equal(kept, (await chains.RestoreAllAsync(directory)).Order(StringComparer.Ordinal));
                Chains.AssertClean(directory);
            });
        output.WriteLine($"{victims.Killed} killed under way, {victims.Ended} had ended; {unfinished} had backups left to remove");
        return directory;
    }
}
