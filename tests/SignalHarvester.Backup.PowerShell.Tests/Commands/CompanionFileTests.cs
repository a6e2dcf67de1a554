using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>The error names something else in place of a journal or a log: SQLite would blame the disk.</summary>
public sealed class CompanionFileTests
{
    private static readonly string[] Commands =
    [
        "New-SHBackup ./target.db -BackupDirectory ./elsewhere",
        "Get-SHBackup -Database app.db | Restore-SHBackup -Destination ./target.db -Force -NoVerify",
        "Get-SHBackup -Database app.db | Restore-SHBackup -Destination ./target.db -Force -Delta",
        "Get-SHBackup -Database app.db | Compare-SHBackup -Database ./target.db",
        "Get-SHBackup -Database app.db | Restore-SHBackup -Table customer -Into ./target.db -Force",
    ];

    public static TheoryData<string, string, string> Places => new(
        from mode in (string[])["wal", "delete"]
        from suffix in (string[])["-journal", "-wal", "-shm"]
        from stranger in (string[])["named pipe", "folder", "link", "socket"]
        select (mode, suffix, stranger));

    [Theory]
    [MemberData(nameof(Places))]
    public void What_stands_in_the_place_of_a_log_is_named(string mode, string suffix, string stranger)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no such things among the files there");
        using var workspace = new Workspace();
        workspace.MakeBackup();
        var target = Databases.Create(
            workspace["target.db"], new DatabaseShape { Rows = 20, JournalMode = mode == "wal" ? JournalMode.Wal : JournalMode.Delete });
        foreach (var companion in Directory.EnumerateFiles(workspace.Folder, "target.db-*"))
        {
            File.Delete(companion);
        }

        foreach (var command in Commands)
        {
            using var planted = Plant(target + suffix, stranger);
            var result = workspace.Run(command + " -WarningAction SilentlyContinue");

            // SQLite can work with some of them.
            Assert.All(result.Errors, error =>
            {
                Assert.Contains($"'{target}{suffix}' is a {stranger}, but that is the name of", error.Exception.Message, StringComparison.Ordinal);
                Assert.DoesNotContain("disk", error.Exception.Message.Replace(workspace.Folder, "", StringComparison.Ordinal), StringComparison.Ordinal);
            });
            Assert.True(suffix != "-journal" || stranger == "link" || result.Errors.Count == 1);
        }
    }

    private static Planted Plant(string path, string stranger)
    {
        IDisposable? open = null;
        switch (stranger)
        {
            case "named pipe":
                Tool.Require("mkfifo").Run(path).EnsureSuccess();
                break;
            case "folder":
                Directory.CreateDirectory(path);
                break;
            case "link":
                File.CreateSymbolicLink(path, "/dev/null");
                break;
            default:
                var folder = Directory.CreateTempSubdirectory();
                var socket = new System.Net.Sockets.Socket(
                    System.Net.Sockets.AddressFamily.Unix, System.Net.Sockets.SocketType.Stream, System.Net.Sockets.ProtocolType.Unspecified);
                socket.Bind(new System.Net.Sockets.UnixDomainSocketEndPoint(Path.Combine(folder.FullName, "s")));
                File.Move(Path.Combine(folder.FullName, "s"), path);
                folder.Delete();
                open = socket;
                break;
        }

        return new Planted(path, open);
    }

    private sealed class Planted(string path, IDisposable? open) : IDisposable
    {
        public void Dispose()
        {
            open?.Dispose();
            if (Directory.Exists(path))
            {
                Directory.Delete(path);
            }

            File.Delete(path);
        }
    }
}
