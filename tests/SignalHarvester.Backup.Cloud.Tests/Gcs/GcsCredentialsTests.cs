using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Gcs;
using SignalHarvester.Backup.ObjectStorage.Transfers;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Gcs;

/// <summary>The account and the server of requests to Google Cloud Storage.</summary>
[Collection(GoogleEnvironment.Collection)]
public sealed class GcsCredentialsTests : IAsyncLifetime
{
    private readonly GoogleEnvironment environment = new();
    private FakeGcs fake = null!;

    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    public async ValueTask InitializeAsync() => fake = await FakeGcs.StartAsync();

    public async ValueTask DisposeAsync()
    {
        await fake.DisposeAsync();
        environment.Dispose();
    }

    [Fact]
    public async Task One_token_is_fetched_with_the_key_file_and_used_for_all_requests()
    {
        environment.UseAccountOf(fake);
        using var store = Open();

        Assert.Null(await store.FindAsync("a", Stop));
        Assert.Null(await store.FindAsync("b", Stop));

        Assert.Equal(1, fake.Tokens.Given);
        Assert.All(fake.Requests, request => Assert.Equal($"Bearer {fake.Tokens.Last}", request.Headers["Authorization"]));
    }

    [Fact]
    public async Task Gclouds_file_is_found()
    {
        environment.UseAccountOf(fake);
        environment.Set("GOOGLE_APPLICATION_CREDENTIALS", null);
        fake.Tokens.WriteKeyFile(environment.Folder["application_default_credentials.json"], fake.Address);
        using var store = Open();

        Assert.Null(await store.FindAsync("a", Stop));

        Assert.Equal(1, fake.Tokens.Given);
    }

    [Fact]
    public async Task A_token_that_is_not_taken_any_more_is_renewed()
    {
        environment.UseAccountOf(fake);
        using var store = Open(new StoreOptions { MostRetries = 0 });
        Assert.Null(await store.FindAsync("a", Stop));

        fake.Tokens.Expire();

        Assert.Null(await store.FindAsync("a", Stop));
        Assert.Equal(2, fake.Tokens.Given);
    }

