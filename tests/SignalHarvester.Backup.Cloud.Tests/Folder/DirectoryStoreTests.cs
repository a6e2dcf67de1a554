using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Folder;
using SignalHarvester.Backup.TestSupport;
using Xunit;
using static SignalHarvester.Backup.Cloud.Tests.Support.StoreActions;

namespace SignalHarvester.Backup.Cloud.Tests.Folder;

/// <summary>A folder as an object store.</summary>
public sealed class DirectoryStoreTests : ObjectStoreConformance, IDisposable
{
    private readonly TempFolder files = new();

    public void Dispose() => files.Dispose();

    // A folder has no pages; it only matters that nothing is left out.
    protected override int ManyObjects => 100;

    private string Bucket => files["bucket"];

    internal override Task<IObjectStore> OpenAsync(StoreOptions? options = null)
    {
        Directory.CreateDirectory(Bucket);
        return Task.FromResult<IObjectStore>(Open(string.Empty, options));
    }

    internal override IObjectStore Reopen(StoreLocation location) => new DirectoryStore(location, new StoreOptions());

    internal override Task<IEnumerable<string>> KeysAsync(IObjectStore all) => Task.FromResult<IEnumerable<string>>(
    [
        .. Directory.EnumerateFiles(Bucket, "*", new EnumerationOptions { RecurseSubdirectories = true, AttributesToSkip = 0 })
            .Select(path => Path.GetRelativePath(Bucket, path).Replace(Path.DirectorySeparatorChar, '/'))
            .Where(key => !key.Split('/').Contains(".shbackup"))
            .Order(StringComparer.Ordinal),
    ]);

    internal override Task PutForeignAsync(IObjectStore all, string key)
    {
        Directory.CreateDirectory(Path.GetDirectoryName(Path.Combine(Bucket, key))!);
        return File.WriteAllTextAsync(Path.Combine(Bucket, key), "not ours", Stop);
    }

    [Fact]
    public async Task Objects_are_plain_files_and_a_backup_directory()
    {
        const string id = "backup_20261122_020000_123456";
        using var store = Open("site/a");
        Directory.CreateDirectory(Bucket);
        var content = "not compressed, not checked here"u8.ToArray();
        var sidecar = System.Text.Encoding.UTF8.GetBytes($$"""
            {"backup_id":"{{id}}","backup_type":"full","timestamp":"2026-11-22T02:00:00.123456+00:00","db_path":"/app.db","backup_path":"/x/{{id}}_full.db",
             "compression":"none","size_bytes":{{content.Length}},"checksum":"{{StoreTransfer.Sha256(content)}}","verified":false}
            """);

        await PutAsync(store, id + "_full.db", content);
        await PutAsync(store, id + ".json", sidecar);

        Assert.Equal(content, await File.ReadAllBytesAsync(files["bucket", "site", "a", id + "_full.db"], Stop));
        var listing = new BackupDirectory(files["bucket", "site", "a"], TimeProvider.System).List();
        Assert.Empty(listing.Faults);
        Assert.Equal(id, Assert.Single(listing.Backups).Id);
    }

    [Fact]
    public async Task Nobody_else_may_look_into_what_was_written()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows(), "there are no modes on Windows");
#pragma warning disable CA1416 // On Windows, which has no modes, the test is skipped above.
        using var store = Open("inner");
        await store.RequireContainerAsync(create: true, Stop);
        await PutAsync(store, "a", Bytes(10, 1));
        var length = PartSize(store) + 1;
        await store.BeginUploadAsync("b", length, new ObjectAttributes(string.Empty, ObjectAttributes.BackupType), Stop);

        const UnixFileMode privateFile = UnixFileMode.UserRead | UnixFileMode.UserWrite;
        Assert.Equal(privateFile, File.GetUnixFileMode(files["bucket", "inner", "a"]));
        Assert.All([files["bucket"], files["bucket", "inner"], .. Directory.EnumerateDirectories(files["bucket", "inner"])], folder =>
            Assert.Equal(privateFile | UnixFileMode.UserExecute, File.GetUnixFileMode(folder)));
        Assert.All(
            Directory.EnumerateFiles(files["bucket"], "content", SearchOption.AllDirectories), file => Assert.Equal(privateFile, File.GetUnixFileMode(file)));
