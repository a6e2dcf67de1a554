using System.Net.Sockets;
using System.Text;
using System.Text.Json.Nodes;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Catalog;

/// <summary>The content of a backup directory after a kill at any moment, and what the next run does with it.</summary>
public sealed class BackupDirectoryTests : IDisposable
{
    private readonly Scene scene = new();

    public void Dispose() => scene.Dispose();

    [Fact]
    public void Killed_while_writing_the_partial_file_goes()
    {
        var kept = Make();
        Directory.CreateDirectory(scene.Stored(".shbackup/digests"));
        var partial = Write("backup_20200101_000000_000000_full.db.zst.partial");
        var digests = Write(".shbackup/digests/0011223344556677-backup_20200101_000000_000000.pages.partial");
        var staged = Write("backup_20200101_000000_000000.json.partial");
        Assert.Equal([kept.Id], Listed());

        NextRun();

        Assert.False(File.Exists(partial));
        Assert.False(File.Exists(digests));
        Assert.False(File.Exists(staged));
        Assert.True(scene.Verify(scene.Directory.Get(kept.Id)).Backup.Verified);
    }

    [Fact]
    public void Killed_before_the_rename_the_backup_never_was()
    {
        var backup = Make();
        var sidecar = File.ReadAllBytes(Sidecar(backup));
        File.Delete(Sidecar(backup));
        File.Move(backup.BackupPath, backup.BackupPath + ".partial");
        var staged = Write($".shbackup/publishing/{backup.Id}.json", sidecar);
        Assert.Empty(Listed());

        NextRun();

        Assert.DoesNotContain(backup.Id, Listed());
        Assert.False(File.Exists(staged));
        Assert.False(File.Exists(backup.BackupPath + ".partial"));
    }

    [Fact]
    public void Killed_between_rename_and_sidecar_the_backup_is_published_by_the_next_run()
    {
        var backup = Make();
        var sidecar = File.ReadAllBytes(Sidecar(backup));
        File.Delete(Sidecar(backup));
        Write($".shbackup/publishing/{backup.Id}.json", sidecar);
        Assert.Empty(Listed());

        NextRun();

        Assert.Contains(backup.Id, Listed());
        Assert.Equal(sidecar, File.ReadAllBytes(Sidecar(backup)));
        Assert.True(scene.Verify(scene.Directory.Get(backup.Id)).Backup.Verified);
        Assert.Empty(Directory.EnumerateFiles(scene.Stored(".shbackup/publishing")));
    }

    [Theory]
    [InlineData(true, false)]
    [InlineData(false, false)]
    [InlineData(true, true)]
    public void Killed_while_removing_the_next_run_finishes_the_removal(bool fileThere, bool removeIsNext)
    {
        var other = Make();
        var backup = Make();
        Directory.CreateDirectory(scene.Stored(".shbackup/removing"));
        File.Move(Sidecar(backup), scene.Stored($".shbackup/removing/{backup.Id}.json"));
        if (!fileThere)
        {
            File.Delete(backup.BackupPath);
        }

        if (removeIsNext)
        {
            Remove(other.Id);
        }
        else
        {
            NextRun();
        }

        Assert.DoesNotContain(backup.Id, Listed());
        Assert.Empty(Directory.EnumerateFiles(scene.Directory.Path, backup.Id + "*"));
        Assert.Empty(Directory.EnumerateFiles(scene.Stored(".shbackup/removing")));
    }

    [Fact]
    public void A_backup_that_was_brought_back_after_a_killed_removal_stays()
    {
        var backup = Make();
        var marker = Write($".shbackup/removing/{backup.Id}.json", File.ReadAllBytes(Sidecar(backup)));

        NextRun();

        Assert.True(scene.Verify(scene.Directory.Get(backup.Id)).Backup.Verified);
        Assert.False(File.Exists(marker));
    }

