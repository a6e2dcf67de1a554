using System.Globalization;
using System.Security.Cryptography;
using System.Security.Cryptography.X509Certificates;
using Azure.Storage;
using Azure.Storage.Blobs;
using Azure.Storage.Sas;
using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Azure;
using SignalHarvester.Backup.ObjectStorage.Transfers;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Azure;

/// <summary>What only Azure has: its credentials, blocks, options, and refusals.</summary>
public sealed class AzureTests(AzuriteServer azurite)
{
    private const string SomeKey = "c29tZSBrZXkgb2YgYW4gYWNjb3VudA==";

    private static readonly StoreOptions OneRetry = new() { MostRetries = 1 };

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_wrong_key_is_an_access_error_whatever_is_asked_for()
    {
        using var right = await azurite.OpenNewAsync();
        await PutAsync(right, "a", "content"u8.ToArray());
        using var store = new AzureStore(right.Location, new StoreOptions(), AzuriteServer.Environment(("AZURE_STORAGE_KEY", SomeKey)));
        var version = new ObjectInfo("a", 7, "\"0\"", default);
        Func<Task>[] operations =
        [
            () => store.RequireContainerAsync(create: true, Stop),
            () => NamesAsync(store),
            () => store.FindAsync("a", Stop),
            () => store.ReadAsync(version, 0, new byte[1], Stop),
            () => PutAsync(store, "b", [1]),
            () => store.DeleteAsync("a", Stop),
            () => store.FindPartsAsync("a", new string('0', 32), 10, Stop),
            () => store.PutPartAsync("b", new string('0', 32), 1, 0, 10, new byte[10], Stop),
        ];

        foreach (var operation in operations)
        {
            var error = await RefusesAsync(BackupErrorId.CloudAccessDenied, operation);
            Assert.DoesNotContain(SomeKey, error.ToString(), StringComparison.Ordinal);
        }

        Assert.Equal(["a"], await NamesAsync(right));
    }

