using System.Globalization;
using System.Net;
using System.Net.Http.Headers;

namespace SignalHarvester.Backup.ObjectStorage.Gcs;

/// <summary>
/// A resumable upload: chunks in order, to an address that anybody may write to who knows it. After a failure the service is
/// asked what it has, and only the rest is sent.
/// </summary>
/// <remarks>
/// The last chunk makes the object. So the end of the last part, 256 KiB at most, is held back until the upload is to be
/// completed: by then the caller has seen all of the file, and the checksum of the whole goes along, so that the service
/// makes no object of bytes that are not the file's.
/// </remarks>
internal sealed class GcsSession(GcsClient client, Uri address, string name, long length, StoreFault fault)
{
    /// <summary>What the size of every chunk but the last must be a multiple of.</summary>
    public const int Quantum = 256 << 10;

    private const long JustAsking = -1;

    // Where the end begins that is held back.
    private readonly long endOffset = (length - 1) / Quantum * Quantum;
    private ReadOnlyMemory<byte> end;
    private long? persisted;
    private GcsObject? made;

    /// <summary>Whether there is nothing left to give up.</summary>
    public bool IsOver => made is not null;

    /// <summary>How many bytes are safe: those that the service keeps, and the end that is held back here.</summary>
    public long Safe => persisted >= endOffset ? endOffset + end.Length : persisted ?? 0;

    /// <summary>A session that has just begun.</summary>
    public static GcsSession New(GcsClient client, Uri address, string name, long length, StoreFault fault) =>
        new(client, address, name, length, fault) { persisted = 0 };

    /// <summary>Asks what the service has.</summary>
    /// <returns>False where it has made the object: there is no upload any more.</returns>
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

    /// <summary>Sends a part, or what the service does not have of it.</summary>
    /// <param name="offset">Where in the object it begins.</param>
    /// <param name="content">Its bytes.</param>
    /// <param name="cancellation">Stops it.</param>
    /// <exception cref="BackupException">CloudUploadLost and others.</exception>
    public Task SendAsync(long offset, ReadOnlyMemory<byte> content, CancellationToken cancellation)
    {
        var until = offset + content.Length;
        if (until == length)
        {
            // The buffer is the caller's, and used again.
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
                        // What comes before it is gone, or it goes on with an upload that another has ended.
                        throw fault.UploadLost(name, null);
                    }

                    arrived = await PutAsync(arrived, content[(int)(arrived - offset)..(int)(until - offset)], crc32C: null, stop).ConfigureAwait(false);
                }

                return arrived;
            },
            Meaning,
            cancellation);
    }

    /// <summary>Sends the end. One attempt, which another can follow.</summary>
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

    /// <summary>What answers mean for an upload in parts.</summary>
    public BackupException? Meaning(GcsResponseException response) =>
        response.Status is HttpStatusCode.NotFound or HttpStatusCode.Gone ? fault.UploadLost(name, response) : null;

    /// <summary>Gives a session up.</summary>
    public static async Task<bool> CancelAsync(GcsClient client, Uri address, CancellationToken cancellation)
    {
        try
        {
            using var response =
                await client.SendAsync(() => new HttpRequestMessage(HttpMethod.Delete, address), cancellation, isSession: true).ConfigureAwait(false);
        }
        catch (GcsResponseException response) when ((int)response.Status == 499 || response.Status is HttpStatusCode.NotFound or HttpStatusCode.Gone)
        {
            // 499 is how the service says that it is done.
        }

        return true;
    }

    private async ValueTask<long> ArrivedAsync(CancellationToken cancellation) =>
        persisted ?? await PutAsync(JustAsking, ReadOnlyMemory<byte>.Empty, crc32C: null, cancellation).ConfigureAwait(false);

    // One request: bytes that go on where those before them end, or none, to hear what has arrived.
    private async Task<long> PutAsync(long offset, ReadOnlyMemory<byte> content, string? crc32C, CancellationToken cancellation)
    {
        // Until there is an answer nobody knows what has arrived.
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

    // No Range means that nothing has arrived. It says bytes=0-n, of a request's form, not bytes 0-n/total.
    private static long Kept(HttpResponseMessage response) =>
        response.Headers.TryGetValues("Range", out var values)
        && values.First() is var value
        && value.StartsWith("bytes=0-", StringComparison.Ordinal)
        && long.TryParse(value.AsSpan("bytes=0-".Length), NumberStyles.None, CultureInfo.InvariantCulture, out var last)
            ? last + 1
            : 0;
}
