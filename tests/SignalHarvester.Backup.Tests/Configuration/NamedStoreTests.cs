using SignalHarvester.Backup.Configuration;
using Xunit;

namespace SignalHarvester.Backup.Tests.Configuration;

/// <summary>Stores have names; the predecessor's sections are stores of their names.</summary>
public sealed class NamedStoreTests
{
    private const string Stores = """
        bandwidth_limit: 9000
        s3: { bucket: old, prefix: p, enabled: true }
        stores:
          offsite: { provider: s3, bucket: b, prefix: web1/, region: eu-west-1 }
          second: { provider: s3, bucket: b, prefix: web2/, endpoint: "https://s3.example.org", upload_after_backup: true, bandwidth_limit: 5000 }
          nas: { path: /mnt/nas }
          cold: { provider: gcs, bucket: g, enabled: false, storage_class: NEARLINE }
        """;

    [Fact]
    public void Two_of_a_kind_stand_beside_the_predecessors()
    {
        using var configured = Configured.Backup(Stores);
        Assert.Empty(configured.Problems());
        Assert.Equal(
            [
                "s3 s3://old/p/ True True 9000", "offsite s3://b/web1/ True False 9000", "second s3://b/web2/ True True 5000",
                "nas file:///mnt/nas True False 9000", "cold gs://g/ False False 9000",
            ],
            configured.Read.Require().Stores.Select(store =>
                $"{store.Name} {store.Location} {store.Enabled} {store.UploadAfterBackup} {store.Options.BandwidthLimit}"));
    }

    [Theory]
    [InlineData("OFFSITE", "offsite", "s3://b/web1/")]
    [InlineData("s3", "s3", "s3://old/p/")]
    [InlineData("s3://b/web1/deeper/", "", "s3://b/web1/deeper/")]
    [InlineData("gs://new/", "", "gs://new/")]
    [InlineData("./nas", "", "file:///full/nas")]
    [InlineData("folder/nas/", "", "file:///full/folder/nas")]
    public void A_name_an_address_and_a_path_are_told_apart(string text, string name, string address)
    {
        using var configured = Configured.Backup(Stores);
        var found = StoreNames.Find(text, configured.Read.Require(), path => Path.GetFullPath(path, "/full"));
        Assert.Equal((name, address), (found.Name, found.Location.ToString()));
    }

    [Fact]
    public void An_address_in_a_configured_bucket_is_reached_as_configured()
    {
        using var configured = Configured.Backup(Stores);
        var found = StoreNames.Find("s3://b/web1/sub/", configured.Read.Require(), path => path);
        Assert.Equal("eu-west-1", found.Location.Region);
    }

    [Fact]
    public void An_address_means_the_store_with_that_address_and_never_another_server()
    {
        using var configured = Configured.Backup("""
            stores:
              old: { provider: s3, bucket: b, prefix: old/, endpoint: "https://one.example.org", immutable_for: 30d }
              other: { provider: s3, bucket: b, prefix: o/, endpoint: "https://two.example.org" }
            """);
        var settings = configured.Read.Require();
        foreach (var (address, server, locked) in new[] { ("s3://b/o/", "two", false), ("s3://b/o/deeper/", "two", false), ("s3://b/old/", "one", true) })
        {
            var found = StoreNames.Find(address, settings, path => path);
            Assert.Equal(
                (address, $"{server}.example.org", locked),
                (found.Location.ToString(), found.Location.Endpoint!.Host, found.Options.ImmutableFor is not null));
        }

        var error = Assert.Throws<BackupException>(() => StoreNames.Find("s3://b/new/", settings, path => path));
        Assert.Contains("Give the name of one: old, other.", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("n*")]
    [InlineData(" ")]
    [InlineData("a b")]
    [InlineData("DefaultEndpointsProtocol=https;AccountName=a;AccountKey=hidden==")]
    public void What_has_no_separator_never_becomes_a_folder(string text)
    {
        using var configured = Configured.Backup(Stores);
        var error = Assert.Throws<BackupException>(() => StoreNames.Find(text, configured.Read.Require(), path => path));
        Assert.Equal(BackupErrorId.InvalidArgument, error.ErrorId);
        Assert.DoesNotContain("hidden", error.Message + error.Target, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("ofsite", "Did you mean 'offsite'?")]
    [InlineData("unknown", "Give one that is there: s3, offsite, second, nas, cold.")]
    [InlineData("s3://key:secret@bucket/", "This is not the address of a store.")]
    public void What_is_none_of_them_is_an_error_with_advice(string text, string advice)
    {
        using var configured = Configured.Backup(Stores);
        var error = Assert.Throws<BackupException>(() => StoreNames.Find(text, configured.Read.Require(), path => path));
        Assert.Equal(BackupErrorId.InvalidArgument, error.ErrorId);
        Assert.Contains(advice, error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain("secret", error.Message, StringComparison.Ordinal);
    }

    [Fact]
    public void Mistakes_have_their_places()
    {
        using var configured = Configured.Backup("""
            nas: wrong
            s3: { bucket: old }
            stores:
              "a b": { path: /x }
              S3: { path: /x }
              one: { prefix: x }
              two: { provider: ftp, path: /x }
              three: text
              four: { provider: s3, bucket: b, account_name: x }
              five: { provider: s3 }
            """);
        string[] expected =
            [
                "F:3:5: app.backup.nas: there is no such key",
                "F:6:7: app.backup.stores: found 'a b'; allowed is a name of letters",
                "F:7:7: app.backup.stores: found 'S3'; allowed is a name that no other store has",
                "F:8:12: app.backup.stores.one.provider: is missing:",
                "F:9:24: app.backup.stores.two.provider: found 'ftp'; allowed is s3, gcs, azure or directory.",
                "F:10:14: app.backup.stores.three: found a text; allowed is a map of keys.",
                "F:11:40: app.backup.stores.four.account_name: there is no such key",
                "F:12:13: app.backup.stores.five.bucket: is missing:",
                "F: app.backup.stores.three.provider: is missing:",
            ];
        Assert.Equal(
            expected,
            configured.Problems().Zip(expected, (problem, beginning) => problem[..Math.Min(problem.Length, beginning.Length)]));
    }
}
