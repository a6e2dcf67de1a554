using System.Collections.Concurrent;
using System.Globalization;
using System.IO.Compression;
using System.Net;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using System.Text;
using System.Text.Json.Nodes;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.Server.Kestrel.Core;
using Microsoft.Extensions.Logging;

namespace SignalHarvester.Backup.Cloud.Tests.Servers;

/// <summary>
/// Google Cloud Storage's JSON API by its documentation, as far as backups use it, on a port of this machine. It refuses what the
/// documentation forbids, computes its own checksums, and can fail on request. Google's own client runs against it too
/// (<see cref="Gcs.FakeGcsTests"/>), so that it is not tailored to ours.
/// </summary>
internal sealed class FakeGcs : IAsyncDisposable
{
    private const int Quantum = 256 << 10;

    private static readonly string[] StorageClasses = ["STANDARD", "NEARLINE", "COLDLINE", "ARCHIVE"];

    private readonly WebApplication server;
    private readonly Lock gate = new();
    private long generation = 1_700_000_000_000_000;

    private FakeGcs(WebApplication server)
    {
        this.server = server;
        server.Run(HandleAsync);
    }

    public Uri Address { get; private set; } = null!;

    public FakeGoogleTokens Tokens { get; } = new();

    public Dictionary<string, FakeGcsBucket> Buckets { get; } = [];

    public Dictionary<string, FakeGcsSession> Sessions { get; } = [];

    /// <summary>All requests to the API, in order.</summary>
    public ConcurrentQueue<FakeGcsRequest> Requests { get; } = new();

    /// <summary>Whether requests without a valid token are refused, except those to sessions.</summary>
    public bool WantsTokens { get; set; }

    /// <summary>The permissions that the account does not have, such as storage.buckets.get.</summary>
    public HashSet<string> Denied { get; } = [];

    /// <summary>The most objects on a page.</summary>
    public int PageSize { get; set; } = 1000;

    /// <summary>Answers in place of the API; returns null to let the API answer.</summary>
    public Func<FakeGcsRequest, FakeGcsAnswer?> Instead { get; set; } = _ => null;

    /// <summary>Changes an answer after the request has taken effect; returns null to break the connection.</summary>
    public Func<FakeGcsRequest, FakeGcsAnswer, FakeGcsAnswer?> Afterwards { get; set; } = (_, answer) => answer;

    /// <summary>Returns how many of a chunk's bytes are kept.</summary>
    public Func<FakeGcsRequest, int> Keeps { get; set; } = request => request.Body.Length;

    /// <summary>Changes bytes before they go into the bucket.</summary>
    public Func<byte[], byte[]> Damages { get; set; } = bytes => bytes;

    /// <summary>Whether the checksums of requests are compared with the content.</summary>
    public bool ComparesChecksums { get; set; } = true;

    /// <summary>The address of new sessions; null for that of the request.</summary>
    public Uri? SessionsAt { get; set; }

    public FakeGcsBucket Bucket => Buckets["backups"];

    public IEnumerable<FakeGcsRequest> Chunks => Requests.Where(request => request.IsChunk);

    /// <summary>Starts a server with a bucket named backups.</summary>
    public static async Task<FakeGcs> StartAsync(bool https = false)
    {
        var builder = WebApplication.CreateSlimBuilder();
        builder.Logging.ClearProviders();
        builder.WebHost.UseKestrelCore().ConfigureKestrel(options =>
        {
            options.Limits.MaxRequestBodySize = null;
            options.Limits.MinRequestBodyDataRate = null;
            options.Listen(IPAddress.Loopback, 0, listener =>
            {
                listener.Protocols = HttpProtocols.Http1;
                if (https)
                {
                    listener.UseHttps(Untrusted());
                }
            });
        });
        var fake = new FakeGcs(builder.Build()) { Buckets = { ["backups"] = new FakeGcsBucket() } };
        await fake.server.StartAsync();
        fake.Address = new Uri(fake.server.Urls.Single());
        return fake;
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        Tokens.Dispose();
    }

