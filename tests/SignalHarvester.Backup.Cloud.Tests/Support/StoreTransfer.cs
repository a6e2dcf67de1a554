using System.Security.Cryptography;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Transfers;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.Cloud.Tests.Support;

/// <summary>A local machine: it sends and fetches files as the commands do, and keeps its own journals.</summary>
internal sealed class StoreTransfer : IDisposable
{
    private readonly TempFolder files = new();

    /// <summary>The folder of the journals.</summary>
    public string Journals => files[".shbackup", "uploads"];

    /// <summary>The remaining files of the journals.</summary>
    public IEnumerable<string> JournalFiles => Directory.Exists(Journals) ? Directory.EnumerateFiles(Journals) : [];

    /// <summary>The path of a file of this machine.</summary>
    public string this[string name] => files[name];

    /// <summary>Sends content as a file whose recorded SHA-256 is right, unless another is given.</summary>
    public async Task<ObjectInfo> SendAsync(
        IObjectStore store, string name, byte[] content, CancellationToken stop, string? sha256 = null, bool keepsJournal = true)
    {
        await File.WriteAllBytesAsync(files[name], content, CancellationToken.None);
        return await SendFileAsync(store, name, sha256 ?? Sha256(content), stop, keepsJournal);
    }

    /// <summary>Sends an existing file.</summary>
    public async Task<ObjectInfo> SendFileAsync(IObjectStore store, string name, string sha256, CancellationToken stop, bool keepsJournal = true)
    {
        using var file = File.OpenHandle(files[name], share: FileShare.ReadWrite);
        var context = Context(stop);
        using var meter = context.Meter("Sending", RandomAccess.GetLength(file));
        return await new Upload(store, name, file, sha256, context).RunAsync(keepsJournal ? Journals : null, meter);
    }

    /// <summary>Fetches an object into a file of this machine, which may already have content.</summary>
    public async Task<byte[]> FetchAsync(IObjectStore store, ObjectInfo version, CancellationToken stop, string? sha256 = null, int partBytes = 8 << 20)
    {
        using (var file = File.OpenHandle(files[version.Name], FileMode.OpenOrCreate, FileAccess.ReadWrite))
        {
            var context = Context(stop);
            using var meter = context.Meter("Fetching", version.Length);
            await new Download(store, version, context) { PartBytes = partBytes }.RunAsync(file, sha256 ?? version.Sha256, meter);
        }

        return await File.ReadAllBytesAsync(files[version.Name], CancellationToken.None);
    }

    /// <summary>Returns the SHA-256 of content, in lower-case hex.</summary>
    public static string Sha256(ReadOnlySpan<byte> content) => Convert.ToHexStringLower(SHA256.HashData(content));

    /// <inheritdoc/>
    public void Dispose() => files.Dispose();

    private static OperationContext Context(CancellationToken stop) => new(TimeProvider.System, _ => { }, stop);
}
