namespace SignalHarvester.Backup.Durability.Tests.Scrub;

/// <summary>A scrub is killed while it quarantines or repairs a damaged backup: a backup that is not listed is complete in the quarantine.</summary>
public sealed class KillDuringScrubTests(Chains chains, ITestOutputHelper output) : IClassFixture<Chains>
{
    /// <summary>Not at random, so that it covers every state that a scrub can leave behind.</summary>
    [Theory]
    [InlineData("rename", false)]
    [InlineData("unlink", false)]
    [InlineData("rename", true)]
    [InlineData("unlink", true)]
    public async Task A_scrub_that_is_killed_before_any_one_of_its_changes_loses_nothing(string call, bool hasCopy)
    {
        var id = chains.Id("I2");
        var killed = 0;
        for (var hasEnded = false; !hasEnded;)
        {
            var directory = chains.Copy();
            var to = $"-BackupDirectory {Shbackup.Quote(directory)}";
            var copy = directory + "-copy";
            if (hasCopy)
            {
                await chains.Host.AskAsync($"Send-SHBackup {id} {to} -Provider Directory -Container {Shbackup.Quote(copy)} -CreateContainer | Out-Null");
            }

            var file = Directory.GetFiles(directory, id + "_*").Single();
            var damaged = File.ReadAllBytes(file);
            damaged[damaged.Length / 2] ^= 1;
            File.WriteAllBytes(file, damaged);

            // Only the damaged one should be read: the others would add their own renames. A future date would not count as a reading.
            var now = DateTimeOffset.UtcNow.ToString("O", System.Globalization.CultureInfo.InvariantCulture);
            foreach (var other in Directory.GetFiles(directory, "*.json").Where(path => Path.GetFileNameWithoutExtension(path) != id))
            {
                File.WriteAllText(
                    other, File.ReadAllText(other).Replace("\"scrub_timestamp\": null", $"\"scrub_timestamp\": \"{now}\"", StringComparison.Ordinal));
            }

            var command = $"Invoke-SHBackupScrub {to} -Percent 1 | Out-Null";
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

            // The next change of the directory completes the work; then the scrub does the rest.
            await chains.NextRunAsync(directory);
            Assert.True(
                IsListed(directory, id) ? File.Exists(file) || Quarantined(directory, id).Any() : !File.Exists(file) && Quarantined(directory, id).Any());
            await chains.Host.SendAsync(command);
            Assert.Equal(hasCopy, IsListed(directory, id));
            Assert.Equal(hasCopy, File.Exists(file));
            var kept = Assert.Single(Quarantined(directory, id));
            Assert.Equal(damaged, File.ReadAllBytes(kept));
            Assert.True(File.Exists(Path.Combine(Path.GetDirectoryName(kept)!, id + ".json")));
            Assert.Single(Directory.GetDirectories(Path.Combine(directory, "quarantine")));
        }

        output.WriteLine($"killed before each of {killed}");
        Assert.InRange(killed, 1, 30);
    }

    private static bool IsListed(string directory, string id) => File.Exists(Path.Combine(directory, id + ".json"));

    private static IEnumerable<string> Quarantined(string directory, string id) =>
        Directory.Exists(Path.Combine(directory, "quarantine"))
            ? Directory.EnumerateFiles(Path.Combine(directory, "quarantine"), id + "_*", SearchOption.AllDirectories)
            : [];
}
