using Amazon;
using Amazon.Runtime;
using Amazon.Runtime.CredentialManagement;
using Amazon.Runtime.Credentials;
using Amazon.S3;

namespace SignalHarvester.Backup.ObjectStorage.S3;

/// <summary>The SDK's client, made when it is first needed, with its credentials, region and retries. Its errors are translated into ours.</summary>
internal sealed class S3Client : IDisposable
{
    // Stores other than AWS accept this region. AWS accepts it for any bucket, and then answers with the bucket's own.
    private const string UsualRegion = "us-east-1";

    private readonly StoreLocation location;
    private readonly StoreOptions options;
    private readonly S3Fault fault;
    private readonly S3Connections connections;
    private readonly Lazy<Task<AmazonS3Client>> client;

    /// <summary>Makes a client. Nothing is looked up or sent yet.</summary>
    /// <param name="location">The bucket.</param>
    /// <param name="options">Its options.</param>
    /// <param name="fault">Makes the errors.</param>
    /// <exception cref="BackupException">CloudRefused: the endpoint, the region or the bucket's name is invalid.</exception>
    public S3Client(StoreLocation location, StoreOptions options, S3Fault fault)
    {
        this.location = location;
        this.options = options;
        this.fault = fault;
        RequireEndpoint();
        RequireNames();
        IsAws = location.Endpoint is null || location.Endpoint.Host.EndsWith(".amazonaws.com", StringComparison.OrdinalIgnoreCase)
            || location.Endpoint.Host.EndsWith(".amazonaws.com.cn", StringComparison.OrdinalIgnoreCase);
        connections = new S3Connections(options, fault.Store);

        // Credentials and region can come from files, programs and the network, so not on the caller's thread.
        client = new Lazy<Task<AmazonS3Client>>(() => Task.Run(ConnectAsync));
    }

    /// <summary>Whether the service is AWS itself.</summary>
    public bool IsAws { get; }

    /// <summary>Whether MD5s are sent. With trailers the SDK sends CRC-32s, as AWS's own tools do. All stores that accept trailers accept those.</summary>
    public bool SendsMd5 => !IsAws && !options.UseTrailingChecksums;

    /// <summary>Sends a request.</summary>
    /// <param name="action">The action, for an error.</param>
    /// <param name="name">The object concerned; null if it is none.</param>
    /// <param name="request">The request.</param>
    /// <param name="cancellation">Stops it.</param>
    public async Task<T> RunAsync<T>(string action, string? name, Func<AmazonS3Client, CancellationToken, Task<T>> request, CancellationToken cancellation)
    {
        cancellation.ThrowIfCancellationRequested();
        try
        {
            return await request(await client.Value.WaitAsync(cancellation).ConfigureAwait(false), cancellation).ConfigureAwait(false);
        }
        catch (Exception exception) when (fault.Translate(exception, action, name) is { } error)
        {
            throw error;
        }
    }

    /// <inheritdoc/>
    public void Dispose()
    {
        if (client is { IsValueCreated: true, Value.IsCompletedSuccessfully: true })
        {
            client.Value.Result.Dispose();
        }

        connections.Dispose();
    }

    private async Task<AmazonS3Client> ConnectAsync()
    {
        var config = new AmazonS3Config
        {
            HttpClientFactory = connections,
            ForcePathStyle = location.UsePathStyle,

            // The recorded location of a copy counts, not an endpoint from today's environment.
            IgnoreConfiguredEndpointUrls = true,
            RetryMode = RequestRetryMode.Standard,
            MaxErrorRetry = options.MostRetries,

            // Otherwise each connection that the other side closed is retried up to ten times without being counted.
            MaxStaleConnectionRetries = 0,
            RequestChecksumCalculation = options.UseTrailingChecksums ? RequestChecksumCalculation.WHEN_SUPPORTED : RequestChecksumCalculation.WHEN_REQUIRED,

            // Ranges have no checksum of their own; the fetched bytes are compared with their SHA-256.
            ResponseChecksumValidation = ResponseChecksumValidation.WHEN_REQUIRED,
        };
        if (location.Profile is { } profile)
        {
            config.Profile = new Profile(profile);
        }

        if (location.Endpoint is null)
        {
            config.RegionEndpoint = RegionEndpoint.GetBySystemName(
                location.Region ?? ProfilesRegion() ?? FallbackRegionFactory.GetRegionEndpoint()?.SystemName ?? UsualRegion);
        }
        else
        {
            config.ServiceURL = location.Endpoint.AbsoluteUri;
            config.AuthenticationRegion = location.Region ?? ProfilesRegion()
                ?? FallbackRegionFactory.GetRegionEndpoint(includeInstanceMetadata: false)?.SystemName ?? UsualRegion;
        }

        return new AmazonS3Client(await CredentialsAsync(config).ConfigureAwait(false), config);
    }

    private string? ProfilesRegion() =>
        location.Profile is { } name && new CredentialProfileStoreChain().TryGetProfile(name, out var profile) ? profile.Region?.SystemName : null;

    private async Task<AWSCredentials> CredentialsAsync(AmazonS3Config config)
    {
        try
        {
            using var chain = new DefaultAWSCredentialsIdentityResolver();
            var credentials = await chain.ResolveIdentityAsync(config).ConfigureAwait(false);

            // Some credentials are only promises until they are fetched.
            _ = await credentials.GetCredentialsAsync().ConfigureAwait(false);
            return credentials;
        }
        catch (Exception exception) when (exception is AmazonClientException or InvalidOperationException or ArgumentException or IOException)
        {
            // The exception itself is not passed on, because that of a credential_process quotes what the program printed.
            throw fault.Store.CredentialsMissing(
                location.Profile is { } profile
                    ? $"The profile '{profile}' is not in the AWS configuration files, or has no credentials. Run 'aws configure --profile {profile}', or omit -CredentialProfile."
                    : "Set AWS_ACCESS_KEY_ID and AWS_SECRET_ACCESS_KEY, or write a profile to ~/.aws/credentials, or run with an AWS role (EC2, ECS, EKS).",
                null);
        }
    }

    // They become parts of host names and paths, where a wrong one looks like a failing network or a wrong key.
    private void RequireNames()
    {
        if (location.Region is { } region && !region.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '_'))
        {
            throw fault.Store.Refused("the region's name", $"'{region}' is not a region name. Give one such as eu-central-1 with -Region", null);
        }

        // The name of an access point has colons, and may have a slash.
        if (!location.Container.StartsWith("arn:", StringComparison.Ordinal)
            && !location.Container.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '.' or '_'))
        {
            throw fault.Store.Refused(
                "the bucket's name", "it can contain only small letters, digits, dots and hyphens; a part after a slash belongs into -Prefix", null);
        }
    }

    // A refused address is not repeated, because it could contain a password.
    private void RequireEndpoint()
    {
        if (location.Endpoint is { } endpoint
            && !(endpoint is { IsAbsoluteUri: true, UserInfo: "", Query: "", Fragment: "" }
                && (endpoint.Scheme == Uri.UriSchemeHttps || endpoint.Scheme == Uri.UriSchemeHttp)))
        {
            throw fault.Store.Refused(
                "the address", "the endpoint must be an address such as https://s3.example.com, without user name, password, query or fragment", null);
        }
    }
}
