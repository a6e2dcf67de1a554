using System.Globalization;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>
/// Another SQLite library in the process (here that of the tests; the module has its own), or a script, has a file open. If we closed
/// the file, its locks would be dropped.
/// </summary>
public sealed class SecondSqliteTests : IDisposable
{
    private readonly Workspace workspace = new();

    public SecondSqliteTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "closing a file drops no locks of others on Windows");

    public static TheoryData<string> Ways => new(
        "New-SHBackup ./app.db",
        "New-SHBackup ./app.db -Force",
        "Restore-SHBackup {0} -Destination ./app.db -Force",
        "Restore-SHBackup {0} -Destination ./app.db -Delta -Force",
        "Restore-SHBackup {0} -Destination ./app.db -NoSafetyBackup -NoVerify -Force",
        "Restore-SHBackup {0} -Table customer -Into ./app.db -Force",
        "Restore-SHBackup {0} -Table customer -Into ./app.db -NoSafetyBackup -Force",
        "Compare-SHBackup {0}",
        "Compare-SHBackup {0} -Database ./app.db");

    public void Dispose() => workspace.Dispose();

    [Theory]
    [MemberData(nameof(Ways))]
    public void What_another_SQLite_of_the_process_has_locked_stays_locked_and_the_command_says_why_not(string way)
    {
        var id = workspace.MakeBackup().Id;
        using var other = Databases.Open(workspace.Database);
        Databases.Execute(other, "BEGIN IMMEDIATE; DELETE FROM reading");

        AssertRefused(string.Format(CultureInfo.InvariantCulture, way, id), workspace.Database);

        AssertLocked(workspace.Database);
        Databases.Execute(other, "COMMIT");
    }

    [Fact]
    public void By_whatever_name_it_is_asked_for()
    {
        using var other = Databases.Open(workspace.Database);
        Databases.Execute(other, "PRAGMA journal_mode = DELETE; BEGIN IMMEDIATE");
        File.CreateSymbolicLink(workspace["link.db"], workspace.Database);
        Tool.Require("ln").Run(workspace.Database, workspace["alias.db"]).EnsureSuccess();

        AssertRefused("New-SHBackup ./link.db", workspace.Database);
        AssertRefused("New-SHBackup ./alias.db", workspace["alias.db"]);

        AssertLocked(workspace.Database);
    }

    [Fact]
    public void A_file_that_a_script_reads_is_refused_until_it_is_closed()
    {
        using (File.Open(workspace.Database, FileMode.Open, FileAccess.Read, FileShare.ReadWrite | FileShare.Delete))
        {
            AssertRefused("New-SHBackup ./app.db", workspace.Database);
        }

        workspace.MakeBackup();
    }

    [Fact]
    public void A_history_that_another_SQLite_of_the_process_has_locked_stays_locked_and_the_backup_is_made()
    {
        workspace.MakeBackup();
        var history = Path.Combine(workspace.Backups, ".shbackup", "history.db");
        using var other = Databases.Open(history);
        Databases.Execute(other, "BEGIN IMMEDIATE");

        var made = workspace.Run("New-SHBackup ./app.db").WithoutErrors();
        AssertRefused("Get-SHBackupHistory", history);

        Assert.Single(made.Output);
        Assert.Contains(made.Warnings, warning => warning.Contains(history, StringComparison.Ordinal));
        AssertLocked(history);
    }

    [Fact]
    public async Task The_modules_own_connections_in_several_runspaces_are_not_in_each_others_way()
    {
        using var writer = WriterProcess.Start(new WriterOptions { DatabasePath = workspace["busy.db"], WalAutoCheckpoint = 1 });
        var token = TestContext.Current.CancellationToken;
        var runs = Enumerable.Range(0, 4).Select(_ => Task.Run(
            () =>
            {
                using var session = PowerShellSession.Start();
                for (var time = 0; time < 4; time++)
                {
                    session.Invoke(
                        "New-SHBackup -LiteralPath $args[0] -BackupDirectory $args[1] -NoVerify; $null = Get-SHBackupHistory -BackupDirectory $args[1]", [],
                        workspace["busy.db"], workspace.Backups)
                        .WithoutErrors();
                }
            },
            token));
        await Task.WhenAll(runs);
        writer.Stop();

        Assert.Equal(16, workspace.Listed().Count);
    }

    private static void AssertLocked(string database) =>
        Assert.Contains("locked", Tool.Require("sqlite3").Run(database, "BEGIN IMMEDIATE; ROLLBACK;").Error, StringComparison.Ordinal);

    private void AssertRefused(string script, string path)
    {
        var result = workspace.Run(script);
        var error = Assert.Single(result.Errors);
        Assert.StartsWith(BackupErrorId.DatabaseOpenInProcess + ",", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(path, error.TargetObject);
        Assert.Contains("process of its own", error.Exception.Message, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }
}
