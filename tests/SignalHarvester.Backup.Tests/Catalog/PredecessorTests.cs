using System.Text.Json.Nodes;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Catalog;

/// <summary>Backups of the Python tool are listed, verified, restored and removed like our own.</summary>
public sealed class PredecessorTests : IDisposable
{
    private readonly Scene scene = new();
    private readonly PredecessorBackups predecessor;

    public PredecessorTests()
    {
        Directory.CreateDirectory(scene.Directory.Path);
        predecessor = new PredecessorBackups(scene.Directory.Path);
    }

    public static TheoryData<string> Forms => [.. PredecessorBackups.Forms.Keys];

    public void Dispose() => scene.Dispose();

    [Theory]
    [MemberData(nameof(Forms))]
    public void Each_form_is_listed_verified_restored_and_removed(string name)
    {
        var form = PredecessorBackups.Forms[name];
        Databases.CreateWithLeftWal(scene.Database, new DatabaseShape { Rows = 200 });
        var made = predecessor.Add(scene.Database, form);

        var listing = scene.Directory.List();
        Assert.Empty(listing.Faults);
        var listed = Assert.Single(listing.Backups);
        Assert.Equal(made.Id, listed.Id);
        Assert.Equal(made.Path, listed.BackupPath);
        Assert.Equal(made.Checksum, listed.Checksum);
        Assert.Equal(made.Size, listed.Size);
        Assert.Equal(form.SidecarVerified || form.IndexVerified, listed.Verified);
        Assert.Equal(new DateTimeOffset(form.Timestamp), listed.Timestamp);
        Assert.True(listed.IsPredecessor);
        Assert.Equal("nächtlich", listed.Description);
        Assert.Equal("collector-1", listed.Metadata["host"]);

        var outcome = scene.Verify(listed);
        Assert.Null(outcome.Fault);
        var verified = scene.Directory.Get(made.Id);
        Assert.True(verified.Verified);
        Assert.Equal(VerificationLevel.Full, verified.VerificationLevel);
        Assert.Equal(scene.Clock.GetUtcNow(), verified.VerificationTimestamp);
        Assert.True(verified.IsPredecessor);
        Assert.Null(scene.Verify(verified, VerificationLevel.Quick).Fault);

        if (form.Type == "wal")
        {
            Scene.Fails(BackupErrorId.BackupTypeUnsupported, BackupErrorCategory.InvalidOperation, () => scene.RestoreTo(scene["new.db"], verified));
        }
        else
        {
            scene.RestoreTo(scene["new.db"], verified);
            Assert.Equal(made.Checksum, Scene.Digest(scene["new.db"]));
        }

        scene.Directory.Remove([made.Id], new HashSet<string>(), _ => { }, fault => throw fault, CancellationToken.None);
        Assert.Empty(scene.Directory.List().Backups);
        Assert.False(File.Exists(made.Path));
        if (form.Index)
        {
            Assert.Empty(JsonNode.Parse(File.ReadAllText(scene.Stored("backups.json")))!.AsArray());
        }
    }

    [Theory]
    [MemberData(nameof(Forms))]
    public void A_damaged_backup_of_each_form_is_found_out_quick_and_full(string name)
    {
        Databases.CreateWithLeftWal(scene.Database, new DatabaseShape { Rows = 200 });
        var made = predecessor.Add(scene.Database, PredecessorBackups.Forms[name]);
        var content = File.ReadAllBytes(made.Path);
        content[content.Length / 2] ^= 0x10;
        File.WriteAllBytes(made.Path, content);

        foreach (var level in (VerificationLevel[])[VerificationLevel.Quick, VerificationLevel.Full])
        {
            var outcome = scene.Verify(scene.Directory.Get(made.Id), level);
            Assert.NotNull(outcome.Fault);
            Assert.False(outcome.Backup.Verified);
        }

        Assert.False(scene.Directory.Get(made.Id).Verified);
    }

    [Theory]
    [InlineData("not JSON")]
    [InlineData("{}")]
    [InlineData("[{\"backup_id\":\"backup_20200101_000000\",\"backup_id\":\"x\"}]")]
    [InlineData("[{\"backup_id\":\"\\ud800\"}]")]
    [InlineData("[1,null,\"x\",{},{\"backup_id\":5},{\"backup_id\":\"../../etc/passwd\",\"backup_path\":\"/etc/passwd\",\"size_bytes\":1}]")]
    [InlineData("[{\"backup_id\":\"backup_20200101_000000\"}]")]
    public void A_hostile_index_hides_no_backup_that_has_a_sidecar(string index)
    {
        Databases.Create(scene.Database, new DatabaseShape { Rows = 20 });
        var backup = scene.Create();
        File.WriteAllText(scene.Stored("backups.json"), index);

        var listing = scene.Directory.List();

        Assert.Equal([backup.Id], listing.Backups.Select(found => found.Id));
        Assert.All(listing.Faults, fault => Assert.Contains(fault.ErrorId, (string[])[BackupErrorId.SidecarInvalid, BackupErrorId.SidecarHostile]));
        Assert.Equal(backup.Id, scene.Directory.Get(backup.Id).Id);
        scene.Directory.Remove([backup.Id], new HashSet<string>(), _ => { }, fault => throw fault, CancellationToken.None);
        Assert.Equal(index, File.ReadAllText(scene.Stored("backups.json")));
    }
}
