namespace SignalHarvester.Backup.Durability.Tests.Restore;

/// <summary>A database file that is a mount point itself, as in a container: nothing can be renamed over it, and its log is elsewhere outside.</summary>
public sealed class MountedFileTests : IDisposable
{
    private readonly TempFolder folder = new();
    private readonly Stack<string> mounted = new();

    public MountedFileTests() => Assert.SkipUnless(OperatingSystem.IsLinux(), "only Linux mounts a single file");

    private string Inside => folder["inside", "app.db"];

    private string Outside => folder["outside.db"];

    private string To => $"-BackupDirectory {Shbackup.Quote(folder["backups"])}";

    public void Dispose()
    {
        while (mounted.TryPop(out var path))
        {
            Tool.Require("umount").Run("-l", path).EnsureSuccess();
        }

        folder.Dispose();
    }

    [Theory]
    [InlineData(true, "")]
    [InlineData(false, "")]
    [InlineData(true, "-Delta")]
    [InlineData(true, "-NoSafetyBackup -NoVerify")]
    public async Task A_damaged_one_is_restored_in_place_and_its_log_goes(bool hasLog, string parameters)
    {
        Databases.Create(Outside, new DatabaseShape { Rows = 300 });
        Bind(Outside, Inside);
        using var host = Shbackup.Start();
        await host.AskAsync($"$made = New-SHBackup -LiteralPath {Shbackup.Quote(Inside)} {To}");
        File.WriteAllBytes(Outside, [.. Enumerable.Repeat((byte)'x', 8192)]);
        if (hasLog)
        {
            File.WriteAllText(Inside + "-wal", "log");
            File.WriteAllText(Inside + "-journal", "journal");
        }

        await host.AskAsync($"$made | Restore-SHBackup -Destination {Shbackup.Quote(Inside)} -Force {parameters}");

        Assert.Equal(["app.db"], [.. Directory.EnumerateFiles(folder["inside"]).Select(file => Path.GetFileName(file)).Where(
            name => !name.Contains("damaged", StringComparison.Ordinal))]);
        using var connection = Databases.Open(Outside);
        Assert.Equal(["300", "ok"], [Databases.Scalar(connection, "SELECT count(*) FROM customer"), Databases.Scalar(connection, "PRAGMA integrity_check")]);
    }

    [Theory]
    [InlineData("New-SHBackup -LiteralPath {0}")]
    [InlineData("$made | Restore-SHBackup -Destination {0} -Force")]
    [InlineData("$made | Restore-SHBackup -Table account -Into {0} -Force")]
    [InlineData("$made | Compare-SHBackup -Database {0}")]
    public async Task One_whose_log_lies_outside_is_refused_before_anything_is_done(string way)
    {
        using var writer = WriterProcess.Start(new WriterOptions { DatabasePath = Outside });
        Bind(Outside, Inside);
        using var host = Shbackup.Start();
        await host.AskAsync($"$made = New-SHBackup -LiteralPath {Shbackup.Quote(Outside)} {To}");

        var error = await host.AskForErrorAsync(
            "DatabaseHasOtherNames", string.Format(System.Globalization.CultureInfo.InvariantCulture, $"{way} {To}", Shbackup.Quote(Inside)));

        Assert.Contains("a mount of this single file", error, StringComparison.Ordinal);
        Assert.Equal([Inside], Directory.EnumerateFileSystemEntries(folder["inside"]));
        writer.WaitForCommits(10);
        writer.Stop();
    }

    [Fact]
    public async Task One_whose_log_is_mounted_too_is_left_as_it_was()
    {
        Databases.Create(Outside, new DatabaseShape { Rows = 300 });
        using var host = Shbackup.Start();
        await host.AskAsync($"$made = New-SHBackup -LiteralPath {Shbackup.Quote(Outside)} {To}");
        File.WriteAllBytes(Outside, new byte[8192]);
        File.WriteAllText(Outside + "-wal", "log");
        Bind(Outside, Inside);
        Bind(Outside + "-wal", Inside + "-wal");
        File.WriteAllText(Inside + "-journal", "journal");

        var error = await host.AskForErrorAsync("DestinationInvalid", $"$made | Restore-SHBackup -Destination {Shbackup.Quote(Inside)} -Force");

        Assert.Contains("mount point", error, StringComparison.Ordinal);
        Assert.Equal(
            ["app.db", "app.db-journal", "app.db-wal"],
            [.. Directory.EnumerateFiles(folder["inside"]).Select(file => Path.GetFileName(file)!).Order(StringComparer.Ordinal)]);
        Assert.Equal(new byte[8192], File.ReadAllBytes(Inside));
    }

    private void Bind(string file, string over)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(over)!);
        File.WriteAllBytes(over, []);
        var made = Tool.Require("mount").Run("--bind", file, over);
        Assert.SkipUnless(made.ExitCode == 0, $"may not mount a file: {made.Error.Trim()}");
        mounted.Push(over);
    }
}
