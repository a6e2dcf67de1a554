using System.Buffers.Binary;
using System.Globalization;

namespace SignalHarvester.Backup.Storage.Ownership;

/// <summary>
/// An access control list as Linux keeps it in <c>system.posix_acl_access</c>: version 2, then entries of tag, permissions and
/// id, little-endian; see acl(5).
/// </summary>
internal sealed class PosixAcl
{
    /// <summary>The attribute with a file's list.</summary>
    public const string Attribute = "system.posix_acl_access";

    /// <summary>The attribute of a folder with the list for its new files.</summary>
    public const string DefaultAttribute = "system.posix_acl_default";

    private const int Version = 2;
    private const int EntrySize = 8;
    private const ushort UserObject = 0x01;
    private const ushort User = 0x02;
    private const ushort GroupObject = 0x04;
    private const ushort Group = 0x08;
    private const ushort Mask = 0x10;
    private const ushort Other = 0x20;

    private readonly IReadOnlyList<(ushort Tag, ushort Permissions, uint Id)> entries;

    private PosixAcl(IReadOnlyList<(ushort Tag, ushort Permissions, uint Id)> entries) => this.entries = entries;

    /// <summary>What the file's own group may do, limited by the mask.</summary>
    public UnixFileMode GroupMode => (UnixFileMode)((Permissions(GroupObject) & (entries.Any(entry => entry.Tag == Mask) ? Permissions(Mask) : 7)) << 3);

    /// <summary>Reads a list; null if the bytes are not one.</summary>
    public static PosixAcl? TryRead(ReadOnlySpan<byte> bytes)
    {
        if (bytes.Length < 4 || (bytes.Length - 4) % EntrySize != 0 || BinaryPrimitives.ReadUInt32LittleEndian(bytes) != Version)
        {
            return null;
        }

        var entries = new List<(ushort, ushort, uint)>();
        for (var entry = bytes[4..]; !entry.IsEmpty; entry = entry[EntrySize..])
        {
            entries.Add((BinaryPrimitives.ReadUInt16LittleEndian(entry), BinaryPrimitives.ReadUInt16LittleEndian(entry[2..]),
                BinaryPrimitives.ReadUInt32LittleEndian(entry[4..])));
        }

        return new PosixAcl(entries);
    }

    /// <summary>Whether the other list lets in everybody whom this one names, with at least the same permissions.</summary>
    public bool IsWithin(PosixAcl other) => entries.Where(IsNamed).All(entry =>
        other.entries.Any(there => there.Tag == entry.Tag && there.Id == entry.Id && (entry.Permissions & ~there.Permissions) == 0));

    /// <summary>Returns the list in Linux's form, without any permission for people whom it does not name.</summary>
    public byte[] ToBytesWithoutOthers()
    {
        var bytes = new byte[4 + (EntrySize * entries.Count)];
        BinaryPrimitives.WriteUInt32LittleEndian(bytes, Version);
        var place = bytes.AsSpan(4);
        foreach (var (tag, permissions, id) in entries)
        {
            BinaryPrimitives.WriteUInt16LittleEndian(place, tag);
            BinaryPrimitives.WriteUInt16LittleEndian(place[2..], tag == Other ? (ushort)0 : permissions);
            BinaryPrimitives.WriteUInt32LittleEndian(place[4..], id);
            place = place[EntrySize..];
        }

        return bytes;
    }

    /// <summary>Returns the list in setfacl's form.</summary>
    public override string ToString() => string.Join(',', entries.Select(entry => string.Create(
        CultureInfo.InvariantCulture,
        $"{Name(entry.Tag)}:{(IsNamed(entry) ? entry.Id.ToString(CultureInfo.InvariantCulture) : string.Empty)}:{Letter(entry.Permissions, 4, 'r')}{Letter(entry.Permissions, 2, 'w')}{Letter(entry.Permissions, 1, 'x')}")));

    private static bool IsNamed((ushort Tag, ushort Permissions, uint Id) entry) => entry.Tag is User or Group;

    private static string Name(ushort tag) => tag switch
    {
        UserObject or User => "u",
        GroupObject or Group => "g",
        Mask => "m",
        _ => "o",
    };

    private static char Letter(ushort permissions, int bit, char letter) => (permissions & bit) != 0 ? letter : '-';

    private int Permissions(ushort tag) => entries.Where(entry => entry.Tag == tag).Select(entry => entry.Permissions & 7).FirstOrDefault();
}
