using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Text.RegularExpressions;
using SignalHarvester.Backup.Storage;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// SQLite's own access to files, with two differences. It deletes only the database's own files. And it uses a path as it is:
/// the usual one first replaces every link in it by its target, which turns a path through an open folder into one that
/// others can change (https://sqlite.org/c3ref/vfs.html). The file itself is opened without following a link, as always in SQLite.
/// </summary>
internal static unsafe partial class LiteralPathVfs
{
    private const string Name = "shbackup-literal";
    private const int DeleteFailed = raw.SQLITE_IOERR | (10 << 8);

    private static readonly ConcurrentDictionary<string, bool> Opened = new(StringComparer.Ordinal);
    private static delegate* unmanaged[Cdecl]<SqliteVfs*, byte*, int, int> deleteFile;

    private static readonly Lazy<bool> Registration = new(Register);

    /// <summary>The name with which to open a database of ours; reading it registers the VFS. Null on Windows, whose paths have no such links.</summary>
    public static string? ForOwn => !OperatingSystem.IsWindows() && Registration.Value ? Name : null;

    /// <summary>Returns the name with which to open a path through a descriptor; null for any other path.</summary>
    public static string? For(string path) => DescriptorPath.IsOne(path) ? ForOwn : null;

    /// <summary>Notes the path of a database that is opened: its own log and journal may be deleted.</summary>
    public static void Note(string path) => Opened.TryAdd(path, true);

    private static bool Register()
    {
        SqliteLibrary.EnsureLoaded();
        var usual = SqliteLibrary.FindVfs(0);
        var own = (SqliteVfs*)NativeMemory.AllocZeroed((nuint)sizeof(SqliteVfs));
        *own = *usual;
        own->Next = 0;
        own->Name = Marshal.StringToCoTaskMemUTF8(Name);
        own->FullPathname = (nint)(delegate* unmanaged[Cdecl]<SqliteVfs*, byte*, int, byte*, int>)&TakeAsItStands;
        deleteFile = (delegate* unmanaged[Cdecl]<SqliteVfs*, byte*, int, int>)usual->Delete;
        own->Delete = (nint)(delegate* unmanaged[Cdecl]<SqliteVfs*, byte*, int, int>)&DeleteOwn;
        var result = SqliteLibrary.RegisterVfs(own, makeDefault: 0);
        return result == raw.SQLITE_OK
            ? true
            : throw new InvalidOperationException($"SQLite does not accept another file system: {raw.sqlite3_errstr(result).utf8_to_string()}");
    }

    /// <summary>Takes a name as it stands for the full path, for a VFS.</summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    public static int TakeAsItStands(SqliteVfs* vfs, byte* name, int size, byte* full)
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

    /// <summary>
    /// A journal can name a further file, the super-journal of a transaction over several databases, which SQLite deletes after
    /// rolling the journal back. Anybody who may write a journal beside a database could thus name any file. So only the
    /// database's own files and names in the form of a super-journal are deleted (https://sqlite.org/atomiccommit.html, 5.2).
    /// </summary>
    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int DeleteOwn(SqliteVfs* vfs, byte* name, int flushFolder)
    {
        var path = Marshal.PtrToStringUTF8((nint)name)!;
        return IsOwn(path) || SuperJournal().IsMatch(path) ? deleteFile(vfs, name, flushFolder) : DeleteFailed;
    }

    private static bool IsOwn(string path) =>
        Array.Exists(["-journal", "-wal", "-shm"], suffix => path.EndsWith(suffix, StringComparison.Ordinal) && Opened.ContainsKey(path[..^suffix.Length]));

    [GeneratedRegex("-mj[0-9A-F]{6}9[0-9A-F]{2}\\z", RegexOptions.CultureInvariant)]
    private static partial Regex SuperJournal();
}
