using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.Storage.Ownership;

/// <summary>Users and groups of this machine, by name and by number.</summary>
internal static unsafe partial class UnixAccounts
{
    private const int BufferBytes = 64 << 10;

    // Both structures begin with two pointers, to name and password, then the number. A user's has its group's number next.
    private const int StructureBytes = 256;

    /// <summary>The effective user of this process.</summary>
    public static uint CurrentUser => GetEffectiveUser();

    /// <summary>Returns a user's name; null if the number has none here.</summary>
    public static string? UserName(uint id) => Name((structure, buffer, found) => GetUser(id, structure, buffer, BufferBytes, found));

    /// <summary>Returns a group's name; null if the number has none here.</summary>
    public static string? GroupName(uint id) => Name((structure, buffer, found) => GetGroup(id, structure, buffer, BufferBytes, found));

    /// <summary>
    /// Returns the number of another machine's user on this one: the number of the same name here, else the same number
    /// if nobody here has it.
    /// </summary>
    /// <returns>Null if somebody else has the number here.</returns>
    public static uint? UserHere(uint id, string? name) => (name is null ? null : User(name)) ?? (UserName(id) is null ? id : null);

    /// <summary>Returns the number of another machine's group on this one, as for a user.</summary>
    public static uint? GroupHere(uint id, string? name) => (name is null ? null : Group(name)) ?? (GroupName(id) is null ? id : null);

    /// <summary>Returns a user's number; null if nobody has the name here.</summary>
    public static uint? User(string name) => Number((structure, buffer, found) => GetUser(name, structure, buffer, BufferBytes, found), 0);

    /// <summary>Returns a group's number; null if no group has the name here.</summary>
    public static uint? Group(string name) => Number((structure, buffer, found) => GetGroup(name, structure, buffer, BufferBytes, found), 0);

    /// <summary>Returns the number of a user's primary group; null for a number without a name.</summary>
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
