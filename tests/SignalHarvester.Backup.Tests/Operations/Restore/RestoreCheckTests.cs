using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Operations.Restore;

/// <summary>A restore ends only after the written pages were read back from the disk.</summary>
public sealed class RestoreCheckTests : IDisposable
{
    private readonly Scene scene = new();

    private string Target => scene["target.db"];

    public void Dispose() => scene.Dispose();

    [Fact]
    public void A_page_that_the_disk_lost_is_an_error_and_the_former_state_is_kept()
    {
        Databases.Create(scene.Database);
        var backup = scene.Create();
        Databases.Create(Target, new DatabaseShape { JournalMode = JournalMode.Delete, Rows = 3000 });
        var former = ImageHash.Of(Target);
        var context = scene.Context(told =>
        {
            // After the last page is written, and before the first one is read back.
            if (told is OperationStepCompleted step && step.Activity.StartsWith("Restoring into", StringComparison.Ordinal))
            {
                Tool.Require("dd").Run("if=/dev/zero", "of=" + Target, "bs=4096", "seek=5", "count=1", "conv=notrunc").EnsureSuccess();
            }
        });

        var error = Scene.Fails(BackupErrorId.RestoreVerificationFailed, BackupErrorCategory.InvalidResult, () => scene.RestoreTo(Target, backup, context));

        Assert.Equal(Target, error.Target);
        Assert.Contains("page 6 ", error.Message, StringComparison.Ordinal);
        var safety = Assert.Single(scene.Directory.List().Backups, kept => kept.IsSafety);
        Assert.Equal(former, safety.Checksum);
    }
}
