namespace SignalHarvester.Backup;

/// <summary>
/// The place of backups in an object store: everything needed to find it again, and no secret. Credentials come from the
/// platform's own chain each time.
/// </summary>
public sealed record StoreLocation
{
    private readonly string givenPrefix = string.Empty;

    /// <summary>The kind of store.</summary>
    public required CloudProvider Provider { get; init; }

    /// <summary>The bucket (S3, Google), the container (Azure), or the folder's full path.</summary>
    public required string Container { get; init; }

    /// <summary>
    /// The beginning of all object keys, as in the store: empty, or a text that ends with a slash. It is the given text
    /// without the parts that some stores drop; see docs/CLOUD.md.
    /// </summary>
    public string Prefix
    {
        get => KeyPrefix(Provider, UsePathStyle, givenPrefix);
        init => givenPrefix = value;
    }

    /// <summary>The address of a store other than the provider's own, such as http://127.0.0.1:7480; null for the provider's.</summary>
    public Uri? Endpoint { get; init; }

    /// <summary>The region (S3); null for that of the environment or the profile.</summary>
    public string? Region { get; init; }

    /// <summary>Whether the bucket is in the path of the address instead of its host name (S3-compatible stores).</summary>
    public bool UsePathStyle { get; init; }

    /// <summary>The storage account (Azure); null for that of the environment.</summary>
    public string? AccountName { get; init; }

    /// <summary>The named profile of the credentials file (S3); null for the default chain.</summary>
    public string? Profile { get; init; }

    /// <summary>Whether it is the same place, however its prefix was given.</summary>
    /// <param name="other">The other place.</param>
    public bool Equals(StoreLocation? other) =>
        other is not null && Provider == other.Provider && Container == other.Container && Prefix == other.Prefix && Endpoint == other.Endpoint
        && Region == other.Region && UsePathStyle == other.UsePathStyle && AccountName == other.AccountName && Profile == other.Profile;

    /// <summary>
    /// Whether both name the same objects: the same container of the same account and server, under the same prefix, whatever
    /// the region and the address style.
    /// </summary>
    internal bool IsSamePlace(StoreLocation other) =>
        Provider == other.Provider && Container == other.Container && Prefix == other.Prefix
        && Endpoint?.OriginalString == other.Endpoint?.AbsoluteUri && AccountName == other.AccountName;

    /// <summary>Whether both are in the same bucket, container or folder, under any prefix; the other may leave out account and server.</summary>
    internal bool IsSameContainer(StoreLocation other) =>
        Provider == other.Provider && Container == other.Container && (other.AccountName is null || AccountName is null || AccountName == other.AccountName);

    /// <inheritdoc/>
    public override int GetHashCode() => HashCode.Combine(Provider, Container, Prefix, Endpoint, Region, UsePathStyle, AccountName, Profile);

    /// <summary>
    /// The store and the prefix, as an address without credentials: s3://bucket/prefix/, gs://…,
    /// azure://account/container/prefix/, or file:///….
    /// </summary>
    public override string ToString() => Provider switch
    {
        CloudProvider.S3 => $"s3://{Container}/{Prefix}",
        CloudProvider.Gcs => $"gs://{Container}/{Prefix}",
        CloudProvider.Azure => $"azure://{(AccountName is null ? string.Empty : AccountName + "/")}{Container}/{Prefix}",
        _ => Uri.TryCreate(Prefix.Length == 0 ? Container : Container.TrimEnd('/') + "/" + Prefix, UriKind.Absolute, out var address)
            ? address.AbsoluteUri
            : $"file:{Container}/{Prefix}",
    };

    /// <summary>
    /// Reads an address: s3://bucket/prefix/, gs://bucket/prefix/, azure://account/container/prefix/, azure://container for the account of
    /// the environment, or file:///folder. Letters in the scheme may have any case.
    /// </summary>
    /// <remarks>It is not called Parse, which PowerShell would use to make a place of any text that is bound to one: an address lacks the server.</remarks>
    /// <param name="address">The text.</param>
    /// <returns>The place; null if the text is not such an address, or has a user name, a query or a fragment.</returns>
    public static StoreLocation? OfAddress(string address)
    {
        ArgumentNullException.ThrowIfNull(address);
        var separator = address.IndexOf("://", StringComparison.Ordinal);
        if (separator < 0 || address.Any(char.IsControl))
        {
            return null;
        }

        var (scheme, rest) = (address[..separator].ToLowerInvariant(), address[(separator + 3)..]);
        if (scheme == "file")
        {
            return Uri.TryCreate(address, UriKind.Absolute, out var file) && file is { IsFile: true, Query.Length: 0, Fragment.Length: 0 }
                && file.LocalPath.TrimEnd('/', '\\') is { Length: > 0 } folder
                ? new StoreLocation { Provider = CloudProvider.Directory, Container = folder }
                : null;
        }

        // A user name, a query or a fragment may hold a secret, and none of them is part of a name.
        if (rest.AsSpan().IndexOfAny('@', '?', '#') >= 0)
        {
            return null;
        }

        var parts = rest.Split('/', 2);
        var prefix = parts.ElementAtOrDefault(1) ?? string.Empty;
        if (scheme == "azure" && prefix.Trim('/').Length > 0)
        {
            var inner = prefix.Split('/', 2);
            return inner[0].Length == 0 ? null : new StoreLocation
            {
                Provider = CloudProvider.Azure,
                AccountName = parts[0].Length == 0 ? null : parts[0],
                Container = inner[0],
                Prefix = inner.ElementAtOrDefault(1) ?? string.Empty,
            };
        }

        CloudProvider? provider = scheme switch
        {
            "s3" => CloudProvider.S3,
            "gs" => CloudProvider.Gcs,
            "azure" => CloudProvider.Azure,
            _ => null,
        };
        return provider is { } known && parts[0].Length > 0 ? new StoreLocation { Provider = known, Container = parts[0], Prefix = prefix } : null;
    }

    /// <summary>
    /// A prefix as it appears in keys. Azure's library drops slashes at the beginning of a key, and the service treats a
    /// backslash as a slash and drops dots at the end of a part. In the path style of S3 a slash at the beginning gets lost
    /// between the bucket and the key. So these are dropped before anything is named by them: sending, listing, recording
    /// and removing use one key, which also finds copies that were sent under such a prefix before.
    /// </summary>
    internal static string KeyPrefix(CloudProvider provider, bool usesPathStyle, string given)
    {
        var prefix = provider switch
        {
            CloudProvider.Azure => string.Join('/', given.Replace('\\', '/').TrimStart('/').Split('/').Select(WithoutDotsAtItsEnd)),
            CloudProvider.S3 when usesPathStyle => given.TrimStart('/'),
            _ => given,
        };
        return prefix.Length == 0 || prefix.EndsWith('/') ? prefix : prefix + "/";
    }

    /// <summary>Drops dots at the end of a part. A part that is only dots stays, so that it is refused.</summary>
    private static string WithoutDotsAtItsEnd(string part) => part.TrimEnd('.') is { Length: > 0 } rest ? rest : part;
}
