using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;

namespace SignalHarvester.Backup.Sqlite;

/// <summary>
/// Has SQLite open files without waiting. It opens what lies beside a database, such as -journal, for reading; a named pipe
/// that somebody put there would keep it waiting for ever, with no look beforehand that could not be outrun. Opened without
/// waiting, a pipe fails at the first read, and of a file nothing is different
/// (https://sqlite.org/c3ref/vfs.html, xSetSystemCall).
/// </summary>
internal static unsafe class NonBlockingOpen
{
    private static delegate* unmanaged[Cdecl]<byte*, int, int, int> usual;

    private static int NonBlocking { get; } = OperatingSystem.IsMacOS() ? 0x4 : 0x800;

    /// <summary>Puts it in the place of SQLite's own call. On Windows there are no such pipes.</summary>
    /// <param name="vfs">SQLite's usual access to files.</param>
    public static void Install(SqliteVfs* vfs)
    {
        if (OperatingSystem.IsWindows())
        {
            return;
        }

        fixed (byte* name = "open\0"u8)
        {
            usual = (delegate* unmanaged[Cdecl]<byte*, int, int, int>)((delegate* unmanaged[Cdecl]<SqliteVfs*, byte*, nint>)vfs->GetSystemCall)(vfs, name);
            var result = ((delegate* unmanaged[Cdecl]<SqliteVfs*, byte*, nint, int>)vfs->SetSystemCall)(vfs, name, (nint)(delegate* unmanaged[Cdecl]<byte*, int, int, int>)&Open);
            if (usual is null || result != SQLitePCL.raw.SQLITE_OK)
            {
                throw new InvalidOperationException("SQLite does not let its opening of files be replaced.");
            }
        }
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Open(byte* path, int flags, int mode)
    {
        var descriptor = usual(path, flags | NonBlocking, mode);

        // SQLite looks at errno next, and the way back through the runtime is not bound to leave it alone.
        Marshal.SetLastSystemError(Marshal.GetLastSystemError());
        return descriptor;
    }
}
