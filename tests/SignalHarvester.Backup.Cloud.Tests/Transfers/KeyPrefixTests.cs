using SignalHarvester.Backup.Catalog;
using SignalHarvester.Backup.ObjectStorage;
using SignalHarvester.Backup.ObjectStorage.Folder;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Operations.Transfer;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Cloud.Tests.Transfers;

/// <summary>Which form a given prefix gets, and which prefixes are refused. ObjectStoreConformance tests what stores do with them.</summary>
public sealed class KeyPrefixTests
{
    [Theory]
    [InlineData(CloudProvider.S3, false, "machine1", "machine1/")]
    [InlineData(CloudProvider.S3, false, "/machine1", "/machine1/")]
    [InlineData(CloudProvider.S3, true, "/machine1", "machine1/")]
    [InlineData(CloudProvider.S3, true, "//machine1", "machine1/")]
    [InlineData(CloudProvider.S3, true, "/", "")]
    [InlineData(CloudProvider.S3, true, "a//b/", "a//b/")]
    [InlineData(CloudProvider.S3, true, "a\\b", "a\\b/")]
    [InlineData(CloudProvider.S3, true, "machine1\r", "machine1\r/")]
    [InlineData(CloudProvider.Gcs, false, "/machine1", "/machine1/")]
    [InlineData(CloudProvider.Gcs, true, "/machine1", "/machine1/")]
    [InlineData(CloudProvider.Azure, false, "/machine1", "machine1/")]
    [InlineData(CloudProvider.Azure, false, "///", "")]
    [InlineData(CloudProvider.Azure, false, "site\\machine1", "site/machine1/")]
    [InlineData(CloudProvider.Azure, false, "v1./b..", "v1/b/")]
    [InlineData(CloudProvider.Azure, false, ".hidden/a.b", ".hidden/a.b/")]
    [InlineData(CloudProvider.Directory, false, "a.b/c", "a.b/c/")]
    public void A_prefix_becomes_what_keys_begin_with_in_the_store(CloudProvider provider, bool pathStyle, string given, string expected)
    {
        var location = new StoreLocation { Provider = provider, Container = "/c", UsePathStyle = pathStyle, Prefix = given };

        KeyPrefix.Require(location);

        Assert.Equal(expected, location.Prefix);
        Assert.Equal(expected, (location with { Prefix = location.Prefix }).Prefix);

        // In any order of initialisation.
        Assert.Equal(location, new StoreLocation { Prefix = given, UsePathStyle = pathStyle, Container = "/c", Provider = provider });
        Assert.Equal(location.GetHashCode(), (location with { Prefix = expected }).GetHashCode());
    }

    [Theory]
    [InlineData(CloudProvider.S3, "..")]
    [InlineData(CloudProvider.S3, "a/./b")]
    [InlineData(CloudProvider.S3, "a\uffffb")]
    [InlineData(CloudProvider.Gcs, "a/../b")]
    [InlineData(CloudProvider.Gcs, "a\0b")]
    [InlineData(CloudProvider.Azure, "a\\..\\b")]
    [InlineData(CloudProvider.Azure, "a/.../b")]
    [InlineData(CloudProvider.Azure, "machine1\r")]
    [InlineData(CloudProvider.Azure, "a\ufffeb")]
    [InlineData(CloudProvider.Directory, "a\0b")]
    public void A_prefix_that_would_not_arrive_as_it_was_given_is_refused(CloudProvider provider, string prefix)
    {
        var error = Assert.Throws<BackupException>(
            () => ObjectStores.Open(new StoreLocation { Provider = provider, Container = "c", Prefix = prefix }, new StoreOptions()));

        Assert.Equal((BackupErrorId.InvalidArgument, "Prefix"), (error.ErrorId, error.Target));
        Assert.Contains("-Prefix", error.Message, StringComparison.Ordinal);
        Assert.DoesNotContain(error.Message, char.IsControl);
    }

    [Fact]
    public void Half_a_character_is_refused()
    {
        foreach (var provider in Enum.GetValues<CloudProvider>())
        {
            foreach (var prefix in (string[])["a\ud800b", "\udc00", "a\ud83d"])
            {
                Assert.Throws<BackupException>(() => KeyPrefix.Require(new StoreLocation { Provider = provider, Container = "c", Prefix = prefix }));
            }

            KeyPrefix.Require(new StoreLocation { Provider = provider, Container = "c", Prefix = "a\ud83d\ude00b" });
        }
    }

    [Theory]
    [InlineData(CloudProvider.S3, true, "/machine1/", "machine1")]
    [InlineData(CloudProvider.Azure, false, "//machine1/", "/machine1")]
    [InlineData(CloudProvider.Azure, false, "site\\machine1/", "site/machine1")]
    [InlineData(CloudProvider.S3, false, "/machine1/", "/machine1/")]
    [InlineData(CloudProvider.Gcs, false, "/machine1/", "/machine1")]
    public void A_copy_that_was_recorded_with_its_prefix_as_it_was_given_lies_in_the_place_of_today(
        CloudProvider provider, bool pathStyle, string recorded, string given)
    {
        var copy = new BackupCopy { Provider = provider, Url = "x", Container = "c", Prefix = recorded, UsePathStyle = pathStyle };

        Assert.True(copy.IsIn(new StoreLocation { Provider = provider, Container = "c", Prefix = given, UsePathStyle = pathStyle }));
        Assert.False(copy.IsIn(new StoreLocation { Provider = provider, Container = "c", Prefix = "other", UsePathStyle = pathStyle }));
    }

    [Theory]
    [InlineData("/machine1")]
    [InlineData("a//b")]
    public void A_store_that_takes_slashes_away_as_it_stores_and_not_as_it_lists_is_found_out_by_each_send(string prefix)
    {
        using var folder = new TempFolder();
        Databases.Create(folder["app.db"], new DatabaseShape { Rows = 20 });
        var context = new OperationContext(TimeProvider.System, _ => { }, TestContext.Current.CancellationToken);
        var directory = new BackupDirectory(folder["backups"], TimeProvider.System);
        var backup = CreateBackup.Run(folder["app.db"], directory, new CreateBackupOptions(), context);
        using var store = new DirectoryStore(new StoreLocation { Provider = CloudProvider.Directory, Container = folder["there"] }, new StoreOptions());
        using var remote = new StoreCatalog(
            new WatchedStore(store)
            {
                ListsNothing = true,
                OtherLocation = new StoreLocation { Provider = CloudProvider.Gcs, Container = "c", Prefix = prefix },
            },
            TimeProvider.System);
        remote.RequireContainer(create: true, context.Cancellation);

        for (var time = 1; time <= 2; time++)
        {
            var error = Assert.Throws<BackupException>(() => SendBackup.Run(backup, directory, remote, context));

            Assert.Equal(BackupErrorId.CloudRefused, error.ErrorId);
            Assert.Contains($"-Prefix '{(prefix == "a//b" ? "a/b/" : "machine1/")}'", error.Message, StringComparison.Ordinal);
            Assert.Empty(directory.Get(backup.Id).Copies);
        }
    }
}
