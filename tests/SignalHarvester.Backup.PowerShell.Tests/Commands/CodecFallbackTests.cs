using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>A module whose zstd library was lost still makes backups, and says so.</summary>
public class CodecFallbackTests
{
    [Fact]
    public async Task Without_the_zstd_library_gzip_is_used_with_a_warning()
    {
        using var workspace = new Workspace();
        using var copy = new ModuleCopy();
        File.Delete(copy["lib", "ZstdSharp.dll"]);

        var (code, output, said) = await copy.RunAsync(
            workspace.Folder,
            "New-SHBackup ./app.db -CompressionLevel 19 -WarningVariable told -WarningAction SilentlyContinue | Test-SHBackup | ForEach-Object { $_.BackupPath; $_.Checksum; $_.Metadata.compression_fallback }; \"$told\"");

        Assert.True(code == 0, said);
        Assert.Contains("Zstd compression cannot be used", output, StringComparison.Ordinal);
        Assert.Contains("gzip is used instead", output, StringComparison.Ordinal);
        var lines = output.Split(Environment.NewLine);
        Assert.EndsWith("_full.db.gz", lines[0], StringComparison.Ordinal);
        Assert.Contains("ZstdSharp", lines[2], StringComparison.Ordinal);

        var plain = workspace["plain.db"];
        Assert.Equal(0, Tool.Require("gunzip").RunToFile(plain, "-c", lines[0]).ExitCode);
        Assert.Equal(lines[1], ImageHash.Of(plain));
    }
}
