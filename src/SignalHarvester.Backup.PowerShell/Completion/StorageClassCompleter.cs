using System.Collections;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes storage classes and access tiers, by the providers' own names.</summary>
public sealed class StorageClassCompleter : WordCompleter
{
    // https://docs.aws.amazon.com/AmazonS3/latest/userguide/storage-class-intro.html; without the classes from which reading takes hours.
    private static readonly (string Text, string Meaning)[] S3 =
    [
        ("STANDARD", "S3: frequent access"), ("STANDARD_IA", "S3: infrequent access, at least 30 days"), ("ONEZONE_IA", "S3: infrequent access, one zone"),
        ("INTELLIGENT_TIERING", "S3: by access"), ("GLACIER_IR", "S3: archive with instant access, at least 90 days"),
    ];

    // https://learn.microsoft.com/azure/storage/blobs/access-tiers-overview
    private static readonly (string Text, string Meaning)[] Azure =
        [("Hot", "Azure: frequent access"), ("Cool", "Azure: infrequent access, at least 30 days"), ("Cold", "Azure: rare access, at least 90 days")];

    // https://cloud.google.com/storage/docs/storage-classes
    private static readonly (string Text, string Meaning)[] Gcs =
    [
        ("STANDARD", "Google: frequent access"), ("NEARLINE", "Google: at least 30 days"), ("COLDLINE", "Google: at least 90 days"),
        ("ARCHIVE", "Google: at least 365 days"),
    ];

    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Meaning)> Words(string parameter, IDictionary given) =>
        $"{given["Provider"]}".ToUpperInvariant() switch
        {
            "S3" => S3,
            "AZURE" => Azure,
            "GCS" => Gcs,
            _ => [.. S3, .. Azure, .. Gcs.Skip(1)],
        };
}
