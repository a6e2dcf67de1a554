using Azure;
using Azure.Identity;
using Azure.Storage;
using Azure.Storage.Blobs;

namespace SignalHarvester.Backup.ObjectStorage.Azure;

/// <summary>
/// A storage account and the credentials for it: a connection string, or an account with its key, a SAS token or the identity
/// that Azure gives this machine or process, in this order. Secrets do not leave this class.
/// </summary>
internal sealed class AzureAccount
{
    /// <summary>How to give credentials, in a sentence.</summary>
    public const string HowTo =
        $"Set the environment variable {ConnectionStringVariable}; or give the account with -AccountName or {AccountVariable} and set {KeyVariable} or {SasVariable}; or run with an Azure identity (managed identity, workload identity, az login).";

    private const string ConnectionStringVariable = "AZURE_STORAGE_CONNECTION_STRING";
    private const string AccountVariable = "AZURE_STORAGE_ACCOUNT";
    private const string KeyVariable = "AZURE_STORAGE_KEY";
    private const string SasVariable = "AZURE_STORAGE_SAS_TOKEN";

    private readonly StoreFault faults;
    private readonly Uri endpoint;
    private readonly string? key;
    private readonly string? sas;

    /// <summary>Finds the account of a location.</summary>
    /// <param name="location">The location.</param>
    /// <param name="environment">Returns the value of an environment variable.</param>
    /// <exception cref="BackupException">CloudCredentialsMissing; CloudRefused: the account, the endpoint or the container's name is invalid.</exception>
    public AzureAccount(StoreLocation location, Func<string, string?> environment)
    {
        faults = new StoreFault(location);
        string? Variable(string name) => environment(name)?.Trim() is { Length: > 0 } value ? value : null;

        var connectionString = Variable(ConnectionStringVariable);
        var settings = Settings(connectionString);
        Name = location.AccountName ?? settings.GetValueOrDefault("AccountName") ?? Variable(AccountVariable);
        if (connectionString is not null && settings.GetValueOrDefault("AccountName") is { } other && other != Name)
        {
            throw faults.Refused($"the account '{Name}'", $"{ConnectionStringVariable} belongs to another account, '{other}'", null);
        }

        key = connectionString is null ? Variable(KeyVariable) : settings.GetValueOrDefault("AccountKey");
        sas = (connectionString is null ? Variable(SasVariable) : settings.GetValueOrDefault("SharedAccessSignature"))?.TrimStart('?');
        if (connectionString is not null && settings.Count == 0)
        {
            // The value is not repeated, because it may be a key.
            throw faults.CredentialsMissing(
                $"The value of {ConnectionStringVariable} is not a connection string. Copy it again from the account's access keys, or unset it.", null);
        }

        endpoint = CheckedEndpoint(location.Endpoint?.OriginalString ?? settings.GetValueOrDefault("BlobEndpoint") ?? DefaultEndpoint(settings));
        RequireCredentials(connectionString is not null);
        RequireContainerName(location.Container);
    }

    /// <summary>The account's name; null if only an endpoint and a SAS token were given.</summary>
    public string? Name { get; }

    /// <summary>Opens a container of the account. Nothing is sent yet.</summary>
    /// <param name="name">The container.</param>
    /// <param name="options">How requests are sent.</param>
    public BlobContainerClient Open(string name, BlobClientOptions options)
    {
        var address = new BlobUriBuilder(endpoint) { BlobContainerName = name }.ToUri();
        return (key, sas) switch
        {
            (not null, _) => new BlobContainerClient(address, SharedKey(), options),
            (_, not null) => new BlobContainerClient(address, new AzureSasCredential(sas), options),
            _ => new BlobContainerClient(address, new DefaultAzureCredential(new DefaultAzureCredentialOptions { Transport = options.Transport }), options),
        };
    }

    private static Dictionary<string, string> Settings(string? connectionString)
    {
        var settings = new Dictionary<string, string>(StringComparer.OrdinalIgnoreCase);
        foreach (var setting in (connectionString ?? string.Empty).Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            // Keys end with equals signs of their own.
            if (setting.Split('=', 2, StringSplitOptions.TrimEntries) is [var name, { Length: > 0 } value])
            {
                settings[name] = value;
            }
        }

        return settings;
    }

    private string DefaultEndpoint(Dictionary<string, string> settings)
    {
        if (Name is null)
        {
            throw faults.CredentialsMissing(HowTo, null);
        }

        // It becomes part of the host name to which credentials are sent.
        if (!Name.All(char.IsAsciiLetterOrDigit))
        {
            throw faults.Refused("the account's name", "it can contain only letters and digits", null);
        }

        var suffix = settings.GetValueOrDefault("EndpointSuffix", "core.windows.net");
        return $"{settings.GetValueOrDefault("DefaultEndpointsProtocol", Uri.UriSchemeHttps)}://{Name}.blob.{suffix}";
    }

    private Uri CheckedEndpoint(string text) =>
        Uri.TryCreate(text.TrimEnd('/'), UriKind.Absolute, out var address)
        && (address.Scheme == Uri.UriSchemeHttps || address.Scheme == Uri.UriSchemeHttp)
        && address is { UserInfo: "", Query: "", Fragment: "" }
            ? address
            : throw faults.Refused("the endpoint", "it must be an http or https address without user, query or SAS token; give credentials separately", null);

    private void RequireCredentials(bool fromConnectionString)
    {
        if (key is not null)
        {
            _ = SharedKey();
        }
        else if (sas is null && fromConnectionString)
        {
            throw faults.CredentialsMissing($"{ConnectionStringVariable} contains neither an AccountKey nor a SharedAccessSignature.", null);
        }
        else if (sas is null && (Name is null || endpoint.Scheme != Uri.UriSchemeHttps))
        {
            // The token of an identity is never sent unencrypted.
            throw faults.CredentialsMissing(HowTo, null);
        }
    }

    private StorageSharedKeyCredential SharedKey()
    {
        if (Name is null)
        {
            throw faults.CredentialsMissing($"A key is set, but no account. {HowTo}", null);
        }

        return Convert.TryFromBase64String(key!, new byte[key!.Length], out _)
            ? new StorageSharedKeyCredential(Name, key)
            : throw faults.CredentialsMissing("The account's key is not valid: it must be base64.", null);
    }

    private void RequireContainerName(string name)
    {
        // It becomes part of a path. Azure itself checks its further rules.
        if (name.Length == 0 || !name.All(character => char.IsAsciiLetterOrDigit(character) || character is '-' or '$'))
        {
            throw faults.Refused("the container's name", "it can contain only small letters, digits and hyphens", null);
        }
    }
}