    private static X509Certificate2 Untrusted()
    {
        using var key = RSA.Create(2048);
        var request = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1);
        using var certificate = request.CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        return X509CertificateLoader.LoadPkcs12(certificate.Export(X509ContentType.Pfx), null);
    }

    private static FakeGcsAnswer NoBucket() => FakeGcsAnswer.Error(404, "notFound", "The specified bucket does not exist.");

    private static FakeGcsAnswer NoObject(string bucket, string name) => FakeGcsAnswer.Error(404, "notFound", $"No such object: {bucket}/{name}");

    private static FakeGcsAnswer ConditionNotMet() =>
        FakeGcsAnswer.Error(412, "conditionNotMet", "At least one of the pre-conditions you specified did not hold.");

    private static FakeGcsAnswer Invalid(string message) => FakeGcsAnswer.Error(400, "invalid", message);

    private async Task HandleAsync(HttpContext context)
    {
        var request = await ReadAsync(context);
        if (request.Path == "/token")
        {
            await WriteAsync(context, Locked(() => Tokens.Answer(request.Body)));
            return;
        }

        Requests.Enqueue(request);
        var answer = Instead(request);
        if (answer is null)
        {
            answer = Afterwards(request, Locked(() => Answer(request)));
        }

        if (answer is null)
        {
            context.Abort();
            return;
        }

        await WriteAsync(context, answer);
    }

    private T Locked<T>(Func<T> work)
    {
        lock (gate)
        {
            return work();
        }
    }

    private static async Task<FakeGcsRequest> ReadAsync(HttpContext context)
    {
        // Not Path, which unescapes everything except the slash.
        var target = context.Features.Get<IHttpRequestFeature>()!.RawTarget;
        using var body = new MemoryStream();
        await using var sent =
            context.Request.Headers.ContentEncoding == "gzip" ? new GZipStream(context.Request.Body, CompressionMode.Decompress) : context.Request.Body;
        await sent.CopyToAsync(body);
        return new FakeGcsRequest(
            context.Request.Method,
            target.Split('?')[0],
            context.Request.Query.ToDictionary(item => item.Key, item => item.Value.ToString()),
            context.Request.Headers.ToDictionary(item => item.Key, item => item.Value.ToString(), StringComparer.OrdinalIgnoreCase),
            body.ToArray());
    }

    private static async Task WriteAsync(HttpContext context, FakeGcsAnswer answer)
    {
        context.Response.StatusCode = answer.Status;
        foreach (var (name, value) in answer.Headers)
        {
            context.Response.Headers[name] = value;
        }

        context.Response.ContentLength = answer.Status == 204 ? null : answer.Body.Length;
        if (answer.BreaksAfter is { } bytes)
        {
            await context.Response.Body.WriteAsync(answer.Body.AsMemory(0, bytes));
            await context.Response.Body.FlushAsync();

            // Bytes in transit may be lost when a connection breaks, so wait until they have arrived.
            for (var waits = 0; !answer.HasArrived() && waits < 1000; waits++)
            {
                await Task.Delay(10);
            }

            context.Abort();
        }
        else if (answer.Body.Length > 0)
        {
            await context.Response.Body.WriteAsync(answer.Body);
        }
    }

    private FakeGcsAnswer Answer(FakeGcsRequest request)
    {
        var parts = request.Path.Split('/', StringSplitOptions.RemoveEmptyEntries).Select(Uri.UnescapeDataString).ToArray();
        if (parts is ["upload", "storage", "v1", "b", _, "o"] && request.Query.TryGetValue("upload_id", out var id))
        {
            return InSession(request, id);
        }

        if (WantsTokens && !Tokens.Accepts(request.Headers.GetValueOrDefault("Authorization")))
        {
            return FakeGcsAnswer.Error(401, "authError", "Invalid Credentials");
        }

        return (request.Method, parts) switch
        {
            ("GET", ["storage", "v1", "b", var bucket]) => With(bucket, "storage.buckets.get", found => FakeGcsAnswer.Json(Resource(bucket, found))),
            ("POST", ["storage", "v1", "b"]) => Create(request),
            ("GET", ["storage", "v1", "b", var bucket, "o"]) => With(bucket, "storage.objects.list", found => List(request, found)),
            ("GET", ["storage", "v1", "b", var bucket, "o", var name]) => With(bucket, "storage.objects.get", found => Get(request, found, bucket, name)),
            ("DELETE", ["storage", "v1", "b", var bucket, "o", var name]) =>
                With(bucket, "storage.objects.delete", found => Delete(request, found, bucket, name)),
            ("POST", ["upload", "storage", "v1", "b", var bucket, "o"]) => With(bucket, "storage.objects.create", _ => Insert(request, bucket)),
            _ => FakeGcsAnswer.Error(404, "notFound", $"Not Found {request.Method} {request.Path}"),
        };
    }

    private FakeGcsAnswer With(string bucket, string permission, Func<FakeGcsBucket, FakeGcsAnswer> work) =>
        Denied.Contains(permission)
            ? FakeGcsAnswer.Error(403, "forbidden", $"{FakeGoogleTokens.Email} does not have {permission} access to the Google Cloud Storage bucket.")
            : Buckets.TryGetValue(bucket, out var found) ? work(found) : NoBucket();

    private static JsonObject Resource(string name, FakeGcsBucket bucket)
    {
        var resource = bucket.Settings.DeepClone().AsObject();
        resource["kind"] = "storage#bucket";
        resource["name"] = name;
        if (bucket.HasVersioning)
        {
            resource["versioning"] = new JsonObject { ["enabled"] = true };
        }

        resource["softDeletePolicy"] = new JsonObject
        {
            ["retentionDurationSeconds"] = bucket.SoftDelete.TotalSeconds.ToString(CultureInfo.InvariantCulture),
            ["effectiveTime"] = DateTimeOffset.UtcNow,
        };
        return resource;
    }

    private FakeGcsAnswer Create(FakeGcsRequest request)
    {
        var settings = JsonNode.Parse(request.Body)!.AsObject();
        var name = (string)settings["name"]!;
        if (request.Query.GetValueOrDefault("project") is not { Length: > 0 } project)
        {
            return FakeGcsAnswer.Error(400, "required", "Required parameter: project");
        }

        settings["project"] = project;
        var bucket = new FakeGcsBucket { Settings = settings, HasObjectRetention = request.Query.GetValueOrDefault("enableObjectRetention") == "true" };
        return Buckets.TryAdd(name, bucket)
            ? FakeGcsAnswer.Json(Resource(name, bucket))
            : FakeGcsAnswer.Error(409, "conflict", "Your previous request to create the named bucket succeeded and you already own it.");
    }

    private FakeGcsAnswer List(FakeGcsRequest request, FakeGcsBucket bucket)
    {
        var after = request.Query.GetValueOrDefault("pageToken") is { Length: > 0 } token ? Encoding.UTF8.GetString(Convert.FromBase64String(token)) : null;
        var left = bucket.Objects.Values
            .Where(item => item.Name.StartsWith(request.Query.GetValueOrDefault("prefix") ?? string.Empty, StringComparison.Ordinal))
            .Where(item => after is null || string.CompareOrdinal(item.Name, after) > 0)
            .ToList();
        var page = left.Take(PageSize).ToList();
        var answer = new JsonObject { ["kind"] = "storage#objects" };
        if (page.Count > 0)
        {
            // The service omits the field if there is nothing.
            answer["items"] = new JsonArray([.. page.Select(item => item.Resource())]);
        }

        if (page.Count < left.Count)
        {
            answer["nextPageToken"] = Convert.ToBase64String(Encoding.UTF8.GetBytes(page[^1].Name));
        }

        return FakeGcsAnswer.Json(answer);
    }

    private static FakeGcsAnswer Get(FakeGcsRequest request, FakeGcsBucket bucket, string bucketName, string name)
    {
        if (!bucket.Objects.TryGetValue(name, out var found) || (request.Query.TryGetValue("generation", out var version) && version != $"{found.Generation}"))
        {
            return NoObject(bucketName, name);
        }

        if (!Meets(request.Query, found))
        {
            return ConditionNotMet();
        }

        return request.IsMedia ? Media(request, found) : FakeGcsAnswer.Json(found.Resource());
    }

    private static FakeGcsAnswer Media(FakeGcsRequest request, FakeGcsObject found)
    {
        var headers = new Dictionary<string, string>
        {
            ["Content-Type"] = (string?)found.Metadata["contentType"] ?? "application/octet-stream",
            ["X-Goog-Generation"] = $"{found.Generation}",
            ["X-Goog-Hash"] = $"crc32c={found.Crc32C},md5={found.Md5}",
        };
        if (!System.Net.Http.Headers.RangeHeaderValue.TryParse(request.Headers.GetValueOrDefault("Range"), out var range))
        {
            return new FakeGcsAnswer(200, found.Content) { Headers = headers };
        }

        var (first, last) = (range.Ranges.Single().From!.Value, Math.Min(range.Ranges.Single().To ?? long.MaxValue, found.Content.Length - 1));
        if (first >= found.Content.Length)
        {
            return FakeGcsAnswer.Error(416, "requestedRangeNotSatisfiable", "Request range not satisfiable");
        }

        headers["Content-Range"] = $"bytes {first}-{last}/{found.Content.Length}";
        return new FakeGcsAnswer(206, found.Content[(int)first..(int)(last + 1)]) { Headers = headers };
    }

    private static FakeGcsAnswer Delete(FakeGcsRequest request, FakeGcsBucket bucket, string bucketName, string name)
    {
        if (!bucket.Objects.TryGetValue(name, out var found) || (request.Query.TryGetValue("generation", out var version) && version != $"{found.Generation}"))
        {
            return NoObject(bucketName, name);
        }

        if (!Meets(request.Query, found))
        {
            return ConditionNotMet();
        }

        if (found.Metadata["retention"]?["retainUntilTime"] is { } until && (DateTimeOffset)until > DateTimeOffset.UtcNow)
        {
            return FakeGcsAnswer.Error(
                403, "retentionPolicyNotMet",
                $"Object '{bucketName}/{name}' is subject to object retention and cannot be deleted, overwritten or archived until {until}");
        }

        bucket.Objects.Remove(name);
        return new FakeGcsAnswer(204, []);
    }

    private FakeGcsAnswer Insert(FakeGcsRequest request, string bucket) => request.Query.GetValueOrDefault("uploadType") switch
    {
        "multipart" => InsertMultipart(request, bucket),
        "resumable" => Begin(request, bucket),
        _ => Invalid("Invalid uploadType"),
    };

    private FakeGcsAnswer InsertMultipart(FakeGcsRequest request, string bucket)
    {
        var boundary = System.Net.Http.Headers.MediaTypeHeaderValue.Parse(request.Headers["Content-Type"]) is { MediaType: "multipart/related" } type
            ? type.Parameters.Single(parameter => parameter.Name == "boundary").Value!.Trim('"')
            : null;
        if (boundary is null)
        {
            return FakeGcsAnswer.Error(400, "badContent", "Unsupported content with type");
        }

        // Byte for byte, because the media part is no text.
        var text = Encoding.Latin1.GetString(request.Body);
        var parts = text.Split($"--{boundary}");
        if (parts is not ["" or "\r\n", var first, var second, "--\r\n" or "--"])
        {
            return FakeGcsAnswer.Error(400, "parseError", "Multipart must have exactly two non-empty parts.");
        }

        var metadata = JsonNode.Parse(Encoding.Latin1.GetBytes(Content(first)))!.AsObject();
        return Store(bucket, metadata, request.Query, Encoding.Latin1.GetBytes(Content(second)));

        static string Content(string part) => part[(part.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4)..^2];
    }

    private FakeGcsAnswer Begin(FakeGcsRequest request, string bucket)
    {
        var metadata = request.Body.Length == 0 ? [] : JsonNode.Parse(request.Body)!.AsObject();
        metadata["contentType"] ??= request.Headers.GetValueOrDefault("X-Upload-Content-Type");
        if (Objection(Buckets[bucket], metadata) is { } objection)
        {
            return objection;
        }

        var length =
            request.Headers.TryGetValue("X-Upload-Content-Length", out var announced) ? long.Parse(announced, CultureInfo.InvariantCulture) : (long?)null;
        var id = $"session-{Guid.NewGuid():N}";
        Sessions[id] = new FakeGcsSession(bucket, metadata, request.Query, length);
        var host = SessionsAt ?? new Uri($"{Address.Scheme}://{request.Headers["Host"]}");
        return new FakeGcsAnswer(200, [])
        {
            Headers =
            {
                ["Location"] = new Uri(host, $"/upload/storage/v1/b/{Uri.EscapeDataString(bucket)}/o?uploadType=resumable&upload_id={id}").AbsoluteUri,
            },
        };
    }

    private FakeGcsAnswer InSession(FakeGcsRequest request, string id)
    {
        if (!Sessions.TryGetValue(id, out var session))
        {
            return FakeGcsAnswer.Error(404, "notFound", "Not Found");
        }

        if (session.IsCancelled)
        {
            return FakeGcsAnswer.Error(410, "gone", "Gone");
        }

        if (request.Method == "DELETE")
        {
            session.IsCancelled = true;
            return new FakeGcsAnswer(499, []);
        }

        if (session.Made is { } made)
        {
            return FakeGcsAnswer.Json(made.Resource());
        }

        if (request.IsStatusQuery && request.Headers.GetValueOrDefault("Content-Range") is { } asked && asked.StartsWith("bytes */", StringComparison.Ordinal))
        {
            return asked == $"bytes */{session.Persisted.Length}" ? Finish(request, session) : GoOn(session);
        }

        return request.ChunkRange() is { } range ? Chunk(request, session, range) : Invalid("Failed to parse Content-Range header.");
    }

    private FakeGcsAnswer Chunk(FakeGcsRequest request, FakeGcsSession session, (long First, long Last, long Total) range)
    {
        if (range.Last - range.First + 1 != request.Body.Length || (session.Length is { } length && length != range.Total))
        {
            return Invalid("Invalid request. The number of bytes uploaded does not agree with the Content-Range or X-Upload-Content-Length header.");
        }

        if (range.Last + 1 < range.Total && request.Body.Length % Quantum != 0)
        {
            return Invalid(
                $"Invalid request. There were {request.Body.Length} byte(s) in the request body. All chunks but the last must be a multiple of 256 KiB.");
        }

        if (range.First > session.Persisted.Length)
        {
            return Invalid($"Invalid request. The chunk begins at {range.First}, after {session.Persisted.Length} persisted byte(s).");
        }

        // Bytes that are already there are not compared again.
        var skipped = (int)(session.Persisted.Length - range.First);
        session.Persisted.Write(Damages(request.Body).AsSpan(skipped, Math.Max(0, Keeps(request) - skipped)));
        return session.Persisted.Length == range.Total ? Finish(request, session) : GoOn(session);
    }

    private FakeGcsAnswer Finish(FakeGcsRequest request, FakeGcsSession session)
    {
        if (request.Headers.TryGetValue("X-Goog-Hash", out var hash))
        {
            session.Metadata["crc32c"] = hash.Replace("crc32c=", string.Empty, StringComparison.Ordinal);
        }

        var answer = Store(session.Bucket, session.Metadata, session.Query, session.Persisted.ToArray());
        session.Made = answer.Status == 200 ? Buckets[session.Bucket].Objects[NameOf(session.Metadata, session.Query)] : null;
        return answer;
    }

    private static FakeGcsAnswer GoOn(FakeGcsSession session) => new(308, [])
    {
        Headers = session.Persisted.Length == 0 ? [] : new() { ["Range"] = $"bytes=0-{session.Persisted.Length - 1}" },
    };

    private FakeGcsAnswer Store(string bucketName, JsonObject metadata, IReadOnlyDictionary<string, string> query, byte[] content)
    {
        var bucket = Buckets[bucketName];
        var name = NameOf(metadata, query);
        if (Objection(bucket, metadata) is { } objection)
        {
            return objection;
        }

        if (!Meets(query, bucket.Objects.GetValueOrDefault(name)))
        {
            return ConditionNotMet();
        }

        var made = new FakeGcsObject(
            bucketName, name, ++generation, query.GetValueOrDefault("uploadType") == "multipart" ? Damages(content) : content, metadata,
            query.GetValueOrDefault("kmsKeyName"));
        if (ComparesChecksums && metadata["crc32c"] is { } crc32C && (string)crc32C! != made.Crc32C)
        {
            return Invalid($"Provided CRC32C \"{crc32C}\" doesn't match calculated CRC32C \"{made.Crc32C}\".");
        }

        if (ComparesChecksums && metadata["md5Hash"] is { } md5 && (string)md5! != made.Md5)
        {
            return Invalid($"Provided MD5 hash \"{md5}\" doesn't match calculated MD5 hash \"{made.Md5}\".");
        }

        bucket.Objects[name] = made;
        return FakeGcsAnswer.Json(made.Resource());
    }

    private static string NameOf(JsonObject metadata, IReadOnlyDictionary<string, string> query) =>
        query.GetValueOrDefault("name") ?? (string)metadata["name"]!;

    private static FakeGcsAnswer? Objection(FakeGcsBucket bucket, JsonObject metadata) => metadata switch
    {
        _ when metadata["storageClass"] is { } storageClass && !StorageClasses.Contains((string)storageClass!) => Invalid("Invalid argument."),
        _ when metadata["retention"] is not null && !bucket.HasObjectRetention => Invalid("Object retention is not enabled for the bucket."),
        _ => null,
    };

    private static bool Meets(IReadOnlyDictionary<string, string> query, FakeGcsObject? live) =>
        !query.TryGetValue("ifGenerationMatch", out var wanted) || wanted == $"{live?.Generation ?? 0}";
}
