using System.Diagnostics;
using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Storage;

/// <summary>The lock of a backup directory works between processes, and waiting for it ends.</summary>
public sealed class DirectoryLockTests : IDisposable
{
    private readonly TempFolder files = new();

    public void Dispose() => files.Dispose();

    [Fact]
    public void A_lock_that_another_process_keeps_is_an_error_that_names_it()
    {
        using (new Holder(files["lock"]))
        {
            var error = Scene.Fails(
                BackupErrorId.DirectoryLocked,
                BackupErrorCategory.ResourceBusy,
                () => FolderLock.Take(files.Path, Scene.ShortWait, CancellationToken.None).Dispose());

            Assert.Equal(files["lock"], error.Target);
            Assert.Contains("Wait until it has finished", error.Message, StringComparison.Ordinal);
        }

        // The system has released it with the process.
        FolderLock.Take(files.Path, Scene.ShortWait, CancellationToken.None).Dispose();
    }

    [Fact]
    public void The_waiting_can_be_stopped()
    {
        using var holder = new Holder(files["lock"]);
        using var stop = new CancellationTokenSource();
        stop.CancelAfter(Scene.ShortWait);

        Assert.ThrowsAny<OperationCanceledException>(() => FolderLock.Take(files.Path, TimeSpan.FromSeconds(10), stop.Token).Dispose());
    }

    /// <summary>Another process that holds the lock, made with a standard tool.</summary>
    private sealed class Holder : IDisposable
    {
        private readonly Process process;

        public Holder(string path)
        {
            _ = Tool.Require("flock");
            process = Process.Start(
                new ProcessStartInfo(Tool.Find("flock")!, [path, "sh", "-c", "echo held; exec sleep 600"]) { RedirectStandardOutput = true })!;
            Assert.Equal("held", process.StandardOutput.ReadLine());
        }

        public void Dispose()
        {
            process.Kill(entireProcessTree: true);
            process.WaitForExit();
            process.Dispose();
        }
    }
}
