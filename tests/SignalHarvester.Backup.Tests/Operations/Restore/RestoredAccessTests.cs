using System.Text;
using System.Text.Json.Nodes;
using SignalHarvester.Backup.Encryption;
using SignalHarvester.Backup.Operations.Create;
using SignalHarvester.Backup.Progress;
using SignalHarvester.Backup.Storage;
using SignalHarvester.Backup.Storage.Ownership;
using SignalHarvester.Backup.Tests.Encryption;
using SignalHarvester.Backup.Tests.Support;
using SignalHarvester.Backup.TestSupport;
using Xunit;

namespace SignalHarvester.Backup.Tests.Operations.Restore;

/// <summary>A restored database has its former owner and permissions, and lets in nobody else, as recorded and as far as its new place allows.</summary>
public sealed class RestoredAccessTests : IDisposable
{
    private const uint Service = 4001;
    private const uint Readers = 4002;
    private const uint Stranger = 4666;
    private const string Label = "system_u:object_r:var_lib_t:s0";

    private readonly Scene scene = new();

    public RestoredAccessTests()
    {
        Assert.SkipUnless(
            OperatingSystem.IsLinux() && Environment.IsPrivilegedProcess,
            "only root can give files to others, and only Linux has all that a file can be given");
        scene.Files.Folder("srv");
        Databases.Create(Database);
    }

    private string Database => scene["srv", "app.db"];

    private string Folder => scene["srv"];

    public void Dispose() => scene.Dispose();

    [Theory]
    [InlineData("600", Service)]
    [InlineData("640", Service)]
    [InlineData("660", Readers)]
    public void A_lost_database_is_again_the_service_s_that_owns_its_folder(string mode, uint group)
    {
        Give(Folder, Service, group, "770");
        Give(Database, Service, group, mode);

        RestoreLost(Create());

        Assert.Equal($"{Service}:{group} {mode}", Access(Database));
        Assert.Empty(scene.Warnings);
    }

    [Theory]
    [InlineData(Service, Stranger, "660", "4001:0 600", "chown 4001:4666 ", "chmod 660 ")]
    [InlineData(Stranger, Service, "660", "0:4001 660", "chown 4666:4001 ", null)]
    [InlineData(Service, Service, "664", "4001:4001 660", "chmod 664 ", null)]
    [InlineData(0, 0, "644", "0:0 640", "chmod 644 ", null)]
    [InlineData(Stranger, Stranger, "644", "0:0 600", "chown 4666:4666 ", "chmod 644 ")]
    public void What_the_folder_does_not_say_too_is_told_with_the_commands_and_not_done(
        uint user, uint group, string mode, string expected, string command, string? another)
    {
        Give(Folder, user == 0 ? 0 : Service, user == 0 ? 0 : Service, "755");
        Give(Database, user, group, mode);

        RestoreLost(Create());

        Assert.Equal(expected, Access(Database));
        var warning = Assert.Single(scene.Warnings);
        Assert.All(
            [command, another ?? command],
            part => Assert.Contains(part + "'" + Database.Replace("'", @"'\''", StringComparison.Ordinal) + "'", warning, StringComparison.Ordinal));

        // The commands in the warning work.
        Run("sh", "-c", warning[(warning.IndexOf(": ch", StringComparison.Ordinal) + 2)..]);
        Assert.Equal($"{user}:{group} {mode}", Access(Database));
    }

