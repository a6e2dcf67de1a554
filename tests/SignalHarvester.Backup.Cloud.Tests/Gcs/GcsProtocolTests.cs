using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Gcs;
using SignalHarvester.Backup.ObjectStorage.Transfers;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Gcs;

/// <summary>What only Google Cloud Storage has: sessions, generations, and its answers to errors.</summary>
[Collection(GoogleEnvironment.Collection)]
public sealed class GcsProtocolTests : IAsyncLifetime
{
    private const int Quantum = 256 << 10;
    private const int PartSize = 64 * Quantum;

    private readonly GoogleEnvironment environment = new();
    private FakeGcs fake = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync()
    {
        fake = await FakeGcs.StartAsync();
        environment.UseAccountOf(fake);
    }

    public async ValueTask DisposeAsync()
    {
        await fake.DisposeAsync();
        environment.Dispose();
    }

    [Theory]
    [InlineData(PartSize + 1)]
    [InlineData(PartSize + Quantum)]
    [InlineData(PartSize + Quantum + 1)]
    [InlineData(2 * PartSize)]
    [InlineData((2 * PartSize) - 1)]
    public async Task Chunks_follow_each_other_and_the_object_is_made_by_completing(int length)
    {
        using var store = Open();
        var upload = new ByHand(length);
        await upload.SendAsync(store);
        Assert.Empty(fake.Bucket.Objects);

        var made = await upload.CompleteAsync(store);

        // The fake refuses gaps, and chunks of a size that the protocol forbids; this checks what the fake would tolerate.
        var expected = 0L;
        foreach (var chunk in fake.Chunks)
        {
            Assert.Equal((expected, (long)length), (chunk.ChunkRange()!.Value.First, chunk.ChunkRange()!.Value.Total));
            expected = chunk.ChunkRange()!.Value.Last + 1;
        }

        Assert.Equal(length, expected);
        Assert.DoesNotContain(fake.Requests, request => request.IsStatusQuery);
        Assert.InRange(fake.Chunks.Last().Body.Length, 1, Quantum);
        Assert.Equal($"crc32c={fake.Bucket.Objects["a"].Crc32C}", fake.Chunks.Last().Headers["X-Goog-Hash"]);
        Assert.Equal($"crc32c:{fake.Bucket.Objects["a"].Crc32C}", made.Checksum);
        Assert.True(upload.Content.AsSpan().SequenceEqual(fake.Bucket.Objects["a"].Content));
    }

    [Fact]
    public async Task What_the_service_did_not_keep_of_a_chunk_is_sent_again_and_nothing_else()
    {
        using var store = Open();
        var upload = new ByHand((2 * PartSize) + 100);
        fake.Keeps = request => Math.Min(request.Body.Length, 5 * Quantum);

        await upload.SendAsync(store);
        await upload.CompleteAsync(store);

        // Each chunk begins at the end of what was kept before: nothing twice, nothing left out.
        var kept = 0L;
        foreach (var chunk in fake.Chunks)
        {
            Assert.Equal(kept, chunk.ChunkRange()!.Value.First);
            kept += Math.Min(chunk.Body.Length, 5 * Quantum);
        }

        Assert.Equal(upload.Length, kept);
        Assert.True(upload.Content.AsSpan().SequenceEqual(fake.Bucket.Objects["a"].Content));
    }

    [Theory]
    [InlineData(503)]
    [InlineData(null)]
    public async Task After_a_failure_the_service_is_asked_and_only_the_rest_is_sent(int? status)
    {
        using var store = Open();
        var upload = new ByHand(PartSize + 1);
        var failed = false;
        fake.Keeps = request => failed ? request.Body.Length : 3 * Quantum;
        fake.Afterwards = (request, answer) =>
        {
            if (failed || !request.IsChunk)
            {
                return answer;
            }

            failed = true;
            return status is { } code ? FakeGcsAnswer.Error(code, "backendError", "Backend Error") : null;
        };

        await upload.SendAsync(store);
        await upload.CompleteAsync(store);

        Assert.Single(fake.Requests, request => request.IsStatusQuery);
        Assert.Equal([0, 3L * Quantum, PartSize], fake.Chunks.Select(chunk => chunk.ChunkRange()!.Value.First));
        Assert.True(upload.Content.AsSpan().SequenceEqual(fake.Bucket.Objects["a"].Content));
    }

