namespace SignalHarvester.Backup.Durability.Tests.Remove;

/// <summary>Several processes work on one chain: nobody sees a broken one, and nothing is lost.</summary>
public sealed class ChainRaceTests(Chains chains, ITestOutputHelper output) : IClassFixture<Chains>
{
    [Fact]
    public async Task Two_removals_of_the_same_chain_at_once_leave_every_other_backup()
    {
        using var second = Shbackup.Start();

        // Backups that one removes, and that the other folds or needs to read.
        (string First, string Second)[] pairs =
        [
            (chains.List("F", "I2"), chains.List("I1", "J")),
            (chains.List("F", "J"), chains.List("I1", "G")),
            (chains.List("I1", "G"), chains.List("F", "I2")),
            (chains.List("F", "I1"), chains.List("I1", "I2", "G")),
        ];
        for (var round = 0; round < 2 * pairs.Length; round++)
        {
            (var one, var other) = pairs[round % pairs.Length];
            var directory = chains.Copy();
            var to = $"-BackupDirectory {Shbackup.Quote(directory)}";
            string[] survivors = [.. chains.Ids.Where(id => !one.Contains(id, StringComparison.Ordinal) && !other.Contains(id, StringComparison.Ordinal)).Order(
                StringComparer.Ordinal)];

            await Task.WhenAll(
                chains.Host.AskAsync($"Get-SHBackup {to} | Where-Object {{ $_.Id -in {one} }} | Remove-SHBackup -Force | Out-Null"),
                second.AskAsync($"Get-SHBackup {to} | Where-Object {{ $_.Id -in {other} }} | Remove-SHBackup -Force | Out-Null"));

            Assert.Equal(survivors, (await chains.RestoreAllAsync(directory)).Order(StringComparer.Ordinal));
            Chains.AssertClean(directory);
        }
    }

    [Fact]
    public async Task The_same_removal_twice_at_once_is_done_once()
    {
        using var second = Shbackup.Start();
        for (var round = 0; round < 5; round++)
        {
            var directory = chains.Copy();
            var remove =
                $"Get-SHBackup -BackupDirectory {Shbackup.Quote(directory)} | Where-Object {{ $_.Id -in {chains.List("F", "I1", "G")} }} | Remove-SHBackup -Force | ForEach-Object Id";

            var removed = await Task.WhenAll(chains.Host.AskAsync(remove), second.AskAsync(remove));

            // One of them reports each as removed, and that is no error to the other.
            Assert.Equal(
                ((string[])["F", "I1", "G"]).Select(chains.Id).Order(StringComparer.Ordinal),
                removed.SelectMany(ids => ids).Order(StringComparer.Ordinal));
            Assert.Equal(4, (await chains.RestoreAllAsync(directory)).Count);
            Chains.AssertClean(directory);
        }
    }

    [Theory]
    [InlineData(3)]
    [InlineData(2)]
    public async Task Two_runs_of_retention_at_once_keep_what_each_would_keep(int keptByTheSecond)
    {
        using var second = Shbackup.Start();
        for (var round = 0; round < 4; round++)
        {
            var directory = chains.Copy();
            string Retain(int last) =>
                $"Invoke-SHBackupRetention -BackupDirectory {Shbackup.Quote(directory)} -KeepDaily 1 -KeepWeekly 0 -KeepMonthly 0 -KeepLast {last} | Where-Object Action -eq Keep | ForEach-Object {{ $_.Backup.Id }}";

            var kept = await Task.WhenAll(chains.Host.AskAsync(Retain(3)), second.AskAsync(Retain(keptByTheSecond)));

            // If the second removed the backup that the first would keep, another one takes its place.
            string[] listed = [.. await chains.RestoreAllAsync(directory)];
            string[] expected = [.. ((string[])(keptByTheSecond == 3 ? ["I2", "J", "K", "G", "H"] : ["J", "K", "G", "H"])).Select(chains.Id)];
            Assert.Empty(expected.Except(listed));
            Assert.All(kept, ids => Assert.Empty(expected.Except(ids)));
            if (keptByTheSecond == 3)
            {
                Assert.Equal(expected.Length, listed.Length);
            }

            Chains.AssertClean(directory);
        }
    }

