using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Catalog;

/// <summary>The content of .shbackup is never trusted to be ours, and never prevents a backup.</summary>
public sealed class StateFolderTests : IDisposable
{
    private readonly Scene scene = new();

    public void Dispose() => scene.Dispose();

    [Theory]
    [InlineData("removing")]
    [InlineData("publishing")]
    [InlineData("digests")]
    [InlineData("tmp")]
    public void A_link_in_the_state_folder_is_refused_and_nothing_behind_it_is_touched(string name)
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "making links takes a privilege on Windows");
        Databases.Create(scene.Database);
        _ = scene.Create();
        var mine = scene.Files.Folder("my project");
        File.WriteAllText(Path.Combine(mine, "package.json"), "{}");
        File.WriteAllText(Path.Combine(mine, "backup_20260101_000000_000000.json"), "{}");
        var folder = Path.Combine(scene.Directory.Path, ".shbackup", name);
        if (Directory.Exists(folder))
        {
            Directory.Delete(folder, recursive: true);
        }

        Directory.CreateSymbolicLink(folder, mine);

        Scene.Fails(BackupErrorId.SidecarHostile, BackupErrorCategory.SecurityError, () => scene.Create());

        Assert.Equal(2, Directory.GetFiles(mine).Length);
    }

    [Fact]
    public void A_removal_that_cannot_be_finished_is_said_and_blocks_no_backup()
    {
        Databases.Create(scene.Database);
        var backup = scene.Create();

        // The marker of a killed removal, and something undeletable with the file's name.
        var removing = Path.Combine(scene.Directory.Path, ".shbackup", "removing");
        Directory.CreateDirectory(removing);
        File.Move(Path.Combine(scene.Directory.Path, backup.Id + ".json"), Path.Combine(removing, backup.Id + ".json"));
        File.Delete(backup.BackupPath);
        Directory.CreateDirectory(Path.Combine(backup.BackupPath, "full"));

        var next = scene.Create();

        Assert.True(next.Verified);
        Assert.Contains(scene.Warnings, warning => warning.Contains(backup.Id, StringComparison.Ordinal));
    }

    [Fact]
    public void A_description_that_could_not_be_read_back_is_refused_and_leaves_nothing()
    {
        Databases.Create(scene.Database);

        Scene.Fails(
            BackupErrorId.InvalidArgument,
            BackupErrorCategory.InvalidArgument,
            () => scene.Create(new CreateBackupOptions { Description = new string('x', 5 << 20) }));

        Assert.Empty(scene.Directory.List().Backups);
        Assert.DoesNotContain(Directory.EnumerateFiles(scene.Directory.Path), file => Path.GetFileName(file).StartsWith("backup_", StringComparison.Ordinal));
    }

    [Fact]
    public void A_quick_test_does_not_clear_a_failed_full_one()
    {
        Databases.Create(scene.Database);
        var backup = scene.Create();
        var sidecar = Path.Combine(scene.Directory.Path, backup.Id + ".json");
        File.WriteAllText(sidecar, File.ReadAllText(sidecar).Replace("\"customer\": ", "\"customer\": 1", StringComparison.Ordinal));
        Assert.Equal(BackupErrorId.BackupContentMismatch, scene.Verify(scene.Directory.Get(backup.Id)).Fault?.ErrorId);

        var quick = scene.Verify(scene.Directory.Get(backup.Id), VerificationLevel.Quick);

        Assert.NotNull(quick.Fault);
        Assert.False(scene.Directory.Get(backup.Id).Verified);
    }
}
