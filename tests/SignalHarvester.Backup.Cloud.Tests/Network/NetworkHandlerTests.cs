using System.Net;
using SignalHarvester.Backup.Cloud.Tests.Proxy;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Network;
using Xunit;
using static SignalHarvester.Backup.Cloud.Tests.Support.StoreActions;

namespace SignalHarvester.Backup.Cloud.Tests.Network;

/// <summary>The handler of all providers' requests, and the proxy that causes faults in them.</summary>
public sealed class NetworkHandlerTests : IAsyncDisposable
{
    private static readonly StoreOptions Impatient = new() { NetworkTimeout = TimeSpan.FromSeconds(1) };

    private readonly PlainServer server = new();
    private readonly FaultProxy proxy;

    public NetworkHandlerTests() => proxy = new FaultProxy(server.Address);

    public async ValueTask DisposeAsync()
    {
        await proxy.DisposeAsync();
        await server.DisposeAsync();
    }

    [Theory]
    [InlineData("bytes/0")]
    [InlineData("bytes/1")]
    [InlineData("bytes/3000000")]
    [InlineData("chunks/0")]
    [InlineData("chunks/1")]
    [InlineData("chunks/3000000")]
    public async Task What_is_fetched_comes_through_unchanged(string path)
    {
        using var client = Client(new StoreOptions());

        using var response = await client.GetAsync(Url(path), Stop);

        var expected = PlainServer.Bytes(int.Parse(path.Split('/')[1], System.Globalization.CultureInfo.InvariantCulture));
        Assert.Equal("\"0123\"", response.Headers.ETag?.Tag);
        Same(expected, await response.Content.ReadAsByteArrayAsync(Stop));
        Assert.InRange(proxy.BytesReceived, expected.Length, expected.Length + 2000);
        Assert.InRange(proxy.BytesSent, 1, 2000);
    }

    [Theory]
    [InlineData(1, false)]
    [InlineData(3_000_000, false)]
    [InlineData(3_000_000, true)]
    public async Task What_is_sent_comes_through_unchanged(int length, bool inChunks)
    {
        using var client = Client(new StoreOptions());
        using var request = new HttpRequestMessage(HttpMethod.Put, Url("a")) { Content = new ByteArrayContent(PlainServer.Bytes(length)) };
        request.Headers.TransferEncodingChunked = inChunks;

        using var response = await client.SendAsync(request, Stop);

        Assert.Equal(StoreTransfer.Sha256(PlainServer.Bytes(length)), await response.Content.ReadAsStringAsync(Stop));
        Assert.InRange(proxy.BytesSent, length, length + 5000);
    }

    [Theory]
    [InlineData(long.MaxValue)]
    [InlineData(1L << 45)]
    public async Task A_limit_beyond_all_networks_is_one(long bytesPerSecond)
    {
        using var limiter = new BandwidthLimiter(bytesPerSecond);

        await limiter.WaitAsync(int.MaxValue, null, Stop);
    }

    [Fact]
    public async Task The_length_that_a_head_announces_is_kept()
    {
        using var client = Client(new StoreOptions());
        using var request = new HttpRequestMessage(HttpMethod.Head, Url("bytes/12345"));

        using var response = await client.SendAsync(request, Stop);

        Assert.Equal(12345, response.Content.Headers.ContentLength);
        Assert.Empty(await response.Content.ReadAsByteArrayAsync(Stop));
    }

    [Theory]
    [InlineData(0, HttpCompletionOption.ResponseContentRead)]
    [InlineData(0, HttpCompletionOption.ResponseHeadersRead)]
    [InlineData(MiB, HttpCompletionOption.ResponseContentRead)]
    [InlineData(MiB, HttpCompletionOption.ResponseHeadersRead)]
    public async Task An_answer_in_which_nothing_moves_is_given_up(int afterBytes, HttpCompletionOption completion)
    {
        using var client = Client(Impatient);
        proxy.Inject(Fault.StallResponse(afterBytes));

        var error = await Record.ExceptionAsync(async () =>
        {
            using var response = await client.GetAsync(Url("bytes/3000000"), completion, Stop);
            await response.Content.ReadAsByteArrayAsync(Stop);
        });

        Assert.Contains(Causes(error), cause => cause is IOException && cause.Message.Contains("no data moved for 1 seconds", StringComparison.Ordinal));
    }

