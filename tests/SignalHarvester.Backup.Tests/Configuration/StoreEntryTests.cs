using SignalHarvester.Backup.Configuration;
using SignalHarvester.Backup.Configuration.Settings;
using SignalHarvester.Backup.ObjectStorage;
using Xunit;

namespace SignalHarvester.Backup.Tests.Configuration;

/// <summary>A store is added to a configuration file by new lines alone: what was there stays, byte for byte.</summary>
public sealed class StoreEntryTests
{
    private const string File = "/etc/app/settings.yaml";

    private static readonly ObjectStoreSettings Nas = new(
        new StoreLocation { Provider = CloudProvider.Directory, Container = "/mnt/nas: \"a\" ${HOME}" }, new StoreOptions())
    {
        Name = "nas",
        Enabled = true,
        UploadAfterBackup = false,
    };

    private static readonly ObjectStoreSettings Bucket = new(
        new StoreLocation
        {
            Provider = CloudProvider.S3,
            Container = "b",
            Prefix = "web1/",
            Region = "eu-west-1",
            Endpoint = new Uri("https://s3.example.org"),
            UsePathStyle = true,
            Profile = "backup",
        },
        new StoreOptions
        {
            StorageClass = "STANDARD_IA",
            ServerSideEncryption = "aws:kms",
            EncryptionKey = "alias/backups",
            ImmutableFor = TimeSpan.FromDays(30),
            UseTrailingChecksums = true,
            BandwidthLimit = 5000,
        })
    {
        Name = "off-site.2",
        Enabled = true,
        CreateContainer = true,
    };

    private static readonly ObjectStoreSettings Azure = new(
        new StoreLocation { Provider = CloudProvider.Azure, Container = "c", AccountName = "account" }, new StoreOptions())
    {
        Name = "a",
        Enabled = true,
        UploadAfterBackup = false,
    };

    public static TheoryData<string> Files =>
    [
        "",
        "# nothing but a comment",
        "other: 1",
        "other: 1\n",
        "app:\n",
        "app:",
        "app:\n  backup:\n",
        "app:\n  backup:   # ours\n    # about compression\n    compression: gzip\n    retention:\n      daily_keep: 3\nlast: 1\n",
        "app:\r\n    backup:\r\n          compression: gzip\r\n    name: x\r\n",
        "app:\n  backup:\n    stores:\n      one:\n        path: /mnt/one # the first\n    enabled: false\n",
        "app:\n  backup:\n    stores:\n",
        "app:\n  backup:\n    stores:\n      one: { path: /mnt/one }\n",
        "app:\n  backup:\n    s3:\n      bucket: \"${BUCKET}\"\n      enabled: true\n",
        "\uFEFFapp:\n  backup:\n    enabled: false\n",
        ConfigurationSample.Essential,
        ConfigurationSample.Full,
    ];

    [Theory]
    [MemberData(nameof(Files))]
    public void The_entry_is_inserted_and_nothing_else_changes(string text)
    {
        foreach (var store in new[] { Nas, Bucket, Azure })
        {
            var changed = StoreEntry.Insert(text, File, store);
            var before = text.Split('\n').Select(line => line.TrimEnd('\r')).Where(line => line.Length > 0);
            var left = changed.Split('\n').Select(line => line.TrimEnd('\r')).ToList();
            Assert.All(before, line => Assert.True(left.Remove(line), line));
            var withoutCrLf = text.Contains('\r', StringComparison.Ordinal) ? changed.Replace("\r\n", string.Empty, StringComparison.Ordinal) : string.Empty;
            Assert.DoesNotContain("\n", withoutCrLf, StringComparison.Ordinal);

            // And again: two stores stand side by side.
            var both = StoreEntry.Insert(changed, File, store with { Name = "second" });
            var again = Assert.Throws<BackupException>(() => StoreEntry.Insert(both, File, store with { Name = "SECOND" }));
            Assert.Equal(BackupErrorId.ConfigurationExists, again.ErrorId);
        }
    }

    [Theory]
    [InlineData("app: { backup: { enabled: true } }")]
    [InlineData("app:\n  backup: { enabled: true }\n")]
    [InlineData("app:\n  backup: wrong\n")]
    [InlineData("- a list\n")]
    [InlineData("app: [\n")]
    [InlineData("base: &b\n  backup:\n    backup_dir: x\napp: *b\nprod: *b\n")]
    [InlineData("d: &d\n  stores:\n    one:\n      path: /x\napp:\n  backup:\n    <<: *d\n")]
    public void Where_no_line_can_be_inserted_the_error_has_the_entry(string text)
    {
        var error = Assert.Throws<BackupException>(() => StoreEntry.Insert(text, File, Azure));
        Assert.Equal(BackupErrorId.ConfigurationInvalid, error.ErrorId);
        Assert.EndsWith("stores: { a: { provider: azure, container: \"c\", account_name: \"account\" } }", error.Message, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("true")]
    [InlineData("on")]
    [InlineData("1")]
    [InlineData("2026-01-01")]
    public void A_name_that_YAML_takes_for_something_else_is_quoted(string name)
    {
        var changed = StoreEntry.Insert("app:\n  backup:\n", File, Azure with { Name = name });
        Assert.Contains($"      \"{name}\":", changed, StringComparison.Ordinal);
    }

    [Fact]
    public void Letters_outside_the_first_plane_stand_as_they_are()
    {
        var store = Nas with { Location = Nas.Location with { Container = "/mnt/\U0001F5C4\u2028\u0085" } };
        var changed = StoreEntry.Insert(string.Empty, File, store);
        Assert.Contains("\"/mnt/\U0001F5C4\\u2028\\u0085\"", changed, StringComparison.Ordinal);
    }
}
