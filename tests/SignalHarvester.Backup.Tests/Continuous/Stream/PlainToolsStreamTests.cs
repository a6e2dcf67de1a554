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
    [InlineData(512, false)]
    [InlineData(4096, false)]
    [InlineData(4096, true)]
    [InlineData(65536, false)]
    public async Task The_documented_commands_restore_a_transaction(int pageSize, bool isEncrypted)
    {
        var shell = Tool.Require("sh");
        _ = Tool.Require("sqlite3");
        using var world = new StreamWorld(isEncrypted: isEncrypted, pageSize: pageSize);
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

        var stored = world.Home.Get(full.Id).BackupPath;
        if (isEncrypted)
        {
            stored = Path.Combine(place, "full.db.zst");
            Tool.Require("age").RunToFile(stored, "-d", "-i", world["key"], world.Home.Get(full.Id).BackupPath).EnsureSuccess();
        }

        Tool.Require("zstd").RunToFile(Path.Combine(place, "app.db.new"), "-d", "-q", "-c", stored).EnsureSuccess();
        File.WriteAllText(Path.Combine(place, "script.sh"), $"set -e\ncd \"$1\"\n{Documented(isEncrypted)}");
        var result = shell.Run(Path.Combine(place, "script.sh"), place, world["key"]).EnsureSuccess();

        Assert.EndsWith("ok\n", result.Output, StringComparison.Ordinal);
        Assert.DoesNotContain("1|", result.Output, StringComparison.Ordinal);
        Assert.Equal(world.Truth[world.Transaction], Scene.Digest(Path.Combine(place, "app.db.new")));
    }

    /// <param name="isEncrypted">Whether the first command is the one for encrypted segments, which stands before the others.</param>
    /// <param name="here">This file.</param>
    private static string Documented(bool isEncrypted, [CallerFilePath] string here = "")
    {
        var document = File.ReadAllText(Path.Combine(Path.GetDirectoryName(here)!, "..", "..", "..", "..", "docs", "FORMAT.md"));
        var block = document.LastIndexOf("```sh\n", StringComparison.Ordinal) + 6;
        var commands = document[block..document.IndexOf("```", block, StringComparison.Ordinal)];
        if (!isEncrypted)
        {
            return commands;
        }

        const string plain = "zstd -dc < \"$segment\" > app.db.new-wal";
        var begin = document.LastIndexOf("`age -d", block, StringComparison.Ordinal) + 1;
        var command = document[begin..document.IndexOf('`', begin)];
        Assert.Contains(plain, commands, StringComparison.Ordinal);
        Assert.Contains("KEYFILE", command, StringComparison.Ordinal);
        return commands.Replace(plain, command.Replace("KEYFILE", "\"$2\"", StringComparison.Ordinal), StringComparison.Ordinal);
    }
}
