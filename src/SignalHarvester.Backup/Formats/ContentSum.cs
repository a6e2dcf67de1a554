using System.IO.Hashing;
using System.Security.Cryptography;

namespace SignalHarvester.Backup.Formats;

/// <summary>
/// The XXH128 of content that this process has just written, to compare it with what is read back. It takes a tenth of SHA-256's time,
/// and the seed, which never leaves the process, keeps anyone from aiming at it.
/// </summary>
/// <param name="Seed">The seed, drawn for each content.</param>
/// <param name="Hash">The hash.</param>
internal sealed record ContentSum(long Seed, UInt128 Hash)
{
    /// <summary>Draws a seed.</summary>
    public static long NewSeed() => BitConverter.ToInt64(RandomNumberGenerator.GetBytes(sizeof(long)));

    /// <summary>Begins to hash what is read back.</summary>
    public XxHash128 Begin() => new(Seed);

    /// <summary>Whether a hash that <see cref="Begin"/> began is of the same content.</summary>
    public bool IsOf(XxHash128 found) => found.GetCurrentHashAsUInt128() == Hash;
}