    [Fact]
    public async Task Tokens_that_are_never_taken_are_an_access_that_is_denied()
    {
        environment.UseAccountOf(fake);
        fake.Tokens.AreUseless = true;
        using var store = Open();

        var error = await RefusesAsync(BackupErrorId.CloudAccessDenied, () => store.FindAsync("a", Stop));

        Assert.Equal(2, fake.Requests.Count);
        Assert.DoesNotContain(fake.Tokens.Last!, error.ToString(), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("invalid_grant", "Invalid grant: account not found", BackupErrorId.CloudAccessDenied)]
    [InlineData(
        "invalid_grant",
        "Invalid JWT: Token must be a short-lived token (60 minutes) and in a reasonable timeframe. Check your iat and exp values in the JWT claim.",
        BackupErrorId.CloudClockSkew)]
    public async Task An_account_that_gets_no_token_is_told_why(string code, string description, string errorId)
    {
        environment.UseAccountOf(fake);
        fake.Tokens.Refusal = (400, code, description);
        using var store = Open();

        var error = await RefusesAsync(errorId, () => store.FindAsync("a", Stop));

        Assert.Contains(description, error.Message, StringComparison.Ordinal);
        Assert.Empty(fake.Requests);
    }

    [Fact]
    public async Task Without_credentials_nothing_is_sent_to_google_and_the_error_says_how_to_give_them()
    {
        using var store = new GcsStore(new StoreLocation { Provider = CloudProvider.Gcs, Container = "backups" }, new StoreOptions());
        Func<Task>[] operations =
        [
            () => store.RequireContainerAsync(create: true, Stop),
            () => store.FindAsync("a", Stop),
            async () => await store.ListAsync(string.Empty, Stop).ToListAsync(Stop),
            () => store.DeleteAsync("a", Stop),
        ];
        foreach (var operation in operations)
        {
            var error = await RefusesAsync(BackupErrorId.CloudCredentialsMissing, operation);
            Assert.Contains("GOOGLE_APPLICATION_CREDENTIALS", error.Message, StringComparison.Ordinal);
        }
    }

    [Fact]
    public async Task A_server_that_wants_credentials_where_there_are_none_is_told_apart_from_one_that_denies()
    {
        fake.WantsTokens = true;
        using var store = Open();

        await RefusesAsync(BackupErrorId.CloudCredentialsMissing, () => store.FindAsync("a", Stop));

        Assert.Single(fake.Requests);
    }

    [Theory]
    [InlineData("")]
    [InlineData("{\"type\":\"SECRET\"}")]
    [InlineData("{\"type\":\"service_account\",\"private_key\":SECRET}")]
    [InlineData("{\"type\":\"service_account\",\"client_email\":\"a@b\",\"private_key\":\"SECRET\"}")]
    [InlineData(
        "{\"type\":\"service_account\",\"client_email\":\"a@b\",\"private_key\":\"-----BEGIN PRIVATE KEY-----\\nSECRET\\n-----END PRIVATE KEY-----\\n\"}")]
    [InlineData("{\"type\":\"authorized_user\",\"client_id\":\"SECRET\"}")]
    public async Task A_file_that_holds_no_credentials_is_named_and_never_quoted(string content)
    {
        var path = environment.Folder["broken.json"];
        await File.WriteAllTextAsync(path, content, Stop);
        environment.Set("GOOGLE_APPLICATION_CREDENTIALS", path);
        using var store = Open();

        var error = await RefusesAsync(BackupErrorId.CloudCredentialsMissing, () => store.FindAsync("a", Stop));

        Assert.Contains(path, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("SECRET", error.ToString(), StringComparison.Ordinal);
        Assert.Empty(fake.Requests);
    }

    [Fact]
    public async Task Credentials_that_are_given_after_a_failure_are_heard()
    {
        var path = environment.Folder["later.json"];
        environment.Set("GOOGLE_APPLICATION_CREDENTIALS", path);
        fake.WantsTokens = true;
        using var store = Open();
        var error = await RefusesAsync(BackupErrorId.CloudCredentialsMissing, () => store.FindAsync("a", Stop));
        Assert.Contains(path, error.Message, StringComparison.Ordinal);

        fake.Tokens.WriteKeyFile(path, fake.Address);

        Assert.Null(await store.FindAsync("a", Stop));
    }

    [Theory]
    [InlineData("http://127.0.0.1:{0}")]
    [InlineData("http://127.0.0.1:{0}/storage/v1/")]
    [InlineData("127.0.0.1:{0}")]
    public async Task An_emulator_is_sent_no_credentials(string form)
    {
        environment.UseAccountOf(fake);
        fake.WantsTokens = false;
        environment.Set("STORAGE_EMULATOR_HOST", string.Format(System.Globalization.CultureInfo.InvariantCulture, form, fake.Address.Port));
        using var store = new GcsStore(new StoreLocation { Provider = CloudProvider.Gcs, Container = "backups" }, new StoreOptions());

        await store.PutAsync("a", new byte[1], ContentHash.Attributes(new byte[1], ObjectAttributes.BackupType, store.Checksums), replaces: null, Stop);

        Assert.Contains("a", fake.Bucket.Objects.Keys);
        Assert.Equal(0, fake.Tokens.Given);
        Assert.All(fake.Requests, request => Assert.False(request.HasToken));
    }

    [Fact]
    public async Task A_bucket_of_an_emulator_is_made_in_the_project_that_is_named_or_not_at_all()
    {
        environment.Set("STORAGE_EMULATOR_HOST", fake.Address.AbsoluteUri);
        using var store = new GcsStore(new StoreLocation { Provider = CloudProvider.Gcs, Container = "new" }, new StoreOptions());
        var error = await RefusesAsync(BackupErrorId.CloudRefused, () => store.RequireContainerAsync(create: true, Stop));
        Assert.Contains("GOOGLE_CLOUD_PROJECT", error.Message, StringComparison.Ordinal);

        environment.Set("GOOGLE_CLOUD_PROJECT", "p");
        await store.RequireContainerAsync(create: true, Stop);

        Assert.Contains("new", fake.Buckets.Keys);
    }

    [Fact]
    public async Task The_token_goes_to_no_other_server_that_a_session_names()
    {
        environment.UseAccountOf(fake);
        fake.SessionsAt = new Uri($"http://localhost:{fake.Address.Port}");
        using var store = Open();
        var content = new byte[store.PartSize(1)];
        var id = await store.BeginUploadAsync("a", content.Length, new ObjectAttributes("00", ObjectAttributes.BackupType), Stop);

        await store.PutPartAsync("a", id, 1, 0, content.Length, content, Stop);

        Assert.StartsWith("http://localhost:", id, StringComparison.Ordinal);
        Assert.False(Assert.Single(fake.Chunks).HasToken);
    }

    [Fact]
    public async Task A_server_that_cannot_be_trusted_is_sent_nothing()
    {
        await using var stranger = await FakeGcs.StartAsync(https: true);
        using var store = new GcsStore(
            new StoreLocation { Provider = CloudProvider.Gcs, Container = "backups", Endpoint = stranger.Address }, new StoreOptions());

        await RefusesAsync(BackupErrorId.CloudTlsFailed, () => store.FindAsync("a", Stop));

        Assert.Empty(stranger.Requests);
    }

    [Theory]
    [InlineData("http://user:SECRET@127.0.0.1:1/")]
    [InlineData("http://127.0.0.1:1/?key=SECRET")]
    [InlineData("http://127.0.0.1:1/#SECRET")]
    [InlineData("ftp://127.0.0.1:1/SECRET")]
    public void An_endpoint_that_is_no_plain_address_is_refused_and_not_repeated(string address)
    {
        var location = new StoreLocation { Provider = CloudProvider.Gcs, Container = "backups" };
        var error = Assert.Throws<BackupException>(() => new GcsStore(location with { Endpoint = new Uri(address) }, new StoreOptions()));
        Assert.Equal(BackupErrorId.CloudRefused, error.ErrorId);
        Assert.DoesNotContain("SECRET", error.ToString(), StringComparison.Ordinal);

        environment.Set("STORAGE_EMULATOR_HOST", address);
        error = Assert.Throws<BackupException>(() => new GcsStore(location, new StoreOptions()));
        Assert.Equal(BackupErrorId.CloudRefused, error.ErrorId);
        Assert.DoesNotContain("SECRET", error.ToString(), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_server_that_is_not_there_is_unavailable()
    {
        using var store = new GcsStore(
            new StoreLocation { Provider = CloudProvider.Gcs, Container = "backups", Endpoint = new Uri("http://127.0.0.1:1") },
            new StoreOptions { MostRetries = 1 });

        await RefusesAsync(BackupErrorId.CloudUnavailable, () => store.FindAsync("a", Stop));
    }

    private static async Task<BackupException> RefusesAsync(string errorId, Func<Task> action)
    {
        var error = await Assert.ThrowsAsync<BackupException>(action);
        Assert.True(error.ErrorId == errorId, $"{error.ErrorId} and not {errorId}: {error}");
        return error;
    }

    private GcsStore Open(StoreOptions? options = null) =>
        new(new StoreLocation { Provider = CloudProvider.Gcs, Container = "backups", Endpoint = fake.Address }, options ?? new StoreOptions());
}
