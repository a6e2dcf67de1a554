using SignalHarvester.Backup.Protection;
using SignalHarvester.Backup.Storage.Ownership;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Protection;

/// <summary>Where a database is not protected: each refusal names it, says what to do, and leaves everything as it is.</summary>
public sealed class ProtectionGroundsTests : IDisposable
{
    private readonly TempFolder folder = new();

    public ProtectionGroundsTests()
    {
        Assert.SkipUnless(OperatingSystem.IsLinux(), "refused anywhere else");
        Databases.Create(Database, new DatabaseShape { JournalMode = JournalMode.Wal });
    }

    private string Database => folder["app.db"];

    public void Dispose() => folder.Dispose();

    [Fact]
    public void On_Windows_and_macOS_it_is_refused_by_name() => AssertRefused(
        ProtectionGrounds.Here with { IsLinux = false, FileSystemOf = _ => "apfs" }, "proved on Linux only", "Use a schedule here (Register-SHBackupSchedule)");

    [Theory]
    [InlineData("nfs")]
    [InlineData("nfs4")]
    [InlineData("cifs")]
    [InlineData("smb3")]
    [InlineData("fuse.sshfs")]
    [InlineData("fuse.glusterfs")]
    [InlineData("fuseblk")]
    [InlineData("virtiofs")]
    [InlineData("9p")]
    [InlineData("ceph")]
    public void On_a_file_system_of_another_machine_or_of_a_program_it_is_refused(string kind) => AssertRefused(
        ProtectionGrounds.Here with { FileSystemOf = _ => kind }, $"({kind})", "Run this on the machine that has the disk");

    [Fact]
    public void An_account_that_is_neither_root_nor_the_owner_is_refused()
    {
        var owner = UnixAccounts.CurrentUser;
        AssertRefused(ProtectionGrounds.Here with { User = () => owner + 1 }, "another account", "Run the protection as the account that owns the database");
        foreach (var allowed in (uint[])[owner, 0])
        {
            (ProtectionGrounds.Here with { User = () => allowed }).Require(Database);
        }
    }

    [Fact]
    public void A_file_with_another_name_is_refused()
    {
        Tool.Require("ln").Run(Database, folder["other name.db"]).EnsureSuccess();
        AssertRefused(ProtectionGrounds.Here, "hard links", "Remove the other names");
    }

    [Fact]
    public void Kinds_of_file_systems_have_the_names_of_the_kernel_and_those_of_a_disk_are_good()
    {
        var kind = Tool.Require("findmnt").Run("-n", "-o", "FSTYPE", "-T", folder.Path).EnsureSuccess().Output.Trim();
        Assert.Equal(kind, ProtectionGrounds.Here.FileSystemOf(Database));
        foreach (var local in (string[])[kind, "ext4", "xfs", "btrfs", "zfs", "tmpfs", "overlay", "f2fs"])
        {
            (ProtectionGrounds.Here with { FileSystemOf = _ => local }).Require(Database);
        }
    }

    private void AssertRefused(ProtectionGrounds grounds, string why, string remedy)
    {
        var before = Files();
        var error = Assert.Throws<BackupException>(() => grounds.Require(Database));
        Assert.Equal((BackupErrorId.ProtectionRefused, Database), (error.ErrorId, error.Target));
        Assert.All([Database, why, remedy], words => Assert.Contains(words, error.Message, StringComparison.Ordinal));
        Assert.Equal(before, Files());
    }

    private List<(string Name, string Content)> Files() =>
        [.. Directory.GetFiles(folder.Path).Order(StringComparer.Ordinal).Select(file => (file, Convert.ToHexString(File.ReadAllBytes(file))))];
}
