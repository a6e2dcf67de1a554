using System.Globalization;
using Microsoft.Win32.SafeHandles;

namespace SignalHarvester.Backup.Storage;

/// <summary>
/// An open folder, and the operations on the names in it. On Unix it stays this folder even if its path leads elsewhere by
/// now: people who may write to the folder above it can rename it, but they cannot make us create, rename or delete files
/// in another one.
/// </summary>
internal sealed class HeldFolder : IDisposable
{
    /// <summary>The name of the folder of a backup directory for everything that is not a backup.</summary>
    public const string StateFolderName = ".shbackup";

    /// <summary>
    /// The name of the folder of a backup directory for damaged backups. Unlike the state folder, it holds files that
    /// cannot be made again.
    /// </summary>
    public const string QuarantineFolderName = "quarantine";

    private const UnixFileMode ForOthers = (UnixFileMode)0b111_111;

    private readonly SafeFileHandle? handle;

    private HeldFolder(string path, SafeFileHandle? handle)
    {
        Path = path;
        this.handle = handle;
    }

    /// <summary>The path by which it was opened.</summary>
    public string Path { get; }

    /// <summary>The number of the user who owns it; null on Windows, where rights are inherited.</summary>
    public uint? Owner => handle is null ? null : FileStatus.Of(handle).User;

    /// <summary>Whether nobody but its owner may do anything in it. On Windows, where rights are inherited, that is assumed.</summary>
    public bool IsPrivate => OperatingSystem.IsWindows() || handle is null || (File.GetUnixFileMode(handle) & ForOthers) == 0;

    /// <summary>
    /// Opens a folder by its path. Links on the way are the user's own choice and are followed, except from a folder of ours
    /// downwards: there, anybody who may write to the backup directory could use a link to lead us anywhere.
    /// </summary>
    /// <exception cref="NotAFileException">It is no folder, or a link in a place where links are not followed.</exception>
    /// <exception cref="IOException">It is not there, or the system failed.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public static HeldFolder Open(string path)
    {
        if (OperatingSystem.IsWindows())
        {
            return new(path, null);
        }

        var parts = path.Split('/');
        var own = Array.FindIndex(parts, IsOwnName);
        if (own < 0)
        {
            return new(path, UnixCalls.OpenFolder(UnixCalls.NoFolder, path, path, follow: true));
        }

        var root = string.Join('/', parts[..own]) + '/';
        var held = new HeldFolder(root, UnixCalls.OpenFolder(UnixCalls.NoFolder, root, root, follow: true));
        foreach (var part in parts[own..].Where(part => part.Length > 0))
        {
            using var above = held;
            held = above.OpenFolder(part);
        }

        return held;
    }

    /// <summary>Opens a folder of Unix again for work in it, after it was opened only to walk through it.</summary>
    /// <exception cref="IOException">It is no folder, or the system failed.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    internal static HeldFolder Reopen(SafeFileHandle place, string path) => new(path, UnixCalls.OpenFolder(place, ".", path, follow: false));

    /// <summary>Whether a path leads through a folder of ours in a backup directory.</summary>
    public static bool IsInOwn(string path) => Array.Exists(path.Split('/', '\\'), IsOwnName);

    private static bool IsOwnName(string part) => part is StateFolderName or QuarantineFolderName;

    /// <summary>Opens the folder that a file is in, by the file's path.</summary>
    /// <exception cref="IOException">As <see cref="Open"/>.</exception>
    /// <exception cref="UnauthorizedAccessException">As <see cref="Open"/>.</exception>
    public static HeldFolder OpenParent(string path) => Open(System.IO.Path.GetDirectoryName(path) is { Length: > 0 } parent ? parent : ".");

    /// <summary>Opens a folder in this one.</summary>
    /// <exception cref="NotAFileException">It is no folder, or a link to one.</exception>
    /// <exception cref="IOException">It is not there, or the system failed.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public HeldFolder OpenFolder(string name)
    {
        var path = System.IO.Path.Combine(Path, name);
        if (handle is not null)
        {
            return new(path, UnixCalls.OpenFolder(handle, name, path, follow: false));
        }

        return new DirectoryInfo(path).LinkTarget is null ? new(path, null) : throw new NotAFileException(path);
    }