    [Fact]
    public async Task While_a_chain_is_folded_others_list_test_and_restore_it_as_ever()
    {
        using var lister = Shbackup.Start();
        using var tester = Shbackup.Start();
        string[] survivors = [.. ((string[])["I2", "J", "K", "H"]).Select(chains.Id)];
        var image = chains.Image("I2");
        var lists = 0;
        for (var round = 0; round < 4; round++)
        {
            var directory = chains.Copy();
            var to = $"-BackupDirectory {Shbackup.Quote(directory)}";
            var restored = Path.Combine(directory, "..", "restored.db");

            // One after another, so that files and links change all the time.
            var folding = chains.Host.AskAsync(
                string.Join("; ", ((string[])["F", "I1", "G"]).Select(name => $"Remove-SHBackup {chains.Id(name)} {to} -Force | Out-Null")));
            var testing = RestoreAndTestAsync(folding, to, restored);
            while (!folding.IsCompleted)
            {
                var listed = await lister.AskAsync($"Get-SHBackup {to} | ForEach-Object {{ \"$($_.Id) $($_.Depth)\" }}");
                Assert.Empty(survivors.Except(listed.Select(line => line.Split(' ')[0])));
                Assert.DoesNotContain(listed, line => line.EndsWith(' '));
                lists++;
            }

            await folding;
            await testing;
            Assert.Equal(survivors.Order(StringComparer.Ordinal), (await chains.RestoreAllAsync(directory)).Order(StringComparer.Ordinal));
        }

        output.WriteLine($"{lists} lists");

        async Task RestoreAndTestAsync(Task folding, string to, string restored)
        {
            while (!folding.IsCompleted)
            {
                await tester.AskAsync(
                    $"$null = Restore-SHBackup {chains.Id("I2")} {to} -Destination {Shbackup.Quote(restored)} -Force -NoVerify -NoSafetyBackup");
                Assert.Equal(image, Chains.Hash(restored));
                File.Delete(restored);
                Assert.Equal(
                    ["True"], await tester.AskAsync($"Get-SHBackup {chains.Id("I2")} {to} | Test-SHBackup -WarningAction Ignore | ForEach-Object Verified"));
            }
        }
    }

    [Fact]
    public async Task Increments_that_are_made_while_their_parents_are_folded_and_removed_all_restore()
    {
        const int rounds = 18;
        using var folder = new TempFolder();
        var source = folder["app.db"];
        using var user = Databases.Open(source);
        Databases.Execute(user, "PRAGMA journal_mode = WAL; PRAGMA synchronous = OFF; PRAGMA wal_autocheckpoint = 0");
        Sample.AddBlobs(user, mebibytes: 1);
        var directory = folder.Folder("backups");
        var to = $"-BackupDirectory {Shbackup.Quote(directory)}";
        using var maker = Shbackup.Start();
        using var remover = Shbackup.Start();
        var images = new Dictionary<string, string>();
        var fulls = 0;

        async Task MakeAsync(string type)
        {
            Databases.Execute(user, "UPDATE noise SET content = randomblob(8000) WHERE id % 31 = abs(random() % 31)");
            var image = ImageHash.Of(user);
            var made = (await maker.AskAsync(
                $"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} -Type {type} | ForEach-Object {{ \"$($_.Id) $($_.Type)\" }}")).Single();
            images.Add(made.Split(' ')[0], image);
            fulls += made.EndsWith(" Full", StringComparison.Ordinal) ? 1 : 0;
        }

        await MakeAsync("Full");
        await MakeAsync("Incremental");
        for (var round = 0; round < rounds; round++)
        {
            // All except the newest are removed, so the next one's parent is folded while a backup builds on it; in every third round the newest too.
            var kept = round % 3 == 2 ? 0 : 1;
            var removing = remover.AskAsync(
                $"$all = @(Get-SHBackup {to}); if ($all.Count -gt {kept}) {{ $all[{kept}..($all.Count - 1)] | Remove-SHBackup -Force | ForEach-Object Id }}");
            await MakeAsync(round % 2 == 0 ? "Incremental" : "Wal");
            foreach (var id in await removing)
            {
                Assert.True(images.Remove(id));
            }

            foreach ((var id, var image) in images)
            {
                var restored = folder[id + ".db"];
                await maker.AskAsync($"$null = Restore-SHBackup {id} {to} -Destination {Shbackup.Quote(restored)} -Force -NoVerify -NoSafetyBackup");
                Assert.Equal(image, Chains.Hash(restored));
                File.Delete(restored);
            }

            Assert.Equal(
                images.Keys.Order(StringComparer.Ordinal), (await maker.AskAsync($"Get-SHBackup {to} | ForEach-Object Id")).Order(StringComparer.Ordinal));
            Chains.AssertClean(directory);
        }

        output.WriteLine($"{fulls} of {rounds + 2} were full backups");
    }
}
