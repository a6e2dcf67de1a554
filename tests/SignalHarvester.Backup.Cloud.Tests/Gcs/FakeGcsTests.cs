using System.Net;
using Google;
using Google.Cloud.Storage.V1;
using SignalHarvester.Backup.Cloud.Tests.Servers;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Gcs;

/// <summary>
/// Google's own client, which was not written for the fake, works with it. So a store that works with the fake was not written for the
/// fake's mistakes.
/// </summary>
public sealed class FakeGcsTests
{
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task Googles_own_client_sends_in_chunks_lists_reads_and_deletes()
    {
        await using var fake = await FakeGcs.StartAsync();
        fake.PageSize = 2;
        using var client = await OpenAsync(fake);
        var content = new byte[(3 * UploadObjectOptions.MinimumChunkSize) + 5];
        new Random(1).NextBytes(content);
        await client.CreateBucketAsync("a-project", "another", cancellationToken: Stop);

        foreach (var name in new[] { "a b", "c%2F+d", "ü#?" })
        {
            var made = await client.UploadObjectAsync(
                "another", name, "text/plain", new MemoryStream(content),
                new UploadObjectOptions { ChunkSize = UploadObjectOptions.MinimumChunkSize, IfGenerationMatch = 0 }, Stop);
            Assert.Equal((ulong)content.Length, made.Size);
        }

        var listed = await client.ListObjectsAsync("another", string.Empty).ReadPageAsync(10, Stop);
        Assert.Equal(["a b", "c%2F+d", "ü#?"], listed.Select(item => item.Name));

        // The client compares the checksums of what it fetches.
        using var fetched = new MemoryStream();
        await client.DownloadObjectAsync(listed.First(), fetched, cancellationToken: Stop);
        Assert.Equal(content, fetched.ToArray());
        await client.DeleteObjectAsync("another", "a b", cancellationToken: Stop);
        Assert.Equal(["c%2F+d", "ü#?"], fake.Buckets["another"].Objects.Keys);
    }

    [Fact]
    public async Task Googles_own_client_is_refused_what_the_service_refuses()
    {
        await using var fake = await FakeGcs.StartAsync();
        using var client = await OpenAsync(fake);
        await client.UploadObjectAsync("backups", "a", "text/plain", new MemoryStream([1, 2, 3]), cancellationToken: Stop);

        await RefusedAsync(
            HttpStatusCode.PreconditionFailed,
            () => client.UploadObjectAsync("backups", "a", "text/plain", new MemoryStream([4]), new UploadObjectOptions { IfGenerationMatch = 0 }, Stop));
        await RefusedAsync(
            HttpStatusCode.PreconditionFailed, () => client.DeleteObjectAsync("backups", "a", new DeleteObjectOptions { IfGenerationMatch = 7 }, Stop));
        await RefusedAsync(HttpStatusCode.NotFound, () => client.GetObjectAsync("backups", "b", cancellationToken: Stop));
        await RefusedAsync(HttpStatusCode.NotFound, () => client.GetBucketAsync("none", cancellationToken: Stop));
    }

    [Fact]
    public async Task Googles_own_client_gets_over_chunks_of_which_only_a_part_is_kept()
    {
        await using var fake = await FakeGcs.StartAsync();
        using var client = await OpenAsync(fake);
        fake.Keeps = request => Math.Min(request.Body.Length, UploadObjectOptions.MinimumChunkSize);
        var content = new byte[(6 * UploadObjectOptions.MinimumChunkSize) + 1];
        new Random(1).NextBytes(content);

        await client.UploadObjectAsync(
            "backups", "a", "text/plain", new MemoryStream(content), new UploadObjectOptions { ChunkSize = 2 * UploadObjectOptions.MinimumChunkSize }, Stop);

        Assert.Equal(content, fake.Bucket.Objects["a"].Content);
    }

    private static async Task RefusedAsync(HttpStatusCode status, Func<Task> action) =>
        Assert.Equal(status, (await Assert.ThrowsAsync<GoogleApiException>(action)).HttpStatusCode);

    private static Task<StorageClient> OpenAsync(FakeGcs fake) =>
        new StorageClientBuilder { BaseUri = new Uri(fake.Address, "/storage/v1/").AbsoluteUri, UnauthenticatedAccess = true }.BuildAsync(Stop);
}
