using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>SIGTERM, SIGHUP and Ctrl+C during the work leave nothing behind, in our host and in pwsh, which does not handle the first two.</summary>
public sealed class TerminationSignalTests
{
    // It is never released: an operation that does not end.
    private const string Endless = """
        $signals = (Get-Command New-SHBackup).ImplementingType.Assembly.GetType('SignalHarvester.Backup.PowerShell.Signals.TerminationSignals')
        [void] $signals.GetMethod('Hold').Invoke($null, @([Delegate]::CreateDelegate([Action], [Threading.CancellationTokenSource]::new(), 'Cancel')))
        [IO.File]::WriteAllText('held', '')
        while ($true) { [Threading.Thread]::Sleep(50) }
        """;

    [Theory]
    [InlineData(ShellProcess.Host, "TERM", 143)]
    [InlineData(ShellProcess.Host, "HUP", 129)]
    [InlineData(ShellProcess.Host, "INT", 130)]
    [InlineData(ShellProcess.PowerShell, "TERM", 143)]
    [InlineData(ShellProcess.PowerShell, "HUP", 129)]
    [InlineData(ShellProcess.PowerShell, "INT", 1)]
    public void A_backup_that_a_signal_stops_leaves_nothing(string shell, string signal, int code)
    {
        using var workspace = Large();
        using var run = new ShellProcess(shell, workspace.Folder, "New-SHBackup large.db -BackupDirectory ./backups; 'next'");
        run.WaitUntil(() => workspace.BackupFiles.Any(file => file.EndsWith(".partial", StringComparison.Ordinal)));

        run.Signal(signal);
        var result = run.Finish();

        Assert.Equal((code, signal == "INT" ? string.Empty : Told("New-SHBackup"), string.Empty), (result.ExitCode, result.Output, result.Error));
        AssertNothingIn(workspace);
        Assert.Equal("Stopped", workspace.Run("(Get-SHBackupHistory).ErrorId").WithoutErrors().Output.Single().ToString());
    }

    [Theory]
    [InlineData(ShellProcess.Host)]
    [InlineData(ShellProcess.PowerShell)]
    public void A_restore_that_is_told_to_end_leaves_the_target_as_it_was(string shell)
    {
        using var workspace = Large();
        workspace.Run("New-SHBackup large.db -NoVerify").WithoutErrors();
        var before = ImageHash.Of(workspace.Database);
        var there = Entries(workspace);
        using var run = new ShellProcess(
            shell, workspace.Folder, "Get-SHBackup -BackupDirectory ./backups | Restore-SHBackup -Destination ./app.db -Force; 'next'");
        run.WaitUntil(() => Entries(workspace).Except(there).Any());

        run.Signal("TERM");
        var result = run.Finish();

        Assert.Equal((143, Told("Restore-SHBackup")), (result.ExitCode, result.Output));
        Assert.Equal(before, ImageHash.Of(workspace.Database));
        Assert.Equal(there, Entries(workspace));
        Assert.Single(workspace.Listed());
    }

    [Theory]
    [InlineData(ShellProcess.Host)]
    [InlineData(ShellProcess.PowerShell)]
    public void Operations_of_several_runspaces_have_all_cleaned_up(string shell)
    {
        using var workspace = Large();
        Databases.CreateOverLockPage(workspace["second.db"]);
        using var run = new ShellProcess(
            shell,
            workspace.Folder,
            $"'large', 'second' | ForEach-Object -Parallel {{ Import-Module '{BuiltModule.Manifest}'; New-SHBackup \"$_.db\" -BackupDirectory \"./backups/$_\" }}");
        run.WaitUntil(() => Array.TrueForAll(["large", "second"], name => Partial(workspace, name)));

        run.Signal("TERM");

        Assert.Equal(143, run.Finish().ExitCode);
        AssertNothingIn(workspace);
    }

    [Theory]
    [InlineData(ShellProcess.Host)]
    [InlineData(ShellProcess.PowerShell)]
    public void The_third_signal_waits_for_nobody(string shell)
    {
        using var workspace = new Workspace();
        using var run = new ShellProcess(shell, workspace.Folder, Endless);
        run.WaitUntil(() => File.Exists(workspace["held"]));

        // Several, because equal signals merge while nobody has received the first.
        while (!run.HasEnded)
        {
            run.Signal("TERM");
        }

        Assert.Equal(143, run.Finish().ExitCode);
    }

    [Fact]
    public void The_metric_server_ends_with_the_signal()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        using var run = new ShellProcess(
            ShellProcess.PowerShell, workspace.Folder,
            "Start-SHBackupMetricServer 0 -BackupDirectory ./backups 6>&1 | ForEach-Object { [IO.File]::WriteAllText('serving', $_) }; 'next'");
        run.WaitUntil(() => File.Exists(workspace["serving"]));

        run.Signal("TERM");
        var result = run.Finish();

        Assert.Equal((143, string.Empty), (result.ExitCode, result.Output));
    }

    private static string Told(string cmdlet) => $"WARNING: {cmdlet} was stopped by a signal, and removed its unfinished work.\n";

    private static Workspace Large()
    {
        var workspace = new Workspace();
        Databases.CreateOverLockPage(workspace["large.db"]);
        return workspace;
    }

    private static bool Partial(Workspace workspace, string name) =>
        Directory.Exists(workspace["backups", name]) && Directory.EnumerateFiles(workspace["backups", name], "*.partial").Any();

    private static string[] Entries(Workspace workspace) =>
        [
            .. Directory.EnumerateFileSystemEntries(workspace.Folder)
                .Select(path => Path.GetFileName(path))
                .Where(name => !name.EndsWith("-wal", StringComparison.Ordinal) && !name.EndsWith("-shm", StringComparison.Ordinal))
                .Order(),
        ];

    private static void AssertNothingIn(Workspace workspace) =>
        Assert.DoesNotContain(
            Directory.EnumerateFiles(workspace.Backups, "*", SearchOption.AllDirectories).Select(file => Path.GetFileName(file)),
            name => name.StartsWith("backup_", StringComparison.Ordinal) || name.EndsWith(".partial", StringComparison.Ordinal));
}
