using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Sqlite;

/// <summary>
/// What SQLite may only read it reads without locks, and somebody else may write to it all the same. A copy that was
/// written to meanwhile is no backup.
/// </summary>
public sealed class SnapshotLostTests : IDisposable
{
    private readonly Scene scene = new();
    private int left;

    private string ReadOnly => Path.Combine(scene.Files.Folder("read-only"), "app.db");

    public void Dispose() => scene.Dispose();

    [Theory]
    [InlineData(1)]
    [InlineData(2)]
    public void Written_to_while_it_was_copied_it_is_copied_again(int times)
    {
        var attempts = BackUpUnderAWriter(times, () =>
        {
            var backup = scene.Create(path: ReadOnly, context: scene.Context(Interfere));
            Assert.True(backup.Verified);
            Assert.Equal(Scene.WithoutCounters(File.ReadAllBytes(ReadOnly)), Scene.WithoutCounters(scene.Image(backup.BackupPath)));
        });

        Assert.Equal(times, attempts);
        Assert.Equal(times, scene.Warnings.Count(warning => warning.Contains("was lost", StringComparison.Ordinal)));
    }

    [Fact]
    public void Written_to_at_every_attempt_there_is_no_backup_and_an_error()
    {
        BackUpUnderAWriter(int.MaxValue, () =>
        {
            var error = Scene.Fails(
                BackupErrorId.SnapshotLost, BackupErrorCategory.InvalidResult, () => scene.Create(path: ReadOnly, context: scene.Context(Interfere)));
            Assert.Equal(ReadOnly, error.Target);
            Assert.Contains("run the backup again", error.Message, StringComparison.Ordinal);
        });

        Assert.Empty(scene.Directory.List().Backups);
        Assert.DoesNotContain(Directory.EnumerateFiles(scene.Directory.Path), file => file.EndsWith(".partial", StringComparison.Ordinal));
    }

    /// <summary>Runs a backup as one who may only read the database, while somebody writes to it.</summary>
    /// <param name="times">At how many attempts it is written to.</param>
    /// <param name="backUp">The backup.</param>
    /// <returns>How often it was written to.</returns>
    private int BackUpUnderAWriter(int times, Action backUp)
    {
        Databases.Create(ReadOnly);
        AnotherUser.Allow(ReadOnly, 0b100);
        AnotherUser.Allow(Path.GetDirectoryName(ReadOnly)!, 0b101);
        AnotherUser.Allow(scene.Files.Folder("backups"), 0b111);
        left = times;
        AnotherUser.Run(backUp);
        return times - left;
    }

    private void Interfere(OperationEvent told)
    {
        if (left > 0 && told is OperationProgress { DoneBytes: 0 } progress && progress.Activity.StartsWith("Backing up", StringComparison.Ordinal))
        {
            left--;

            // On a thread that has its rights still.
            Task.Run(Write).GetAwaiter().GetResult();
        }
    }

    private void Write()
    {
        using var writer = Databases.Open(ReadOnly);
        Databases.AddRows(writer, 1);
    }
}
