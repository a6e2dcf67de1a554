using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Transfers;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Support;

/// <summary>Common actions in tests of object stores.</summary>
internal static class StoreActions
{
    public const int MiB = 1 << 20;

    /// <summary>Stops with the test.</summary>
    public static CancellationToken Stop => TestContext.Current.CancellationToken;

    /// <summary>Makes content without a pattern, the same for the same seed.</summary>
    public static byte[] Bytes(int length, int seed)
    {
        var bytes = new byte[length];
        new Random(seed).NextBytes(bytes);
        return bytes;
    }

    /// <summary>Returns the size of parts if there are several.</summary>
    public static long PartSize(IObjectStore store) => store.PartSize(40 * MiB);

    /// <summary>Makes a file of four parts and one byte.</summary>
    public static byte[] ManyParts(IObjectStore store) => Bytes((4 * (int)PartSize(store)) + 1, 5);

    public static Task<ObjectInfo> PutAsync(IObjectStore store, string name, byte[] content, ObjectInfo? replaces = null) =>
        store.PutAsync(name, content, ContentHash.Attributes(content, ObjectAttributes.SidecarType, store.Checksums), replaces, Stop);

    public static async Task<byte[]> ReadAllAsync(IObjectStore store, ObjectInfo version)
    {
        var content = new byte[version.Length];
        await store.ReadAsync(version, 0, content, Stop);
        return content;
    }

    public static async Task<List<ObjectInfo>> ListAsync(IObjectStore store, string beginning = "") =>
        await store.ListAsync(beginning, Stop).ToListAsync(Stop);

    public static async Task<IEnumerable<string>> NamesAsync(IObjectStore store, string beginning = "") =>
        (await ListAsync(store, beginning)).Select(one => one.Name);

    public static async Task<List<PendingUpload>> PendingAsync(IObjectStore store, string beginning = "") =>
        await store.PendingUploadsAsync(beginning, Stop).ToListAsync(Stop);

    /// <summary>Runs an action that must fail with an error of one id or, if services cannot distinguish them, of another.</summary>
    public static async Task RefusesAsync(string errorId, Func<Task> action, string? orElse = null)
    {
        var error = await Assert.ThrowsAsync<BackupException>(action);
        Assert.True(error.ErrorId == errorId || error.ErrorId == orElse, $"{error.ErrorId} and not {errorId}: {error}");
    }

    /// <summary>Compares without printing tens of millions of bytes if they differ.</summary>
    public static void Same(byte[] expected, byte[] found) => Assert.True(expected.AsSpan().SequenceEqual(found), "the bytes differ");
}
