using System.Collections.Concurrent;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using SQLitePCL;

namespace SignalHarvester.Backup.Sqlite.Images;

/// <summary>
/// SQLite's access to images that are put together as it reads (https://sqlite.org/vfs.html). Only reading is there; temporary files of
/// large sorts are SQLite's own, which have no name.
/// </summary>
/// <remarks>
/// What lives how long: the native tables of this VFS are made once in a process and never freed, because SQLite keeps pointers to them and
/// calls them for as long as any connection lives; the engine's load context is never unloaded either. The functions are static and
/// called without delegates, so the collector has nothing to move or to collect. A file of SQLite's holds a handle of its
/// <see cref="MountedImage"/> from open to close. The name is drawn for each load of this assembly, because two copies of it
/// in one process share the library, and with it the list of VFS. No exception crosses into SQLite (<see cref="MountedImage.Read"/>).
/// </remarks>
internal static unsafe class ImageVfs
{
    private const int SectorBytes = 4096;

    // https://sqlite.org/c3ref/c_open_autoproxy.html, https://sqlite.org/c3ref/c_iocap_atomic.html
    private const int OpenMainDatabase = 0x100;
    private const int OpenReadOnly = 1;
    private const int OpenReadWrite = 2;
    private const int OpenCreate = 4;
    private const int IsImmutable = 0x2000;
    private const int ReadFailed = raw.SQLITE_IOERR | (1 << 8);

    private static readonly ConcurrentDictionary<string, MountedImage> Mounted = new(StringComparer.Ordinal);
    private static readonly Lazy<string> Registration = new(Register);
    private static SqliteVfs* usual;
    private static Methods* methods;

    /// <summary>The name of this VFS. Reading it registers the VFS.</summary>
    public static string Name => Registration.Value;

    /// <summary>Lets SQLite open an image by its name.</summary>
    public static void Add(MountedImage image) => Mounted[image.Name] = image;

    /// <summary>Ends that. Files that SQLite has open keep their image.</summary>
    public static void Remove(MountedImage image) => Mounted.TryRemove(image.Name, out _);

