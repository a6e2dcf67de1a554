using System.Runtime.CompilerServices;
using SignalHarvester.Backup.Continuous.Stream;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Continuous.Stream;

/// <summary>docs/FORMAT.md shows how to restore a transaction of a stream with zstd and sqlite3 alone: its commands run unchanged.</summary>
public sealed class PlainToolsStreamTests
{
    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    [InlineData(65536)]
    public async Task The_documented_commands_restore_a_transaction(int pageSize)
    {
        var shell = Tool.Require("sh");
        _ = Tool.Require("sqlite3");
        using var world = new StreamWorld(pageSize: pageSize);
        var full = await world.BaseAsync(BaseReason.Start, BackupStrategy.Full);
        world.Commit("BEGIN; CREATE TABLE more(x); INSERT INTO more SELECT zeroblob(300000); COMMIT");
        await world.PutAsync();
        world.Commit("DROP TABLE more");
        world.Commit("PRAGMA incremental_vacuum");
        await world.PutAsync();
        world.Commit("INSERT INTO audit(what) VALUES ('last')");
        await world.PutAsync();
        await world.SealAsync();

        var place = Directory.CreateDirectory(world["bare machine"]).FullName;
        foreach (var segment in Directory.EnumerateFiles(Path.Combine(world.Store.Location.Container, world.Stream.Location.Prefix), "seg_*"))
        {
            File.Copy(segment, Path.Combine(place, Path.GetFileName(segment)));
        }

        Tool.Require("zstd").RunToFile(Path.Combine(place, "app.db.new"), "-d", "-q", "-c", world.Home.Get(full.Id).BackupPath).EnsureSuccess();
        File.WriteAllText(Path.Combine(place, "script.sh"), $"set -e\ncd \"$1\"\n{Documented()}");
        var result = shell.Run(Path.Combine(place, "script.sh"), place).EnsureSuccess();

        Assert.EndsWith("ok\n", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("1|", result.Output, StringComparison.Ordinal);
        Assert.Equal(world.Truth[world.Transaction], Scene.Digest(Path.Combine(place, "app.db.new")));
    }

    private static string Documented([CallerFilePath] string here = "")
    {
        var document = File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "..", "..", "docs", "FORMAT.md"));
        var block = document.LastIndexOf("```sh\n", StringComparison.Ordinal) + 6;
        return document[block..document.IndexOf("```", block, StringComparison.Ordinal)];
    }
}
