using System.Text.RegularExpressions;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.ObjectStorage;

namespace SignalHarvester.Backup.Configuration;

/// <summary>Names of stores: what one looks like, and what a name, an address or a path means.</summary>
public static partial class StoreNames
{
    /// <summary>What a name looks like, in words.</summary>
    public const string Form = "a name of letters, digits, '-', '_' and '.', which begins with a letter or digit and has at most 64 characters";

    /// <summary>Whether a text can be the name of a store.</summary>
    public static bool IsName(string text) => NamePattern().IsMatch(text);

    /// <summary>Whether two names mean the same store, ignoring case.</summary>
    public static bool AreSame(string one, string other) => string.Equals(one, other, StringComparison.OrdinalIgnoreCase);

    /// <summary>Returns what a text means: a store of the configuration, an address, or a folder.</summary>
    /// <param name="text">A name in the configuration; an address such as s3://bucket/prefix/; or a path, which has a separator or begins with a dot.</param>
    /// <param name="settings">The configuration.</param>
    /// <param name="fullPath">Makes a path full.</param>
    /// <exception cref="BackupException">InvalidArgument: it is none of them.</exception>
    public static ObjectStoreSettings Find(string text, BackupSettings settings, Func<string, string> fullPath)
    {
        ArgumentNullException.ThrowIfNull(text);
        ArgumentNullException.ThrowIfNull(settings);
        ArgumentNullException.ThrowIfNull(fullPath);
        if (Named(text, settings) is { } named)
        {
            return named;
        }

        if (StoreLocation.OfAddress(text) is { } location)
        {
            // What the configuration says about the same place holds for its address too: endpoint, region, credentials' profile.
            return Nearest(location, settings) is { } known
                ? known with { Name = string.Empty, Location = known.Location with { Prefix = location.Prefix } }
                : Place(location, settings);
        }

        if (text.Contains("://", StringComparison.Ordinal) || MayHoldSecret(text))
        {
            // It is not repeated, because it may hold a secret.
            throw BackupException.InvalidArgument(
                "address",
                "This is not the address of a store. Give one such as s3://bucket/prefix/, gs://bucket/prefix/ or azure://account/container/prefix/, without a user name, a query or a fragment. Credentials come from the platform's own chain.");
        }

        if (!IsPath(text))
        {
            throw BackupException.InvalidArgument(text, Unknown(text, settings));
        }

        return Place(
            new StoreLocation { Provider = CloudProvider.Directory, Container = Path.TrimEndingDirectorySeparator(fullPath(text)) }, settings);
    }

    /// <summary>Returns the store of a name.</summary>
    /// <exception cref="BackupException">InvalidArgument: there is none.</exception>
    public static ObjectStoreSettings Require(string name, BackupSettings settings)
    {
        ArgumentNullException.ThrowIfNull(settings);
        return Named(name, settings) ?? throw BackupException.InvalidArgument(IsName(name) ? name : nameof(name), Unknown(name, settings));
    }

    private static ObjectStoreSettings? Named(string name, BackupSettings settings) => settings.Stores.FirstOrDefault(store => AreSame(store.Name, name));

    /// <summary>A mistyped name must not become a folder, so a path shows that it is one.</summary>
    private static bool IsPath(string text) => text.AsSpan().IndexOfAny('/', '\\') >= 0 || text is ['.' or '~', ..] || Path.IsPathRooted(text);

    /// <summary>A connection string in place of a name.</summary>
    private static bool MayHoldSecret(string text) =>
        text.Contains("AccountKey=", StringComparison.OrdinalIgnoreCase) || text.Contains("SharedAccess", StringComparison.OrdinalIgnoreCase);

    /// <summary>
    /// Returns the store that an address belongs to: the one with the longest prefix around it, else one of the same bucket, container or
    /// folder; null if there is none.
    /// </summary>
    /// <exception cref="BackupException">InvalidArgument: several are possible, and they differ in more than their prefixes.</exception>
    private static ObjectStoreSettings? Nearest(StoreLocation place, BackupSettings settings)
    {
        var all = settings.Stores.Where(store => store.Location.IsSameContainer(place)).ToList();
        var around = all.FindAll(store => place.Prefix.StartsWith(store.Location.Prefix, StringComparison.Ordinal));
        var length = around.Select(store => store.Location.Prefix.Length).DefaultIfEmpty().Max();
        var nearest = around.Count == 0 ? all : around.FindAll(store => store.Location.Prefix.Length == length);
        return nearest.Select(store => (store.Location with { Prefix = string.Empty }, store.Options, store.CreateContainer)).Distinct().Count() <= 1
            ? nearest.FirstOrDefault()
            : throw BackupException.InvalidArgument(
                place.ToString(),
                $"Several stores of the configuration have this bucket, container or folder, with different settings. Give the name of one: {string.Join(", ", nearest.Select(store => store.Name))}.");
    }

    private static ObjectStoreSettings Place(StoreLocation location, BackupSettings settings) =>
        new(location, new StoreOptions { BandwidthLimit = settings.BandwidthLimit }) { Enabled = true };

    private static string Unknown(string text, BackupSettings settings)
    {
        var names = settings.Stores.Select(store => store.Name).ToList();
        var advice = NearestName.Of(text, names) is { } meant ? $"Did you mean '{meant}'?"
            : names.Count > 0 ? $"Give one that is there: {string.Join(", ", names)}."
            : "None is configured: make one with New-SHBackupStore, or give an address such as s3://bucket/prefix/.";
        return text.Contains("://", StringComparison.Ordinal) || MayHoldSecret(text)
            ? "This is not the name of a store. Give a name from the configuration; Get-SHBackupStore lists them."
            : $"There is no store '{text}' in the configuration. {advice} For a folder of this name, write ./{text}.";
    }

    [GeneratedRegex(@"\A[A-Za-z0-9][A-Za-z0-9._-]{0,63}\z", RegexOptions.CultureInvariant)]
    private static partial Regex NamePattern();
}
