using System.Security.Cryptography;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Docs;

/// <summary>docs/FORMAT.md shows how to restore a backup without the module: its commands run unchanged.</summary>
public class FormatDocumentTests
{
    private const string DocumentedId = "backup_20261122_020000_123456";

    [Theory]
    [InlineData("Zstd")]
    [InlineData("Gzip")]
    public void The_documented_commands_restore_a_backup_without_the_module(string compression)
    {
        var shell = Tool.Require("sh");
        _ = Tool.Require("zstd");
        _ = Tool.Require("sqlite3");
        using var workspace = new Workspace();
        var backup = workspace.MakeBackup($"-Compression {compression}");
        var script = MarkdownDocument.Load("docs/FORMAT.md").Blocks("sh")[0];
        Assert.Contains("zstd -d " + DocumentedId, script, StringComparison.Ordinal);
        if (compression == "Gzip")
        {
            var first = script.Split('\n')[0];
            var alternative = first[(first.IndexOf("# or: ", StringComparison.Ordinal) + 6)..].Replace(
                "FILE", DocumentedId + "_full.db", StringComparison.Ordinal);
            script = alternative + script[first.Length..];
        }

        var place = Path.Combine(workspace.Folder, "bare machine");
        Directory.CreateDirectory(place);
        File.Copy(backup.BackupPath, Path.Combine(place, Path.GetFileName(backup.BackupPath).Replace(backup.Id, DocumentedId, StringComparison.Ordinal)));

        // The lost database's remaining files would corrupt the restored one.
        File.WriteAllText(Path.Combine(place, "app.db"), "lost");
        File.WriteAllText(Path.Combine(place, "app.db-wal"), "stale");
        File.WriteAllText(Path.Combine(place, "app.db-journal"), "stale");
        File.WriteAllText(Path.Combine(place, "script.sh"), $"set -e\ncd \"$1\"\n{script}");
        var result = shell.Run(Path.Combine(place, "script.sh"), place).EnsureSuccess();

        Assert.Contains("ok", result.Output, StringComparison.Ordinal);
        var restored = File.ReadAllBytes(Path.Combine(place, "app.db"));
        Assert.Equal(backup.Checksum, Convert.ToHexStringLower(SHA256.HashData(restored)));
        Assert.False(File.Exists(Path.Combine(place, "app.db-wal")));
    }

    [Fact]
    public void The_documented_commands_lay_an_increment_over_its_parent()
    {
        var shell = Tool.Require("sh");
        _ = Tool.Require("zstd");
        _ = Tool.Require("sqlite3");
        using var workspace = new Workspace();
        workspace.Change();
        var full = workspace.MakeBackup();
        workspace.Change();
        var increment = workspace.MakeBackup("-Type Incremental");
        Assert.Equal(BackupType.Incremental, increment.Type);
        var script = MarkdownDocument.Load("docs/FORMAT.md").Blocks("sh")[1];
        var place = Path.Combine(workspace.Folder, "bare machine");
        Directory.CreateDirectory(place);
        File.Copy(full.BackupPath, Path.Combine(place, DocumentedId + "_full.db.zst"));
        File.Copy(increment.BackupPath, Path.Combine(place, "backup_20261122_080000_654321_incremental.wal.zst"));
        File.WriteAllText(Path.Combine(place, "script.sh"), $"set -e\ncd \"$1\"\n{script}");
        var result = shell.Run(Path.Combine(place, "script.sh"), place).EnsureSuccess();

        Assert.Contains(increment.Checksum!, result.Output, StringComparison.Ordinal);
        Assert.Contains("0|0|0", result.Output, StringComparison.Ordinal);
    }
}
