using System.Globalization;
using SignalHarvester.Backup.Cloud.Tests.Proxy;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Conformance;

/// <summary>An operator's work with each provider, with the built command: send, lose the machine, restore.</summary>
public abstract class RecoveryConformance
{
    private const int MiB = 1 << 20;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>The size of the upload that is killed, in MiB. SHBACKUP_TEST_UPLOAD_MIB changes it.</summary>
    private static int UploadMiB => int.Parse(Environment.GetEnvironmentVariable("SHBACKUP_TEST_UPLOAD_MIB") ?? "100", CultureInfo.InvariantCulture);

    /// <summary>Returns the server's address, and starts the server if necessary.</summary>
    internal abstract Task<Uri> ServerAsync();

    /// <summary>Returns the parameters of a new place, reached through an address, and the environment with its credentials.</summary>
    /// <param name="address">The server's address, or a proxy's.</param>
    /// <param name="folder">A folder for a file of credentials.</param>
    internal abstract Task<(string Parameters, IReadOnlyDictionary<string, string> Environment)> PlaceAsync(Uri address, string folder);

    /// <summary>The secret parts of the credentials, which must never be shown or stored.</summary>
    internal abstract IReadOnlyList<string> Secrets { get; }

    [Fact]
    public async Task A_lost_machine_comes_back_from_the_store_alone()
    {
        using var folder = new TempFolder();
        var (place, environment) = await PlaceAsync(await ServerAsync(), folder.Path);
        var database = Databases.Create(folder["app.db"], new DatabaseShape { Rows = 2000 });
        async Task<string> RunAsync(string command)
        {
            using var process = new CloudProcess(folder.Path, environment, command);
            return await process.SucceedAsync(Stop);
        }

        await RunAsync($"New-SHBackup ./app.db -Upload {place} -CreateContainer");
        for (var change = 1; change <= 2; change++)
        {
            using var connection = Databases.Open(database);
            Databases.Execute(connection, $"CREATE TABLE added{change}(content); INSERT INTO added{change} VALUES(randomblob(5000))");
        }

        // The second increment's parent is not there yet.
        var verbose = await RunAsync(
            $"New-SHBackup ./app.db -Type Incremental | Out-Null; New-SHBackup ./app.db -Type Incremental | Out-Null; Get-SHBackup -Newest 1 | Send-SHBackup {place} -Verbose 4>&1 | ForEach-Object {{ \"$_\" }}");
        var image = ImageHash.Of(database);
        Assert.Equal("True", (await RunAsync("Get-SHBackup -Newest 1 | Test-SHBackup -Remote -Level Quick -Quiet")).Trim());
        Assert.Equal("True", (await RunAsync("Get-SHBackup -Newest 1 | Test-SHBackup -Remote -Quiet " + place)).Trim());
        var everything = verbose + string.Concat(Directory.EnumerateFiles(folder["backups"], "*.json").Select(File.ReadAllText));
        Assert.All(Secrets, secret => Assert.DoesNotContain(secret, everything, StringComparison.Ordinal));

        Directory.Delete(folder["backups"], recursive: true);
        File.Delete(database);
        using var empty = new TempFolder();
        using (var process = new CloudProcess(
            empty.Path, environment,
            $"@(Get-SHBackup -Remote {place}).Count; Get-SHBackup -Remote {place} -Newest 1 | Restore-SHBackup -Destination ./app.db -Force | Out-Null"))
        {
            Assert.Equal("3", (await process.SucceedAsync(Stop)).Trim());
        }

        Assert.Equal(image, ImageHash.Of(empty["app.db"]));
        using (var process = new CloudProcess(
            empty.Path, environment, $"(Get-SHBackup -Remote {place} -Newest 1 | Receive-SHBackup | Test-SHBackup).Verified; @(Get-SHBackup).Count"))
        {
            Assert.Equal(["True", "3"], (await process.SucceedAsync(Stop)).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        }

        using (var process = new CloudProcess(
            empty.Path, environment,
            $"Get-SHBackup -Remote {place} | Remove-SHBackup -Force | Out-Null; @(Get-SHBackup -Remote {place}).Count; @(Get-SHBackup).Count"))
        {
            Assert.Equal(["0", "3"], (await process.SucceedAsync(Stop)).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        }
    }

    [Theory]
    [InlineData("/machine1")]
    [InlineData("a//b/")]
    [InlineData("site é/100%+#1?&=")]
    public async Task With_a_prefix_as_people_give_it_the_settings_of_a_lost_machine_find_what_it_sent_and_prune_it(string prefix)
    {
        using var folder = new TempFolder();
        var (place, environment) = await PlaceAsync(await ServerAsync(), folder.Path);
        place = $"{place.Replace(" -Prefix machine1/", string.Empty, StringComparison.Ordinal)} -Prefix '{prefix}'";
        var database = Databases.Create(folder["app.db"], new DatabaseShape { Rows = 20 });
        using (var process = new CloudProcess(
            folder.Path, environment,
            $"New-SHBackup ./app.db -Upload {place} -CreateContainer | Out-Null; (New-SHBackup ./app.db -Upload {place}).Copies.Count; (Get-SHBackup -Newest 1 | Send-SHBackup {place}).Copies.Count; Get-SHBackup | Test-SHBackup -Remote -Level Quick -Quiet"))
        {
            Assert.Equal(["1", "1", "True", "True"], Lines(await process.SucceedAsync(Stop)));
        }

        using var empty = new TempFolder();
        using (var process = new CloudProcess(
            empty.Path, environment,
            $"@(Get-SHBackup -Remote {place}).Count; Get-SHBackup -Remote {place} -Newest 1 | Restore-SHBackup -Destination ./app.db -Force | Out-Null"))
        {
            Assert.Equal("2", (await process.SucceedAsync(Stop)).Trim());
        }

        Assert.Equal(ImageHash.Of(database), ImageHash.Of(empty["app.db"]));

        // The received backup knows its copy only from the record, and the rules prune by the settings.
        using (var process = new CloudProcess(
            empty.Path, environment,
            $"Get-SHBackup -Remote {place} -Newest 1 | Receive-SHBackup | Test-SHBackup -Remote -Level Quick -Quiet; @(Invoke-SHBackupRetention -Remote {place} -KeepLast 1 -KeepDaily 0 -KeepWeekly 0 -KeepMonthly 0 -IncludeManual -RetentionDays 0 -Confirm:$false | Where-Object Action -eq Remove).Count; @(Get-SHBackup -Remote {place}).Count"))
        {
            Assert.Equal(["True", "1", "1"], Lines(await process.SucceedAsync(Stop)));
        }

        static string[] Lines(string output) => output.Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
    }

    [Fact]
    public async Task A_killed_upload_goes_on_and_sends_only_what_was_missing()
    {
        using var folder = new TempFolder();
        await using var proxy = new FaultProxy(await ServerAsync());
        var (place, environment) = await PlaceAsync(proxy.Address, folder.Path);
        MakeRandom(folder["app.db"], UploadMiB);
        using (var process = new CloudProcess(folder.Path, environment, $"New-SHBackup ./app.db -Compression None -NoVerify | Out-Null"))
        {
            await process.SucceedAsync(Stop);
        }

        var length = new FileInfo(Directory.GetFiles(folder["backups"], "*_full.db").Single()).Length;
        proxy.BytesPerSecond = 40 * MiB;
        using (var victim = new CloudProcess(folder.Path, environment, $"Get-SHBackup | Send-SHBackup {place} -CreateContainer"))
        {
            while (proxy.BytesSent < length / 2 && !victim.HasEnded)
            {
                await Task.Delay(5, Stop);
            }

            Assert.False(victim.HasEnded);
            victim.Kill();
        }

        proxy.BytesPerSecond = null;
        var before = proxy.BytesSent;
        using (var process = new CloudProcess(
            folder.Path, environment,
            $"@(Get-SHBackup -Remote {place}).Count; (Get-SHBackup | Send-SHBackup {place}).Copies.Count; @(Get-SHBackup -Remote {place}).Count"))
        {
            Assert.Equal(
                ["0", "1", "1"], (await process.SucceedAsync(Stop)).Split('\n', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries));
        }

        // The parts in transit when it was killed are sent again: a few parts of 8 to 16 MiB.
        Assert.InRange(proxy.BytesSent - before, 1, (length / 2) + (40 * MiB));
        using (var process = new CloudProcess(folder.Path, environment, $"Get-SHBackup -Newest 1 | Test-SHBackup -Remote -Quiet -Level Full {place}"))
        {
            Assert.Equal("True", (await process.SucceedAsync(Stop)).Trim());
        }
    }

    [Fact]
    public async Task A_place_that_cannot_be_reached_is_never_an_empty_one()
    {
        using var folder = new TempFolder();
        var (place, environment) = await PlaceAsync(new Uri("http://127.0.0.1:1"), folder.Path);
        using var process = new CloudProcess(folder.Path, environment, $"Get-SHBackup -Remote {place}");
        var result = await process.EndAsync(Stop);
        Assert.Equal(1, result.ExitCode);
        Assert.Contains("cannot be reached", result.Error, StringComparison.Ordinal);
        Assert.All(Secrets, secret => Assert.DoesNotContain(secret, result.Error, StringComparison.Ordinal));
    }

    private static void MakeRandom(string path, int size)
    {
        using var connection = Databases.Open(path);
        Databases.Execute(connection, "PRAGMA page_size = 65536; PRAGMA journal_mode = DELETE; CREATE TABLE t(content)");
        Databases.Execute(connection, string.Create(
            CultureInfo.InvariantCulture,
            $"INSERT INTO t SELECT randomblob(1048000) FROM (WITH RECURSIVE n(v) AS (VALUES(1) UNION ALL SELECT v + 1 FROM n WHERE v < {size}) SELECT v FROM n)"));
    }
}