    /// <summary>
    /// Makes a new folder in this one that only its owner may use. The owner of the result shows whether somebody has
    /// put another folder in its place meanwhile.
    /// </summary>
    /// <exception cref="IOException">The name is taken, or the system failed.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public HeldFolder CreateFolder(string name)
    {
        var path = System.IO.Path.Combine(Path, name);
        if (handle is null)
        {
            Directory.CreateDirectory(path);
            return new(path, null);
        }

        Require(UnixCalls.MakeFolder(handle, name, isPrivate: true), name);
        return OpenFolder(name);
    }

    /// <summary>Makes a folder in this one, if the name is free.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="isPrivate">Whether only its owner may use it; otherwise it has the usual mode.</param>
    /// <exception cref="IOException">The system failed.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public void EnsureFolder(string name, bool isPrivate)
    {
        if (handle is null)
        {
            Directory.CreateDirectory(System.IO.Path.Combine(Path, name));
        }
        else if (UnixCalls.MakeFolder(handle, name, isPrivate) is var error and not UnixCalls.IsThere)
        {
            Require(error, name);
        }
    }

    /// <summary>Opens a file in this folder, as <see cref="RegularFile.Open"/> does.</summary>
    /// <exception cref="IOException">As in that method.</exception>
    /// <exception cref="UnauthorizedAccessException">As in that method.</exception>
    public SafeFileHandle OpenFile(string name, FileMode mode, FileAccess access, FileShare share)
    {
        var path = System.IO.Path.Combine(Path, name);
        return handle is null ? RegularFile.Open(path, mode, access, share) : RegularFile.OpenAt(handle, name, path, mode, access, share);
    }

    /// <summary>Reads a small file in this folder whole, with the checks of <see cref="OpenFile"/>, but without its lock.</summary>
    /// <param name="name">Its name.</param>
    /// <param name="most">The most bytes that are read.</param>
    /// <param name="bytes">Receives the content; replaced by a larger array where it has no room.</param>
    /// <returns>The number of bytes.</returns>
    /// <exception cref="FileTooLargeException">It is larger than that.</exception>
    /// <exception cref="IOException">As in <see cref="OpenFile"/>.</exception>
    /// <exception cref="UnauthorizedAccessException">As in <see cref="OpenFile"/>.</exception>
    public int ReadAllBytes(string name, int most, ref byte[] bytes)
    {
        var path = System.IO.Path.Combine(Path, name);
        if (handle is not null)
        {
            return RegularFile.ReadAllBytesAt(handle, name, path, most, ref bytes);
        }

        bytes = RegularFile.ReadAllBytes(path, most);
        return bytes.Length;
    }

    /// <summary>
    /// Returns a path to a file in this folder, for libraries that accept only paths, such as SQLite. On Linux it leads through
    /// the open folder; elsewhere it is the usual path.
    /// </summary>
    public string FilePath(string name) => System.IO.Path.Combine(
        handle is not null && DescriptorPath.IsThere
            ? string.Create(CultureInfo.InvariantCulture, $"{DescriptorPath.Root}{handle.DangerousGetHandle()}")
            : Path,
        name);

    /// <summary>The names in it.</summary>
    /// <exception cref="IOException">It cannot be read.</exception>
    public IReadOnlyList<string> Names() => handle is null
        ? [.. new DirectoryInfo(Path).EnumerateFileSystemInfos().Select(info => info.Name)]
        : UnixCalls.Names(handle, Path);

