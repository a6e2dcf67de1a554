using SignalHarvester.Backup.Cloud.Tests.Servers;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Transfers;

/// <summary>Sending, losing the machine and restoring, with Azure.</summary>
public sealed class AzureRecoveryTests(AzuriteServer azurite) : RecoveryConformance
{
    internal override IReadOnlyList<string> Secrets => [azurite.Key];

    internal override Task<Uri> ServerAsync() => azurite.AddressAsync();

    internal override Task<(string Parameters, IReadOnlyDictionary<string, string> Environment)> PlaceAsync(Uri address, string folder) =>
        Task.FromResult<(string, IReadOnlyDictionary<string, string>)>((
            $"-Provider Azure -Container c{Guid.NewGuid():N} -AccountName {azurite.AccountName} -Endpoint {address}",
            new Dictionary<string, string> { ["AZURE_STORAGE_KEY"] = azurite.Key }));
}

/// <summary>Sending, losing the machine and restoring, with Google Cloud Storage.</summary>
public sealed class GcsRecoveryTests : RecoveryConformance, IAsyncLifetime
{
    private FakeGcs fake = null!;

    internal override IReadOnlyList<string> Secrets => [fake.Tokens.PrivateKey, .. fake.Sessions.Keys];

    public async ValueTask InitializeAsync()
    {
        fake = await FakeGcs.StartAsync();
        fake.WantsTokens = true;
    }

    public ValueTask DisposeAsync() => fake.DisposeAsync();

    internal override Task<Uri> ServerAsync() => Task.FromResult(fake.Address);

    internal override Task<(string Parameters, IReadOnlyDictionary<string, string> Environment)> PlaceAsync(Uri address, string folder)
    {
        var key = Path.Combine(folder, "key.json");
        fake.Tokens.WriteKeyFile(key, fake.Address);
        return Task.FromResult<(string, IReadOnlyDictionary<string, string>)>((
            $"-Provider Gcs -Bucket backups -Prefix machine1/ -Endpoint {address}",
            new Dictionary<string, string> { ["GOOGLE_APPLICATION_CREDENTIALS"] = key }));
    }
}

/// <summary>Sending, losing the machine and restoring, with S3.</summary>
public sealed class S3RecoveryTests(CephServer ceph) : RecoveryConformance
{
    internal override IReadOnlyList<string> Secrets => [ceph.SecretKey, ceph.AccessKey];

    internal override Task<Uri> ServerAsync() => ceph.AddressAsync();

    internal override Task<(string Parameters, IReadOnlyDictionary<string, string> Environment)> PlaceAsync(Uri address, string folder) =>
        Task.FromResult<(string, IReadOnlyDictionary<string, string>)>((
            $"-Provider S3 -Bucket b{Guid.NewGuid():N} -Endpoint {address} -PathStyle -Region default",
            new Dictionary<string, string>
            {
                ["AWS_ACCESS_KEY_ID"] = ceph.AccessKey,
                ["AWS_SECRET_ACCESS_KEY"] = ceph.SecretKey,
                ["AWS_EC2_METADATA_DISABLED"] = "true",
            }));

    [Fact]
    public async Task What_is_there_without_a_lock_is_not_passed_for_locked()
    {
        using var folder = new TempFolder();
        var (place, environment) = await PlaceAsync(await ServerAsync(), folder.Path);
        Databases.Create(folder["app.db"], new DatabaseShape { Rows = 20 });
        using (var process = new CloudProcess(
            folder.Path, environment, $"New-SHBackup ./app.db | Send-SHBackup {place} -CreateContainer -ImmutableFor 1d | Out-Null"))
        {
            await process.SucceedAsync(TestContext.Current.CancellationToken);
        }

        using var again = new CloudProcess(
            folder.Path, environment, $"Get-SHBackup | Send-SHBackup {place} -ImmutableFor 1d -WarningVariable told 3>$null | Out-Null; \"$told\"");

        Assert.Contains("-ImmutableFor only locks new objects", await again.SucceedAsync(TestContext.Current.CancellationToken), StringComparison.Ordinal);
    }
}
