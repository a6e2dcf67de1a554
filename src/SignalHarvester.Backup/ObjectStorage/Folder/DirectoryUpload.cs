using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.ObjectStorage.Folder;

/// <summary>
/// An unfinished object: a private folder with a file for the object's name, one for the content, sparse until all parts have
/// arrived, and an empty file for each part on disk, whose name has the part's number, length and SHA-256.
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

    /// <summary>Lists all unfinished uploads.</summary>
    public static IReadOnlyList<PendingUpload> All(string uploads) => !Directory.Exists(uploads) ? [] :
    [
        .. from path in Directory.EnumerateDirectories(uploads)
           let upload = new DirectoryUpload(path)
           let name = Guid.TryParseExact(upload.Id, "N", out _) ? upload.ReadName() : null
           where name is not null
           orderby name, upload.Id
           select new PendingUpload(name, upload.Id, File.GetLastWriteTimeUtc(Path.Combine(path, NameFile))),
    ];

    /// <summary>Lists the parts that have arrived.</summary>
    public IReadOnlyList<UploadedPart> Parts() =>
    [
        .. Directory.EnumerateFiles(folder, "*" + PartEnding).Select(PartOf).OfType<UploadedPart>().OrderBy(part => part.Number),
    ];

    /// <summary>Writes a part and makes it durable.</summary>
    /// <param name="number">Its number.</param>
    /// <param name="offset">Its place in the object.</param>
    /// <param name="content">Its bytes.</param>
    /// <exception cref="DirectoryNotFoundException">The upload was cancelled meanwhile.</exception>
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

    /// <summary>Writes bytes and makes them durable.</summary>
    public void Write(long offset, ReadOnlySpan<byte> content)
    {
        using var file = OpenContent(FileMode.Open);
        PieceWriter.Write(file, content, offset);
        RandomAccess.FlushToDisk(file);
    }

    /// <summary>Gives the content its time of writing, which distinguishes it from any other, and passes the open file on.</summary>
    public T Seal<T>(Func<SafeFileHandle, T> look)
    {
        using var file = RegularFile.Open(ContentPath, FileMode.Open, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        var now = DateTime.UtcNow;
        File.SetLastWriteTimeUtc(
            file, now.AddTicks(-(now.Ticks % TimeSpan.TicksPerMillisecond) + RandomNumberGenerator.GetInt32((int)TimeSpan.TicksPerMillisecond)));
        RandomAccess.FlushToDisk(file);
        return look(file);
    }

    /// <summary>Deletes everything. Missing files are no error.</summary>
    public void Delete()
    {
        try
        {
            // The name goes last: if a crash leaves it, the upload is still listed and can be cancelled later.
            using var uploads = HeldFolder.OpenParent(folder);
            using (var own = uploads.OpenFolder(Id))
            {
                own.Clear(kept: NameFile);
            }

            uploads.DeleteAll(Id);
        }
        catch (Exception exception) when (exception is FileNotFoundException or DirectoryNotFoundException)
        {
            // Somebody else cancelled it.
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
