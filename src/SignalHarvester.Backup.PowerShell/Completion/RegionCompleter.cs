using System.Collections;

namespace SignalHarvester.Backup.PowerShell.Completion;

/// <summary>Completes Amazon's regions that every account has. Other stores have regions of their own.</summary>
public sealed class RegionCompleter : WordCompleter
{
    // https://docs.aws.amazon.com/global-infrastructure/latest/regions/aws-regions.html, those that need no opt-in.
    private static readonly (string Text, string Meaning)[] Regions =
    [
        ("us-east-1", "N. Virginia"), ("us-east-2", "Ohio"), ("us-west-1", "N. California"), ("us-west-2", "Oregon"), ("ca-central-1", "Canada"),
        ("eu-central-1", "Frankfurt"), ("eu-west-1", "Ireland"), ("eu-west-2", "London"), ("eu-west-3", "Paris"), ("eu-north-1", "Stockholm"),
        ("ap-south-1", "Mumbai"), ("ap-southeast-1", "Singapore"), ("ap-southeast-2", "Sydney"), ("ap-northeast-1", "Tokyo"), ("ap-northeast-2", "Seoul"),
        ("ap-northeast-3", "Osaka"), ("sa-east-1", "Sao Paulo"),
    ];

    /// <inheritdoc/>
    protected override IEnumerable<(string Text, string Meaning)> Words(string parameter, IDictionary given) => Regions;
}
