using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.Docs;

/// <summary>docs/BACKUP_RECOVERY.md is read at three in the morning: its commands are run as they stand, in their order.</summary>
public class RecoveryDocumentTests
{
    [Fact]
    public void The_commands_run_in_their_order()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var blocks = MarkdownDocument.Load("docs/BACKUP_RECOVERY.md").Blocks("powershell");
        Assert.True(blocks.Count >= 9, $"{blocks.Count} blocks");
        foreach (var block in blocks)
        {
            if (!block.Contains("-ErrorAction", StringComparison.Ordinal))
            {
                _ = workspace.Run(block).WithoutErrors();
            }
            else
            {
                _ = workspace.Run(block);
            }

            workspace.Change();
        }

        Assert.All(["restored.db", "before.db", "undone.db"], name => Assert.True(File.Exists(workspace[name]), name));
    }

    [Fact]
    public void Every_error_that_it_explains_is_one()
    {
        var text = File.ReadAllText(Path.Combine(MarkdownDocument.Root, "docs", "BACKUP_RECOVERY.md"));
        var named = System.Text.RegularExpressions.Regex.Matches(text, "(?m)^[|] (?<ids>[A-Z][A-Za-z]+(, [A-Z][A-Za-z]+)*) [|]").Select(match => match.Groups["ids"].Value);
        var ids = named.SelectMany(line => line.Split(", ")).Where(id => id.Contains("Chain", StringComparison.Ordinal) || id.StartsWith("Backup", StringComparison.Ordinal) || id.StartsWith("Parent", StringComparison.Ordinal)).ToList();
        Assert.True(ids.Count >= 6, string.Join(", ", ids));
        Assert.All(ids, id => Assert.NotNull(typeof(BackupErrorId).GetField(id)));
    }
}
