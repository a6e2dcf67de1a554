using CsCheck;
using Xunit;

namespace SignalHarvester.Backup.Tests.Catalog;

/// <summary>The address of a store is read as it is shown, and what is no address is not taken for one.</summary>
public sealed class StoreAddressTests
{
    private static readonly Gen<string> Part = Gen.String[Gen.Char["abcdefghijklmnopqrstuvwxyz0123456789-. é"], 1, 12]
        .Where(part => part.Trim('.', ' ').Length > 0);

    [Fact]
    public void A_shown_address_is_read_as_the_same_place() => Gen.Select(Gen.Enum<CloudProvider>(), Part, Part, Gen.Select(Part, Part).Array[0, 2])
        .Sample((provider, container, account, prefix) =>
        {
            var place = new StoreLocation
            {
                Provider = provider,
                Container = provider == CloudProvider.Directory ? "/" + container.Trim() : container,
                AccountName = provider == CloudProvider.Azure ? account : null,
                Prefix = provider == CloudProvider.Directory ? string.Empty : string.Concat(prefix.Select(part => $"{part.Item1}/{part.Item2}/")),
            };
            return StoreLocation.OfAddress(place.ToString()) == place;
        });

    [Theory]
    [InlineData("S3://Bucket/a/b", CloudProvider.S3, null, "Bucket", "a/b/")]
    [InlineData("gs://bucket", CloudProvider.Gcs, null, "bucket", "")]
    [InlineData("azure://container/", CloudProvider.Azure, null, "container", "")]
    [InlineData("azure:///container/p", CloudProvider.Azure, null, "container", "p/")]
    [InlineData("azure://account/container/p/q", CloudProvider.Azure, "account", "container", "p/q/")]
    public void Every_form_is_read(string address, CloudProvider provider, string? account, string container, string prefix)
    {
        var place = StoreLocation.OfAddress(address)!;
        Assert.Equal((provider, account, container, prefix), (place.Provider, place.AccountName, place.Container, place.Prefix));
    }

    [Theory]
    [InlineData("bucket")]
    [InlineData("./s3/bucket")]
    [InlineData("s3:/bucket")]
    [InlineData("s3://")]
    [InlineData("s3:///prefix")]
    [InlineData("s3://key:secret@bucket/")]
    [InlineData("s3://bucket/p?versionId=1")]
    [InlineData("gs://bucket/#x")]
    [InlineData("azure://account//p")]
    [InlineData("https://bucket.example.org/")]
    [InlineData("file://")]
    [InlineData("file:///")]
    [InlineData("s3://bucket/a\nb")]
    public void Anything_else_is_no_address(string text) => Assert.Null(StoreLocation.OfAddress(text));
}
