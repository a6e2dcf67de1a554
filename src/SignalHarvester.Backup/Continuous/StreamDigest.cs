using System.Buffers.Binary;
using System.IO.Hashing;
using System.Security.Cryptography;

namespace SignalHarvester.Backup.Continuous;

/// <summary>
/// What tells two states of a database with the same transaction number apart: a number is given again after a crash, in another store, or by
/// another machine. It is random where a stream continues from an ordinary backup, and each transaction changes it: XXH3 of its pages, seeded
/// with the digest before it. docs/FORMAT.md describes it.
/// </summary>
/// <param name="Value">The digest.</param>
internal readonly record struct StreamDigest(ulong Value)
{
    /// <summary>The digest of a state from which a stream continues.</summary>
    public static StreamDigest New() => new(BitConverter.ToUInt64(RandomNumberGenerator.GetBytes(sizeof(ulong))));

    /// <summary>
    /// The digest in a sidecar, which everybody may read. From it nobody gets the digest, so nobody can try which transaction leads to another one.
    /// </summary>
    public string Mark
    {
        get
        {
            Span<byte> bytes = stackalloc byte[sizeof(ulong)];
            BinaryPrimitives.WriteUInt64LittleEndian(bytes, Value);
            return Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, sizeof(ulong)));
        }
    }

    /// <summary>The digest after a transaction.</summary>
    /// <param name="pageCount">Pages of the database after it.</param>
    /// <param name="pages">The pages that it wrote, in their order.</param>
    public StreamDigest After(uint pageCount, IReadOnlyList<FollowedPage> pages)
    {
        var hash = new XxHash3((long)Value);
        Span<byte> number = stackalloc byte[sizeof(uint)];
        foreach (var page in pages)
        {
            BinaryPrimitives.WriteUInt32LittleEndian(number, page.Number);
            hash.Append(number);
            hash.Append(page.Content.Span);
        }

        BinaryPrimitives.WriteUInt32LittleEndian(number, pageCount);
        hash.Append(number);
        return new StreamDigest(hash.GetCurrentHashAsUInt64());
    }
}