    private static string Register()
    {
        SqliteLibrary.EnsureLoaded();
        var name = $"shbackup-image-{Guid.NewGuid():N}";
        usual = SqliteLibrary.FindVfs(0);
        methods = (Methods*)NativeMemory.AllocZeroed((nuint)sizeof(Methods));
        *methods = new Methods
        {
            Version = 1,
            Close = &Close,
            Read = &Read,
            Write = &Write,
            Truncate = &Truncate,
            Sync = &Sync,
            FileSize = &FileSize,
            Lock = &Lock,
            Unlock = &Lock,
            CheckReservedLock = &CheckReservedLock,
            FileControl = &FileControl,
            SectorSize = &SectorSize,
            DeviceCharacteristics = &DeviceCharacteristics,
        };
        var own = (SqliteVfs*)NativeMemory.AllocZeroed((nuint)sizeof(SqliteVfs));
        *own = *usual;
        own->Next = 0;
        own->FileSize = Math.Max(usual->FileSize, sizeof(File));
        own->Name = Marshal.StringToCoTaskMemUTF8(name);
        own->Open = (nint)(delegate* unmanaged[Cdecl]<SqliteVfs*, byte*, File*, int, int*, int>)&Open;
        own->Delete = (nint)(delegate* unmanaged[Cdecl]<SqliteVfs*, byte*, int, int>)&Delete;
        own->Access = (nint)(delegate* unmanaged[Cdecl]<SqliteVfs*, byte*, int, int*, int>)&Access;
        own->FullPathname = (nint)(delegate* unmanaged[Cdecl]<SqliteVfs*, byte*, int, byte*, int>)&LiteralPathVfs.TakeAsItStands;
        var result = SqliteLibrary.RegisterVfs(own, makeDefault: 0);
        return result == raw.SQLITE_OK
            ? name
            : throw new InvalidOperationException($"SQLite does not accept another file system: {raw.sqlite3_errstr(result).utf8_to_string()}");
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Open(SqliteVfs* vfs, byte* name, File* file, int flags, int* outFlags)
    {
        file->Methods = null;
        if (name is null)
        {
            return ((delegate* unmanaged[Cdecl]<SqliteVfs*, byte*, File*, int, int*, int>)usual->Open)(usual, name, file, flags, outFlags);
        }

        if ((flags & OpenMainDatabase) == 0 || !Mounted.TryGetValue(Marshal.PtrToStringUTF8((nint)name)!, out var image))
        {
            return raw.SQLITE_CANTOPEN;
        }

        file->Image = GCHandle.ToIntPtr(GCHandle.Alloc(image));
        file->Methods = methods;
        if (outFlags is not null)
        {
            *outFlags = (flags & ~(OpenReadWrite | OpenCreate)) | OpenReadOnly;
        }

        return raw.SQLITE_OK;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Delete(SqliteVfs* vfs, byte* name, int flushFolder) => raw.SQLITE_READONLY;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Access(SqliteVfs* vfs, byte* name, int flags, int* result)
    {
        // There is no log and no journal beside an image.
        *result = 0;
        return raw.SQLITE_OK;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Close(File* file)
    {
        GCHandle.FromIntPtr(file->Image).Free();
        file->Methods = null;
        return raw.SQLITE_OK;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Read(File* file, byte* buffer, int count, long offset)
    {
        var image = ImageOf(file);
        return image.Read(offset, new Span<byte>(buffer, count)) ? raw.SQLITE_OK
            : image.Failure is null ? SqliteResult.IoErrorShortRead
            : ReadFailed;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Write(File* file, byte* buffer, int count, long offset) => raw.SQLITE_READONLY;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Truncate(File* file, long size) => raw.SQLITE_READONLY;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Sync(File* file, int flags) => raw.SQLITE_OK;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int FileSize(File* file, long* size)
    {
        *size = ImageOf(file).Length;
        return raw.SQLITE_OK;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int Lock(File* file, int level) => raw.SQLITE_OK;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int CheckReservedLock(File* file, int* result)
    {
        *result = 0;
        return raw.SQLITE_OK;
    }

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int FileControl(File* file, int operation, void* argument) => raw.SQLITE_NOTFOUND;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int SectorSize(File* file) => SectorBytes;

    [UnmanagedCallersOnly(CallConvs = [typeof(CallConvCdecl)])]
    private static int DeviceCharacteristics(File* file) => IsImmutable;

    private static MountedImage ImageOf(File* file) => (MountedImage)GCHandle.FromIntPtr(file->Image).Target!;

    [StructLayout(LayoutKind.Sequential)]
    private struct File
    {
        public Methods* Methods;
        public nint Image;
    }

    /// <summary>sqlite3_io_methods of version 1 (https://sqlite.org/c3ref/io_methods.html).</summary>
    [StructLayout(LayoutKind.Sequential)]
    private struct Methods
    {
        public int Version;
        public delegate* unmanaged[Cdecl]<File*, int> Close;
        public delegate* unmanaged[Cdecl]<File*, byte*, int, long, int> Read;
        public delegate* unmanaged[Cdecl]<File*, byte*, int, long, int> Write;
        public delegate* unmanaged[Cdecl]<File*, long, int> Truncate;
        public delegate* unmanaged[Cdecl]<File*, int, int> Sync;
        public delegate* unmanaged[Cdecl]<File*, long*, int> FileSize;
        public delegate* unmanaged[Cdecl]<File*, int, int> Lock;
        public delegate* unmanaged[Cdecl]<File*, int, int> Unlock;
        public delegate* unmanaged[Cdecl]<File*, int*, int> CheckReservedLock;
        public delegate* unmanaged[Cdecl]<File*, int, void*, int> FileControl;
        public delegate* unmanaged[Cdecl]<File*, int> SectorSize;
        public delegate* unmanaged[Cdecl]<File*, int> DeviceCharacteristics;
    }
}