    [Fact]
    public void Killed_while_removing_a_predecessors_backup_its_entry_in_the_index_goes_as_well()
    {
        (var gone, var kept) = MakePredecessors();
        Write($".shbackup/removing/{gone.Id}.json", File.ReadAllBytes(scene.Stored(gone.Id + ".json")));
        File.Delete(scene.Stored(gone.Id + ".json"));
        Assert.Contains(gone.Id, Listed());

        NextRun();

        Assert.DoesNotContain(gone.Id, Listed());
        Assert.Contains(kept.Id, Listed());
        Assert.False(File.Exists(gone.Path));
        var index = JsonNode.Parse(File.ReadAllText(scene.Stored("backups.json")))!.AsArray();
        Assert.Equal([kept.Id], index.Select(entry => (string?)entry!["backup_id"]));
    }

    [Fact]
    public void A_marker_that_is_not_ours_deletes_nothing()
    {
        var backup = Make();
        Write(
            $".shbackup/removing/{backup.Id}.json", Encoding.UTF8.GetBytes($$"""{"backup_id":"{{backup.Id}}","backup_path":"../../app.db","size_bytes":1}"""));
        Write(".shbackup/publishing/note.json", "mine"u8);

        NextRun();

        Assert.Contains(backup.Id, Listed());
        Assert.True(File.Exists(scene.Database));
    }

    [Fact]
    public void Files_of_unknown_origin_stay()
    {
        Make();
        string[] strangers =
        [
            Write("backup_20200101_000000_000000_full.db.zst"),
            Write("backup_20200101_000000_full.db"),
            Write("notes.txt"),
            Write("download.partial"),
            Write("backup_of_mine.json.partial"),
            Write("backup_20200101_000000_000000_full.db.zst.partial.old"),
        ];

        NextRun();
        Remove(Listed());

        Assert.All(strangers, stranger => Assert.True(File.Exists(stranger), stranger));
        Assert.Empty(Listed());
    }

    [Fact]
    public void The_partial_file_of_a_living_run_stays_and_that_run_goes_on()
    {
        Databases.Create(scene.Database);
        string? seen = null;
        var outer = scene.Create(context: scene.Context(told =>
        {
            if (seen is null && told is OperationProgress progress && progress.Activity.StartsWith("Backing up", StringComparison.Ordinal))
            {
                seen = Assert.Single(Directory.EnumerateFiles(scene.Directory.Path, "*.partial"));
                scene.Create();
                Assert.True(File.Exists(seen));
                Assert.DoesNotContain(Path.GetFileName(seen)[..29], Listed());
            }
        }));

        Assert.NotNull(seen);
        Assert.Equal(2, Listed().Length);
        Assert.True(scene.Verify(outer).Backup.Verified);
    }

    [Fact]
    public void An_id_that_is_taken_is_moved_on()
    {
        Databases.Create(scene.Database);
        var first = CreateBackup.Run(scene.Database, scene.Directory, new CreateBackupOptions(), scene.Context());
        var second = CreateBackup.Run(scene.Database, scene.Directory, new CreateBackupOptions(), scene.Context());
        var third = CreateBackup.Run(scene.Database, scene.Directory, new CreateBackupOptions(), scene.Context());

        Assert.Equal(
            ["backup_20261122_020000_000000", "backup_20261122_020000_000001", "backup_20261122_020000_000002"],
            [first.Id, second.Id, third.Id]);
        Assert.Equal([third.Id, second.Id, first.Id], Listed());
    }

