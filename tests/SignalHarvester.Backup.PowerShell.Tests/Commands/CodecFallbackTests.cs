using System.Diagnostics;
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
        var (code, output, said) = await RunWithoutZstd(
            workspace,
            "New-SHBackup ./app.db -CompressionLevel 19 | Test-SHBackup | ForEach-Object { $_.BackupPath; $_.Checksum; $_.Metadata.compression_fallback }");

        Assert.True(code == 0, said);
        Assert.Contains("Zstd compression cannot be used", said, StringComparison.Ordinal);
        Assert.Contains("gzip is used instead", said, StringComparison.Ordinal);
        var lines = output.Split(Environment.NewLine);
        Assert.EndsWith("_full.db.gz", lines[0], StringComparison.Ordinal);
        Assert.Contains("ZstdSharp", lines[2], StringComparison.Ordinal);

        var plain = workspace["plain.db"];
        Assert.Equal(0, Tool.Require("gunzip").RunToFile(plain, "-c", lines[0]).ExitCode);
        Assert.Equal(lines[1], ImageHash.Of(plain));
    }

    // A process of its own: in this one the engine is loaded already, with all its libraries.
    private static async Task<(int Code, string Output, string Said)> RunWithoutZstd(Workspace workspace, string command)
    {
        using var copy = new ModuleCopy();
        File.Delete(Path.Combine(Path.GetDirectoryName(copy.Manifest)!, "lib", "ZstdSharp.dll"));
        var start = new ProcessStartInfo(BuiltModule.Host, ["-Command", command])
        {
            WorkingDirectory = workspace.Folder,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
        };
        start.Environment["SHBACKUP_MODULE_PATH"] = copy.Manifest;
        using var host = Process.Start(start)!;
        var errors = host.StandardError.ReadToEndAsync(TestContext.Current.CancellationToken);
        var output = await host.StandardOutput.ReadToEndAsync(TestContext.Current.CancellationToken);
        await host.WaitForExitAsync(TestContext.Current.CancellationToken);
        return (host.ExitCode, output, await errors);
    }
}
