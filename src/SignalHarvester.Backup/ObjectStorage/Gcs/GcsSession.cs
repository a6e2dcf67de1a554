using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace SignalHarvester.Backup.ObjectStorage.Gcs;

/// <summary>
/// A resumable upload: chunks in order, to an address to which everybody who knows it may write. After a failure the service
/// says what it has, and only the rest is sent.
/// </summary>
/// <remarks>
/// The last chunk makes the object. So the end of the last part, 256 KiB at most, is held back until the upload is completed.
/// By then the caller has read the whole file, and the checksum of the whole goes along with the end, so the service makes no
/// object of other bytes than the file's.
/// </remarks>
internal sealed class GcsSession(GcsClient client, Uri address, string name, long length, StoreFault fault)
{
    /// <summary>The size of every chunk except the last must be a multiple of this.</summary>
    public const int Quantum = 256 << 10;

    private const long JustAsking = -1;

    // The place of the end that is held back.
    private readonly long endOffset = (length - 1) / Quantum * Quantum;
    private ReadOnlyMemory<byte> end;
    private long? persisted;
    private GcsObject? made;

    /// <summary>Whether there is nothing left to cancel.</summary>
    public bool IsOver => made is not null;

    /// <summary>How many bytes are safe: those that the service keeps, and the end that is held back here.</summary>
    public long Safe => persisted >= endOffset ? endOffset + end.Length : persisted ?? 0;

    /// <summary>Makes a session that has just begun.</summary>
    public static GcsSession New(GcsClient client, Uri address, string name, long length, StoreFault fault) =>
        new(client, address, name, length, fault) { persisted = 0 };

    /// <summary>Asks the service what it has.</summary>
    /// <returns>False if it has made the object, so that the upload no longer exists.</returns>
    /// <exception cref="BackupException">CloudUploadLost.</exception>
    public Task<bool> AskAsync(CancellationToken cancellation) => client.RunAsync(
        $"asking for the upload of '{name}'",
        name,
        async stop =>
        {
            persisted = null;
            await ArrivedAsync(stop).ConfigureAwait(false);
            return made is null;
        },
        Meaning,
        cancellation);

    /// <summary>Sends a part, or the rest of it that the service does not have.</summary>
    /// <param name="offset">The part's place in the object.</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">CloudUploadLost and others.</exception>
    public Task SendAsync(long offset, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        var until = offset + content.Length;
        if (until == length)
        {
            // The caller reuses the buffer.
            end = content[(int)(endOffset - offset)..].ToArray();
            until = endOffset;
        }

        return client.RunAsync(
            $"sending '{name}'",
            name,
            async stop =>
            {
                var arrived = await ArrivedAsync(stop).ConfigureAwait(false);
                while (arrived < until)
                {
                    if (arrived < offset || made is not null)
                    {
                        // The bytes before it are gone, or this upload resumes one that another process has ended.
                        throw fault.UploadLost(name, null);
                    }

                    arrived = await PutAsync(arrived, content[(int)(arrived - offset)..(int)(until - offset)], crc32C: null, stop).ConfigureAwait(false);
                }

                return arrived;
            },
            Meaning,
            cancellation);
    }

    /// <summary>Sends the end, in one attempt. Another can follow.</summary>
    /// <param name="crc32C">The checksum of the whole, in base64; null if unknown.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task<GcsObject> FinishAsync(string? crc32C, CancellationToken cancellation)
    {
        for (var arrived = await ArrivedAsync(cancellation).ConfigureAwait(false); made is null;)
        {
            if (arrived < endOffset || end.IsEmpty)
            {
                throw fault.UploadLost(name, null);
            }

            arrived = await PutAsync(arrived, end[(int)(arrived - endOffset)..], crc32C, cancellation).ConfigureAwait(false);
        }

        return made;
    }

    /// <summary>Returns the error for an answer with a special meaning in an upload in parts; null if it has none.</summary>
    public BackupException? Meaning(GcsResponseException response) =>
        response.Status is HttpStatusCode.NotFound or HttpStatusCode.Gone ? fault.UploadLost(name, response) : null;

    /// <summary>Cancels a session.</summary>
    public static async Task<bool> CancelAsync(GcsClient client, Uri address, CancellationToken cancellation)
    {
        try
        {
            using var response =
                await client.SendAsync(() => new HttpRequestMessage(HttpMethod.Delete, address), cancellation, isSession: true).ConfigureAwait(false);
        }
        catch (GcsResponseException response) when ((int)response.Status == 499 || response.Status is HttpStatusCode.NotFound or HttpStatusCode.Gone)
        {
            // With 499 the service confirms the cancellation.
        }

        return true;
    }

    private async ValueTask<long> ArrivedAsync(CancellationToken cancellation) =>
        persisted ?? await PutAsync(JustAsking, ReadOnlyMemory<byte>.Empty, crc32C: null, cancellation).ConfigureAwait(false);

    // One request: the bytes that follow those before them, or none, to ask what has arrived.
    private async Task<long> PutAsync(long offset, ReadOnlyMemory<byte> content, string? crc32C, CancellationToken cancellation)
    {
        // Until there is an answer, nobody knows what has arrived.
        persisted = null;
        using var response = await client.SendAsync(
            () =>
            {
                var request = new HttpRequestMessage(HttpMethod.Put, address) { Content = new ReadOnlyMemoryContent(content) };
                request.Content.Headers.ContentRange = content.IsEmpty
                    ? new ContentRangeHeaderValue(length)
                    : new ContentRangeHeaderValue(offset, offset + content.Length - 1, length);
                if (crc32C is not null)
                {
                    request.Headers.Add("X-Goog-Hash", $"crc32c={crc32C}");
                }

                return request;
            },
            cancellation,
            isSession: true).ConfigureAwait(false);
        if (response.StatusCode != HttpStatusCode.PermanentRedirect)
        {
            made = await GcsClient.ReadAsync(response, GcsJson.Default.GcsObject, cancellation).ConfigureAwait(false);
            return length;
        }

        var arrived = Kept(response);
        persisted = arrived;
        return arrived > offset
            ? arrived
            : throw new IOException("the service kept none of the sent bytes");
    }

    // No Range means that nothing has arrived. It has a request's form, bytes=0-n, and not bytes 0-n/total.
    private static long Kept(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Range", out var values)
        && values.First() is var value
        && value.StartsWith("bytes=0-", StringComparison.Ordinal)
        && long.TryParse(value.AsSpan("bytes=0-".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            ? last + 1
            : 0;
}