    [Theory]
    [InlineData(false)]
    [InlineData(true)]
    public async Task A_sas_token_that_may_not_list_sends_and_reads_and_says_that_it_may_not_list(bool fromConnectionString)
    {
        using var owner = await azurite.OpenNewAsync();
        var sas = Sas(owner, BlobContainerSasPermissions.Read | BlobContainerSasPermissions.Create | BlobContainerSasPermissions.Write);
        using var store = fromConnectionString
            ? new AzureStore(
                owner.Location with { Endpoint = null, AccountName = null }, new StoreOptions(),
                AzuriteServer.Environment(("AZURE_STORAGE_CONNECTION_STRING", $"BlobEndpoint={owner.Location.Endpoint};SharedAccessSignature={sas}")))
            : new AzureStore(owner.Location, new StoreOptions(), AzuriteServer.Environment(("AZURE_STORAGE_SAS_TOKEN", "?" + sas)));

        await store.RequireContainerAsync(create: true, Stop);
        var made = await PutAsync(store, "a b+%", "content"u8.ToArray());
        var error = await RefusesAsync(BackupErrorId.CloudAccessDenied, () => NamesAsync(store));

        Assert.Equal("content"u8.ToArray(), await ReadAsync(store, made));
        Assert.Contains("listing", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(Signature(sas), error.ToString(), StringComparison.Ordinal);
        Assert.DoesNotContain("sig", store.UrlOf("a b+%"), StringComparison.Ordinal);
        Assert.Equal(owner.UrlOf("a b+%"), store.UrlOf("a b+%"));
    }

    [Fact]
    public async Task A_sas_token_that_may_only_create_overwrites_nothing()
    {
        using var owner = await azurite.OpenNewAsync();
        var first = await PutAsync(owner, "a", [1]);
        using var store = new AzureStore(owner.Location, new StoreOptions(), AzuriteServer.Environment(
            ("AZURE_STORAGE_SAS_TOKEN", Sas(owner, BlobContainerSasPermissions.Read | BlobContainerSasPermissions.Create))));

        await PutAsync(store, "b", [1]);
        await RefusesAsync(BackupErrorId.CloudAccessDenied, () => PutAsync(store, "a", [2]));

        Assert.Equal([1], await ReadAsync(owner, first));
    }

    [Fact]
    public async Task No_error_holds_what_a_connection_string_holds()
    {
        var location = (await azurite.NewLocationAsync()) with { Endpoint = null, AccountName = null };
        var address = await azurite.AddressAsync();
        string[] strings =
        [
            $"AccountName={azurite.AccountName};AccountKey={azurite.Key};BlobEndpoint={address}",
            $"AccountName=another;AccountKey={azurite.Key};BlobEndpoint={address}",
            $"AccountName={azurite.AccountName};AccountKey={azurite.Key}!;BlobEndpoint={address}",
            $"AccountName={azurite.AccountName};AccountKey={azurite.Key};BlobEndpoint={address}?sig={azurite.Key}",
            $"AccountName={azurite.AccountName};AccountKey={azurite.Key};BlobEndpoint=http://{azurite.Key}@127.0.0.1/",
            $"AccountName={azurite.Key};AccountKey={azurite.Key}",
            $"AccountKey={azurite.Key};BlobEndpoint={address}",
            $"BlobEndpoint={address};SharedAccessSignature=sv=2026-06-06&sig={Uri.EscapeDataString(azurite.Key)}",
            $"AccountName={azurite.AccountName};Key={azurite.Key}",
            azurite.Key,
        ];

        foreach (var text in strings)
        {
            var error = await Assert.ThrowsAsync<BackupException>(async () =>
            {
                using var store = new AzureStore(location, OneRetry, AzuriteServer.Environment(("AZURE_STORAGE_CONNECTION_STRING", text)));
                await store.RequireContainerAsync(create: false, Stop);
            });
            Assert.DoesNotContain(azurite.Key, error.ToString(), StringComparison.Ordinal);
            Assert.DoesNotContain(Uri.EscapeDataString(azurite.Key), error.ToString(), StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_connection_string_is_enough()
    {
        using var owner = await azurite.OpenNewAsync();
        using var store = new AzureStore(owner.Location with { Endpoint = null, AccountName = null }, new StoreOptions(), AzuriteServer.Environment(
            ("AZURE_STORAGE_CONNECTION_STRING",
                $"DefaultEndpointsProtocol=http; AccountName={azurite.AccountName} ;AccountKey={azurite.Key};BlobEndpoint={owner.Location.Endpoint}/;"),
            ("AZURE_STORAGE_KEY", SomeKey)));

        var made = await PutAsync(store, "a", [1]);

        Assert.Equal(made, await owner.FindAsync("a", Stop));
        Assert.Equal(azurite.AccountName, store.Location.AccountName);
    }

    [Theory]
    [InlineData("", "", "", null)]
    [InlineData("account", "", "", "http://127.0.0.1:1/account")]
    [InlineData("", SomeKey, "", null)]
    [InlineData("", SomeKey, "", "https://account.blob.core.windows.net")]
    [InlineData("", "", "sv=1&sig=2", null)]
    [InlineData("account", "not a key", "", null)]
    public void Without_credentials_it_says_how_they_are_given(string account, string key, string sas, string? endpoint)
    {
        var error = Assert.Throws<BackupException>(() => new AzureStore(
            Location(endpoint),
            new StoreOptions(),
            AzuriteServer.Environment(("AZURE_STORAGE_ACCOUNT", account), ("AZURE_STORAGE_KEY", key), ("AZURE_STORAGE_SAS_TOKEN", sas))));

        Assert.Equal(BackupErrorId.CloudCredentialsMissing, error.ErrorId);
        Assert.Contains(key == "not a key" ? "base64" : "AZURE_STORAGE_CONNECTION_STRING", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("https://user:secret@account.blob.core.windows.net")]
    [InlineData("https://account.blob.core.windows.net/?sv=1&sig=secret")]
    [InlineData("https://account.blob.core.windows.net/#secret")]
    [InlineData("ftp://account.blob.core.windows.net/secret")]
    public void An_address_that_holds_more_than_an_address_is_refused(string endpoint)
    {
        var error = Assert.Throws<BackupException>(
            () => new AzureStore(Location(endpoint), new StoreOptions(), AzuriteServer.Environment(("AZURE_STORAGE_SAS_TOKEN", "sv=1&sig=2"))));

        Assert.Equal(BackupErrorId.CloudRefused, error.ErrorId);
        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("account", "a/b")]
    [InlineData("account", "..")]
    [InlineData("account", "")]
    [InlineData("example.com/", "container")]
    public void A_name_that_would_lead_elsewhere_is_refused(string account, string container)
    {
        var error = Assert.Throws<BackupException>(() => new AzureStore(
            Location(null) with { AccountName = account, Container = container }, new StoreOptions(),
            AzuriteServer.Environment(("AZURE_STORAGE_KEY", SomeKey))));

        Assert.Equal(BackupErrorId.CloudRefused, error.ErrorId);
    }

    [Fact]
    public void What_is_no_connection_string_is_told_and_not_repeated()
    {
        var error = Assert.Throws<BackupException>(() => new AzureStore(
            Location(null), new StoreOptions(), AzuriteServer.Environment(("AZURE_STORAGE_CONNECTION_STRING", "s3cret"))));

        Assert.Equal(BackupErrorId.CloudCredentialsMissing, error.ErrorId);
        Assert.Contains("AZURE_STORAGE_CONNECTION_STRING is not a connection string", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("s3cret", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public void A_connection_string_of_another_account_is_not_used()
    {
        var error = Assert.Throws<BackupException>(() => new AzureStore(
            Location(null) with { AccountName = "mine" }, new StoreOptions(),
            AzuriteServer.Environment(("AZURE_STORAGE_CONNECTION_STRING", $"AccountName=theirs;AccountKey={SomeKey}"))));

        Assert.Equal(BackupErrorId.CloudRefused, error.ErrorId);
        Assert.Contains("theirs", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Addresses_are_those_of_the_account()
    {
        using var store = new AzureStore(Location(null) with { AccountName = "account", Prefix = "a b" }, new StoreOptions(), AzuriteServer.Environment(
            ("AZURE_STORAGE_SAS_TOKEN", "sv=1&sig=2")));

        Assert.Equal("https://account.blob.core.windows.net/container/a%20b/c%2B%25.json", store.UrlOf("c+%.json"));
    }

    [Fact]
    public async Task Blocks_of_other_contents_are_not_parts_of_an_upload()
    {
        using var store = await azurite.OpenNewAsync();
        var first = await store.BeginUploadAsync("a", 30, Attributes(new byte[30]), Stop);
        var second = await store.BeginUploadAsync("a", 30, Attributes([.. Enumerable.Repeat((byte)1, 30)]), Stop);
        await store.PutPartAsync("a", first, 1, 0, 30, new byte[20], Stop);
        await store.PutPartAsync("a", second, 1, 0, 30, Enumerable.Repeat((byte)1, 20).ToArray(), Stop);
        await store.PutPartAsync("a", second, 2, 20, 30, Enumerable.Repeat((byte)1, 10).ToArray(), Stop);

        Assert.Equal([(1, 20L)], (await store.FindPartsAsync("a", first, 30, Stop))!.Select(part => (part.Number, part.Length)));
        Assert.Equal([(1, 20L), (2, 10L)], (await store.FindPartsAsync("a", second, 30, Stop))!.Select(part => (part.Number, part.Length)));
    }

    [Fact]
    public async Task A_number_that_was_sent_twice_is_one_part()
    {
        using var store = await azurite.OpenNewAsync();
        var id = await store.BeginUploadAsync("a", 20, Attributes(new byte[20]), Stop);
        await store.PutPartAsync("a", id, 1, 0, 20, new byte[20], Stop);
        await store.PutPartAsync("a", id, 1, 0, 20, new byte[19], Stop);

        Assert.Single((await store.FindPartsAsync("a", id, 20, Stop))!);
    }

    [Fact]
    public async Task Blocks_that_are_not_there_any_more_are_a_lost_upload()
    {
        using var store = await azurite.OpenNewAsync();
        var attributes = Attributes(new byte[20]);
        var id = await store.BeginUploadAsync("a", 20, attributes, Stop);
        var part = await store.PutPartAsync("a", id, 1, 0, 20, new byte[20], Stop);

        await RefusesAsync(
            BackupErrorId.CloudUploadLost,
            () => store.CompleteUploadAsync("a", id, 20, [part, part with { Tag = AzureBlock.Id(id, 2, [1]) }], attributes, Stop));

        Assert.Null(await store.FindAsync("a", Stop));
    }

    [Fact]
    public async Task A_name_that_somebody_takes_while_blocks_are_sent_stays_theirs()
    {
        using var store = await azurite.OpenNewAsync();
        var attributes = Attributes(new byte[20]);
        var id = await store.BeginUploadAsync("a", 20, attributes, Stop);
        var part = await store.PutPartAsync("a", id, 1, 0, 20, new byte[20], Stop);
        await Raw(store, "a").UploadAsync(new MemoryStream([1, 2, 3]), overwrite: true, Stop);

        await RefusesAsync(BackupErrorId.CloudObjectExists, () => store.CompleteUploadAsync("a", id, 20, [part], attributes, Stop));

        Assert.Equal([1, 2, 3], await ReadAsync(store, (await store.FindAsync("a", Stop))!));
    }

    [Fact]
    public async Task A_size_that_is_not_what_was_sent_makes_no_object()
    {
        using var store = await azurite.OpenNewAsync();
        var attributes = Attributes(new byte[20]);
        var id = await store.BeginUploadAsync("a", 20, attributes, Stop);
        var part = await store.PutPartAsync("a", id, 1, 0, 20, new byte[10], Stop);

        await RefusesAsync(BackupErrorId.CloudChecksumMismatch, () => store.CompleteUploadAsync("a", id, 20, [part], attributes, Stop));

        Assert.Null(await store.FindAsync("a", Stop));
    }

    [Fact]
    public async Task A_write_whose_answer_was_lost_is_recognised()
    {
        using var store = await azurite.OpenNewAsync();
        var first = await PutAsync(store, "a", [1]);
        var second = await PutAsync(store, "a", [2], replaces: first);

        Assert.Equal(second, await PutAsync(store, "a", [2], replaces: first));
        Assert.Equal(second, await PutAsync(store, "a", [2]));
    }

    [Fact]
    public async Task The_whole_keeps_its_md5_and_its_sha256()
    {
        using var store = await azurite.OpenNewAsync();
        var content = RandomNumberGenerator.GetBytes(3000);
        var attributes = Attributes(content);
        var id = await store.BeginUploadAsync("a", 3000, attributes, Stop);
        var parts = await Task.WhenAll(
            Enumerable.Range(0, 3).Select(index => store.PutPartAsync("a", id, index + 1, index * 1000, 3000, content.AsMemory(index * 1000, 1000), Stop)));

        var made = await store.CompleteUploadAsync("a", id, 3000, parts, attributes, Stop);

        var properties = (await Raw(store, "a").GetPropertiesAsync(cancellationToken: Stop)).Value;
        Assert.Equal(attributes.Md5!.Value.ToArray(), properties.ContentHash);
        Assert.Equal("md5:" + Convert.ToHexStringLower(properties.ContentHash), made.Checksum);
        Assert.Equal(attributes.Sha256, properties.Metadata["shbackup_sha256"]);
        Assert.Equal(ObjectAttributes.BackupType, properties.ContentType);
        Assert.Equal(made, Assert.Single(await ListAsync(store)));
    }

    [Fact]
    public async Task A_storage_class_is_the_access_tier()
    {
        using var store = await azurite.OpenNewAsync(new StoreOptions { StorageClass = "Cool" });

        await PutAsync(store, "a", [1]);

        Assert.Equal("Cool", (await Raw(store, "a").GetPropertiesAsync(cancellationToken: Stop)).Value.AccessTier);
    }

    [Fact]
    public async Task A_storage_class_that_is_none_is_refused_by_name()
    {
        using var store = await azurite.OpenNewAsync(new StoreOptions { StorageClass = "Lukewarm" });

        var error = await RefusesAsync(BackupErrorId.CloudRefused, () => PutAsync(store, "a", [1]));

        Assert.Contains("-StorageClass Lukewarm", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Immutability_that_cannot_be_had_is_refused_by_name_before_anything_is_sent_and_after()
    {
        using var owner = await azurite.OpenNewAsync();
        using var store = azurite.Open(owner.Location, new StoreOptions { ImmutableFor = TimeSpan.FromDays(30) });

        var before = await RefusesAsync(BackupErrorId.CloudRefused, () => store.RequireContainerAsync(create: false, Stop));
        var after = await RefusesAsync(BackupErrorId.CloudRefused, () => PutAsync(store, "a", [1]));

        Assert.Contains("-ImmutableFor", before.Message, StringComparison.Ordinal);
        Assert.Contains("-ImmutableFor", after.Message, StringComparison.Ordinal);
        Assert.Null(await owner.FindAsync("a", Stop));
    }

    [Fact]
    public void Options_that_are_not_for_azure_are_refused()
    {
        var error = Assert.Throws<BackupException>(() => new AzureStore(
            Location(null) with { AccountName = "account" }, new StoreOptions { ServerSideEncryption = "AES256" },
            AzuriteServer.Environment(("AZURE_STORAGE_KEY", SomeKey))));

        Assert.Equal(BackupErrorId.CloudRefused, error.ErrorId);
    }

    [Fact]
    public async Task Folders_of_a_hierarchical_namespace_are_no_objects()
    {
        using var store = await azurite.OpenNewAsync();
        await PutAsync(store, "folder/a", [1]);
        await Raw(store, "folder")
            .UploadAsync(new MemoryStream(), metadata: new Dictionary<string, string> { ["hdi_isfolder"] = "true" }, cancellationToken: Stop);

        Assert.Equal(["folder/a"], await NamesAsync(store));
    }

    [Theory]
    [InlineData("403 Forbidden", "AuthenticationFailed", 60, BackupErrorId.CloudClockSkew, 1)]
    [InlineData("403 Forbidden", "AuthenticationFailed", -60, BackupErrorId.CloudClockSkew, 1)]
    [InlineData("403 Forbidden", "AuthenticationFailed", 5, BackupErrorId.CloudAccessDenied, 1)]
    [InlineData("403 Forbidden", "AuthorizationFailure", 0, BackupErrorId.CloudAccessDenied, 1)]
    [InlineData("404 Not Found", "ContainerNotFound", 0, BackupErrorId.CloudContainerNotFound, 1)]
    [InlineData("404 Not Found", "", 0, BackupErrorId.CloudRefused, 1)]
    [InlineData("400 Bad Request", "InvalidHeaderValue", 0, BackupErrorId.CloudRefused, 1)]
    [InlineData("409 Conflict", "BlobImmutableDueToPolicy", 0, BackupErrorId.CloudRefused, 1)]
    [InlineData("403 Forbidden", "UnauthorizedBlobOverwrite", 0, BackupErrorId.CloudObjectExists, 1)]
    [InlineData("412 Precondition Failed", "LeaseIdMissing", 0, BackupErrorId.CloudRefused, 1)]
    [InlineData("501 Not Implemented", "", 0, BackupErrorId.CloudRefused, 1)]
    [InlineData("500 Internal Server Error", "InternalError", 0, BackupErrorId.CloudUnavailable, 2)]
    [InlineData("503 Service Unavailable", "ServerBusy", 0, BackupErrorId.CloudUnavailable, 2)]
    [InlineData("429 Too Many Requests", "", 0, BackupErrorId.CloudUnavailable, 2)]
    public async Task What_the_service_says_is_told_by_its_cause_and_tried_again_only_where_that_helps(
        string status, string code, int minutesOff, string errorId, int tries)
    {
        await using var server = new CannedServer(status, [.. Code(code), Date(minutesOff), "x-ms-request-id: 4711"]);
        using var store = Open(server);

        var error = await RefusesAsync(errorId, () => store.DeleteAsync("a", Stop));

        Assert.Equal(tries, server.Connections);
        Assert.True(
            errorId is BackupErrorId.CloudClockSkew or BackupErrorId.CloudContainerNotFound or BackupErrorId.CloudObjectExists
                || error.Message.Contains("4711", StringComparison.Ordinal),
            error.Message);
    }

    [Fact]
    public async Task An_answer_that_repeats_a_secret_is_not_repeated()
    {
        await using var server = new CannedServer(
            "403 Forbidden", [.. Code("AuthenticationFailed"), Date(0), "Content-Type: application/xml"],
            $"<?xml version=\"1.0\"?><Error><Code>AuthenticationFailed</Code><Message>{SomeKey}</Message><AuthenticationErrorDetail>{SomeKey}</AuthenticationErrorDetail></Error>");
        using var store = Open(server);

        var error = await RefusesAsync(BackupErrorId.CloudAccessDenied, () => NamesAsync(store));

        Assert.DoesNotContain(SomeKey, error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_object_in_the_archive_says_what_it_needs()
    {
        await using var server = new CannedServer("409 Conflict", [.. Code("BlobArchived"), Date(0)]);
        using var store = Open(server);

        var error = await RefusesAsync(BackupErrorId.CloudRefused, () => store.ReadAsync(new ObjectInfo("a", 1, "\"0\"", default), 0, new byte[1], Stop));

        Assert.Contains("rehydrated", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("true", true)]
    [InlineData("false", false)]
    public async Task What_soft_delete_keeps_is_told(string permanent, bool gone)
    {
        await using var server = new CannedServer("202 Accepted", [Date(0), "x-ms-delete-type-permanent: " + permanent]);
        using var store = Open(server);

        Assert.Equal(gone, await store.DeleteAsync("a", Stop));
    }

    [Fact]
    public async Task What_is_not_azure_is_no_empty_container()
    {
        await using var server = new CannedServer("200 OK", ["Content-Type: text/html"], "<html><br></html>");
        using var store = Open(server);

        await RefusesAsync(BackupErrorId.CloudRefused, () => NamesAsync(store));
    }

    [Fact]
    public async Task A_server_that_cannot_be_trusted_is_asked_once()
    {
        using var key = ECDsa.Create();
        using var certificate = new CertificateRequest("CN=127.0.0.1", key, HashAlgorithmName.SHA256)
            .CreateSelfSigned(DateTimeOffset.UtcNow.AddDays(-1), DateTimeOffset.UtcNow.AddDays(1));
        await using var server = new CannedServer("200 OK", [], string.Empty, certificate);
        using var store = Open(server);

        await RefusesAsync(BackupErrorId.CloudTlsFailed, () => store.FindAsync("a", Stop));

        Assert.Equal(1, server.Connections);
    }

    [Theory]
    [InlineData("http://127.0.0.1:1/account")]
    [InlineData("http://account.invalid")]
    public async Task A_server_that_is_not_there_is_unavailable(string endpoint)
    {
        using var store = new AzureStore(Location(endpoint), OneRetry, AzuriteServer.Environment(("AZURE_STORAGE_SAS_TOKEN", "sv=1&sig=secret")));

        var error = await RefusesAsync(BackupErrorId.CloudUnavailable, () => store.FindAsync("a", Stop));

        Assert.DoesNotContain("secret", error.ToString(), StringComparison.Ordinal);
    }

    private static StoreLocation Location(string? endpoint) => new()
    {
        Provider = CloudProvider.Azure,
        Container = "container",
        Endpoint = endpoint is null ? null : new Uri(endpoint),
    };

    private static AzureStore Open(CannedServer server) => new(
        Location(server.Address.AbsoluteUri) with { AccountName = "account" }, OneRetry, AzuriteServer.Environment(("AZURE_STORAGE_KEY", SomeKey)));

    private static string[] Code(string code) => code.Length == 0 ? [] : ["x-ms-error-code: " + code];

    private static string Date(int minutesOff) => "Date: " + DateTimeOffset.UtcNow.AddMinutes(minutesOff).ToString("R", CultureInfo.InvariantCulture);

    private static ObjectAttributes Attributes(byte[] content) => ContentHash.Attributes(content, ObjectAttributes.BackupType, ContentChecksums.Md5);

    private static Task<ObjectInfo> PutAsync(AzureStore store, string name, byte[] content, ObjectInfo? replaces = null) =>
        store.PutAsync(name, content, Attributes(content), replaces, Stop);

    private static async Task<byte[]> ReadAsync(AzureStore store, ObjectInfo version)
    {
        var content = new byte[version.Length];
        await store.ReadAsync(version, 0, content, Stop);
        return content;
    }

    private static async Task<List<ObjectInfo>> ListAsync(AzureStore store)
    {
        var listed = new List<ObjectInfo>();
        await foreach (var one in store.ListAsync(string.Empty, Stop))
        {
            listed.Add(one);
        }

        return listed;
    }

    private static async Task<IEnumerable<string>> NamesAsync(AzureStore store) => (await ListAsync(store)).Select(one => one.Name);

    private static async Task<BackupException> RefusesAsync(string errorId, Func<Task> action)
    {
        var error = await Assert.ThrowsAsync<BackupException>(action);
        Assert.True(error.ErrorId == errorId, $"{error.ErrorId} and not {errorId}: {error}");
        return error;
    }

    private static string Signature(string sas) => sas.Split("sig=")[1].Split('&')[0];

    // The SDK itself, without the store.
    private BlobClient Raw(AzureStore store, string name) =>
        new(new Uri(store.UrlOf(name)), Credential, new BlobClientOptions(BlobClientOptions.ServiceVersion.V2026_06_06));

    private StorageSharedKeyCredential Credential => new(azurite.AccountName, azurite.Key);

    private string Sas(AzureStore store, BlobContainerSasPermissions permissions)
    {
        var builder = new BlobSasBuilder(permissions, DateTimeOffset.UtcNow.AddHours(1)) { BlobContainerName = store.Location.Container, Resource = "c" };
        return builder.ToSasQueryParameters(Credential).ToString();
    }
}
