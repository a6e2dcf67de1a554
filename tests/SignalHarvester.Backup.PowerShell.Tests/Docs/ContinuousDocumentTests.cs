using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Docs;

/// <summary>docs/CONTINUOUS.md: its commands run unchanged, in their order, but for a moment and a transaction that exist here.</summary>
public sealed class ContinuousDocumentTests
{
    private const string DocumentedMoment = "2026-11-30T03:14:00Z";
    private const string DocumentedTransaction = "-Transaction 1500";

    private static readonly TimeSpan Hang = TimeSpan.FromMinutes(1);

    [Fact]
    public void The_commands_protect_a_database_and_go_back_in_its_time()
    {
        var blocks = MarkdownDocument.Load("docs/CONTINUOUS.md").Blocks("powershell");
        Assert.Equal(2, blocks.Count);
        using var host = new ScheduleHost();
        using var process = host.Start("-Command", blocks[0]);
        var until = DateTime.UtcNow + Hang;
        while (host.Run("(Get-SHBackupProtection ./app.db -BackupDirectory ./backups).State").Output.Trim() != "Following")
        {
            Assert.True(!process.HasExited && DateTime.UtcNow < until, "not followed");
        }

        using (var application = Databases.Open(host["app.db"]))
        {
            Databases.Execute(application, "CREATE TABLE moment(id INTEGER PRIMARY KEY)");
            Databases.Execute(application, "INSERT INTO moment VALUES (1)");
            host.Run("$null = Stop-SHBackupProtection ./app.db -BackupDirectory ./backups").EnsureSuccess();
        }

        Assert.Equal(0, ScheduleHost.Finish(process, blocks[0]).ExitCode);
        Assert.Contains(DocumentedMoment, blocks[1], StringComparison.Ordinal);
        Assert.Contains(DocumentedTransaction, blocks[1], StringComparison.Ordinal);
        var restores = blocks[1].Replace(DocumentedMoment, DateTime.UtcNow.ToString("O"), StringComparison.Ordinal)
            .Replace(DocumentedTransaction, "-Transaction 1", StringComparison.Ordinal)
            .Split('\n', StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(3, restores.Length);
        Assert.Contains("1", host.Run(restores[0] + " | ForEach-Object Transaction").EnsureSuccess().Output.Split('\n'));
        foreach (var (command, rows) in ((string, string)[])[(restores[1], "1"), (restores[2], "0")])
        {
            File.Delete(host["before.db"]);
            host.Run(command).EnsureSuccess();
            using var before = Databases.Open(host["before.db"]);
            Assert.Equal(rows, Databases.Scalar(before, "SELECT count(*) FROM moment"));
        }
    }
}
