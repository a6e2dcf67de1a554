using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Tests.Support;
using Xunit;

namespace SignalHarvester.Backup.Tests.Operations.Restore;

public sealed class RestoreTargetTests : IDisposable
{
    private readonly Scene scene = new();

    public void Dispose() => scene.Dispose();

    [Fact]
    public void Where_the_last_step_of_a_swap_cannot_be_done_log_and_journal_are_back()
    {
        foreach (var suffix in (string[])["-wal", "-journal", "-shm"])
        {
            File.WriteAllText(scene.Database + suffix, suffix);
        }

        var target = RestoreTarget.Resolve(scene.Database, allowHardLink: false, scene.Context());
        File.WriteAllText(scene.Database, "made by somebody meanwhile");
        var before = Scene.Everything(scene.Files.Path);
        File.WriteAllText(Path.Combine(scene.Files.Folder("work"), "image.db"), "image");

        Assert.Throws<IOException>(() => target.Swap(scene["work", "image.db"]));

        System.IO.Directory.Delete(scene["work"], recursive: true);
        Assert.Equal(before, Scene.Everything(scene.Files.Path));
    }
}