    [Fact]
    public async Task A_request_in_which_nothing_moves_is_given_up()
    {
        using var client = Client(Impatient);
        proxy.Inject(Fault.StallRequest(MiB));
        using var content = new ByteArrayContent(new byte[32 * MiB]);

        var error = await Record.ExceptionAsync(() => client.PutAsync(Url("a"), content, Stop));

        Assert.Contains(Causes(error), cause => cause is IOException && cause.Message.Contains("no data moved for 1 seconds", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_moves_slowly_is_not_given_up()
    {
        using var client = Client(Impatient);
        proxy.BytesPerSecond = MiB;

        var content = await client.GetByteArrayAsync(Url("bytes/3000000"), Stop);

        Same(PlainServer.Bytes(3_000_000), content);
    }

    [Fact]
    public async Task Who_is_stopped_while_nothing_moves_is_told_that_he_was_stopped()
    {
        using var client = Client(new StoreOptions());
        proxy.Inject(Fault.StallResponse(0));
        using var stopping = CancellationTokenSource.CreateLinkedTokenSource(Stop);
        stopping.CancelAfter(TimeSpan.FromMilliseconds(200));

        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => client.GetAsync(Url("bytes/10"), stopping.Token));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task All_requests_together_keep_to_the_limit(bool sending)
    {
        using var client = Client(new StoreOptions { BandwidthLimit = 2 * MiB });
        var started = TimeProvider.System.GetTimestamp();

        await Task.WhenAll(Enumerable.Range(0, 4).Select(async _ =>
        {
            if (sending)
            {
                using var content = new ByteArrayContent(new byte[MiB]);
                using var response = await client.PutAsync(Url("a"), content, Stop);
            }
            else
            {
                await client.GetByteArrayAsync(Url("bytes/1048576"), Stop);
            }
        }));

        // 4 MiB at 2 MiB per second.
        Assert.InRange(TimeProvider.System.GetElapsedTime(started), TimeSpan.FromSeconds(1.5), TimeSpan.MaxValue);
    }

    [Fact]
    public async Task Waiting_for_the_limit_is_no_standing_still()
    {
        // A piece of 64 KiB takes eight seconds. A machine that is busy with other tests may well stand still itself for one.
        using var client = Client(Impatient with { NetworkTimeout = TimeSpan.FromSeconds(5), BandwidthLimit = 8 << 10 });
        using var content = new ByteArrayContent(new byte[64 << 10]);

        using var response = await client.PutAsync(Url("a"), content, Stop);

        Assert.Equal(StoreTransfer.Sha256(new byte[64 << 10]), await response.Content.ReadAsStringAsync(Stop));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_dropped_connection_is_an_error_of_the_connection(bool inResponse)
    {
        using var client = Client(new StoreOptions());
        proxy.Inject(inResponse ? Fault.DropResponse(MiB) : Fault.DropRequest(MiB));
        using var content = new ByteArrayContent(new byte[32 * MiB]);

        await Assert.ThrowsAsync<HttpRequestException>(async () =>
        {
            if (inResponse)
            {
                await client.GetByteArrayAsync(Url("bytes/3000000"), Stop);
            }
            else
            {
                await client.PutAsync(Url("a"), content, Stop);
            }
        });

        Assert.Equal(0, proxy.Heal());
        Assert.Equal(10, (await client.GetByteArrayAsync(Url("bytes/10"), Stop)).Length);
    }

    [Fact]
    public async Task A_server_that_ends_while_it_is_asked_ends_in_order()
    {
        for (var round = 0; round < 100; round++)
        {
            var other = new PlainServer();
            using var client = new HttpClient();
            var asked = Enumerable.Range(0, 4)
                .Select(_ => client.GetAsync(new Uri(other.Address, "bytes/3000000"), HttpCompletionOption.ResponseHeadersRead, Stop)).ToList();
            await Task.WhenAny(asked);
            await other.DisposeAsync();

            // It is the server that is tested; a client may wait its hundred seconds for an answer that nobody gives any more.
            client.CancelPendingRequests();
            await Task.WhenAll(asked).ContinueWith(_ => { }, TaskScheduler.Default);
        }
    }

    [Fact]
    public async Task The_proxy_damages_one_bit_where_it_is_told()
    {
        using var client = Client(new StoreOptions());
        proxy.Inject(Fault.CorruptResponse(123_456));
        var content = await client.GetByteArrayAsync(Url("chunks/300000"), Stop);
        var expected = PlainServer.Bytes(300_000);
        Assert.Equal([123_456], Enumerable.Range(0, 300_000).Where(index => content[index] != expected[index]));

        proxy.Inject(Fault.CorruptRequest(123_456));
        using var body = new ByteArrayContent(expected);
        using var response = await client.PutAsync(Url("a"), body, Stop);
        expected[123_456] ^= 1;
        Assert.Equal(StoreTransfer.Sha256(expected), await response.Content.ReadAsStringAsync(Stop));
    }

    [Fact]
    public async Task The_proxy_answers_the_requests_it_is_told_to_and_no_others()
    {
        using var client = Client(new StoreOptions());
        proxy.Inject(Fault.Answer(503), times: 2, head => head.BringsPart);
        var statuses = new List<HttpStatusCode>();
        for (var attempt = 0; attempt < 3; attempt++)
        {
            using var content = new ByteArrayContent(new byte[2 * MiB]);
            using var put = await client.PutAsync(Url("a"), content, Stop);
            using var get = await client.GetAsync(Url("bytes/1"), Stop);
            statuses.AddRange([put.StatusCode, get.StatusCode]);
        }

        Assert.Equal(
            [HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK, HttpStatusCode.ServiceUnavailable, HttpStatusCode.OK, HttpStatusCode.OK, HttpStatusCode.OK],
            statuses);
        Assert.Equal(3, proxy.Requests.Count(request => request == "PUT /a"));
    }

    private static HttpClient Client(StoreOptions options) => new(new NetworkHandler(options)) { Timeout = Timeout.InfiniteTimeSpan };

    private static IEnumerable<Exception> Causes(Exception? exception)
    {
        for (; exception is not null; exception = exception.InnerException)
        {
            yield return exception;
        }
    }

    private Uri Url(string path) => new(proxy.Address, path);
}
