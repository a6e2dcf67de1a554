using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.Storage.Ownership;

/// <summary>Users and groups of this machine, by name and by number.</summary>
internal static unsafe partial class UnixAccounts
{
    private const int BufferBytes = 64 << 10;

    // Both structures begin with two pointers, name and password, then the number; a user's has the number of its group next.
    private const int StructureBytes = 256;

    /// <summary>The user that this process acts as.</summary>
    public static uint CurrentUser => GetEffectiveUser();

    /// <summary>A user's name; null if the number has none here.</summary>
    public static string? UserName(uint id) => Name((structure, buffer, found) => GetUser(id, structure, buffer, BufferBytes, found));

    /// <summary>A group's name; null if the number has none here.</summary>
    public static string? GroupName(uint id) => Name((structure, buffer, found) => GetGroup(id, structure, buffer, BufferBytes, found));

    /// <summary>The number that a user of another machine has here: that of the same name, else the same number where nobody here has it.</summary>
    /// <returns>Null if the number is another's here.</returns>
    public static uint? UserHere(uint id, string? name) => (name is null ? null : User(name)) ?? (UserName(id) is null ? id : null);

    /// <summary>The number that a group of another machine has here, as for a user.</summary>
    public static uint? GroupHere(uint id, string? name) => (name is null ? null : Group(name)) ?? (GroupName(id) is null ? id : null);

    /// <summary>A user's number; null where nobody has the name here.</summary>
    public static uint? User(string name) => Number((structure, buffer, found) => GetUser(name, structure, buffer, BufferBytes, found), 0);

    /// <summary>A group's number; null if none has the name here.</summary>
    public static uint? Group(string name) => Number((structure, buffer, found) => GetGroup(name, structure, buffer, BufferBytes, found), 0);

    /// <summary>The number of the group that a user's files belong to when nothing else is said; null for a number without a name.</summary>
    public static uint? OwnGroupOf(uint user) => Number((structure, buffer, found) => GetUser(user, structure, buffer, BufferBytes, found), sizeof(uint));

    private delegate int Query(byte* structure, byte* buffer, nint* found);

    private static string? Name(Query query)
    {
        string? name = null;
        Ask(query, structure => name = Marshal.PtrToStringUTF8(*(nint*)structure));
        return name;
    }

    private static uint? Number(Query query, int offset)
    {
        uint? number = null;
        Ask(query, structure => number = *(uint*)(structure + (2 * sizeof(nint)) + offset));
        return number;
    }

    private delegate void Answer(byte* structure);

    private static void Ask(Query query, Answer take)
    {
        var structure = stackalloc byte[StructureBytes];
        nint found;
        fixed (byte* buffer = new byte[BufferBytes])
        {
            if (query(structure, buffer, &found) == 0 && found != 0)
            {
                take(structure);
            }
        }
    }

    [LibraryImport("libc", EntryPoint = "geteuid")]
    private static partial uint GetEffectiveUser();

    [LibraryImport("libc", EntryPoint = "getpwuid_r")]
    private static partial int GetUser(uint id, byte* structure, byte* buffer, nint length, nint* found);

    [LibraryImport("libc", EntryPoint = "getpwnam_r", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GetUser(string name, byte* structure, byte* buffer, nint length, nint* found);

    [LibraryImport("libc", EntryPoint = "getgrgid_r")]
    private static partial int GetGroup(uint id, byte* structure, byte* buffer, nint length, nint* found);

    [LibraryImport("libc", EntryPoint = "getgrnam_r", StringMarshalling = StringMarshalling.Utf8)]
    private static partial int GetGroup(string name, byte* structure, byte* buffer, nint length, nint* found);
}