    [Theory]
    [InlineData("7777")]
    [InlineData("4755")]
    [InlineData("0666")]
    public void A_forged_sidecar_neither_opens_a_database_nor_gives_it_to_somebody_else(string mode)
    {
        Give(Folder, Service, Service, "755");
        var backup = Create();
        var acl = new byte[]
        {
            2, 0, 0, 0, 1, 0, 6, 0, 255, 255, 255, 255, 2, 0, 6, 0, 0x3a, 0x12, 0, 0, 4, 0, 6, 0, 255, 255, 255, 255, 16, 0, 6, 0, 255, 255, 255, 255, 32, 0, 6,
            0, 255, 255, 255, 255,
        };
        Forge(backup, new JsonObject
        {
            ["user_id"] = Stranger,
            ["group_id"] = Stranger,
            ["mode"] = mode,
            ["attributes"] = new JsonObject
            {
                ["system.posix_acl_access"] = Convert.ToBase64String(acl),
                ["security.selinux"] = Convert.ToBase64String(Encoding.UTF8.GetBytes("evil")),
                ["security.capability"] = Convert.ToBase64String([1, 0, 0, 2, 0, 4, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0]),
                ["trusted.overlay.redirect"] = "AA==",
                ["user.overlay.redirect"] = "AA==",
                ["user.rsync.%stat"] = "AA==",
                ["user.note"] = "AA==",
            },
        });

        RestoreLost(scene.Directory.Get(backup.Id));

        Assert.Equal("0:0 600", Access(Database));
        Assert.Equal(["user.note"], Attributes(Database));
        var warning = Assert.Single(scene.Warnings);
        Assert.Contains("setfacl --set u::rw-,u:4666:rw-,g::rw-,m::rw-,o::rw- ", warning, StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{ "user_id": 4294967295, "group_id": 0, "mode": "0600" }""")]
    [InlineData("""{ "user_id": -1, "group_id": 0, "mode": "0600" }""")]
    [InlineData("""{ "user_id": 0, "mode": "0600" }""")]
    [InlineData("""{ "user_id": 0, "group_id": 0, "mode": "rw-rw-rw-" }""")]
    [InlineData("""{ "user_id": 0, "group_id": 0, "mode": "600", "user": "--reference=/etc/shadow" }""")]
    [InlineData("""{ "user_id": 0, "group_id": 0, "mode": "600", "group": "x\nrm -rf /" }""")]
    [InlineData("""{ "user_id": 0, "group_id": 0, "mode": "600", "attributes": { "user.x": "no base64!" } }""")]
    public void What_can_be_no_file_s_access_makes_a_sidecar_invalid(string access)
    {
        var backup = Create();
        Forge(backup, JsonNode.Parse(access)!);

        Scene.Fails(BackupErrorId.SidecarInvalid, BackupErrorCategory.InvalidData, () => scene.Directory.Get(backup.Id));
    }

    [Fact]
    public void An_account_counts_by_its_name_and_a_number_that_is_another_s_here_does_not()
    {
        var nobody = UnixAccounts.User("nobody")!.Value;
        Give(Folder, nobody, 0, "755");
        var backup = Create();

        Forge(backup, new JsonObject { ["user_id"] = 4711, ["user"] = "nobody", ["group_id"] = 0, ["group"] = "root", ["mode"] = "0600" });
        RestoreLost(scene.Directory.Get(backup.Id));
        Assert.Equal($"{nobody}:0 600", Access(Database));

        Forge(backup, new JsonObject { ["user_id"] = nobody, ["user"] = "a name of elsewhere", ["group_id"] = 0, ["mode"] = "0600" });
        RestoreLost(scene.Directory.Get(backup.Id));
        Assert.Equal("0:0 600", Access(Database));
        Assert.Contains("chown 'a name of elsewhere':0 ", Assert.Single(scene.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void An_access_list_comes_back_where_the_folder_hands_it_down_and_else_is_told()
    {
        Give(Folder, Service, Service, "770");
        Give(Database, Service, Service, "600");
        Run("setfacl", "-m", "u:4002:rw", Database);
        var backup = Create();

        RestoreLost(backup);
        Assert.Equal("4001:4001 600", Access(Database));
        Assert.Contains("setfacl --set u::rw-,u:4002:rw-,g::---,m::rw-,o::--- ", Assert.Single(scene.Warnings), StringComparison.Ordinal);

        Run("setfacl", "-d", "-m", "u:4002:rw", Folder);
        RestoreLost(backup);
        Assert.Contains("user:4002:rw-", Run("getfacl", "-n", "-p", Database), StringComparison.Ordinal);
        Assert.Single(scene.Warnings);
    }

    [Fact]
    public void A_folder_that_lets_more_people_in_than_before_does_not_do_so_with_a_restored_database()
    {
        Give(Folder, Service, Service, "770");
        Give(Database, Service, Service, "660");
        var backup = Create();
        Run("setfacl", "-d", "-m", "u:4666:rw", Folder);

        RestoreLost(backup);

        Assert.DoesNotContain("4666", Run("getfacl", "-n", "-p", Database), StringComparison.Ordinal);
        Assert.Equal("4001:4001 660", Access(Database));
    }

    [Fact]
    public void What_takes_the_place_of_a_damaged_file_is_all_that_it_was_and_so_is_what_is_kept_of_it()
    {
        Give(Folder, 0, 0, "755");
        var backup = Create();
        File.WriteAllText(Database, "This is no database any more.");
        Give(Database, Stranger, Readers, "640");
        Run("setfacl", "-m", "u:4001:r", Database);
        Run("setfattr", "-n", "user.note", "-v", "mine", Database);
        Run("setfattr", "-n", "security.selinux", "-v", Label, Database);

        scene.RestoreTo(Database, backup);

        foreach (var path in new[] { Database, Assert.Single(Directory.GetFiles(Folder, "app.db.damaged-*")) })
        {
            Assert.Equal($"{Stranger}:{Readers} 640", Access(path));
            Assert.Contains("user:4001:r--", Run("getfacl", "-n", "-p", path), StringComparison.Ordinal);
            Assert.Equal(["security.selinux", "system.posix_acl_access", "user.note"], Attributes(path));
        }
    }

    [Fact]
    public void The_set_user_bit_of_a_damaged_file_is_not_given_to_a_database()
    {
        var backup = Create();
        File.WriteAllText(Database, "This is no database any more.");
        Give(Database, Service, Service, "6755");

        scene.RestoreTo(Database, backup);

        Assert.Equal("4001:4001 755", Access(Database));
    }

    [Fact]
    public void A_label_is_recorded()
    {
        Run("setfattr", "-n", "security.selinux", "-v", Label, Database);
        var backup = Create();
        Give(Database, 0, 0, "600");

        Assert.Equal(Label, Encoding.UTF8.GetString(scene.Directory.Get(backup.Id).FileAccess!.Attributes["security.selinux"]).TrimEnd('\0'));
    }

    [Fact]
    public void Folding_keeps_what_the_newest_child_recorded()
    {
        Give(Folder, Service, Service, "770");
        Give(Database, 0, 0, "600");
        var full = Create();
        using (var user = Databases.Open(Database))
        {
            Databases.Execute(user, "INSERT INTO audit(what) VALUES ('one')");
        }

        Give(Database, Service, Service, "660");
        var increment = Create(new CreateBackupOptions { Strategy = BackupStrategy.Incremental });
        Assert.Equal(BackupType.Incremental, increment.Type);
        Assert.Equal([full.Id], scene.Remove(full).Removed);

        RestoreLost(scene.Directory.Get(increment.Id));

        Assert.Equal("4001:4001 660", Access(Database));
    }

    [Fact]
    public void A_safety_backup_records_it_too()
    {
        Give(Folder, Service, Service, "770");
        Give(Database, Service, Service, "640");
        var backup = Create();
        scene.RestoreTo(Database, backup);
        Assert.Equal("4001:4001 640", Access(Database));

        RestoreLost(scene.Directory.List().Backups.Single(kept => kept.IsSafety));

        Assert.Equal("4001:4001 640", Access(Database));
    }

    [Fact]
    public void An_encrypted_backup_records_whose_it_was_and_not_what_users_wrote_into_its_attributes()
    {
        Give(Folder, Service, Service, "770");
        Give(Database, Service, Service, "600");
        Run("setfattr", "-n", "user.note", "-v", "what it is about", Database);
        using var keys = new AgeFiles();
        var context = scene.Context() with { Identities = keys.Ring };

        var backup = Create(new CreateBackupOptions { Encryption = BackupEncryption.To([keys.Recipient]) }, context: context);

        Assert.DoesNotContain("user.note", File.ReadAllText(scene.Stored(backup.Id + ".json")), StringComparison.Ordinal);
        File.Delete(Database);
        scene.RestoreTo(Database, scene.Directory.Get(backup.Id), context);
        Assert.Equal("4001:4001 600", Access(Database));
    }

    [Fact]
    public void Only_the_file_that_was_made_is_given_away_and_no_other_in_its_place()
    {
        FileIdentity? identity;
        using (var file = File.OpenHandle(scene["made"], FileMode.CreateNew, FileAccess.ReadWrite))
        {
            identity = FileIdentity.Of(file);
        }

        Assert.Equal($"{identity!.Value.Device} {identity.Value.Inode}", Run("stat", "-c", "%d %i", scene["made"]).Trim());
        FileOwnership.OpenOwn(scene["made"], identity).Dispose();
        Run("mkfifo", scene["pipe"]);
        File.CreateSymbolicLink(scene["link"], scene["made"]);
        File.WriteAllText(scene["other"], "other");

        Assert.All(
            (string[])["pipe", "link", "other", "nothing"],
            name => Assert.ThrowsAny<IOException>(() => FileOwnership.OpenOwn(scene[name], identity).Dispose()));
    }

    [Fact]
    public void Attributes_of_users_come_back()
    {
        Give(Database, 0, 0, "600");
        Run("setfattr", "-n", "user.note", "-v", "mine", Database);

        RestoreLost(Create());

        Assert.Equal(["user.note"], Attributes(Database));
    }

    [Fact]
    public void What_does_not_say_whose_it_was_is_for_root_alone_and_root_is_told()
    {
        Give(Folder, Service, Service, "770");
        var backup = Create();
        Forge(backup, null);

        RestoreLost(scene.Directory.Get(backup.Id));

        Assert.Equal("0:0 600", Access(Database));
        Assert.Contains("chown ACCOUNT ", Assert.Single(scene.Warnings), StringComparison.Ordinal);
    }

    private static void Give(string path, uint user, uint group, string mode)
    {
        Run("chown", $"{user}:{group}", path);
        Run("chmod", mode, path);
    }

    private static string Run(string tool, params string[] arguments) => Tool.Require(tool).Run(arguments).EnsureSuccess().Output;

    private static string Access(string path) => Run("stat", "-c", "%u:%g %a", path).Trim();

    private static IEnumerable<string> Attributes(string path) =>
        Run("getfattr", "--absolute-names", "-m", "-", path).Split('\n').Where(line => line.Length > 0 && line[0] != '#').Order(StringComparer.Ordinal);

    private BackupMetadata Create(CreateBackupOptions? options = null, OperationContext? context = null) => scene.Create(options, Database, context);

    private void RestoreLost(BackupMetadata backup)
    {
        File.Delete(Database);
        scene.RestoreTo(Database, backup);
    }

    private void Forge(BackupMetadata backup, JsonNode? access)
    {
        var path = scene.Stored(backup.Id + ".json");
        var sidecar = JsonNode.Parse(File.ReadAllText(path))!.AsObject();
        sidecar["file_access"] = access;
        File.WriteAllText(path, sidecar.ToJsonString());
    }
}
