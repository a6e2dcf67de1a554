using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>sqlite3_vfs of version 3: SQLite's access to files (https://sqlite.org/c3ref/vfs.html).</summary>
[StructLayout(LayoutKind.Sequential)]
internal unsafe struct SqliteVfs
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
    public delegate* unmanaged[Cdecl]<SqliteVfs*, byte*, nint, int> SetSystemCall;
    public delegate* unmanaged[Cdecl]<SqliteVfs*, byte*, nint> GetSystemCall;
    public nint NextSystemCall;
}
