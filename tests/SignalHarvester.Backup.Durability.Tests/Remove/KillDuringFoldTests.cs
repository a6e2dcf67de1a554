namespace SignalHarvester.Backup.Durability.Tests.Remove;

/// <summary>Chains are rewritten by runs that are killed at any moment: every backup that was not to be removed restores.</summary>
public sealed class KillDuringFoldTests(Chains chains, ITestOutputHelper output) : IClassFixture<Chains>
{
    // From the first rewritten file to the last deleted one, with each kind of step by itself.
    private static readonly KillPoint[] Points =
    [
        new(WatcherChangeTypes.Created, "_g2_*", IsRandom: true),
        new(WatcherChangeTypes.Created, "superseded/*", IsRandom: false),
        new(WatcherChangeTypes.Renamed, "_g2_*", IsRandom: false),
        new(WatcherChangeTypes.Created, "_g2_*", IsRandom: true),
        new(WatcherChangeTypes.Renamed, ".json", IsRandom: false),
        new(WatcherChangeTypes.Deleted, "superseded/*", IsRandom: true),
        new(WatcherChangeTypes.Created, "publishing/*", IsRandom: false),
        new(WatcherChangeTypes.Deleted, ".wal.zst", IsRandom: false),
        new(WatcherChangeTypes.Created, "_g2_*", IsRandom: true),
        new(WatcherChangeTypes.Renamed, "removing/*", IsRandom: false),
        new(WatcherChangeTypes.Deleted, "removing/*", IsRandom: true),
    ];

    [Fact]
    public Task A_killed_removal_leaves_every_other_backup_and_a_second_run_completes_it() =>
        KillAsync(kills: 11, Points, Removal("F", "I1", "G"), survivors: ["I2", "J", "K", "H"]);

    [Fact]
    public Task Killed_retention_leaves_what_it_keeps_and_a_second_run_completes_it() =>
        KillAsync(
            kills: 11,
            Points,
            to => $"Invoke-SHBackupRetention {to} -KeepDaily 1 -KeepWeekly 0 -KeepMonthly 0 -KeepLast 3 -Confirm:$false",
            survivors: ["I2", "J", "K", "G", "H"]);

    [Fact]
    public async Task A_killed_merge_leaves_an_increment_or_a_full_backup()
    {
        var directory = await KillAsync(kills: 7, Points[..^2], to => $"Merge-SHBackup {chains.Id("I2")} {to}", [.. chains.Names]);
        Assert.Equal(["Full 0"], await chains.Host.AskAsync(
            $"Get-SHBackup {chains.Id("I2")} -BackupDirectory {Shbackup.Quote(directory)} | ForEach-Object {{ \"$($_.Type) $($_.Depth)\" }}"));
    }

    /// <summary>Not at random, so that it covers every state that a fold and a removal can leave behind.</summary>
    [Theory]
    [InlineData("rename")]
    [InlineData("unlink")]
    public async Task A_removal_that_is_killed_before_any_one_of_its_changes_leaves_every_other_backup(string call)
    {
        var kept = Sorted(chains.Ids.Except([chains.Id("G")]));
        var killed = 0;
        for (var hasEnded = false; !hasEnded;)
        {
            var directory = chains.Copy();
            var to = $"-BackupDirectory {Shbackup.Quote(directory)}";
            var command = Removal("G")(to) + " | Out-Null";
            using (var victim = Shbackup.Start())
            {
                await victim.AskAsync($"Get-SHBackup {to} | Out-Null");
                using var trap = await KilledBeforeCall.AttachAsync(victim, call, killed + 1);
                var ended = victim.SendAsync(command);
                await Task.WhenAny(ended);
                hasEnded = ended.IsCompletedSuccessfully;
                killed += hasEnded ? 0 : 1;
                victim.Kill();
            }

            await LookAsync(directory, command, kept);
        }

        output.WriteLine($"killed before each of {killed}");
        Assert.InRange(killed, 5, 30);
    }

    private Func<string, string> Removal(params string[] names) =>
        to => $"Get-SHBackup {to} | Where-Object {{ $_.Id -in {chains.List(names)} }} | Remove-SHBackup -Force";

    private async Task<string> KillAsync(int kills, KillPoint[] points, Func<string, string> command, string[] survivors)
    {
        var directory = "";
        string Command() => command("-BackupDirectory " + Shbackup.Quote(directory)) + " | Out-Null";
        var kept = Sorted(survivors.Select(chains.Id));
        var unfinished = 0;
        var victims = new Victims(kills);
        await victims.KillAsync(
            points,
            () =>
            {
                directory = chains.Copy();
                return Task.FromResult((directory, Command()));
            },
            async _ => unfinished += await LookAsync(directory, Command(), kept) > kept.Length ? 1 : 0);
        output.WriteLine($"{victims.Killed} killed under way, {victims.Ended} had ended; {unfinished} had backups left to remove");
        return directory;
    }

    /// <summary>
    /// Checks that every other backup is there and unchanged, that a second run completes the work, and that it leaves
    /// nothing else behind.
    /// </summary>
    /// <returns>The number of listed backups before the second run.</returns>
    private async Task<int> LookAsync(string directory, string command, string[] kept)
    {
        var listed = await chains.RestoreAllAsync(directory);
        Assert.Empty(kept.Except(listed));
        Assert.Empty(listed.Except(chains.Ids));

        await chains.Host.AskAsync(command);
        await chains.NextRunAsync(directory);
        Assert.Equal(kept, Sorted(await chains.RestoreAllAsync(directory)));
        Chains.AssertClean(directory);
        return listed.Count;
    }

    private static string[] Sorted(IEnumerable<string> ids) => [.. ids.Order(StringComparer.Ordinal)];
}
