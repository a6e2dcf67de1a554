using System.Buffers.Binary;

namespace SignalHarvester.Backup.TestSupport;

/// <summary>
/// One commit: an amount that went from one account to another. Its checksum covers all commits before it, so two histories with
/// the same last checksum are the same.
/// </summary>
public readonly record struct Transfer(long Sequence, int From, int To, int Amount, long Checksum)
{
    /// <summary>Bytes of a record in the commit journal.</summary>
    public const int Size = 32;

    /// <summary>The state before the first commit.</summary>
    public static Transfer None => default;

    /// <summary>Returns the next commit, between randomly chosen accounts.</summary>
    public Transfer Next(int accounts, Random choice)
    {
        var from = choice.Next(accounts);
        var to = (from + 1 + choice.Next(accounts - 1)) % accounts;
        var amount = choice.Next(1, 100);
        var sequence = Sequence + 1;
        return new Transfer(sequence, from, to, amount, Chain(Checksum, sequence, from, to, amount));
    }

    /// <summary>Whether this commit can follow another one.</summary>
    public bool Follows(Transfer previous) =>
        Sequence == previous.Sequence + 1 && Checksum == Chain(previous.Checksum, Sequence, From, To, Amount);

    public void WriteTo(Span<byte> record)
    {
        BinaryPrimitives.WriteInt64LittleEndian(record, Sequence);
        BinaryPrimitives.WriteInt32LittleEndian(record[8..], From);
        BinaryPrimitives.WriteInt32LittleEndian(record[12..], To);
        BinaryPrimitives.WriteInt32LittleEndian(record[16..], Amount);
        BinaryPrimitives.WriteInt32LittleEndian(record[20..], 0);
        BinaryPrimitives.WriteInt64LittleEndian(record[24..], Checksum);
    }

    public static Transfer ReadFrom(ReadOnlySpan<byte> record) => new(
        BinaryPrimitives.ReadInt64LittleEndian(record),
        BinaryPrimitives.ReadInt32LittleEndian(record[8..]),
        BinaryPrimitives.ReadInt32LittleEndian(record[12..]),
        BinaryPrimitives.ReadInt32LittleEndian(record[16..]),
        BinaryPrimitives.ReadInt64LittleEndian(record[24..]));

    private static long Chain(long before, long sequence, int from, int to, int amount)
    {
        var mixed = (ulong)before;
        foreach (var part in (ReadOnlySpan<long>)[sequence, from, to, amount])
        {
            mixed = (mixed ^ (ulong)part) * 0x9E3779B97F4A7C15;
            mixed ^= mixed >> 29;
        }

        return (long)mixed;
    }
}