    [Fact]
    public async Task Runs_at_once_into_one_directory_do_not_disturb_each_other()
    {
        Databases.Create(scene.Database);

        var made = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(
            () => CreateBackup.Run(scene.Database, scene.Directory, new CreateBackupOptions(), scene.Context()))));

        Assert.Equal(8, made.Select(backup => backup.Id).Distinct().Count());
        Assert.Equal(made.Select(backup => backup.Id).Order(), Listed().Order());
        Assert.All(made, backup => Assert.True(scene.Verify(backup).Backup.Verified));
    }

    [Fact]
    public void Ten_thousand_sidecars_are_listed_newest_first_each_as_it_is()
    {
        const int count = 10_000;
        var backup = Make();
        var sidecar = File.ReadAllBytes(Sidecar(backup));
        var text = Encoding.UTF8.GetString(sidecar);
        var random = new Random(1);
        var expected = new List<(string Id, long Size)> { (backup.Id, backup.Size) };
        for (var i = 1; i < count; i++)
        {
            var moment = new DateTimeOffset(2020, 1, 1, 0, 0, 0, TimeSpan.Zero).AddHours(i);
            var id = BackupFileName.IdFor(moment);
            var size = random.NextInt64(1 << 40);
            expected.Add((id, size));
            File.WriteAllText(scene.Stored(id + ".json"), text
                .Replace(backup.Id, id, StringComparison.Ordinal)
                .Replace(
                    "2026-11-22T02:00:01.000000", moment.ToString("yyyy-MM-ddTHH:mm:ss.ffffff", System.Globalization.CultureInfo.InvariantCulture),
                    StringComparison.Ordinal)
                .Replace($"\"size_bytes\": {backup.Size}", $"\"size_bytes\": {size}", StringComparison.Ordinal));
        }

        var listing = scene.Directory.List();

        Assert.Empty(listing.Faults);
        Assert.Equal(expected.OrderByDescending(entry => entry.Id), listing.Backups.Select(found => (found.Id, found.Size)));
    }

    [Fact]
    public void One_bad_sidecar_does_not_hide_the_others()
    {
        var good = Make();
        foreach (var bad in (string[])["not JSON", "{\"duration\":1e300}", new string('[', 5000)])
        {
            Write("backup_20200101_000000.json", Encoding.UTF8.GetBytes(bad));

            var listing = scene.Directory.List();

            Assert.Equal([good.Id], listing.Backups.Select(backup => backup.Id));
            Assert.Equal(BackupErrorId.SidecarInvalid, Assert.Single(listing.Faults).ErrorId);
        }
    }

    [Fact]
    public void A_sidecar_too_large_to_be_one_is_not_read_into_memory()
    {
        Make();
        using (var huge = File.Create(scene.Stored("backup_20200101_000000.json")))
        {
            huge.SetLength(8L << 30);
        }

        Assert.Equal(BackupErrorId.SidecarInvalid, Assert.Single(scene.Directory.List().Faults).ErrorId);
    }

    [Fact]
    public void A_linked_sidecar_is_not_followed()
    {
        var backup = Make();
        File.Move(Sidecar(backup), scene["elsewhere.json"]);
        File.CreateSymbolicLink(Sidecar(backup), scene["elsewhere.json"]);

        Assert.Empty(Listed());
        var error = Assert.Throws<BackupException>(() => scene.Directory.Get(backup.Id));
        Assert.Contains(error.ErrorId, (string[])[BackupErrorId.SidecarHostile, BackupErrorId.BackupNotFound]);
    }

    [Fact]
    public void What_only_has_the_name_of_a_sidecar_is_never_listed_and_a_device_or_socket_is_named()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "making links takes a privilege on Windows");
        var backup = Make();
        Directory.CreateDirectory(scene.Stored("backup_20200101_000000.json"));
        Directory.CreateSymbolicLink(scene.Stored("backup_20200102_000000.json"), scene.Directory.Path);
        File.CreateSymbolicLink(scene.Stored("backup_20200103_000000.json"), scene["nowhere"]);
        using var socket = new Socket(AddressFamily.Unix, SocketType.Stream, ProtocolType.Unspecified);
        var name = "backup_20200104_000000.json";
        socket.Bind(new UnixDomainSocketEndPoint(scene.Stored(name)));

        var listing = scene.Directory.List();

        Assert.Equal([backup.Id], listing.Backups.Select(found => found.Id));
        var fault = Assert.Single(listing.Faults);
        Assert.Equal((BackupErrorId.SidecarHostile, scene.Stored(name)), (fault.ErrorId, fault.Target));
        Assert.Equal([backup.Id, name[..^5]], scene.Directory.SidecarIds().OrderDescending(StringComparer.Ordinal));
    }

    [Fact]
    public void A_linked_backup_file_is_not_followed()
    {
        var backup = Make();
        File.Move(backup.BackupPath, scene["elsewhere"]);
        File.CreateSymbolicLink(backup.BackupPath, scene["elsewhere"]);
        var elsewhere = Scene.Digest(scene["elsewhere"]);

        Scene.Fails(BackupErrorId.SidecarHostile, BackupErrorCategory.SecurityError, () => scene.Verify(backup));
        Scene.Fails(BackupErrorId.SidecarHostile, BackupErrorCategory.SecurityError, () => scene.RestoreTo(scene["new.db"], backup));
        Remove(backup.Id);

        Assert.Equal(elsewhere, Scene.Digest(scene["elsewhere"]));
        Assert.Null(new FileInfo(backup.BackupPath).LinkTarget);
        Assert.False(File.Exists(scene["new.db"]));
    }

    [Fact(Timeout = 60_000)]
    public async Task A_pipe_in_a_backups_place_does_not_hang_anything()
    {
        var mkfifo = Tool.Require("mkfifo");
        var backup = Make();
        File.Delete(backup.BackupPath);
        mkfifo.Run(backup.BackupPath).EnsureSuccess();
        mkfifo.Run(scene.Stored("backup_20200101_000000.json")).EnsureSuccess();

        await Task.Run(
            () =>
            {
                var listing = scene.Directory.List();
                Assert.Equal([backup.Id], listing.Backups.Select(found => found.Id));
                Assert.Single(listing.Faults);
                Assert.Throws<BackupException>(() => scene.RestoreTo(scene["new.db"], backup));
            },
            TestContext.Current.CancellationToken);
    }

    [Fact]
    public void A_hostile_sidecar_reads_writes_and_deletes_nothing_outside()
    {
        var backup = Make();
        var outside = scene[Path.GetFileName(backup.BackupPath)];
        File.Copy(backup.BackupPath, outside);
        File.Delete(backup.BackupPath);
        var root = JsonNode.Parse(File.ReadAllText(Sidecar(backup)))!.AsObject();
        foreach (var path in (string[])[outside, "../" + Path.GetFileName(outside)])
        {
            root["backup_path"] = path;
            File.WriteAllText(Sidecar(backup), root.ToJsonString());

            var listed = scene.Directory.Get(backup.Id);

            Assert.Equal(BackupErrorId.BackupFileMissing, scene.Verify(listed).Fault?.ErrorId);
            Scene.Fails(BackupErrorId.BackupFileMissing, BackupErrorCategory.ObjectNotFound, () => scene.RestoreTo(scene["new.db"], listed));
        }

        Remove(backup.Id);
        Assert.True(File.Exists(outside));
        Assert.False(File.Exists(scene["new.db"]));
    }

    [Fact]
    public void A_directory_copied_elsewhere_lists_and_restores_as_it_is()
    {
        var backup = Make();
        var image = ImageHash.Of(scene.Database);
        var copy = scene.Files.Folder("copied");
        foreach (var file in Directory.EnumerateFiles(scene.Directory.Path))
        {
            File.Copy(file, Path.Combine(copy, Path.GetFileName(file)));
        }

        Directory.Delete(scene.Directory.Path, recursive: true);
        var moved = new BackupDirectory(copy, scene.Clock);

        var found = Assert.Single(moved.List().Backups);
        RestoreBackup.Run(BackupSource.In(moved, found), new RestoreOptions { Destination = scene["new.db"] }, scene.Context());

        Assert.Equal(backup.Id, found.Id);
        Assert.Equal(image, ImageHash.Of(scene["new.db"]));
    }

    [Fact]
    public void A_read_only_directory_lists_verifies_and_restores_for_another_user()
    {
        var backup = Make();
        var before = Scene.Everything(scene.Directory.Path);
        AnotherUser.Allow(backup.BackupPath, 0b100);
        AnotherUser.Allow(scene.Stored(backup.Id + ".json"), 0b100);
        foreach (var folder in Directory.EnumerateDirectories(scene.Directory.Path, "*", SearchOption.AllDirectories).Append(scene.Directory.Path))
        {
            AnotherUser.Allow(folder, 0b101);
        }

        var home = scene.Files.Folder("home of another");
        AnotherUser.Allow(home, 0b111);

        AnotherUser.Run(() =>
        {
            var found = Assert.Single(scene.Directory.List().Backups);
            var outcome = VerifyBackup.Run(BackupSource.In(scene.Directory, found), VerificationLevel.Full, scene.Context());
            Assert.Null(outcome.Fault);
            Assert.True(outcome.Backup.Verified);
            RestoreBackup.Run(
                BackupSource.In(scene.Directory, found), new RestoreOptions { Destination = Path.Combine(home, "new.db"), SafetyDirectory = scene.Directory },
                scene.Context());
            Scene.Fails(BackupErrorId.DirectoryNotWritable, BackupErrorCategory.PermissionDenied, () => scene.Create());
            Scene.Fails(BackupErrorId.DirectoryNotWritable, BackupErrorCategory.PermissionDenied, () => Remove(found.Id));
        });

        Assert.Contains(scene.Warnings, warning => warning.Contains("could not be recorded", StringComparison.Ordinal));
        Assert.Equal(ImageHash.Of(scene.Database), ImageHash.Of(Path.Combine(home, "new.db")));
        Assert.Equal(before, Scene.Everything(scene.Directory.Path));
    }

    [Fact]
    public void A_missing_directory_is_said_and_not_made()
    {
        foreach (var action in (Action[])[() => scene.Directory.List(), () => Remove("backup_20200101_000000")])
        {
            var error = Scene.Fails(BackupErrorId.DirectoryNotFound, BackupErrorCategory.ObjectNotFound, action);
            Assert.Contains(scene.Directory.Path, error.Message, StringComparison.Ordinal);
        }

        Assert.False(Directory.Exists(scene.Directory.Path));
    }

    [Theory]
    [InlineData("backup_20200101_000000")]
    [InlineData("../app")]
    [InlineData("")]
    public void An_unknown_id_is_not_found(string id)
    {
        Make();

        Scene.Fails(BackupErrorId.BackupNotFound, BackupErrorCategory.ObjectNotFound, () => scene.Directory.Get(id));
        List<BackupException> faults = [];
        scene.Directory.Remove([id], new HashSet<string>(), _ => Assert.Fail("removed"), faults.Add, CancellationToken.None);
        Assert.Equal(BackupErrorId.BackupNotFound, Assert.Single(faults).ErrorId);
    }

    [Fact]
    public void A_backup_that_others_build_on_is_removed_only_with_them()
    {
        var parent = Make();
        var child = scene.Create(new CreateBackupOptions { Strategy = BackupStrategy.Incremental });
        Assert.Equal(parent.Id, child.ParentId);
        List<BackupException> faults = [];

        scene.Directory.Remove([parent.Id], new HashSet<string>(), _ => Assert.Fail("removed"), faults.Add, CancellationToken.None);
        Assert.Equal(BackupErrorId.BackupHasDependants, Assert.Single(faults).ErrorId);
        Assert.True(scene.Verify(scene.Directory.Get(parent.Id)).Backup.Verified);

        Remove(parent.Id, child.Id);
        Assert.Empty(Listed());
    }

    [Fact]
    public void Everything_of_ours_that_is_no_backup_may_be_deleted_at_any_time()
    {
        var first = Make();
        Directory.Delete(scene.Stored(".shbackup"), recursive: true);

        Assert.Equal([first.Id], Listed());
        var deleted = false;
        var second = scene.Create(context: scene.Context(told =>
        {
            if (!deleted && told is OperationProgress { Activity: "Checking integrity" })
            {
                deleted = true;
                Directory.Delete(scene.Stored(".shbackup/digests"), recursive: true);
            }
        }));

        Assert.True(deleted);
        Assert.Equal([second.Id, first.Id], Listed());
    }

    [Fact]
    public void A_loose_file_is_taken_for_what_its_sidecar_says_else_for_what_it_is()
    {
        var backup = Make();

        Assert.Equal(backup.Checksum, BackupFileLookup.Find(backup.BackupPath, () => scene.Directory, scene.Clock).Backup.Checksum);
        File.Copy(backup.BackupPath, scene["my copy.zst"]);
        (var loose, var catalog) = BackupFileLookup.Find(scene["my copy.zst"], () => scene.Directory, scene.Clock);
        Assert.Null(catalog.Directory);
        Assert.True(VerifyBackup.Run(new BackupSource(loose, catalog), VerificationLevel.Full, scene.Context()).Backup.Verified);
        Scene.Fails(
            BackupErrorId.NotABackup, BackupErrorCategory.InvalidArgument,
            () => BackupFileLookup.Find(scene.Directory.Path, () => scene.Directory, scene.Clock));
        Scene.Fails(
            BackupErrorId.BackupFileMissing, BackupErrorCategory.ObjectNotFound,
            () => BackupFileLookup.Find(scene["none"], () => scene.Directory, scene.Clock));
        File.Copy(backup.BackupPath, scene["backup_20260231_000000_full.db.zst"]);
        Assert.Equal(
            "backup_20260231_000000_full.db.zst",
            BackupFileLookup.Find(scene["backup_20260231_000000_full.db.zst"], () => scene.Directory, scene.Clock).Backup.Id);
    }

    private BackupMetadata Make()
    {
        if (!File.Exists(scene.Database))
        {
            Databases.Create(scene.Database, new DatabaseShape { Rows = 100 });
        }

        return scene.Create();
    }

    private (PredecessorBackup First, PredecessorBackup Second) MakePredecessors()
    {
        Databases.Create(scene.Database, new DatabaseShape { Rows = 100 });
        Directory.CreateDirectory(scene.Directory.Path);
        var predecessor = new PredecessorBackups(scene.Directory.Path);
        return (
            predecessor.Add(scene.Database, new PredecessorForm()),
            predecessor.Add(scene.Database, new PredecessorForm { Timestamp = new DateTime(2025, 11, 11, 0, 0, 0, DateTimeKind.Utc) }));
    }

    private string[] Listed()
    {
        var listing = scene.Directory.List();
        Assert.Empty(listing.Faults);
        return [.. listing.Backups.Select(backup => backup.Id)];
    }

    private void NextRun()
    {
        if (!File.Exists(scene.Database))
        {
            Databases.Create(scene.Database, new DatabaseShape { Rows = 100 });
        }

        scene.Create();
    }

    private void Remove(params string[] ids) =>
        scene.Directory.Remove(ids, new HashSet<string>(), _ => { }, fault => throw fault, CancellationToken.None);

    private string Sidecar(BackupMetadata backup) => scene.Stored(backup.Id + ".json");

    private string Write(string name) => Write(name, "content"u8);

    private string Write(string name, ReadOnlySpan<byte> content)
    {
        var path = scene.Stored(name);
        Directory.CreateDirectory(Path.GetDirectoryName(path)!);
        File.WriteAllBytes(path, content);
        return path;
    }
}
