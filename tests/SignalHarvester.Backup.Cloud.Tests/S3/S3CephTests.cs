using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Amazon.S3;
using Amazon.S3.Model;
using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.S3;
using SignalHarvester.Backup.ObjectStorage.Transfers;
using Xunit;
using ObjectAttributes = SignalHarvester.Backup.ObjectStorage.ObjectAttributes;

namespace SignalHarvester.Backup.Cloud.Tests.S3;

/// <summary>What only S3 has, on Ceph.</summary>
public sealed class S3CephTests(CephServer ceph)
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(CephServer.Stranger)]
    [InlineData(CephServer.UnknownKey)]
    [InlineData(CephServer.WrongSecret)]
    public async Task Who_may_not_is_told_so_whatever_is_asked(string profile)
    {
        using var own = await ceph.OpenNewAsync();
        var there = await PutAsync(own, "a");
        using var store = new S3Store(own.Location with { Profile = profile }, new StoreOptions { MostRetries = 0 });
        Func<Task>[] operations =
        [
            () => store.RequireContainerAsync(create: false, Stop),
            () => store.RequireContainerAsync(create: true, Stop),
            async () => await store.ListAsync(string.Empty, Stop).GetAsyncEnumerator(Stop).MoveNextAsync(),
            () => store.FindAsync("a", Stop),
            () => store.FindAsync("b", Stop),
            () => store.ReadAsync(there, 0, new byte[1], Stop),
            () => PutAsync(store, "b"),
            () => store.DeleteAsync("a", Stop),
            () => store.BeginUploadAsync("b", 100, Attributes([1]), Stop),
            async () => await store.PendingUploadsAsync(string.Empty, Stop).GetAsyncEnumerator(Stop).MoveNextAsync(),
        ];

        foreach (var operation in operations)
        {
            var error = await Assert.ThrowsAsync<BackupException>(operation);
            Assert.True(error.ErrorId == BackupErrorId.CloudAccessDenied, error.ToString());
            Assert.DoesNotContain(ceph.SecretKey, error.ToString(), StringComparison.OrdinalIgnoreCase);
            Assert.DoesNotContain(ceph.AccessKey, error.ToString(), StringComparison.OrdinalIgnoreCase);
        }

        Assert.NotNull(await own.FindAsync("a", Stop));
    }

    [Fact]
    public async Task A_bucket_of_somebody_else_is_not_made_again()
    {
        using var own = await ceph.OpenNewAsync();
        using var store = new S3Store(own.Location with { Profile = CephServer.Stranger }, new StoreOptions());

        await RefusesAsync(BackupErrorId.CloudAccessDenied, () => store.RequireContainerAsync(create: true, Stop));
    }

    [Fact]
    public async Task In_a_bucket_with_versions_deleting_hides()
    {
        using var store = await ceph.OpenNewAsync();
        using var raw = await RawAsync();
        await raw.PutBucketVersioningAsync(
            new PutBucketVersioningRequest { BucketName = store.Location.Container, VersioningConfig = new() { Status = VersionStatus.Enabled } }, Stop);
        await PutAsync(store, "a");

        Assert.False(await store.DeleteAsync("a", Stop));

        Assert.Null(await store.FindAsync("a", Stop));
        Assert.Equal(2, (await VersionsAsync(raw, store)).Count);
        await PutAsync(store, "a");
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task What_is_immutable_nobody_deletes(bool inParts)
    {
        using var store = await ceph.OpenNewAsync(new StoreOptions { ImmutableFor = TimeSpan.FromDays(2) });
        using var raw = await RawAsync();
        if (inParts)
        {
            var id = await store.BeginUploadAsync("a", 1, Attributes([1]), Stop);
            var part = await store.PutPartAsync("a", id, 1, 0, 1, new byte[] { 1 }, Stop);
            await store.CompleteUploadAsync("a", id, 1, [part], Attributes([1]), Stop);
        }
        else
        {
            await PutAsync(store, "a");
        }

        var version = Assert.Single(await VersionsAsync(raw, store));
        var retention = (await raw.GetObjectRetentionAsync(
            new GetObjectRetentionRequest { BucketName = store.Location.Container, Key = version.Key, VersionId = version.VersionId }, Stop)).Retention;
        Assert.Equal(ObjectLockRetentionMode.Compliance, retention.Mode);
        Assert.InRange(retention.RetainUntilDate!.Value.ToUniversalTime(), DateTime.UtcNow.AddDays(1.9), DateTime.UtcNow.AddDays(2.1));
        Assert.False(await store.DeleteAsync("a", Stop));
        var refusal = await Assert.ThrowsAsync<AmazonS3Exception>(() => raw.DeleteObjectAsync(
            new DeleteObjectRequest
            {
                BucketName = store.Location.Container,
                Key = version.Key,
                VersionId = version.VersionId,
                BypassGovernanceRetention = true,
            },
            Stop));
        Assert.Equal(System.Net.HttpStatusCode.Forbidden, refusal.StatusCode);
    }

    [Theory]
    [InlineData("-StorageClass NO_SUCH_CLASS", false)]
    [InlineData("-StorageClass NO_SUCH_CLASS", true)]
    [InlineData("-ServerSideEncryption aws:kms -KmsKeyId no-such-key", false)]
    [InlineData("-ServerSideEncryption aws:kms -KmsKeyId no-such-key", true)]
    [InlineData("-ImmutableFor", false)]
    [InlineData("-ImmutableFor", true)]
    public async Task An_option_that_the_service_refuses_is_named(string option, bool inParts)
    {
        var options = option.Split(' ') switch
        {
            ["-StorageClass", var name] => new StoreOptions { StorageClass = name },
            ["-ServerSideEncryption", var method, _, var key] => new StoreOptions { ServerSideEncryption = method, EncryptionKey = key },
            _ => new StoreOptions { ImmutableFor = TimeSpan.FromDays(1) },
        };
        using var own = await ceph.OpenNewAsync();
        using var store = new S3Store(own.Location, options);

        var error = await RefusesAsync(
            BackupErrorId.CloudRefused, () => inParts ? store.BeginUploadAsync("a", 100, Attributes([1]), Stop) : PutAsync(store, "a"));

        Assert.Contains($"with {option}: ", error.Message, StringComparison.Ordinal);
        Assert.Null(await own.FindAsync("a", Stop));
    }

    [Fact]
    public async Task Parts_and_uploads_of_many_pages_are_all_found()
    {
        const int many = 1005;
        using var store = await ceph.OpenNewAsync();
        var id = await store.BeginUploadAsync("a", many, Attributes([1]), Stop);
        await Parallel.ForEachAsync(
            Enumerable.Range(1, many), new ParallelOptions { MaxDegreeOfParallelism = 8, CancellationToken = Stop }, async (number, _) =>
        {
            await store.PutPartAsync("a", id, number, number - 1, many, new[] { (byte)number }, Stop);
            await store.BeginUploadAsync($"b c+%41ü{number:0000}", 100, Attributes([1]), Stop);
        });

        var parts = await store.FindPartsAsync("a", id, many, Stop);
        var pending = new List<PendingUpload>();
        await foreach (var one in store.PendingUploadsAsync("b ", Stop))
        {
            pending.Add(one);
        }

        Assert.Equal(Enumerable.Range(1, many), parts!.Select(part => part.Number));
        Assert.All(parts!, part => Assert.True(store.Holds(part, [(byte)part.Number])));
        Assert.Equal(Enumerable.Range(1, many).Select(number => $"b c+%41ü{number:0000}"), pending.Select(one => one.Name));
        Assert.Equal(many, pending.Select(one => one.UploadId).Distinct().Count());
    }

    [Fact]
    public async Task A_folder_that_a_console_made_is_no_object_of_ours()
    {
        using var store = await ceph.OpenNewAsync();
        using var raw = await RawAsync();
        await raw.PutObjectAsync(
            new PutObjectRequest { BucketName = store.Location.Container, Key = store.Location.Prefix, ContentBody = string.Empty, UseChunkEncoding = false },
            Stop);
        await PutAsync(store, "a");

        var listed = new List<string>();
        await foreach (var one in store.ListAsync(string.Empty, Stop))
        {
            listed.Add(one.Name);
        }

        Assert.Equal(["a"], listed);
    }

    [Fact]
    public async Task The_checksum_of_an_object_is_what_the_service_made_of_it()
    {
        using var store = await ceph.OpenNewAsync();
        var id = await store.BeginUploadAsync("b", 3, Attributes([1, 2, 3]), Stop);
        var part = await store.PutPartAsync("b", id, 1, 0, 3, new byte[] { 1, 2, 3 }, Stop);

        var whole = await store.PutAsync("a", new byte[] { 1, 2, 3 }, Attributes([1, 2, 3]), replaces: null, Stop);
        var made = await store.CompleteUploadAsync("b", id, 3, [part], Attributes([1, 2, 3]), Stop);

        // The result of md5sum, and of md5sum again over its binary form.
        Assert.Equal("md5:5289df737df57326fcdd22597afb1fac", whole.Checksum);
        Assert.Equal("md5:5289df737df57326fcdd22597afb1fac", part.Checksum);
        Assert.Equal("etag:2cb46966a91edfc0afaf8bfb28d79ebe-1", made.Checksum);
    }

    [Fact]
    public async Task An_answer_over_an_untrusted_connection_is_not_taken()
    {
        using var key = RSA.Create(2048);
        using var unknown = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256, RSASignaturePadding.Pkcs1)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using var server = new CannedServer("200 OK", [], certificate: unknown);
        using var store = new S3Store(await ceph.NewLocationAsync() with { Endpoint = server.Address }, new StoreOptions());

        await RefusesAsync(BackupErrorId.CloudTlsFailed, () => store.FindAsync("a", Stop));

        Assert.Equal(1, server.Connections);
    }

    [Theory]
    [InlineData("403 Forbidden", "RequestTimeTooSkewed", BackupErrorId.CloudClockSkew)]
    [InlineData("301 Moved Permanently", "PermanentRedirect", BackupErrorId.CloudRegionWrong)]
    [InlineData("400 Bad Request", "AuthorizationHeaderMalformed", BackupErrorId.CloudRegionWrong)]
    [InlineData("403 Forbidden", "InvalidObjectState", BackupErrorId.CloudRefused)]
    [InlineData("200 OK", "not even XML", BackupErrorId.CloudUnavailable)]
    public async Task What_no_server_here_says_is_understood(string status, string code, string errorId)
    {
        var body = status == "200 OK" ? code : $"<Error><Code>{code}</Code><Message>words</Message></Error>";
        await using var server = new CannedServer(status, ["x-amz-bucket-region: eu-west-3"], body);
        using var store = new S3Store(await ceph.NewLocationAsync() with { Endpoint = server.Address }, new StoreOptions { MostRetries = 0 });

        var error = await RefusesAsync(errorId, async () => await store.ListAsync(string.Empty, Stop).GetAsyncEnumerator(Stop).MoveNextAsync());

        Assert.Equal(errorId == BackupErrorId.CloudRegionWrong, error.Message.Contains("eu-west-3", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_bucket_of_another_region_is_told_by_its_head_alone()
    {
        await using var server = new CannedServer("301 Moved Permanently", ["x-amz-bucket-region: eu-west-3"]);
        using var store = new S3Store(await ceph.NewLocationAsync() with { Endpoint = server.Address }, new StoreOptions { MostRetries = 0 });

        var error = await RefusesAsync(BackupErrorId.CloudRegionWrong, () => store.RequireContainerAsync(create: true, Stop));

        Assert.Contains("eu-west-3", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_list_of_all_buckets_is_no_bucket_without_objects()
    {
        // Ceph's answer if the bucket is in a host name that Ceph does not recognise as one.
        await using var server = new CannedServer(
            "200 OK", [], "<ListAllMyBucketsResult><Buckets><Bucket><Name>b</Name></Bucket></Buckets></ListAllMyBucketsResult>");
        using var store = new S3Store(
            await ceph.NewLocationAsync() with { Endpoint = server.Address, UsePathStyle = false }, new StoreOptions { MostRetries = 0 });

        var listing = await RefusesAsync(
            BackupErrorId.CloudRefused, async () => await store.ListAsync(string.Empty, Stop).GetAsyncEnumerator(Stop).MoveNextAsync());
        await RefusesAsync(BackupErrorId.CloudRefused, () => store.RequireContainerAsync(create: false, Stop));

        Assert.Contains("-PathStyle", listing.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_refusal_of_no_request_at_all_is_that_of_a_broken_connection_and_tried_again()
    {
        await using var server = new CannedServer("400 Bad Request", []);
        using var store = new S3Store(await ceph.NewLocationAsync() with { Endpoint = server.Address }, new StoreOptions { MostRetries = 1 });

        await RefusesAsync(BackupErrorId.CloudUnavailable, () => PutAsync(store, "a"));

        Assert.Equal(2, server.Connections);
    }

    [Fact]
    public async Task A_condition_that_another_request_leaves_undecided_is_asked_again()
    {
        await using var server = new CannedServer(
            "409 Conflict", ["x-amz-request-id: 4711"], "<Error><Code>ConditionalRequestConflict</Code><Message>words</Message></Error>");
        using var store = new S3Store(await ceph.NewLocationAsync() with { Endpoint = server.Address }, new StoreOptions { MostRetries = 1 });

        await RefusesAsync(BackupErrorId.CloudUnavailable, () => PutAsync(store, "a"));

        Assert.Equal(2, server.Connections);
    }

    private static ObjectAttributes Attributes(byte[] content) => ContentHash.Attributes(content, ObjectAttributes.BackupType, ContentChecksums.None);

    private static Task<ObjectInfo> PutAsync(S3Store store, string name) => store.PutAsync(name, new byte[] { 1 }, Attributes([1]), replaces: null, Stop);

    private static async Task<BackupException> RefusesAsync(string errorId, Func<Task> action)
    {
        var error = await Assert.ThrowsAsync<BackupException>(action);
        Assert.True(error.ErrorId == errorId, $"{error.ErrorId} and not {errorId}: {error}");
        return error;
    }

    private static async Task<List<S3ObjectVersion>> VersionsAsync(AmazonS3Client raw, S3Store store) =>
        (await raw.ListVersionsAsync(new ListVersionsRequest { BucketName = store.Location.Container }, Stop)).Versions;

    private async Task<AmazonS3Client> RawAsync() => new(ceph.AccessKey, ceph.SecretKey, new AmazonS3Config
    {
        ServiceURL = (await ceph.AddressAsync()).AbsoluteUri,
        ForcePathStyle = true,
        RequestChecksumCalculation = Amazon.Runtime.RequestChecksumCalculation.WHEN_REQUIRED,
    });
}
