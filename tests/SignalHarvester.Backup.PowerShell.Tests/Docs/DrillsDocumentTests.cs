using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.Docs;

/// <summary>docs/DRILLS.md: its commands run unchanged, in their order.</summary>
public class DrillsDocumentTests
{
    [Fact]
    public void The_commands_run_in_their_order()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace();
        workspace.MakeBackup();
        var blocks = MarkdownDocument.Load("docs/DRILLS.md").Blocks("powershell");
        Assert.Equal(3, blocks.Count);
        foreach (var block in blocks)
        {
            _ = workspace.Run(block.Contains("Register-", StringComparison.Ordinal) ? block.TrimEnd() + " -Backend Cron" : block).WithoutErrors();
        }

        workspace.Run("Unregister-SHBackupSchedule drill -Force").WithoutErrors();
    }
}
