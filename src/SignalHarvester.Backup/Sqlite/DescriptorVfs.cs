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
internal static unsafe partial class DescriptorVfs
{
    /// <summary>The name to open such a database with.</summary>
    public const string Name = "shbackup-descriptor";

    private const string Library = "e_sqlite3";

    private static readonly Lazy<bool> Registration = new(Register);

    /// <summary>Whether a path needs it; if so, it is there afterwards.</summary>
    public static bool IsNeeded(string path) => DescriptorPath.IsOne(path) && Registration.Value;

    private static bool Register()
    {
        SqliteLibrary.EnsureLoaded();
        var usual = Find(0);
        var own = (Vfs*)NativeMemory.AllocZeroed((nuint)sizeof(Vfs));
        *own = *usual;
        own->Next = 0;
        own->Name = Marshal.StringToCoTaskMemUTF8(Name);
        own->FullPathname = (nint)(delegate* unmanaged[Cdecl]<Vfs*, byte*, int, byte*, int>)&TakeAsItStands;
        var result = RegisterVfs(own, makeDefault: 0);
        return result == raw.SQLITE_OK
            ? true
            : throw new InvalidOperationException($"SQLite takes no further file system: {raw.sqlite3_errstr(result).utf8_to_string()}");
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int TakeAsItStands(Vfs* vfs, byte* name, int size, byte* full)
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

    [LibraryImport(Library, EntryPoint = "sqlite3_vfs_find")]
    private static partial Vfs* Find(nint name);

    [LibraryImport(Library, EntryPoint = "sqlite3_vfs_register")]
    private static partial int RegisterVfs(Vfs* vfs, int makeDefault);

    /// <summary>sqlite3_vfs of version 3, whose functions but one are handed on as they are.</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Vfs
    {
        public int Version;
        public int FileSize;
        public int LongestPath;
        public nint Next;
        public nint Name;
        public nint AppData;
        public nint Open;
        public nint Delete;
        public nint Access;
        public nint FullPathname;
        public nint LibraryOpen;
        public nint LibraryError;
        public nint LibrarySymbol;
        public nint LibraryClose;
        public nint Randomness;
        public nint Sleep;
        public nint CurrentTime;
        public nint LastError;
        public nint CurrentTimeInt64;
        public nint SetSystemCall;
        public nint GetSystemCall;
        public nint NextSystemCall;
    }
}
