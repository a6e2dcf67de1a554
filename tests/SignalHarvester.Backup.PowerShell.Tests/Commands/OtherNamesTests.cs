using System.Globalization;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>
/// A database file with other names. SQLite finds its log by the name of the file: a log beside another name would be missing in a
/// backup, and would overlay a restore.
/// </summary>
public sealed class OtherNamesTests : IDisposable
{
    private const string WalMode = "PRAGMA journal_mode = WAL; PRAGMA wal_autocheckpoint = 0; PRAGMA wal_checkpoint(TRUNCATE);";
    private const string Commit = "INSERT INTO customer(name) VALUES ('only in the log');";

    private readonly Workspace workspace = new();

    public OtherNamesTests() => Assert.SkipWhen(OperatingSystem.IsWindows(), "the names of a file are asked for on Unix alone");

    public static TheoryData<string> Ways => new(
        "New-SHBackup {0}",
        "Restore-SHBackup {1} -Destination {0} -Force",
        "Restore-SHBackup {1} -Destination {0} -Delta -Force -NoSafetyBackup",
        "Restore-SHBackup {1} -Table customer -Into {0} -Force",
        "Compare-SHBackup {1} -Database {0}");

    public void Dispose() => workspace.Dispose();

    [Theory]
    [MemberData(nameof(Ways))]
    public void A_name_beside_which_the_log_does_not_lie_is_refused_and_nothing_is_changed(string way)
    {
        var id = workspace.MakeBackup().Id;
        using var application = new DatabaseHolder(workspace.Database, WalMode + Commit);
        Link("./alias.db");
        var before = Files();

        AssertRefused(way, "./alias.db", id, workspace.Database);

        Assert.Equal(before, Files());
        Assert.Equal(21, workspace.MakeBackup().RowCounts!["customer"]);
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void A_name_that_an_application_does_not_use_is_refused_wherever_the_one_that_it_uses_is(string way)
    {
        var id = workspace.MakeBackup().Id;
        using var application = new DatabaseHolder(workspace.Database, WalMode + Commit);
        Directory.CreateDirectory(workspace["elsewhere"]);
        Link("./elsewhere/alias.db");
        var before = Files();

        AssertRefused($"{way} -AllowHardLink", "./elsewhere/alias.db", id, "mount the folder");

        Assert.Equal(before, Files());
    }

    [Theory]
    [MemberData(nameof(Ways))]
    public void A_log_that_a_crash_left_beside_a_name_in_another_folder_is_thought_of(string way)
    {
        var id = workspace.MakeBackup().Id;
        var crashed = Databases.CreateWithLeftWal(workspace["crashed.db"], new DatabaseShape { Rows = 20 });
        Directory.CreateDirectory(workspace["elsewhere"]);
        Tool.Require("ln").Run(crashed, workspace["elsewhere", "alias.db"]).EnsureSuccess();
        var before = Files();

        AssertRefused(way, "./elsewhere/alias.db", id, "-AllowHardLink");

        Assert.Equal(before, Files());
    }

    [Fact]
    public void A_database_whose_log_was_deleted_under_its_application_is_refused()
    {
        using var application = new DatabaseHolder(workspace.Database, WalMode + Commit);
        File.Delete(workspace.Database + "-wal");

        AssertRefused("New-SHBackup {0}", "./app.db", "", "was deleted");
    }

    [Fact]
    public void A_tree_of_snapshots_is_backed_up_and_restored_with_the_switch_that_says_so()
    {
        Execute(WalMode);
        Directory.CreateDirectory(workspace["daily.0"]);
        Link("./daily.0/app.db");
        AssertRefused("New-SHBackup {0}", "./daily.0/app.db", "", "-AllowHardLink");

        var made = workspace.Run("New-SHBackup ./daily.0/app.db -AllowHardLink").WithoutErrors();

        Assert.Equal(20, made.As<BackupMetadata>().Single().RowCounts!["customer"]);
        Assert.Empty(made.Warnings);
        workspace.Run("Get-SHBackup | Restore-SHBackup -Destination ./daily.0/app.db -AllowHardLink -Force").WithoutErrors();
    }

    [Fact]
    public void A_tree_of_snapshots_is_backed_up_where_the_configuration_says_so()
    {
        Execute(WalMode);
        Directory.CreateDirectory(workspace["daily.0"]);
        Link("./daily.0/app.db");
        workspace.Configure("app: {backup: {allow_hard_link: true, backup_dir: ../backups}}");

        workspace.Run("New-SHBackup ./daily.0/app.db").WithoutErrors();
        AssertRefused("New-SHBackup {0} -AllowHardLink:$false", "./daily.0/app.db", "", "-AllowHardLink");
    }

    [Fact]
    public void A_database_without_a_write_ahead_log_is_backed_up_by_any_name_with_a_warning()
    {
        Execute("PRAGMA journal_mode = DELETE");
        Directory.CreateDirectory(workspace["daily.0"]);
        Link("./daily.0/app.db");

        var made = workspace.Run("New-SHBackup ./daily.0/app.db").WithoutErrors();

        Assert.Contains("2 names", Assert.Single(made.Warnings), StringComparison.Ordinal);
    }

    [Fact]
    public void The_name_that_the_application_uses_is_backed_up_and_restored_whatever_other_names_there_are()
    {
        using var application = new DatabaseHolder(workspace.Database, WalMode + Commit);
        Link("./beside.db");
        Directory.CreateDirectory(workspace["elsewhere"]);
        Link("./elsewhere/alias.db");

        var made = workspace.Run("New-SHBackup ./app.db").WithoutErrors();
        application.Execute("DELETE FROM customer;");
        var restored = workspace.Run("Get-SHBackup | Restore-SHBackup -Destination ./app.db -Force").WithoutErrors();

        Assert.Equal(21, made.As<BackupMetadata>().Single().RowCounts!["customer"]);
        Assert.Contains(restored.Warnings, warning => warning.Contains("beside.db", StringComparison.Ordinal));
        Assert.Equal("21", application.Execute("SELECT count(*) FROM customer;"));
    }

    [Fact]
    public void A_delta_of_a_file_with_other_names_is_a_restore_of_the_whole()
    {
        var id = workspace.MakeBackup().Id;
        Link("./alias.db");
        Execute("DELETE FROM reading");

        var restored = workspace.Run($"Restore-SHBackup {id} -Destination ./app.db -Delta -Force").WithoutErrors();

        Assert.Contains(restored.Warnings, warning => warning.Contains("has other names", StringComparison.Ordinal));
        Assert.Equal("20", Query(workspace["alias.db"], "SELECT count(*) FROM reading"));
    }

    [Theory]
    [InlineData(512)]
    [InlineData(4096)]
    [InlineData(65536)]
    public void A_dead_file_is_restored_under_all_its_names(int pageSize)
    {
        var database = Databases.Create(workspace["dead.db"], new DatabaseShape { Rows = 300, PageSize = pageSize });
        workspace.Run("New-SHBackup ./dead.db").WithoutErrors();
        Tool.Require("ln").Run(database, workspace["alias.db"]).EnsureSuccess();
        using (var file = File.Open(database, FileMode.Open))
        {
            file.SetLength(10_000_000);
            file.Write(new byte[8192]);
        }

        File.WriteAllText(database + "-wal", "left of it");
        File.WriteAllText(database + "-journal", "left of it too");

        workspace.Run("Get-SHBackup | Restore-SHBackup -Destination ./dead.db -Force").WithoutErrors();

        Assert.Equal(["alias.db", "dead.db"], [.. Directory.EnumerateFiles(workspace.Folder, "*.db*")
            .Select(Path.GetFileName)
            .Where(name => !name!.Contains("damaged", StringComparison.Ordinal) && name is not "app.db")
            .Order(StringComparer.Ordinal)]);
        Assert.Equal(File.ReadAllBytes(database), File.ReadAllBytes(workspace["alias.db"]));
        Assert.Equal("300", Query(workspace["alias.db"], "SELECT count(*) FROM customer"));
        Assert.Equal("ok", Query(workspace["alias.db"], "PRAGMA integrity_check"));
    }

    [Fact]
    public void A_link_leads_where_the_system_says_and_not_where_its_text_does()
    {
        Directory.CreateDirectory(workspace["real", "inner"]);
        Databases.Create(workspace["real", "target.db"], new DatabaseShape { Rows = 7 });
        Databases.Create(workspace["target.db"], new DatabaseShape { Rows = 9 });
        Directory.CreateSymbolicLink(workspace["folder"], workspace["real", "inner"]);
        File.CreateSymbolicLink(workspace["real", "inner", "link.db"], Path.Combine("..", "target.db"));

        var made = workspace.Run("New-SHBackup ./folder/link.db").WithoutErrors().As<BackupMetadata>().Single();
        workspace.Run($"Restore-SHBackup {workspace.MakeBackup().Id} -Destination ./folder/link.db -AllowOtherDatabase -Force").WithoutErrors();

        Assert.Equal(7, made.RowCounts!["customer"]);
        Assert.Equal(workspace["real", "target.db"], made.DatabasePath);
        Assert.Equal(
            ["9", "20"],
            [Query(workspace["target.db"], "SELECT count(*) FROM customer"), Query(workspace["real", "target.db"], "SELECT count(*) FROM customer")]);
    }

    private static string Query(string database, string sql)
    {
        using var connection = Databases.Open(database);
        return Databases.Scalar(connection, sql);
    }

    private void Execute(string sql)
    {
        using var connection = Databases.Open(workspace.Database);
        Databases.Execute(connection, sql);
    }

    private void Link(string alias) => Tool.Require("ln").Run(workspace.Database, Path.GetFullPath(alias, workspace.Folder)).EnsureSuccess();

    /// <summary>Returns all files except those of the backup directory and the -shm, which has no content.</summary>
    private SortedDictionary<string, string> Files() => new(
        Directory.EnumerateFiles(workspace.Folder, "*", SearchOption.AllDirectories)
            .Where(file => !file.StartsWith(workspace.Backups, StringComparison.Ordinal) && !file.EndsWith("-shm", StringComparison.Ordinal))
            .ToDictionary(file => file, file => Convert.ToHexString(System.Security.Cryptography.SHA256.HashData(File.ReadAllBytes(file)))),
        StringComparer.Ordinal);

    private void AssertRefused(string way, string path, string id, string said)
    {
        var result = workspace.Run(string.Format(CultureInfo.InvariantCulture, way, path, id));
        var error = Assert.Single(result.Errors);
        Assert.StartsWith(BackupErrorId.DatabaseHasOtherNames + ",", error.FullyQualifiedErrorId, StringComparison.Ordinal);
        Assert.Equal(Path.GetFullPath(path, workspace.Folder), error.TargetObject);
        Assert.Contains(said, error.Exception.Message, StringComparison.Ordinal);
        Assert.Empty(result.Output);
    }
}
