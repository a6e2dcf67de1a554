using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>A process that has loaded an SQLite with the WAL-reset bug must not make backups.</summary>
public class OldSqliteTests
{
    [Fact]
    public async Task With_an_old_SQLite_nothing_is_done_and_its_version_is_named()
    {
        var (library, version) = OlderLibrary();
        using var workspace = new Workspace();
        using var copy = new ModuleCopy();
        foreach (var bundled in Directory.EnumerateFiles(copy["lib", "runtimes"], "libe_sqlite3.so", SearchOption.AllDirectories))
        {
            File.Copy(library, bundled, overwrite: true);
        }

        var (code, output, said) = await copy.RunAsync(
            workspace.Folder,
            "New-SHBackup ./app.db -ErrorAction SilentlyContinue -WarningAction SilentlyContinue; $Error[0].FullyQualifiedErrorId; $Error[0].CategoryInfo.Category; $Error[0].TargetObject; exit 3");

        Assert.True(code == 3, said);
        Assert.Equal(
            ["SqliteTooOld,SignalHarvester.Backup.PowerShell.Commands.NewSHBackupCommand", "InvalidOperation", version],
            output.Split(Environment.NewLine, StringSplitOptions.RemoveEmptyEntries));
        Assert.Empty(workspace.BackupFiles);
    }

    /// <summary>Returns the SQLite library of the system's own shell, with its version; skips the test if it is not old.</summary>
    private static (string Library, string Version) OlderLibrary()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "the system's SQLite can be put in the bundled one's place on Linux alone");
        var version = Tool.Require("sqlite3").Run("--version").EnsureSuccess().Output.Split(' ')[0];
        Assert.SkipUnless(Version.Parse(version) < new Version(3, 51, 3), $"the system's SQLite {version} is new enough");
        var library =
            Directory.EnumerateFiles("/usr/lib", "libsqlite3.so.0", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true })
                .FirstOrDefault();
        Assert.SkipWhen(library is null, "the system's SQLite is no shared library");
        return (library!, version);
    }
}
