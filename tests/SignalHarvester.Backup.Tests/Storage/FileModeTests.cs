using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Storage;

/// <summary>Who may read the files of a run: only their owner, unless somebody has let others in.</summary>
public sealed class FileModeTests : IDisposable
{
    private const UnixFileMode OwnersAlone = UnixFileMode.UserRead | UnixFileMode.UserWrite;
    private const UnixFileMode OpenToGroup = OwnersAlone | UnixFileMode.GroupRead;

    private const string Somebody = "65534:65533";

    private readonly Scene scene = new();

    public FileModeTests()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "Windows has no file modes");
        Databases.Create(scene.Database);
    }

    public void Dispose() => scene.Dispose();

    [Fact]
    public void Backup_sidecar_and_page_digests_are_their_owners_alone()
    {
        var backup = scene.Create();

        var digests = Assert.Single(Directory.GetFiles(scene.Directory.Layout.DigestFolder));
        Assert.All([backup.BackupPath, SidecarOf(backup), digests], path => Assert.Equal(OwnersAlone, Mode(path)));
    }

    [Fact]
    public void What_was_opened_to_others_stays_open_when_it_is_rewritten()
    {
        var full = scene.Create();
        Change();
        var increment = scene.Create(new CreateBackupOptions { Strategy = BackupStrategy.Incremental });
        foreach (var path in new[] { increment.BackupPath, SidecarOf(increment) })
        {
            SetMode(path, OpenToGroup);
        }

        scene.Verify(increment);
        Assert.Equal(OpenToGroup, Mode(SidecarOf(increment)));
        Assert.Equal([full.Id], scene.Remove(full).Removed);

        var folded = scene.Directory.Get(increment.Id);
        Assert.NotEqual(increment.BackupPath, folded.BackupPath);
        Assert.All([folded.BackupPath, SidecarOf(folded)], path => Assert.Equal(OpenToGroup, Mode(path)));
    }

    [Fact]
    public void A_dead_database_that_is_kept_aside_is_no_more_open_than_it_was()
    {
        var backup = scene.Create();
        File.WriteAllText(scene.Database, "This is no database any more, and only its owner may see what it is.");
        SetMode(scene.Database, OwnersAlone);

        scene.RestoreTo(scene.Database, backup);

        Assert.Equal(OwnersAlone, Mode(Assert.Single(Directory.GetFiles(scene.Files.Path, "app.db.damaged-*"))));
        Assert.Equal(OwnersAlone, Mode(scene.Database));
    }

    [Fact]
    public void What_takes_the_place_of_a_dead_database_belongs_to_whom_that_belonged()
    {
        var backup = scene.Create();
        File.WriteAllText(scene.Database, "This is no database any more.");
        GiveAway(scene.Database);

        scene.RestoreTo(scene.Database, backup);

        Assert.Equal(Somebody, Owner(scene.Database));
        Assert.Equal(Somebody, Owner(Assert.Single(Directory.GetFiles(scene.Files.Path, "app.db.damaged-*"))));
    }

    [Fact]
    public void The_log_of_a_delta_restore_is_as_its_database()
    {
        var backup = scene.Create();
        Change();
        SetMode(scene.Database, OpenToGroup);
        GiveAway(scene.Database);
        List<(string Owner, UnixFileMode Mode)> seen = [];

        scene.Restore(
            backup,
            new RestoreOptions { Destination = scene.Database, Delta = true },
            scene.Context(told =>
            {
                if (told is OperationProgress { Activity: "Checking the restored database" })
                {
                    seen.Add((Owner(scene.Database + "-wal"), Mode(scene.Database + "-wal")));
                }
            }));

        Assert.NotEmpty(seen);
        Assert.All(seen, found => Assert.Equal((Somebody, OpenToGroup), found));
    }

    private void Change()
    {
        using var user = Databases.Open(scene.Database);
        Databases.Execute(user, "INSERT INTO audit(what) VALUES ('one')");
    }

    private static void GiveAway(string path)
    {
        Assert.SkipUnless(Environment.IsPrivilegedProcess, "only root can give a file to somebody else");
        Tool.Require("chown").Run(Somebody, path).EnsureSuccess();
    }

    private static string Owner(string path) => Tool.Require("stat").Run("-c", "%u:%g", path).EnsureSuccess().Output.Trim();

    private string SidecarOf(BackupMetadata backup) => scene.Stored(backup.Id + ".json");

    private static UnixFileMode Mode(string path) => OperatingSystem.IsWindows() ? default : File.GetUnixFileMode(path);

    private static void SetMode(string path, UnixFileMode mode)
    {
        if (!OperatingSystem.IsWindows())
        {
            File.SetUnixFileMode(path, mode);
        }
    }
}
