using System.Security.Cryptography;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Formats;
using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Encryption;

/// <summary>Age files in a folder of their own, written and read by the engine.</summary>
public sealed class AgeFiles : IDisposable
{
    private static readonly BackupMetadata Backup = new() { Id = "the backup", BackupPath = "any", BackupDirectory = "any", IsEncrypted = true };

    private readonly TempFolder folder = new(plain: true);

    public AgeFiles()
    {
        KeyFile = folder["key.txt"];
        Recipient = BackupKeys.Create(KeyFile, TimeProvider.System).Recipient;
        Ring = IdentityRing.Empty.WithFile(KeyFile, TestContext.Current.CancellationToken);
    }

    public string KeyFile { get; }

    public string Recipient { get; }

    public IdentityRing Ring { get; }

    public string this[string name] => folder[name];

    public string Encrypt(string name, byte[] content, BackupEncryption encryption, int pieceLength = 1_000_003)
    {
        var path = folder[name];
        using var file = File.OpenHandle(path, FileMode.Create, FileAccess.ReadWrite);
        using var flush = new SteadyFlush(file);
        using var writer = new StoredFileWriter(file, flush, () => { }, FileEncryption.Create(encryption));
        for (var start = 0; start < content.Length; start += pieceLength)
        {
            writer.Append(content.AsSpan(start, Math.Min(pieceLength, content.Length - start)));
        }

        (var length, var checksum) = writer.Finish();
        flush.Finish();
        Assert.Equal(new FileInfo(path).Length, length);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))), checksum);
        return path;
    }

    public static byte[] Decrypt(string path, IdentityRing ring) => Decrypt(path, ring, new MemoryStream());

    /// <summary>Decrypts into a stream, which then has the bytes before a fault.</summary>
    public static byte[] Decrypt(string path, IdentityRing ring, MemoryStream content)
    {
        using var file = File.OpenHandle(path);
        using var stored = new StoredStream(file, ring, Backup);
        stored.CopyTo(content);
        Assert.Equal(Convert.ToHexStringLower(SHA256.HashData(File.ReadAllBytes(path))), stored.Finish());
        return content.ToArray();
    }

    public void Dispose() => folder.Dispose();
}