    /// <summary>The names in it of a certain form, without those of folders and links.</summary>
    /// <param name="isRight">Whether a name has the form.</param>
    /// <exception cref="IOException">It cannot be read.</exception>
    public IReadOnlyList<string> FileNames(Func<string, bool> isRight)
    {
        return handle is null
            ? [.. new DirectoryInfo(Path).EnumerateFiles().Where(file => isRight(file.Name) && file.LinkTarget is null).Select(file => file.Name)]
            : UnixCalls.Names(handle, Path, IsWanted);

        bool IsWanted(string name, NameKind kind) => kind is not (NameKind.Folder or NameKind.Link)
            && isRight(name)
            && (kind != NameKind.Unknown || FileStatus.OfItself(System.IO.Path.Combine(Path, name)) is { IsFolder: false, IsLink: false });
    }

    /// <summary>Renames a file of this folder, by default over an existing file.</summary>
    /// <exception cref="IOException">It failed.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public void Rename(string name, HeldFolder to, string newName, bool overwrite = true)
    {
        if (handle is not null && to.handle is not null && overwrite)
        {
            to.Require(UnixCalls.Rename(handle, name, to.handle, newName), newName);
        }
        else
        {
            File.Move(FilePath(name), to.FilePath(newName), overwrite);
        }
    }

    /// <summary>Deletes everything in it, except one name. Links are deleted, not followed.</summary>
    /// <param name="kept">The name that stays.</param>
    /// <exception cref="IOException">Something could not be deleted.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public void Clear(string? kept = null)
    {
        foreach (var name in Names().Where(name => name != kept))
        {
            DeleteAll(name);
        }
    }

    /// <summary>Deletes a file, or a link. A missing one is no error.</summary>
    /// <exception cref="IOException">It could not be deleted; it may be a folder.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public void Delete(string name)
    {
        if (handle is null)
        {
            File.Delete(System.IO.Path.Combine(Path, name));
        }
        else if (UnixCalls.Delete(handle, name) is var error and not UnixCalls.NoEntry)
        {
            Require(error, name);
        }
    }

    /// <summary>Deletes a name, and everything below it. A missing one is no error.</summary>
    /// <exception cref="IOException">It could not be deleted.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public void DeleteAll(string name)
    {
        if (handle is null)
        {
            DeleteOnWindows(System.IO.Path.Combine(Path, name));
            return;
        }

        var error = UnixCalls.Delete(handle, name);
        if (UnixCalls.IsFolderError(error))
        {
            using (var inner = OpenFolder(name))
            {
                inner.Clear();
            }

            DeleteEmptyFolder(name);
        }
        else if (error != UnixCalls.NoEntry)
        {
            Require(error, name);
        }
    }

    /// <summary>Deletes a folder in this one, if it is empty. A missing or non-empty one is no error.</summary>
    /// <exception cref="IOException">It could not be deleted.</exception>
    /// <exception cref="UnauthorizedAccessException">Access was denied.</exception>
    public void DeleteEmptyFolder(string name)
    {
        var path = System.IO.Path.Combine(Path, name);
        if (handle is null)
        {
            if (Directory.Exists(path) && !Directory.EnumerateFileSystemEntries(path).Any())
            {
                Directory.Delete(path);
            }
        }
        else if (UnixCalls.DeleteFolder(handle, name) is var error and not UnixCalls.NoEntry && error != UnixCalls.NotEmpty)
        {
            Require(error, name);
        }
    }

    /// <summary>Makes its names durable. On Windows the file system's journal does that.</summary>
    /// <exception cref="IOException">The operating system failed.</exception>
    public void Flush()
    {
        if (handle is not null)
        {
            UnixCalls.Flush(handle, Path);
        }
    }

    /// <inheritdoc/>
    public void Dispose() => handle?.Dispose();

    private void Require(int error, string name)
    {
        if (error != 0)
        {
            throw UnixCalls.Failure(error, System.IO.Path.Combine(Path, name));
        }
    }

    private static void DeleteOnWindows(string path)
    {
        if (new DirectoryInfo(path) is not { Exists: true } folder)
        {
            File.Delete(path);
        }
        else if (folder.LinkTarget is null)
        {
            folder.Delete(recursive: true);
        }
        else
        {
            folder.Delete();
        }
    }
}