    [Fact]
    public async Task Another_process_goes_on_in_the_middle_of_a_part()
    {
        var upload = new ByHand((2 * PartSize) + 100);
        using (var first = Open())
        {
            await upload.BeginAsync(first);
            await upload.PutPartAsync(first, 1);
            fake.Afterwards = (request, answer) => request.IsChunk ? FakeGcsAnswer.Error(400, "invalid", "no more") : answer;
            fake.Keeps = _ => 7 * Quantum;
            await RefusesAsync(BackupErrorId.CloudRefused, () => upload.PutPartAsync(first, 2));
            fake.Afterwards = (_, answer) => answer;
            fake.Keeps = request => request.Body.Length;
        }

        fake.Requests.Clear();
        using var second = Open();
        var found = await second.FindPartsAsync("a", upload.Id, upload.Length, Stop);
        Assert.Equal([1], found!.Select(part => part.Number));
        Assert.Equal(PartSize, found!.Single().Length);
        await upload.PutPartAsync(second, 2);
        await upload.PutPartAsync(second, 3);
        await upload.CompleteAsync(second);

        Assert.Equal(PartSize + (7L * Quantum), fake.Chunks.First().ChunkRange()!.Value.First);
        Assert.Equal(upload.Length - PartSize - (7 * Quantum), fake.Chunks.Sum(chunk => chunk.Body.LongLength));
        Assert.True(upload.Content.AsSpan().SequenceEqual(fake.Bucket.Objects["a"].Content));
    }

    [Fact]
    public async Task Bytes_of_another_file_that_were_sent_before_come_to_light_at_the_end()
    {
        var upload = new ByHand(PartSize + 100);
        using var first = Open();
        await upload.BeginAsync(first);
        await first.PutPartAsync("a", upload.Id, 1, 0, upload.Length, new byte[PartSize], Stop);

        using var second = Open();
        await upload.PutPartAsync(second, 1);
        await upload.PutPartAsync(second, 2);
        await RefusesAsync(BackupErrorId.CloudChecksumMismatch, () => upload.CompleteAsync(second));

        Assert.Empty(fake.Bucket.Objects);
    }

    [Theory]
    [InlineData(404)]
    [InlineData(410)]
    public async Task A_session_that_is_over_is_an_upload_that_is_lost(int status)
    {
        using var store = Open();
        var upload = new ByHand(PartSize + 100);
        await upload.BeginAsync(store);
        fake.Instead = request => request.Query.ContainsKey("upload_id") ? FakeGcsAnswer.Error(status, "gone", "Gone") : null;

        await RefusesAsync(BackupErrorId.CloudUploadLost, () => upload.PutPartAsync(store, 1));
        Assert.Null(await store.FindPartsAsync("a", upload.Id, upload.Length, Stop));
        Assert.Null(await store.FindPartsAsync("a", "no address", upload.Length, Stop));
        await store.AbortUploadAsync("a", upload.Id, Stop);
    }

    [Fact]
    public async Task A_session_that_lost_what_it_had_is_an_upload_that_is_lost()
    {
        using var store = Open();
        var upload = new ByHand((2 * PartSize) + 100);
        await upload.BeginAsync(store);
        await upload.PutPartAsync(store, 1);
        fake.Sessions.Values.Single().Persisted.SetLength(Quantum);
        using var another = Open();

        await RefusesAsync(BackupErrorId.CloudUploadLost, () => upload.PutPartAsync(another, 2));
    }

