using System.Buffers.Binary;

namespace SignalHarvester.Backup.Sqlite.Snapshot;

/// <summary>
/// Prevents the change counter of a database from going back when its content does. In rollback-journal mode, only the counter
/// tells an idle connection that its cache is stale. A counter that went back would count up to the value which that
/// connection saw last, and the connection would write its stale pages into another database.
/// </summary>
/// <param name="last">The counter before the content goes back.</param>
internal sealed class ChangeCounter(uint last)
{
    private const int CounterOffset = 24;
    private const int ValidForOffset = 92;

    private readonly byte[] former = new byte[2 * sizeof(uint)];
    private readonly byte[] advanced = new byte[2 * sizeof(uint)];

    /// <summary>Whether the counter had to be advanced.</summary>
    public bool IsAdvanced { get; private set; }

    /// <summary>Advances the counter on a first page, unless it is already beyond the last one.</summary>
    public void Advance(Span<byte> page)
    {
        var counter = BinaryPrimitives.ReadUInt32BigEndian(page[CounterOffset..]);
        if (unchecked((int)(counter - last)) > 0)
        {
            return;
        }

        Take(page, former);
        BinaryPrimitives.WriteUInt32BigEndian(page[CounterOffset..], unchecked(last + 1));
        if (BinaryPrimitives.ReadUInt32BigEndian(page[ValidForOffset..]) == counter)
        {
            // The page count in the header is valid only if these two agree.
            BinaryPrimitives.WriteUInt32BigEndian(page[ValidForOffset..], unchecked(last + 1));
        }

        Take(page, advanced);
        IsAdvanced = true;
    }

    /// <summary>Restores on a first page what <see cref="Advance"/> replaced, unless somebody changed it since.</summary>
    public void Undo(Span<byte> page)
    {
        Span<byte> now = stackalloc byte[advanced.Length];
        Take(page, now);
        if (IsAdvanced && now.SequenceEqual(advanced))
        {
            former.AsSpan(0, sizeof(uint)).CopyTo(page[CounterOffset..]);
            former.AsSpan(sizeof(uint)).CopyTo(page[ValidForOffset..]);
        }
    }

    private static void Take(ReadOnlySpan<byte> page, Span<byte> fields)
    {
        page.Slice(CounterOffset, sizeof(uint)).CopyTo(fields);
        page.Slice(ValidForOffset, sizeof(uint)).CopyTo(fields[sizeof(uint)..]);
    }
}
