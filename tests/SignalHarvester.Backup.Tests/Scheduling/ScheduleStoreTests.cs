using System.Text.Json.Nodes;
using SignalHarvester.Backup.Scheduling;
using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Scheduling;

/// <summary>The stored files of schedules.</summary>
public sealed class ScheduleStoreTests : IDisposable
{
    private readonly TempFolder folder = new();

    [Fact]
    public void A_schedule_is_read_as_it_was_written_and_only_its_owner_can_read_it()
    {
        var store = Store(ScheduleScope.User);
        foreach (var name in Scheduled.HostileTexts)
        {
            var written = Scheduled.Definition(
                name, new ScheduleTrigger { Frequency = ScheduleFrequency.Every, Interval = TimeSpan.FromMinutes(90), At = new TimeSpan(0, 5, 0) });
            store.Write(written);
            var read = store.Find(name.ToUpperInvariant())!;
            Assert.Equal(name, read.Name);
            Assert.Equal(written.Trigger, read.Trigger);
            Assert.True(written.IsSameAs(read));
            Assert.Equal(written.Registered, read.Registered);
            if (!OperatingSystem.IsWindows())
            {
                Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(store.PathOf(written.Key)));
            }
        }

        Assert.Equal(Scheduled.HostileTexts.Length, store.List(fault => Assert.Fail(fault.Message)).Count);
    }

    [Fact]
    public void What_another_account_could_have_written_runs_nothing_with_all_rights()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "takes Unix permissions");
        var store = Store(ScheduleScope.System);
        store.Write(Scheduled.Definition());
        var path = store.PathOf("nightly");
        if (!OperatingSystem.IsWindows())
        {
            if (Environment.IsPrivilegedProcess)
            {
                Assert.NotNull(store.Find("nightly"));
                File.SetUnixFileMode(path, (UnixFileMode)0b110_110_100);
            }

            Assert.Equal(BackupErrorCategory.SecurityError, Assert.Throws<BackupException>(() => store.Find("nightly")).Category);
            File.SetUnixFileMode(path, (UnixFileMode)0b110_100_100);
            File.SetUnixFileMode(folder["definitions"], (UnixFileMode)0b111_111_111);
            Assert.Equal(BackupErrorId.ScheduleInvalid, Assert.Throws<BackupException>(() => store.Find("nightly")).ErrorId);
        }
    }

    [Fact]
    public void A_file_under_another_schedules_name_is_refused()
    {
        var store = Store(ScheduleScope.User);
        store.Write(Scheduled.Definition());
        File.Copy(store.PathOf("nightly"), store.PathOf("other"));
        Assert.Equal(BackupErrorId.ScheduleInvalid, Assert.Throws<BackupException>(() => store.Find("other")).ErrorId);
    }

    [Theory]
    [InlineData("job", "databases")]
    [InlineData("command", "arguments")]
    public void A_definition_that_somebody_wrote_without_a_field_is_told_which_are_needed(string part, string field)
    {
        var store = Store(ScheduleScope.User);
        store.Write(Scheduled.Definition());
        var written = JsonNode.Parse(File.ReadAllText(store.PathOf("nightly")))!;
        Assert.True(written[part]!.AsObject().Remove(field));
        File.WriteAllText(store.PathOf("nightly"), written.ToJsonString());

        var error = Assert.Throws<BackupException>(() => store.Find("nightly"));

        Assert.Equal(BackupErrorId.ScheduleInvalid, error.ErrorId);
        Assert.Contains(field, error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_run_that_ends_after_its_schedule_was_removed_leaves_nothing()
    {
        var store = Store(ScheduleScope.User);
        store.Write(Scheduled.Definition());
        using (store.TryLock("nightly"))
        {
            Assert.Null(store.TryLock("nightly"));
            store.Delete("nightly");
            store.WriteState("nightly", new ScheduleState { LastRun = Scheduled.Now });
        }

        Assert.Empty(Directory.GetFiles(folder["state"]));
    }

    [Fact]
    public void A_schedule_that_is_removed_and_registered_again_does_not_run_beside_its_former_self()
    {
        var store = Store(ScheduleScope.User);
        store.Write(Scheduled.Definition());
        var held = store.TryLock("nightly")!;
        store.Delete("nightly");
        store.Write(Scheduled.Definition());
        Assert.Null(store.TryLock("nightly"));

        // Unlocked first: a process that another test is just starting may have a copy of the handle for a moment.
        RegularFile.Release(held);

        using var next = store.TryLock("nightly");
        Assert.NotNull(next);
    }

    [Fact]
    public void Nothing_secret_is_kept()
    {
        var store = Store(ScheduleScope.User);
        store.Write(Scheduled.Definition() with
        {
            Job = new ScheduleJob
            {
                Upload = new StoreLocation { Provider = CloudProvider.S3, Container = "b", Profile = "p" },
                UploadOptions = new ObjectStorage.StoreOptions { EncryptionKey = "alias/name" },
            },
        });
        var upload = JsonNode.Parse(File.ReadAllText(store.PathOf("nightly")))!["job"]!["upload"]!.AsObject();
        Assert.Equal(["provider", "container", "prefix", "use_path_style", "profile"], upload.Select(field => field.Key));
    }

    public void Dispose() => folder.Dispose();

    private ScheduleStore Store(ScheduleScope scope) => new(scope, new ScheduleFolders(folder["definitions"], folder["state"]));
}
