using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SignalHarvester.Backup.Storage;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// SQLite's own access to files, but for one thing: it takes a path as it stands. The usual one first replaces every link in
/// it by where it leads, which turns a path through an open folder into one that others can change
/// (https://sqlite.org/c3ref/vfs.html). The file itself is opened without following a link, as SQLite always does.
/// </summary>
internal static unsafe partial class LiteralPathVfs
{
    private const string Name = "shbackup-literal";

    private const string Library = "e_sqlite3";

    private static readonly Lazy<bool> Registration = new(Register);

    /// <summary>The name to open a database of ours with, which is there afterwards; null on Windows, whose paths have no such links.</summary>
    public static string? ForOwn => !OperatingSystem.IsWindows() && Registration.Value ? Name : null;

    /// <summary>The name to open a path with, if it is one through a descriptor; null for any other.</summary>
    public static string? For(string path) => DescriptorPath.IsOne(path) ? ForOwn : null;

    private static bool Register()
    {
        SqliteLibrary.EnsureLoaded();
        var usual = SqliteLibrary.FindVfs(0);
        var own = (SqliteVfs*)NativeMemory.AllocZeroed((nuint)sizeof(SqliteVfs));
        *own = *usual;
        own->Next = 0;
        own->Name = Marshal.StringToCoTaskMemUTF8(Name);
        own->FullPathname = (nint)(delegate* unmanaged[Cdecl]<SqliteVfs*, byte*, int, byte*, int>)&TakeAsItStands;
        var result = RegisterVfs(own, makeDefault: 0);
        return result == raw.SQLITE_OK
            ? true
            : throw new InvalidOperationException($"SQLite takes no further file system: {raw.sqlite3_errstr(result).utf8_to_string()}");
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int TakeAsItStands(SqliteVfs* vfs, byte* name, int size, byte* full)
    {
        var bytes = MemoryMarshal.CreateReadOnlySpanFromNullTerminated(name);
        if (bytes.Length >= size)
        {
            return raw.SQLITE_CANTOPEN;
        }

        bytes.CopyTo(new Span<byte>(full, size));
        full[bytes.Length] = 0;
        return raw.SQLITE_OK;
    }

    [LibraryImport(Library, EntryPoint = "sqlite3_vfs_register")]
    private static partial int RegisterVfs(SqliteVfs* vfs, int makeDefault);
}
