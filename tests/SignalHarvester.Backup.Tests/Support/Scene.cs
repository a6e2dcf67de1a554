using System.Collections.Concurrent;
using System.Security.Cryptography;
using Microsoft.Extensions.Time.Testing;
using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Formats.Pipeline;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Remove;
using SignalHarvester.Backup.Operations.Restore;
using SignalHarvester.Backup.Operations.Verify;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Support;

/// <summary>A folder with a place for databases and a backup directory, and short methods for operations on them.</summary>
public sealed class Scene : IDisposable
{
    public static readonly TimeSpan ShortWait = TimeSpan.FromMilliseconds(300);

    private static readonly BackupMetadata Any = new() { Id = "any", BackupPath = "any", BackupDirectory = "any" };

    public Scene()
    {
        Directory = new BackupDirectory(Files["backups"], Clock);
    }

    public TempFolder Files { get; } = new();

    /// <summary>Stands still unless a test moves it.</summary>
    public FakeTimeProvider Clock { get; } = new(new DateTimeOffset(2026, 11, 22, 2, 0, 0, TimeSpan.Zero));

    public BackupDirectory Directory { get; }

    public string Database => Files["app.db"];

    /// <summary>The reports of the operations.</summary>
    public ConcurrentQueue<OperationEvent> Events { get; } = new();

    public IEnumerable<string> Warnings => Events.OfType<OperationMessage>().Where(message => message.IsWarning).Select(message => message.Text);

    public string this[params string[] parts] => Files[parts];

    public string Stored(string name) => Path.Combine(Directory.Path, name);

    /// <param name="onEvent">Called within the operation, for every progress and message.</param>
    /// <param name="cancellation">Stops the operation.</param>
    public OperationContext ContextUntil(CancellationToken cancellation, Action<OperationEvent>? onEvent = null) => new(
        Clock,
        told =>
        {
            Events.Enqueue(told);
            onEvent?.Invoke(told);
        },
        cancellation);

    public OperationContext Context(Action<OperationEvent>? onEvent = null) => ContextUntil(CancellationToken.None, onEvent);

    public BackupMetadata Create(CreateBackupOptions? options = null, string? path = null, OperationContext? context = null)
    {
        Clock.Advance(TimeSpan.FromSeconds(1));
        return CreateBackup.Run(path ?? Database, Directory, options ?? new CreateBackupOptions(), context ?? Context());
    }

    public VerificationOutcome Verify(BackupMetadata backup, VerificationLevel level = VerificationLevel.Full) =>
        VerifyBackup.Run(BackupSource.In(Directory, backup), level, Context());

    public BackupMetadata Restore(BackupMetadata backup, RestoreOptions options, OperationContext? context = null)
    {
        Clock.Advance(TimeSpan.FromSeconds(1));
        return RestoreBackup.Run(BackupSource.In(Directory, backup), options, context ?? Context());
    }

    public BackupMetadata RestoreTo(string destination, BackupMetadata backup, OperationContext? context = null) =>
        Restore(backup, new RestoreOptions { Destination = destination, SafetyDirectory = Directory, LockTimeout = ShortWait }, context);

    /// <summary>Removes backups as a user does: a backup on which others build is folded first.</summary>
    public (IReadOnlyList<string> Removed, IReadOnlyList<BackupException> Faults) Remove(params BackupMetadata[] backups)
    {
        List<string> removed = [];
        List<BackupException> faults = [];
        RemoveBackups.Run([.. backups.Select(backup => backup.Id)], Directory, backup => removed.Add(backup.Id), faults.Add, Context());
        return (removed, faults);
    }

    /// <summary>Restores a backup to a new file and returns its image.</summary>
    public byte[] Restored(BackupMetadata backup)
    {
        var file = this[Guid.NewGuid().ToString("N") + ".db"];
        Restore(backup, new RestoreOptions { Destination = file });
        var image = File.ReadAllBytes(file);
        File.Delete(file);
        return image;
    }

    /// <summary>Returns the image in a stored file, read by the engine.</summary>
    public byte[] Image(string path)
    {
        using var image = new MemoryStream();
        ReadImage(path, into: image);
        return image.ToArray();
    }

    internal ReadResult ReadImage(string path, long largest = long.MaxValue, Stream? into = null)
    {
        using var file = File.OpenHandle(path);
        return StoredFileReader.Read(file, IdentityRing.Empty, Any, largest, Place, _ => { }, CancellationToken.None);

        // Several threads call it, in any order.
        void Place(Chunk chunk)
        {
            if (into is not null)
            {
                lock (into)
                {
                    into.Position = chunk.PlainOffset;
                    into.Write(chunk.PlainSpan);
                }
            }
        }
    }

    /// <summary>Returns the length and the SHA-256 of the image in a stored file, read by the engine.</summary>
    public static (long Length, string Checksum) HashImage(string path)
    {
        using var file = File.OpenHandle(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var stored = StoredFileReader.Read(
            file, IdentityRing.Empty, Any, long.MaxValue, _ => { }, chunk => hash.AppendData(chunk.PlainSpan), CancellationToken.None);
        return (stored.PlainLength, Convert.ToHexStringLower(hash.GetHashAndReset()));
    }

    /// <summary>Unpacks a stored file with a standard tool.</summary>
    public string Unpack(BackupMetadata backup, string? to = null)
    {
        var image = to ?? this[backup.Id + ".unpacked.db"];
        switch (backup.Compression)
        {
            case CompressionType.Zstd:
                Tool.Require("zstd").RunToFile(image, "-d", "-q", "-c", backup.BackupPath).EnsureSuccess();
                break;
            case CompressionType.Gzip:
                Tool.Require("gzip").RunToFile(image, "-d", "-c", backup.BackupPath).EnsureSuccess();
                break;
            default:
                File.Copy(backup.BackupPath, image);
                break;
        }

        return image;
    }

    /// <summary>Returns every file below a folder with a digest of its content, to find any difference.</summary>
    public static SortedDictionary<string, string> Everything(string folder)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var file in System.IO.Directory.EnumerateFiles(folder, "*", SearchOption.AllDirectories))
        {
            found.Add(Path.GetRelativePath(folder, file), Digest(file));
        }

        return found;
    }

    /// <summary>Returns the database file and the files beside it, except the -shm file, which has no content.</summary>
    public static SortedDictionary<string, string> DatabaseFiles(string path)
    {
        var found = new SortedDictionary<string, string>(StringComparer.Ordinal);
        foreach (var ending in (string[])["", "-wal", "-journal"])
        {
            if (File.Exists(path + ending))
            {
                found.Add(ending, Digest(path + ending));
            }
        }

        return found;
    }

    /// <summary>Returns an image without the fields of page 1 that SQLite itself sets when it copies a database.</summary>
    public static byte[] WithoutCounters(byte[] image)
    {
        foreach ((var start, var length) in ((int, int)[])[(18, 2), (24, 4), (40, 4), (92, 8)])
        {
            image.AsSpan(start, length).Clear();
        }

        return image;
    }

    public static string Digest(string file) => Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(file)));

    public static BackupException Fails(string errorId, BackupErrorCategory category, Action action)
    {
        var error = Assert.Throws<BackupException>(action);
        Assert.True(errorId == error.ErrorId, $"{error.ErrorId} instead of {errorId}: {error.Message}");
        Assert.Equal(category, error.Category);
        return error;
    }

    public void Dispose() => Files.Dispose();
}
