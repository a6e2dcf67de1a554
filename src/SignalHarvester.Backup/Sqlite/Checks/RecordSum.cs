using System.IO.Hashing;

namespace SignalHarvester.Backup.Sqlite.Checks;

/// <summary>The sum of the hashes of records, and their number. Two lists with the same records have equal sums, in whatever order.</summary>
/// <remarks>
/// XXH3 is not a cryptographic hash: anyone who knows the seed can make different records with the same sum. Each check draws its own
/// seed, which never leaves the process. So neither damage nor the writer of a database can aim at it (docs/ARCHITECTURE.md).
/// </remarks>
/// <param name="Hashes">The sum, modulo 2^128.</param>
/// <param name="Count">The number of records.</param>
internal readonly record struct RecordSum(UInt128 Hashes, long Count)
{
    /// <summary>The sum with one more record.</summary>
    /// <param name="record">The record.</param>
    /// <param name="seed">The seed of the check.</param>
    public RecordSum With(ReadOnlySpan<byte> record, long seed) => new(unchecked(Hashes + XxHash128.HashToUInt128(record, seed)), Count + 1);
}