    [Fact]
    public async Task A_session_that_keeps_nothing_is_given_up_after_all_retries()
    {
        using var store = Open(new StoreOptions { MostRetries = 1 });
        var upload = new ByHand(PartSize + 100);
        await upload.BeginAsync(store);
        fake.Keeps = _ => 0;

        await RefusesAsync(BackupErrorId.CloudUnavailable, () => upload.PutPartAsync(store, 1));

        Assert.Equal(2, fake.Chunks.Count());
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task An_end_whose_answer_was_lost_is_the_end_all_the_same(bool forgotten)
    {
        using var store = Open();
        var upload = new ByHand(PartSize + 100);
        await upload.SendAsync(store);
        fake.Afterwards = (request, answer) =>
        {
            if (!request.IsChunk)
            {
                return answer;
            }

            if (forgotten)
            {
                fake.Sessions.Clear();
            }

            return null;
        };

        var made = await upload.CompleteAsync(store);

        Assert.Equal($"{fake.Bucket.Objects["a"].Generation}", made.Version);
        Assert.Equal(2, fake.Chunks.Count());
    }

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task An_object_that_is_not_what_was_sent_does_not_stay(bool tells)
    {
        using var store = Open();
        var upload = new ByHand(PartSize + 100);
        fake.Damages = bytes => [(byte)(bytes[0] ^ 1), .. bytes[1..]];
        fake.ComparesChecksums = tells;

        await upload.SendAsync(store);
        var error = await RefusesAsync(BackupErrorId.CloudChecksumMismatch, () => upload.CompleteAsync(store));

        Assert.Empty(fake.Bucket.Objects);
        Assert.Equal(tells ? 0 : 1, fake.Requests.Count(request => request.Method == "DELETE" && request.Query.ContainsKey("ifGenerationMatch")));
        Assert.Equal(tells, !error.Message.Contains("was deleted", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_small_object_that_is_not_what_was_sent_does_not_stay_even_where_nobody_compares()
    {
        using var store = Open();
        fake.Damages = bytes => [(byte)(bytes[0] ^ 1), .. bytes[1..]];
        fake.ComparesChecksums = false;

        await RefusesAsync(BackupErrorId.CloudChecksumMismatch, () => PutAsync(store, "a", [1, 2, 3]));

        Assert.Empty(fake.Bucket.Objects);
    }

    [Fact]
    public async Task A_damaged_object_that_cannot_be_deleted_is_still_named_damaged()
    {
        using var store = Open();
        fake.Damages = bytes => [(byte)(bytes[0] ^ 1), .. bytes[1..]];
        fake.ComparesChecksums = false;
        fake.Denied.Add("storage.objects.delete");

        var error = await RefusesAsync(BackupErrorId.CloudChecksumMismatch, () => PutAsync(store, "a", [1, 2, 3]));

        Assert.Contains("could not be deleted", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_put_whose_answer_was_lost_finds_what_it_made()
    {
        using var store = Open();
        var lost = 0;
        fake.Afterwards = (request, answer) => request.Method == "POST" && lost++ == 0 ? null : answer;

        var made = await PutAsync(store, "a", [1, 2, 3]);

        Assert.Equal($"{fake.Bucket.Objects["a"].Generation}", made.Version);
        Assert.Equal(2, fake.Requests.Count(request => request.Method == "POST"));
    }

    [Fact]
    public async Task A_put_whose_answer_was_lost_does_not_take_a_strangers_object_for_its_own()
    {
        using var store = Open();
        using var stranger = Open();
        var tried = false;
        fake.Instead = request =>
        {
            if (request.Method != "POST" || tried)
            {
                return null;
            }

            tried = true;
            PutAsync(stranger, "a", [9]).GetAwaiter().GetResult();
            return FakeGcsAnswer.Error(503, "backendError", "Backend Error");
        };

        await RefusesAsync(BackupErrorId.CloudObjectExists, () => PutAsync(store, "a", [1, 2, 3]));

        Assert.Equal([9], fake.Bucket.Objects["a"].Content);
    }

    [Fact]
    public async Task A_broken_read_goes_on_where_it_broke()
    {
        using var store = Open();
        var content = new byte[100_000];
        new Random(1).NextBytes(content);
        var version = await PutAsync(store, "a", content);
        var broken = 0;
        var read = new byte[90_000];
        fake.Afterwards = (request, answer) => request.IsMedia && broken++ == 0
            ? answer with { BreaksAfter = 30_000, HasArrived = () => read.AsSpan(0, 30_000).SequenceEqual(content.AsSpan(5000, 30_000)) }
            : answer;

        await store.ReadAsync(version, 5000, read, Stop);

        Assert.Equal(content[5000..95_000], read);
        Assert.Equal(["bytes=5000-94999", "bytes=35000-94999"], fake.Requests.Where(request => request.IsMedia).Select(request => request.Headers["Range"]));
    }

    [Fact]
    public async Task An_answer_without_the_range_that_was_asked_for_is_refused()
    {
        using var store = Open();
        var version = await PutAsync(store, "a", [1, 2, 3, 4]);
        fake.Instead = request => request.IsMedia ? new FakeGcsAnswer(200, [1, 2, 3, 4]) : null;

        await RefusesAsync(BackupErrorId.CloudRefused, () => store.ReadAsync(version, 2, new byte[2], Stop));
    }

    [Theory]
    [InlineData(429, "rateLimitExceeded", "0")]
    [InlineData(429, "rateLimitExceeded", "1")]
    [InlineData(403, "rateLimitExceeded", null)]
    [InlineData(403, "userRateLimitExceeded", null)]
    [InlineData(408, "requestTimeout", null)]
    [InlineData(500, "internalError", null)]
    [InlineData(502, "badGateway", null)]
    [InlineData(503, "backendError", null)]
    [InlineData(504, "gatewayTimeout", null)]
    public async Task What_may_pass_is_tried_again(int status, string reason, string? retryAfter)
    {
        using var store = Open();
        var failures = 0;
        fake.Instead = _ => failures++ == 0
            ? FakeGcsAnswer.Error(status, reason, "not now") with { Headers = retryAfter is null ? [] : new() { ["Retry-After"] = retryAfter } }
            : null;

        Assert.Null(await store.FindAsync("a", Stop));

        Assert.Equal(2, fake.Requests.Count);
    }

    [Theory]
    [InlineData(400, "invalid", BackupErrorId.CloudRefused)]
    [InlineData(401, "authError", BackupErrorId.CloudAccessDenied)]
    [InlineData(403, "forbidden", BackupErrorId.CloudAccessDenied)]
    [InlineData(412, "conditionNotMet", BackupErrorId.CloudObjectExists)]
    [InlineData(501, "notImplemented", BackupErrorId.CloudRefused)]
    public async Task What_will_not_pass_is_not_tried_again(int status, string reason, string errorId)
    {
        using var store = Open();
        fake.Instead = _ => FakeGcsAnswer.Error(status, reason, "The service's own words.");

        var error = await RefusesAsync(errorId, () => PutAsync(store, "a", [1]));

        // A refused token is renewed once.
        Assert.Equal(status == 401 ? 2 : 1, fake.Requests.Count);
        Assert.Contains(errorId == BackupErrorId.CloudObjectExists ? "not overwritten" : "The service's own words.", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_service_that_does_not_get_well_is_given_up_after_all_retries()
    {
        using var store = Open(new StoreOptions { MostRetries = 2 });
        fake.Instead = _ => FakeGcsAnswer.Error(503, "backendError", "Backend Error");

        await RefusesAsync(BackupErrorId.CloudUnavailable, () => store.FindAsync("a", Stop));

        Assert.Equal(3, fake.Requests.Count);
    }

    [Fact]
    public async Task A_service_that_wants_to_be_left_alone_for_long_is_not_waited_for()
    {
        using var store = Open();
        fake.Instead = _ => FakeGcsAnswer.Error(503, "backendError", "Backend Error") with { Headers = new() { ["Retry-After"] = "86400" } };

        await RefusesAsync(BackupErrorId.CloudUnavailable, () => store.FindAsync("a", Stop));

        Assert.Single(fake.Requests);
    }

    [Fact]
    public async Task A_page_of_a_proxy_is_no_answer()
    {
        using var store = Open(new StoreOptions { MostRetries = 0 });
        fake.Instead = _ => new FakeGcsAnswer(200, "<html>Log in first</html>"u8.ToArray());

        await RefusesAsync(BackupErrorId.CloudUnavailable, () => store.FindAsync("a", Stop));
    }

    [Fact]
    public async Task Nobody_is_followed_to_another_address()
    {
        using var store = Open();
        fake.Instead = request => request.Path == "/elsewhere" ? null : new FakeGcsAnswer(302, []) { Headers = { ["Location"] = "/elsewhere" } };

        await RefusesAsync(BackupErrorId.CloudRefused, () => store.FindAsync("a", Stop));

        Assert.Single(fake.Requests);
    }

    [Fact]
    public async Task The_address_of_a_session_is_never_shown()
    {
        using var store = Open(new StoreOptions { MostRetries = 0 });
        var upload = new ByHand(PartSize + 100);
        await upload.BeginAsync(store);
        var secret = new Uri(upload.Id).Query.Split("upload_id=")[1];
        foreach (var status in new[] { 400, 403, 404, 410, 412, 503 })
        {
            fake.Instead = request =>
                request.Query.ContainsKey("upload_id") ? FakeGcsAnswer.Error(status, "some", $"The session {upload.Id} of {secret} is bad.") : null;
            var error = await Assert.ThrowsAsync<BackupException>(() => upload.PutPartAsync(store, 1));
            Assert.DoesNotContain(secret, error.ToString(), StringComparison.Ordinal);
        }

        fake.Instead = _ => null;
        fake.Afterwards = (_, _) => null;
        Assert.DoesNotContain(secret, (await Assert.ThrowsAsync<BackupException>(() => upload.PutPartAsync(store, 1))).ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_missing_bucket_is_made_in_the_project_of_the_account_and_closed_to_the_public()
    {
        using var store = Open(new StoreOptions { ImmutableFor = TimeSpan.FromDays(1) }, container: "new");

        await RefusesAsync(BackupErrorId.CloudContainerNotFound, () => store.RequireContainerAsync(create: false, Stop));
        await store.RequireContainerAsync(create: true, Stop);

        var bucket = fake.Buckets["new"];
        Assert.Equal(FakeGoogleTokens.Project, (string?)bucket.Settings["project"]);
        Assert.Equal("enforced", (string?)bucket.Settings["iamConfiguration"]!["publicAccessPrevention"]);
        Assert.True((bool?)bucket.Settings["iamConfiguration"]!["uniformBucketLevelAccess"]!["enabled"]);
        Assert.True(bucket.HasObjectRetention);
    }

    [Fact]
    public async Task A_bucket_is_made_in_the_project_that_is_named_and_where_it_is_asked_for()
    {
        environment.Set("GOOGLE_CLOUD_PROJECT", "another-project");
        using var store = new GcsStore(Location("new") with { Region = "europe-west3" }, new StoreOptions());

        await store.RequireContainerAsync(create: true, Stop);

        Assert.Equal("another-project", (string?)fake.Buckets["new"].Settings["project"]);
        Assert.Equal("europe-west3", (string?)fake.Buckets["new"].Settings["location"]);
        Assert.False(fake.Buckets["new"].HasObjectRetention);
    }

    [Fact]
    public async Task A_bucket_that_was_made_by_a_try_whose_answer_was_lost_is_there()
    {
        using var store = Open(container: "new");
        var lost = 0;
        fake.Afterwards = (request, answer) => request.Method == "POST" && lost++ == 0 ? null : answer;

        await store.RequireContainerAsync(create: true, Stop);

        Assert.Contains("new", fake.Buckets.Keys);
    }

    [Fact]
    public async Task To_use_a_bucket_takes_no_permission_to_look_at_it()
    {
        fake.Denied.Add("storage.buckets.get");
        using var store = Open();

        await store.RequireContainerAsync(create: false, Stop);
        await PutAsync(store, "a", [1]);

        Assert.True(await store.DeleteAsync("a", Stop));
    }

    [Fact]
    public async Task A_bucket_that_may_not_be_looked_at_and_is_not_there_is_missing()
    {
        fake.Denied.Add("storage.buckets.get");
        using var store = Open(container: "new");

        await RefusesAsync(BackupErrorId.CloudContainerNotFound, () => store.RequireContainerAsync(create: false, Stop));
    }

    [Fact]
    public async Task No_permission_to_list_is_not_taken_for_an_empty_bucket()
    {
        fake.Denied.Add("storage.objects.list");
        using var store = Open();
        await PutAsync(store, "a", [1]);

        var error = await RefusesAsync(BackupErrorId.CloudAccessDenied, async () => await store.ListAsync(string.Empty, Stop).ToListAsync(Stop));

        Assert.Contains("storage.objects.list", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData(false, 0, true)]
    [InlineData(true, 0, false)]
    [InlineData(false, 7, false)]
    public async Task What_can_be_brought_back_is_not_deleted(bool versioning, int softDeleteDays, bool deleted)
    {
        fake.Bucket.HasVersioning = versioning;
        fake.Bucket.SoftDelete = TimeSpan.FromDays(softDeleteDays);
        using var store = Open();
        await PutAsync(store, "a", [1]);

        Assert.Equal(deleted, await store.DeleteAsync("a", Stop));
        Assert.True(await store.DeleteAsync("a", Stop));
        Assert.Empty(fake.Bucket.Objects);
    }

    [Fact]
    public async Task Objects_are_locked_where_the_bucket_allows_it()
    {
        fake.Bucket.HasObjectRetention = true;
        using var store = Open(new StoreOptions { ImmutableFor = TimeSpan.FromDays(30) });
        await PutAsync(store, "a", [1]);
        await new ByHand(PartSize + 1, "b").SendAndCompleteAsync(store);

        foreach (var name in new[] { "a", "b" })
        {
            var retention = fake.Bucket.Objects[name].Metadata["retention"]!;
            Assert.Equal("Locked", (string?)retention["mode"]);
            Assert.InRange((DateTimeOffset)retention["retainUntilTime"]!, DateTimeOffset.UtcNow.AddDays(29), DateTimeOffset.UtcNow.AddDays(31));
        }

        var error = await RefusesAsync(BackupErrorId.CloudRefused, () => store.DeleteAsync("a", Stop));
        Assert.Contains("retention", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_option_that_the_bucket_does_not_take_is_named()
    {
        using var locked = Open(new StoreOptions { ImmutableFor = TimeSpan.FromDays(30) });
        using var classed = Open(new StoreOptions { StorageClass = "GLACIER" });

        Assert.Contains("-ImmutableFor", (await RefusesAsync(BackupErrorId.CloudRefused, () => PutAsync(locked, "a", [1]))).Message, StringComparison.Ordinal);
        Assert.Contains(
            "-ImmutableFor", (await RefusesAsync(BackupErrorId.CloudRefused, () => new ByHand(PartSize + 1).BeginAsync(locked))).Message,
            StringComparison.Ordinal);
        Assert.Contains(
            "-StorageClass is 'GLACIER'", (await RefusesAsync(BackupErrorId.CloudRefused, () => PutAsync(classed, "a", [1]))).Message,
            StringComparison.Ordinal);
    }

    [Fact]
    public async Task Storage_class_and_key_are_those_that_were_asked_for()
    {
        const string Key = "projects/p/locations/eu/keyRings/r/cryptoKeys/k";
        using var store = Open(new StoreOptions { StorageClass = "NEARLINE", EncryptionKey = Key });
        await PutAsync(store, "a", [1]);
        await new ByHand(PartSize + 1, "b").SendAndCompleteAsync(store);

        foreach (var name in new[] { "a", "b" })
        {
            var resource = fake.Bucket.Objects[name].Resource();
            Assert.Equal("NEARLINE", (string?)resource["storageClass"]);
            Assert.StartsWith(Key, (string?)resource["kmsKeyName"], StringComparison.Ordinal);
            Assert.Equal("application/octet-stream", (string?)resource["contentType"]);
        }
    }

    [Fact]
    public void What_is_larger_than_an_object_may_be_is_refused()
    {
        using var store = Open();

        Assert.Equal(0, store.PartSize(5L << 40) % Quantum);
        Assert.Equal(BackupErrorId.CloudRefused, Assert.Throws<BackupException>(() => store.PartSize((5L << 40) + 1)).ErrorId);
    }

    private static async Task<BackupException> RefusesAsync(string errorId, Func<Task> action)
    {
        var error = await Assert.ThrowsAsync<BackupException>(action);
        Assert.True(error.ErrorId == errorId, $"{error.ErrorId} and not {errorId}: {error}");
        return error;
    }

    private static Task<ObjectInfo> PutAsync(GcsStore store, string name, byte[] content) =>
        store.PutAsync(name, content, ContentHash.Attributes(content, ObjectAttributes.BackupType, store.Checksums), replaces: null, Stop);

    private StoreLocation Location(string container) => new() { Provider = CloudProvider.Gcs, Container = container, Endpoint = fake.Address };

    private GcsStore Open(StoreOptions? options = null, string container = "backups") => new(Location(container), options ?? new StoreOptions());

    /// <summary>An upload in parts, step by step.</summary>
    private sealed class ByHand
    {
        private readonly string name;
        private readonly ObjectAttributes attributes;
        private readonly List<UploadedPart> parts = [];

        public ByHand(int length, string name = "a")
        {
            this.name = name;
            Content = new byte[length];
            new Random(length).NextBytes(Content);
            attributes = ContentHash.Attributes(Content, ObjectAttributes.BackupType, ContentChecksums.Crc32C);
        }

        public byte[] Content { get; }

        public long Length => Content.Length;

        public string Id { get; private set; } = string.Empty;

        public async Task BeginAsync(GcsStore store) => Id = await store.BeginUploadAsync(name, Length, attributes with { Crc32C = null }, Stop);

        public async Task PutPartAsync(GcsStore store, int number)
        {
            var offset = (number - 1) * PartSize;
            var buffer = Content.AsSpan(offset, Math.Min(PartSize, Content.Length - offset)).ToArray();
            parts.Add(await store.PutPartAsync(name, Id, number, offset, Length, buffer, Stop));

            // Like a buffer that is reused.
            Array.Clear(buffer);
        }

        public async Task SendAsync(GcsStore store)
        {
            await BeginAsync(store);
            for (var number = 1; (number - 1) * PartSize < Content.Length; number++)
            {
                await PutPartAsync(store, number);
            }
        }

        public Task<ObjectInfo> CompleteAsync(GcsStore store) => store.CompleteUploadAsync(name, Id, Length, parts, attributes, Stop);

        public async Task SendAndCompleteAsync(GcsStore store)
        {
            await SendAsync(store);
            await CompleteAsync(store);
        }
    }
}
