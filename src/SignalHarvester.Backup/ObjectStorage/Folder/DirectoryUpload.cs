using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.ObjectStorage.Folder;

/// <summary>
/// An object on its way into a folder: a private folder of its own with the name that it will have, the content as one
/// file, sparse until all parts have arrived, and an empty file for each part that is on disk, whose name tells its
/// number, length and SHA-256.
/// </summary>
internal sealed class DirectoryUpload
{
    private const string NameFile = "name";
    private const string PartEnding = ".part";
    private const int LargestName = 64 << 10;

    private readonly string folder;

    private DirectoryUpload(string folder) => this.folder = folder;

    /// <summary>The upload's id.</summary>
    public string Id => Path.GetFileName(folder);

    /// <summary>The file that becomes the object.</summary>
    public string ContentPath => Path.Combine(folder, "content");

    /// <summary>Begins an upload.</summary>
    /// <param name="uploads">The folder of the uploads.</param>
    /// <param name="name">The object's name.</param>
    public static DirectoryUpload Begin(string uploads, string name)
    {
        var upload = new DirectoryUpload(Path.Combine(uploads, Guid.NewGuid().ToString("N")));
        PrivateFolder.Create(upload.folder);
        using (upload.OpenContent(FileMode.CreateNew))
        {
            DurableFile.WriteAllBytes(Path.Combine(upload.folder, NameFile), Encoding.UTF8.GetBytes(name));
        }

        return upload;
    }

    /// <summary>Finds an upload; null if there is none.</summary>
    public static DirectoryUpload? Find(string uploads, string id, string name) =>
        Guid.TryParseExact(id, "N", out _) && new DirectoryUpload(Path.Combine(uploads, id)) is var upload && upload.ReadName() == name ? upload : null;

    /// <summary>All uploads that were begun and not ended.</summary>
    public static IReadOnlyList<PendingUpload> All(string uploads) => !Directory.Exists(uploads) ? [] :
    [
        .. from path in Directory.EnumerateDirectories(uploads)
           let upload = new DirectoryUpload(path)
           let name = Guid.TryParseExact(upload.Id, "N", out _) ? upload.ReadName() : null
           where name is not null
           orderby name, upload.Id
           select new PendingUpload(name, upload.Id, File.GetLastWriteTimeUtc(Path.Combine(path, NameFile))),
    ];

    /// <summary>The parts that have arrived.</summary>
    public IReadOnlyList<UploadedPart> Parts() =>
    [
        .. Directory.EnumerateFiles(folder, "*" + PartEnding).Select(PartOf).OfType<UploadedPart>().OrderBy(part => part.Number),
    ];

    /// <summary>Writes a part and makes it last.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="offset">Where it begins.</param>
    /// <param name="content">Its bytes.</param>
    /// <exception cref="DirectoryNotFoundException">The upload was given up meanwhile.</exception>
    public UploadedPart WritePart(int number, long offset, ReadOnlySpan<byte> content)
    {
        foreach (var former in Directory.EnumerateFiles(folder, PartBeginning(number) + "*" + PartEnding))
        {
            DurableFile.Delete(former);
        }

        Write(offset, content);
        var sha256 = Convert.ToHexStringLower(SHA256.HashData(content));
        var marker = Path.Combine(folder, string.Create(CultureInfo.InvariantCulture, $"{PartBeginning(number)}{content.Length}-{sha256}{PartEnding}"));
        RegularFile.Open(marker, FileMode.CreateNew, FileAccess.Write, FileShare.Read).Dispose();
        DurableFile.FlushDirectory(folder);
        return new UploadedPart(number, content.Length, sha256, "sha256:" + sha256);
    }

    /// <summary>Writes bytes and makes them last.</summary>
    public void Write(long offset, ReadOnlySpan<byte> content)
    {
        using var file = OpenContent(FileMode.Open);
        PieceWriter.Write(file, content, offset);
        RandomAccess.FlushToDisk(file);
    }

    /// <summary>Gives the content its time of writing, which tells it from any other, and hands it to who looks at it.</summary>
    public T Seal<T>(Func<SafeFileHandle, T> look)
    {
        using var file = RegularFile.Open(ContentPath, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        var now = DateTime.UtcNow;
        File.SetLastWriteTimeUtc(
            file, now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond) + RandomNumberGenerator.GetInt32((int)TimeSpan.TicksPerMillisecond)));
        RandomAccess.FlushToDisk(file);
        return look(file);
    }

    /// <summary>Deletes all of it; what is gone already is no error.</summary>
    public void Delete()
    {
        try
        {
            // The name goes last: what a crash leaves is still listed, and given up another time.
            using var uploads = HeldFolder.OpenParent(folder);
            using (var own = uploads.OpenFolder(Id))
            {
                own.Clear(kept: NameFile);
            }

            uploads.DeleteAll(Id);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            // Given up by somebody else.
        }
    }

    private static string PartBeginning(int number) => string.Create(CultureInfo.InvariantCulture, $"{number:00000}-");

    private static UploadedPart? PartOf(string marker) =>
        Path.GetFileNameWithoutExtension(marker).Split('-') is [var number, var length, { Length: 64 } sha256]
        && int.TryParse(number, NumberStyles.None, CultureInfo.InvariantCulture, out var parsedNumber)
        && long.TryParse(length, NumberStyles.None, CultureInfo.InvariantCulture, out var parsedLength)
            ? new UploadedPart(parsedNumber, parsedLength, sha256, "sha256:" + sha256)
            : null;

    private string? ReadName()
    {
        var path = Path.Combine(folder, NameFile);
        try
        {
            return Encoding.UTF8.GetString(RegularFile.ReadAllBytes(path, LargestName));
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException or NotAFileException or FileTooLargeException)
        {
            return null;
        }
    }

    private SafeFileHandle OpenContent(FileMode mode) => RegularFile.Open(ContentPath, mode, FileAccess.Write, FileShare.ReadWrite | FileShare.Delete);
}
