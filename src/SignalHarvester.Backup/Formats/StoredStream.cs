using System.Buffers;
using System.Security.Cryptography;
using Microsoft.Win32.SafeHandles;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Encryption.Age;
using SignalHarvester.Backup.Storage;

namespace SignalHarvester.Backup.Formats;

/// <summary>
/// Reads a stored file once from front to back, computes its SHA-256, and decrypts its content. A window allows a look ahead.
/// </summary>
internal sealed class StoredStream : Stream
{
    private const int ReadBytes = 1 << 20;
    private const long ForgottenAtOnce = 16 << 20;

    // A smaller file may stay in the page cache for whoever reads it next.
    private const long LargeFile = 1 << 30;

    private readonly SafeFileHandle file;
    private readonly bool isLarge;
    private long forgotten;
    private readonly AgeReader? decrypted;
    private readonly IncrementalHash hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);

    // From the pool, because a chain can have a file for each night.
    private byte[] window = ArrayPool<byte>.Shared.Rent(2 * ReadBytes);
    private int start;
    private int end;

    /// <summary>Begins to read a file in its stored form, encrypted or not.</summary>
    public StoredStream(SafeFileHandle file) => (this.file, isLarge) = (file, RandomAccess.GetLength(file) > LargeFile);

    /// <summary>Begins to read a file's content, and decrypts it if it is encrypted.</summary>
    /// <param name="file">The file.</param>
    /// <param name="identities">The secrets that may open it.</param>
    /// <param name="backup">The backup.</param>
    /// <exception cref="BackupException">IdentityMissing, IdentityWrong.</exception>
    /// <exception cref="InvalidDataException">The header is damaged; or the backup is encrypted, and the file has no header.</exception>
    public StoredStream(SafeFileHandle file, IdentityRing identities, BackupMetadata backup)
        : this(file)
    {
        if (AgeHeader.TryRead(file) is { } header)
        {
            decrypted = Decrypt(header, identities.Open(header, backup.Id));
        }
        else if (backup.IsEncrypted)
        {
            // Somebody has replaced the content.
            throw AgeDamage.Of("The content is not encrypted, but it was when the backup was made.");
        }
    }

    /// <summary>Bytes taken from the file so far, including those that wait in the window.</summary>
    public long BytesRead { get; private set; }

    /// <inheritdoc/>
    public override bool CanRead => true;

    /// <inheritdoc/>
    public override bool CanSeek => false;

    /// <inheritdoc/>
    public override bool CanWrite => false;

    /// <inheritdoc/>
    public override long Length => throw new NotSupportedException();

    /// <inheritdoc/>
    public override long Position
    {
        get => throw new NotSupportedException();
        set => throw new NotSupportedException();
    }

    /// <summary>Returns the next bytes without taking them; fewer than requested only at the end of the file.</summary>
    public ReadOnlySpan<byte> Peek(int count)
    {
        while (end - start < count && Fill(count))
        {
        }

        return window.AsSpan(start, Math.Min(end - start, count));
    }

    /// <summary>Takes bytes that <see cref="Peek"/> has shown.</summary>
    public void Skip(int count) => start += count;

    /// <inheritdoc/>
    public override int Read(Span<byte> buffer)
    {
        if (start == end && !Fill(1))
        {
            return 0;
        }

        var count = Math.Min(buffer.Length, end - start);
        window.AsSpan(start, count).CopyTo(buffer);
        start += count;
        return count;
    }

    /// <inheritdoc/>
    public override int Read(byte[] buffer, int offset, int count) => Read(buffer.AsSpan(offset, count));

    /// <summary>Reads the rest, and returns the SHA-256 of the whole file in lower-case hex.</summary>
    public string Finish()
    {
        start = end = 0;
        while (Fill(1))
        {
            start = end = 0;
        }

        return Convert.ToHexStringLower(hash.GetHashAndReset());
    }

    /// <inheritdoc/>
    public override void Flush()
    {
        // Nothing is written.
    }

    /// <inheritdoc/>
    public override long Seek(long offset, SeekOrigin origin) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void SetLength(long value) => throw new NotSupportedException();

    /// <inheritdoc/>
    public override void Write(byte[] buffer, int offset, int count) => throw new NotSupportedException();

    /// <inheritdoc/>
    protected override void Dispose(bool disposing)
    {
        if (disposing)
        {
            hash.Dispose();
            decrypted?.Dispose();
            ArrayPool<byte>.Shared.Return(window);
            window = [];
        }

        base.Dispose(disposing);
    }

    private bool Fill(int wanted)
    {
        if (window.Length - start < Math.Max(wanted, end - start + ReadBytes))
        {
            var former = window;
            window = former.Length < wanted + ReadBytes ? ArrayPool<byte>.Shared.Rent(wanted + (4 * ReadBytes)) : former;
            former.AsSpan(start, end - start).CopyTo(window);
            if (window != former)
            {
                ArrayPool<byte>.Shared.Return(former);
            }

            end -= start;
            start = 0;
        }

        var space = window.AsSpan(end, Math.Min(ReadBytes, window.Length - end));
        var read = decrypted is null ? ReadStored(space) : decrypted.Read(space);
        end += read;
        return read > 0;
    }

    private int ReadStored(Span<byte> buffer)
    {
        var read = RandomAccess.Read(file, buffer, BytesRead);
        hash.AppendData(buffer[..read]);
        BytesRead += read;
        Forget();
        return read;
    }

    /// <summary>Makes room in memory for what is made of the content, and for the application's files.</summary>
    private void Forget()
    {
        if (isLarge && BytesRead - forgotten >= ForgottenAtOnce)
        {
            FileAdvice.Forget(file, forgotten, BytesRead - forgotten);
            forgotten = BytesRead;
        }
    }

    private AgeReader Decrypt(AgeHeader header, AgeFileKey key)
    {
        var beginning = new byte[header.Bytes.Length + AgePayload.NonceSize];
        var done = 0;
        while (done < beginning.Length && ReadStored(beginning.AsSpan(done)) is var read and > 0)
        {
            done += read;
        }

        return done == beginning.Length
            ? new AgeReader(ReadStored, RandomAccess.GetLength(file) - done, key.PayloadKey(beginning.AsSpan(header.Bytes.Length)))
            : throw AgeDamage.Of("The encrypted content is cut short.");
    }
}
