using System.Globalization;

namespace SignalHarvester.Backup.Sqlite.Images;

/// <summary>
/// An image that SQLite can open by a name, as long as this is not disposed. Its connections are closed first. SQLite learns only that a
/// read failed; <see cref="Failure"/> is why.
/// </summary>
internal sealed class MountedImage : IDisposable
{
    private static long mounted;

    private readonly IPageImage image;
    private readonly byte[] page;
    private long pageHeld;

    /// <summary>Mounts an image.</summary>
    /// <param name="image">The image. It is disposed with this.</param>
    public MountedImage(IPageImage image)
    {
        this.image = image;
        page = new byte[image.PageSize];
        Name = string.Create(CultureInfo.InvariantCulture, $"image-{Interlocked.Increment(ref mounted)}");
        ImageVfs.Add(this);
    }

    /// <summary>The name, which no other image of this process ever has.</summary>
    public string Name { get; }

    /// <summary>The URI with which SQLite opens or attaches the image. It is immutable: SQLite asks for no lock, and looks for no log.</summary>
    public string Uri => $"file:{Name}?immutable=1&vfs={ImageVfs.Name}";

    /// <summary>Bytes of the image.</summary>
    public long Length => image.PageCount * image.PageSize;

    /// <summary>The first error of a read; null if all succeeded.</summary>
    public Exception? Failure { get; private set; }

    /// <summary>Reads bytes at any offset; those behind the end are zeros.</summary>
    /// <returns>False if the image ends before the buffer is full, or a read failed.</returns>
    public bool Read(long offset, Span<byte> buffer)
    {
        try
        {
            while (!buffer.IsEmpty && offset < Length)
            {
                var (number, from) = ((offset / image.PageSize) + 1, (int)(offset % image.PageSize));
                var count = Math.Min(image.PageSize - from, buffer.Length);
                if (count == image.PageSize)
                {
                    image.Read(number, buffer[..count]);
                }
                else
                {
                    Hold(number);
                    page.AsSpan(from, count).CopyTo(buffer);
                }

                offset += count;
                buffer = buffer[count..];
            }

            buffer.Clear();
            return buffer.IsEmpty;
        }
        catch (Exception exception)
        {
            // Nothing may be thrown through SQLite. Whoever runs the statement throws it.
            Failure ??= exception;
            buffer.Clear();
            return false;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        ImageVfs.Remove(this);
        image.Dispose();
    }

    private void Hold(long number)
    {
        if (pageHeld != number)
        {
            pageHeld = 0;
            image.Read(number, page);
            pageHeld = number;
        }
    }
}
