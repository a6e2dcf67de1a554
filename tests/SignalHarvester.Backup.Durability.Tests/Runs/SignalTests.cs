namespace SignalHarvester.Backup.Durability.Tests.Runs;

public sealed class SignalTests
{
    [Theory]
    [InlineData("TERM", 143)]
    [InlineData("INT", 130)]
    public async Task A_signal_ends_a_backup_without_a_trace(string signal, int exitCode)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill to send a signal with");
        using var folder = new TempFolder();
        var source = Sample.Create(folder["app.db"], JournalMode.Delete, mebibytes: 60);
        var directory = folder.Folder("backups");
        using var created = new FileEvent(directory, WatcherChangeTypes.Created, path => path.EndsWith("_full.db.zst.partial", StringComparison.Ordinal));
        using var host = Shbackup.Start($"New-SHBackup -LiteralPath {Shbackup.Quote(source)} -BackupDirectory {Shbackup.Quote(directory)}; 'next'");

        await created.Seen.WaitAsync(TestContext.Current.CancellationToken);
        host.Signal(signal);
        var run = await host.FinishAsync();

        Assert.Equal(exitCode, run.ExitCode);
        AssertSaidNothingElse(run, signal);
        Assert.Empty(Directory.GetFiles(directory));
        Assert.Equal(
            ["history.db", "lock"],
            Directory.GetFiles(Path.Combine(directory, ".shbackup"), "*", SearchOption.AllDirectories).Select(Path.GetFileName).Order(StringComparer.Ordinal));
        Assert.Equal(
            "Stopped", (await Shbackup.RunAsync($"(Get-SHBackupHistory -BackupDirectory {Shbackup.Quote(directory)}).ErrorId")).EnsureSuccess().Output.Trim());
        Assert.Equal(source, Assert.Single(Directory.GetFiles(folder.Path)));
    }

    [Theory]
    [InlineData("TERM", 143, JournalMode.Delete, "")]
    [InlineData("INT", 130, JournalMode.Wal, "")]
    [InlineData("TERM", 143, JournalMode.Wal, "target.db-wal")]
    [InlineData("INT", 130, JournalMode.Delete, "target.db-journal")]
    public async Task A_signal_ends_a_restore_with_the_target_untouched(string signal, int exitCode, JournalMode mode, string moment)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no kill to send a signal with");
        using var folder = new TempFolder();
        var source = Sample.Create(folder["app.db"], mode, mebibytes: 60);
        var target = Sample.Create(Path.Combine(folder.Folder("app"), "target.db"), mode, mebibytes: 3);
        var before = Sample.Content(target);
        var to = $"-BackupDirectory {Shbackup.Quote(folder.Folder("backups"))}";
        (await Shbackup.RunAsync($"New-SHBackup -LiteralPath {Shbackup.Quote(source)} {to} -NoVerify")).EnsureSuccess();
        using var reached = new FileEvent(
            folder["app"],
            moment == "target.db-wal" ? WatcherChangeTypes.Changed : WatcherChangeTypes.Created,
            path => moment.Length > 0 ? path == moment : path.StartsWith("shbackup-", StringComparison.Ordinal));
        using var host = Shbackup.Start($"Get-SHBackup {to} | Restore-SHBackup {to} -Destination {Shbackup.Quote(target)} -Force; 'next'");

        await reached.Seen.WaitAsync(TestContext.Current.CancellationToken);
        host.Signal(signal);
        var run = await host.FinishAsync();

        Assert.Equal(exitCode, run.ExitCode);
        AssertSaidNothingElse(run, signal);
        Assert.Equal(before, Sample.Content(target));
        Assert.Empty(Directory.GetDirectories(folder["app"]));
        Assert.False(File.Exists(target + "-journal"));
        Assert.Empty(Directory.GetFiles(folder["backups"], "*.partial"));
    }

    /// <summary>A warning says that a signal stopped it, which PowerShell writes to the output, at 80 columns; after Ctrl+C there is none.</summary>
    private static void AssertSaidNothingElse(ToolResult run, string signal)
    {
        Assert.DoesNotContain("next", run.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("backup_", run.Output, StringComparison.Ordinal);
        if (signal == "TERM")
        {
            Assert.Contains("was stopped by a signal", run.Output, StringComparison.Ordinal);
        }
        else
        {
            Assert.Empty(run.Output);
        }
    }
}
