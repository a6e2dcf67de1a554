using System.Globalization;

namespace SignalHarvester.Backup.Durability.Tests.Support;

/// <summary>A small file system in memory, mounted over a folder. It needs root; without, the test is skipped.</summary>
internal sealed class Mount : IDisposable
{
    private readonly string folder;

    public Mount(string folder, int mebibytes)
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "needs tmpfs, which is Linux's");
        this.folder = folder;
        var made = Tool.Require("mount").Run(
            "-t", "tmpfs", "-o", string.Create(CultureInfo.InvariantCulture, $"size={mebibytes}m,mode=0755"), "tmpfs", folder);
        Assert.SkipUnless(made.ExitCode == 0, $"may not mount a file system: {made.Error.Trim()}");
    }

    /// <summary>From here on nobody may write, not even root.</summary>
    public void MakeReadOnly() => Tool.Require("mount").Run("-o", "remount,ro", folder).EnsureSuccess();

    public void Dispose() => Tool.Require("umount").Run("-l", folder).EnsureSuccess();
}