#pragma warning restore CA1416
    }

    [Fact]
    public async Task What_was_written_leaves_no_temporary_file()
    {
        using var store = await OpenAsync();

        await PutAsync(store, "a", Bytes(10, 1));
        await RefusesAsync(BackupErrorId.CloudObjectExists, () => PutAsync(store, "a", Bytes(10, 2)));

        Assert.Empty(Directory.EnumerateFileSystemEntries(files["bucket", ".shbackup", "uploads"]));
        Assert.Equal([files["bucket", "a"]], Directory.EnumerateFiles(Bucket));
    }

    [Theory]
    [InlineData("")]
    [InlineData(".")]
    [InlineData("..")]
    [InlineData("../a")]
    [InlineData("a/b")]
    [InlineData("/etc/passwd")]
    [InlineData("a\0b")]
    [InlineData(".shbackup")]
    public async Task A_name_that_leads_out_of_the_folder_is_refused(string name)
    {
        using var store = await OpenAsync();
        var content = Bytes(10, 1);
        Func<Task>[] operations =
        [
            () => store.FindAsync(name, Stop),
            () => store.ReadAsync(new ObjectInfo(name, 10, "0-0", default), 0, new byte[10], Stop),
            () => PutAsync(store, name, content),
            () => store.DeleteAsync(name, Stop),
            () => store.BeginUploadAsync(name, 10, new ObjectAttributes(string.Empty, string.Empty), Stop),
        ];

        foreach (var operation in operations)
        {
            await RefusesAsync(BackupErrorId.CloudRefused, operation);
        }
    }

    [Theory]
    [InlineData("..")]
    [InlineData("a/../../b")]
    [InlineData("/a")]
    [InlineData("a//b")]
    [InlineData(".shbackup/objects")]
    public async Task A_prefix_that_leads_out_of_the_folder_is_refused(string prefix) =>
        await RefusesAsync(BackupErrorId.CloudRefused, () => Task.FromResult(Open(prefix)));

    [Theory]
    [InlineData("../../victim")]
    [InlineData("victim")]
    [InlineData("")]
    public async Task An_id_that_is_none_of_ours_is_no_upload(string id)
    {
        using var store = await OpenAsync();
        var victim = Path.Combine(files["bucket", ".shbackup", "uploads"], id);
        Directory.CreateDirectory(victim);
        await File.WriteAllTextAsync(Path.Combine(victim, "name"), "a", Stop);

        Assert.Null(await store.FindPartsAsync("a", id, 10, Stop));
        await store.AbortUploadAsync("a", id, Stop);

        Assert.True(File.Exists(Path.Combine(victim, "name")));
    }

    [Fact]
    public async Task Links_and_folders_are_no_objects_and_are_not_followed()
    {
        using var store = await OpenAsync();
        await File.WriteAllTextAsync(files["outside"], "mine", Stop);
        File.CreateSymbolicLink(files["bucket", "link"], files["outside"]);
        File.CreateSymbolicLink(files["bucket", "dangling"], files["nothing"]);
        Directory.CreateDirectory(files["bucket", "folder"]);
        await PutAsync(store, "a", Bytes(10, 1));

        Assert.Equal(["a"], await NamesAsync(store));
        foreach (var name in new[] { "link", "dangling", "folder" })
        {
            await RefusesAsync(BackupErrorId.CloudRefused, () => store.FindAsync(name, Stop));
            await RefusesAsync(BackupErrorId.CloudRefused, () => store.ReadAsync(new ObjectInfo(name, 4, "0-0", default), 0, new byte[4], Stop));
            await RefusesAsync(BackupErrorId.CloudRefused, () => PutAsync(store, name, Bytes(4, 1)));
            await RefusesAsync(BackupErrorId.CloudRefused, () => store.DeleteAsync(name, Stop));
        }

        Assert.Equal("mine", await File.ReadAllTextAsync(files["outside"], Stop));
        Assert.False(File.Exists(files["nothing"]));
    }

    [Fact]
    public async Task A_pipe_is_not_waited_for()
    {
        using var store = await OpenAsync();
        Tool.Require("mkfifo").Run(files["bucket", "pipe"]);

        Assert.Empty(await NamesAsync(store));
        await RefusesAsync(BackupErrorId.CloudRefused, () => store.FindAsync("pipe", Stop));
    }

    [Theory]
    [InlineData(".shbackup")]
    [InlineData(".shbackup/objects")]
    [InlineData(".shbackup/uploads")]
    [InlineData("prefix")]
    public async Task A_folder_that_is_a_link_is_refused(string linked)
    {
        Directory.CreateDirectory(Bucket);
        Directory.CreateDirectory(files["outside"]);
        var inside = linked == "prefix" ? linked : "prefix/" + linked;
        Directory.CreateDirectory(Path.GetDirectoryName(files["bucket", inside])!);
        File.CreateSymbolicLink(files["bucket", inside], files["outside"]);
        using var store = Open("prefix");

        await RefusesAsync(BackupErrorId.CloudRefused, () => PutAsync(store, "a", Bytes(10, 1)));

        Assert.Empty(Directory.EnumerateFileSystemEntries(files["outside"]));
    }

    [Fact]
    public async Task Options_that_a_folder_does_not_have_are_refused()
    {
        foreach (var options in new StoreOptions[]
        {
            new() { StorageClass = "COLD" },
            new() { ServerSideEncryption = "AES256" },
            new() { EncryptionKey = "key" },
            new() { ImmutableFor = TimeSpan.FromDays(1) },
        })
        {
            await RefusesAsync(BackupErrorId.CloudRefused, () => Task.FromResult(Open(string.Empty, options)));
        }
    }

    [Fact]
    public async Task A_copied_folder_without_records_is_read()
    {
        using var store = await OpenAsync();
        await File.WriteAllBytesAsync(files["bucket", "foreign"], Bytes(1000, 1), Stop);

        var found = await store.FindAsync("foreign", Stop);

        Assert.Equal(StoreTransfer.Sha256(Bytes(1000, 1)), found!.Sha256);
        Assert.Equal(Bytes(1000, 1), await ReadAllAsync(store, found));
    }

    [Fact]
    public async Task What_another_program_wrote_over_a_file_is_another_version_with_another_checksum()
    {
        using var store = await OpenAsync();
        var old = await PutAsync(store, "a", Bytes(1000, 1));
        await File.WriteAllBytesAsync(files["bucket", "a"], Bytes(1000, 2), Stop);

        await RefusesAsync(BackupErrorId.CloudObjectChanged, () => store.ReadAsync(old, 0, new byte[10], Stop));
        await RefusesAsync(BackupErrorId.CloudObjectExists, () => PutAsync(store, "a", Bytes(1000, 3), replaces: old));

        Assert.Equal(StoreTransfer.Sha256(Bytes(1000, 2)), (await store.FindAsync("a", Stop))!.Sha256);
    }

    [Fact]
    public async Task Versions_that_follow_each_other_at_once_differ()
    {
        using var store = await OpenAsync();
        var versions = new List<ObjectInfo> { await PutAsync(store, "a", Bytes(10, 0)) };
        for (var seed = 1; seed < 50; seed++)
        {
            versions.Add(await PutAsync(store, "a", Bytes(10, seed), replaces: versions[^1]));
        }

        Assert.Equal(50, versions.Select(version => version.Version).Distinct().Count());
    }

    [Fact]
    public async Task A_part_that_rotted_on_the_disk_makes_no_object()
    {
        using var store = await OpenAsync();
        var upload = Parted.Of(store, 1);
        var (id, parts) = await upload.PutAllAsync(store, "a");
        using (var file = File.OpenHandle(files["bucket", ".shbackup", "uploads", id, "content"], FileMode.Open, FileAccess.ReadWrite))
        {
            RandomAccess.Write(file, [(byte)(upload.Content[5000] ^ 1)], 5000);
        }

        await RefusesAsync(BackupErrorId.CloudChecksumMismatch, () => store.CompleteUploadAsync("a", id, upload.Length, parts, upload.Attributes, Stop));

        Assert.Null(await store.FindAsync("a", Stop));
    }

    [Fact]
    public async Task A_limit_on_bandwidth_holds_for_a_folder_too()
    {
        using var store = await OpenAsync(new StoreOptions { BandwidthLimit = 1 << 20 });
        var started = TimeProvider.System.GetTimestamp();

        var made = await PutAsync(store, "a", Bytes(1 << 20, 1));
        await ReadAllAsync(store, made);

        // Each direction should take a second.
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.FromSeconds(1.2), TimeSpan.MaxValue);
    }

    [Fact]
    public async Task A_folder_that_may_not_be_written_to_says_so()
    {
        Assert.SkipWhen(OperatingSystem.IsWindows() || Environment.IsPrivilegedProcess, "an administrator may write anywhere");
        using var store = await OpenAsync();
#pragma warning disable CA1416 // On Windows, which has no modes, the test is skipped above.
        File.SetUnixFileMode(Bucket, UnixFileMode.UserRead | UnixFileMode.UserExecute);
#pragma warning restore CA1416

        await RefusesAsync(BackupErrorId.CloudAccessDenied, () => PutAsync(store, "a", Bytes(10, 1)));
    }

    private DirectoryStore Open(string prefix, StoreOptions? options = null) =>
        new DirectoryStore(new StoreLocation { Provider = CloudProvider.Directory, Container = Bucket, Prefix = prefix }, options ?? new StoreOptions());
}
