using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.Docs;

/// <summary>docs/SECURITY.md: its commands run unchanged, in their order.</summary>
public class SecurityDocumentTests
{
    [Fact]
    public void The_commands_run_in_their_order()
    {
        using var workspace = new Workspace();
        var blocks = MarkdownDocument.Load("docs/SECURITY.md").Blocks("powershell");
        Assert.True(blocks.Count >= 4, $"{blocks.Count} blocks");
        foreach (var block in blocks)
        {
            _ = workspace.Run($". {{ {block} }}").WithoutErrors();
        }

        Assert.True(File.Exists(workspace["restored.db"]));
        Assert.Equal(2, workspace.Run("(Get-SHBackup -Newest 1).Recipients").Output.Count);
    }
}
