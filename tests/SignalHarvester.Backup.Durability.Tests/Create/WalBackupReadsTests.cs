using System.Globalization;
using System.Text.RegularExpressions;

namespace SignalHarvester.Backup.Durability.Tests.Create;

/// <summary>A backup's reads of the database file, in the kernel's view.</summary>
public sealed partial class WalBackupReadsTests
{
    private const int PageSize = 4096;

    [Fact]
    public async Task A_wal_backup_that_continues_its_parent_reads_no_page_of_the_database_but_the_first()
    {
        using var folder = new TempFolder(plain: true);
        var database = folder["app.db"];
        using var user = Databases.CreateWithLiveWal(database, new DatabaseShape { PageSize = PageSize });
        var create = $"New-SHBackup -LiteralPath {Shbackup.Quote(database)} -BackupDirectory {Shbackup.Quote(folder["backups"])}";
        (await Shbackup.RunAsync(create)).EnsureSuccess();
        Databases.Execute(user, "INSERT INTO audit(what) VALUES ('one')");

        (var type, var ends) = await TraceAsync($"{create} -Type Wal | ForEach-Object Type", folder["trace"], database);

        Assert.Equal("Wal", type);
        Assert.NotEmpty(ends);
        Assert.All(ends, end => Assert.InRange(end, 1, PageSize));

        // In the same view, a page comparison reads the file to its end.
        (type, ends) = await TraceAsync($"{create} -Type Incremental | ForEach-Object Type", folder["trace"], database);
        Assert.Equal("Incremental", type);
        Assert.Equal(new FileInfo(database).Length, ends.Max());
    }

    /// <summary>Runs a command and returns where each of its reads of the database file ended.</summary>
    private static async Task<(string Output, IReadOnlyList<long> Ends)> TraceAsync(string command, string trace, string database)
    {
        Tool.Require("strace");
        var run = await Shbackup.RunByAsync(
            ["strace", "-f", "-q", "-y", "-s", "0", "-e", "trace=read,readv,pread64,preadv,preadv2,mmap,sendfile,copy_file_range", "-o", trace], command);
        Assert.SkipWhen(run.Error.Contains("ptrace", StringComparison.OrdinalIgnoreCase), "this machine lets nobody trace a process");
        run.EnsureSuccess();
        List<long> ends = [];
        var begun = new Dictionary<string, string>();
        foreach (var line in File.ReadLines(trace))
        {
            // "pid call(...) = result", or the same in two lines if threads took turns.
            var thread = line[..line.IndexOf(' ', StringComparison.Ordinal)];
            var call = line[thread.Length..].Trim();
            if (call.EndsWith("<unfinished ...>", StringComparison.Ordinal))
            {
                begun[thread] = call[..^"<unfinished ...>".Length];
                continue;
            }

            if (Resumed().Match(call) is { Success: true } resumed)
            {
                call = begun[thread] + call[resumed.Length..];
            }

            if (!call.Contains($"<{database}>", StringComparison.Ordinal))
            {
                continue;
            }

            var read = Read().Match(call);
            Assert.True(read.Success, $"The database was read in a way that this test does not know: {call}");
            ends.Add(Number(read.Groups["offset"]) + Number(read.Groups["read"]));
        }

        return (run.Output.Trim(), ends);
    }

    private static long Number(Group digits) => long.Parse(digits.ValueSpan, NumberStyles.None, CultureInfo.InvariantCulture);

    [GeneratedRegex(@"\A<\.\.\. \w+ resumed>")]
    private static partial Regex Resumed();

    [GeneratedRegex(@"\Apread64\(\d+<[^>]*>, .*, \d+, (?<offset>\d+)\) += (?<read>\d+)\z")]
    private static partial Regex Read();
}
