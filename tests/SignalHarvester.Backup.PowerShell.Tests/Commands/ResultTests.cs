using System.Reflection;
using System.Text.Json.Nodes;
using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>What a command did is an object that says so, and that goes wherever a backup goes.</summary>
public class ResultTests
{
    private const string There = "-Provider Directory -Container ./offsite -Prefix m1/";

    // The effect of a job, Export-Clixml and a remote session on an object.
    private const string ThroughAJob =
        "ForEach-Object { [System.Management.Automation.PSSerializer]::Deserialize([System.Management.Automation.PSSerializer]::Serialize($_)) }";

    private static readonly Type[] Results = [typeof(BackupTestResult), typeof(BackupRestoreResult), typeof(BackupTransferResult)];

    [Fact]
    public void A_test_says_whether_it_passed_how_deep_how_long_and_what_was_checked()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        var full = One<BackupTestResult>(workspace, "Get-SHBackup | Test-SHBackup");
        var quick = One<BackupTestResult>(workspace, "Get-SHBackup | Test-SHBackup -Level Quick");
        Workspace.FlipByte(made.BackupPath);
        var failed = workspace.Run("Get-SHBackup | Test-SHBackup").As<BackupTestResult>().Single();

        Assert.Equal((made.Id, true, VerificationLevel.Full), (full.Id, full.Passed, full.Level));
        Assert.True(full.Elapsed > TimeSpan.Zero);
        Assert.Contains($"{full.Verification.Count} checks passed; {made.RowCounts!.Values.Sum()} rows in ", full.Detail, StringComparison.Ordinal);
        Assert.Equal((true, VerificationLevel.Quick, VerificationLevel.Full), (quick.Passed, quick.Level, quick.VerificationLevel));
        Assert.Equal((false, false), (failed.Passed, failed.Verified));
        Assert.StartsWith(failed.Verification.First(check => !check.Passed).Check + ": ", failed.Detail, StringComparison.Ordinal);
    }

    [Fact]
    public void A_restore_says_where_to_how_much_how_long_what_was_checked_and_what_is_kept()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        var rows = made.RowCounts!.Values.Sum();

        var fresh = One<BackupRestoreResult>(workspace, "Get-SHBackup | Restore-SHBackup -Destination ./new.db");
        var over = One<BackupRestoreResult>(workspace, $"Restore-SHBackup {made.Id} ./app.db -Force");
        var unkept = One<BackupRestoreResult>(workspace, $"Restore-SHBackup {made.Id} ./app.db -Force -NoSafetyBackup -NoVerify");
        var delta = One<BackupRestoreResult>(workspace, $"Restore-SHBackup {made.Id} ./app.db -Force -Delta");
        File.WriteAllText(workspace["broken.db"], "no database");
        var raw = One<BackupRestoreResult>(workspace, $"Restore-SHBackup {made.Id} ./broken.db -Force");

        Assert.Equal(
            (made.Id, workspace["new.db"], made.DatabaseSize, (long?)rows), (fresh.Id, fresh.RestoredTo, (long?)fresh.RestoredBytes, fresh.RestoredRows));
        Assert.Equal((null, null), (fresh.SafetyBackupId, fresh.SafetyBackupPath));
        Assert.True(fresh.Elapsed > TimeSpan.Zero);
        Assert.Contains($"checks passed; {rows} rows in ", fresh.Detail, StringComparison.Ordinal);
        var safety = workspace.Run("Get-SHBackup | Where-Object IsSafety").WithoutErrors().As<BackupMetadata>();
        Assert.Equal(safety.Select(backup => $"{backup.Id} {backup.BackupPath}").Order(), Kept(over, delta).Order());
        Assert.Equal((null, null, null), (unkept.SafetyBackupId, unkept.SafetyBackupPath, unkept.RestoredRows));
        Assert.Null(raw.SafetyBackupId);
        Assert.Equal("no database", File.ReadAllText(raw.SafetyBackupPath!));

        static IEnumerable<string> Kept(params BackupRestoreResult[] results) =>
            results.Select(result => $"{result.SafetyBackupId} {result.SafetyBackupPath}");
    }

    [Fact]
    public void A_transfer_says_from_where_to_where_and_how_much()
    {
        using var workspace = new Workspace();
        workspace.Change();
        var full = workspace.MakeBackup();
        workspace.Change();
        var newest = workspace.MakeBackup("-Type Incremental");

        var first = One<BackupTransferResult>(workspace, $"Send-SHBackup {full.Id} {There} -CreateContainer");
        var second = One<BackupTransferResult>(workspace, $"Send-SHBackup {newest.Id} {There}");
        var again = One<BackupTransferResult>(workspace, $"Send-SHBackup {newest.Id} {There}");
        var store = One<BackupMetadata>(workspace, $"Get-SHBackup {newest.Id} -Remote {There}").Location!.ToString();
        var back = One<BackupTransferResult>(workspace, $"Receive-SHBackup {newest.Id} {There} -BackupDirectory ./back");
        var backAgain = One<BackupTransferResult>(workspace, $"Receive-SHBackup {newest.Id} {There} -BackupDirectory ./back");

        Assert.Equal((workspace.Backups, store, 1, full.Size), Told(first));
        Assert.Equal((workspace.Backups, store, 1, newest.Size), Told(second));
        Assert.Equal((workspace.Backups, store, 0, 0), Told(again));
        Assert.Equal((store, workspace["back"], 2, full.Size + newest.Size), Told(back));
        Assert.Equal((store, workspace["back"], 0, 0), Told(backAgain));
        Assert.All([first, second, again, back, backAgain], result => Assert.True(result.Elapsed > TimeSpan.Zero));
        Assert.Single(first.Copies);
        Assert.Equal(workspace["back"], back.BackupDirectory);

        static (string, string, int, long) Told(BackupTransferResult result) => (result.From, result.To, result.FilesCopied, result.BytesCopied);
    }

    [Theory]
    [InlineData("Get-SHBackup | Test-SHBackup", false)]
    [InlineData("Get-SHBackup | Test-SHBackup", true)]
    [InlineData("Get-SHBackup | Restore-SHBackup -Destination ./new.db", false)]
    [InlineData("Get-SHBackup | Restore-SHBackup -Destination ./new.db", true)]
    [InlineData("Get-SHBackup | Send-SHBackup " + There, false)]
    [InlineData("Get-SHBackup | Send-SHBackup " + There, true)]
    [InlineData("Receive-SHBackup * " + There, false)]
    [InlineData("Receive-SHBackup * " + There, true)]
    public void A_result_goes_wherever_its_backup_goes_also_out_of_a_job(string command, bool isFromJob)
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        workspace.Run($"Send-SHBackup {made.Id} {There} -CreateContainer").WithoutErrors();
        workspace.Run($"$result = {command}{(isFromJob ? " | " + ThroughAJob : string.Empty)}").WithoutErrors();
        Assert.Contains(workspace.Run("$result").Output.Single().BaseObject.GetType(), Results);

        Assert.True((bool)workspace.Run("$result | Test-SHBackup -Level Quick -Quiet").WithoutErrors().Output.Single().BaseObject);
        Assert.Equal(workspace.Backups, One<BackupTestResult>(workspace, "$result | Test-SHBackup").BackupDirectory);
        Assert.Equal(workspace["other.db"], One<BackupRestoreResult>(workspace, "$result | Restore-SHBackup -Destination ./other.db").RestoredTo);
        Assert.Equal(0, One<BackupTransferResult>(workspace, $"$result | Send-SHBackup {There}").FilesCopied);
        Assert.Equal(made.Id, One<BackupTransferResult>(workspace, $"$result | Receive-SHBackup {There}").Id);
        Assert.True(One<RestoreDrill>(workspace, "$result | Invoke-SHRestoreDrill").Passed);
        Assert.Equal(typeof(BackupMetadata), One<BackupMetadata>(workspace, "$result | Get-SHBackup").GetType());
        Assert.Empty(workspace.Run("$result | Compare-SHBackup").WithoutErrors().Output);
        Assert.Equal(made.Id, workspace.Run("\"$result\"").WithoutErrors().As<string>().Single());
        Assert.Equal([made.Id], workspace.Run("$result.Id").WithoutErrors().As<string>());
        Assert.Equal(typeof(BackupMetadata), One<BackupMetadata>(workspace, "$result | Remove-SHBackup -Force").GetType());
        Assert.Empty(workspace.Listed());
    }

    [Fact]
    public void A_result_out_of_a_job_has_every_value_and_the_same_table()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        workspace.Run($"Get-SHBackup | Send-SHBackup {There} -CreateContainer").WithoutErrors();
        foreach (var command in (string[])
            [
                "Get-SHBackup | Test-SHBackup", "Get-SHBackup -Newest 1 | Restore-SHBackup -Destination ./app.db -Force",
                $"Get-SHBackup -Newest 1 | Send-SHBackup {There}",
            ])
        {
            var result = One<BackupMetadata>(workspace, command);
            workspace.Run("$result = $args[0]", result).WithoutErrors();
            var back = One<BackupMetadata>(workspace, "$result | " + ThroughAJob);
            Assert.IsType(result.GetType(), back);
            Assert.All(Own(result.GetType()), property => Assert.Equal(property.GetValue(result), property.GetValue(back)));
            Assert.Equal(workspace.Session.Render("$result"), workspace.Session.Render("$result | " + ThroughAJob));
        }
    }

    [Fact]
    public void Where_the_module_came_later_a_result_of_a_job_is_still_taken_for_its_backup()
    {
        using var workspace = new Workspace();
        workspace.MakeBackup();
        var text = One<string>(workspace, "[System.Management.Automation.PSSerializer]::Serialize((Get-SHBackup | Test-SHBackup))");
        using var late = PowerShellSession.StartBare();
        late.Invoke("$bag = [System.Management.Automation.PSSerializer]::Deserialize($args[0])", [], text).WithoutErrors();
        late.Invoke("Import-Module $args[0] -ErrorAction Stop", [], BuiltModule.Manifest).WithoutErrors();
        Assert.True((bool)late.Invoke("$bag | Test-SHBackup -Quiet").WithoutErrors().Output.Single().BaseObject);
    }

    [Fact]
    public void A_sidecar_never_contains_a_field_of_a_result()
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        var before = Names(workspace, made);
        workspace.Run(
            $"""
            Get-SHBackup | Test-SHBackup | Send-SHBackup {There} -CreateContainer | Restore-SHBackup -Destination ./new.db | Test-SHBackup |
                Send-SHBackup -Provider Directory -Container ./second -CreateContainer
            Get-SHBackup | Test-SHBackup | Invoke-SHRestoreDrill
            """).WithoutErrors();
        var added = Names(workspace, made).Except(before, StringComparer.Ordinal);
        Assert.Equal(["cloud_provider", "cloud_url", "copies"], added.Order(StringComparer.Ordinal));

        static List<string> Names(Workspace workspace, BackupMetadata backup)
        {
            var sidecar = JsonNode.Parse(File.ReadAllText(workspace.SidecarOf(backup.Id)))!.AsObject();
            return [.. sidecar.Where(field => field.Value is not null).Select(field => field.Key)];
        }
    }

    [Fact]
    public void A_new_backup_that_was_sent_is_a_new_backup()
    {
        using var workspace = new Workspace();
        var made = One<BackupMetadata>(workspace, $"New-SHBackup ./app.db -Upload {There} -CreateContainer");
        Assert.Equal(typeof(BackupMetadata), made.GetType());
        Assert.Single(made.Copies);
    }

    [Theory]
    [InlineData(80)]
    [InlineData(100)]
    [InlineData(120)]
    public void Every_result_shows_its_point_on_a_screen(int width)
    {
        using var workspace = new Workspace();
        var made = workspace.MakeBackup();
        workspace.Session.Host.UI.RawUI.BufferSize = workspace.Session.Host.UI.RawUI.WindowSize = new(width, 50);

        var tested = workspace.Session.Render("Get-SHBackup | Test-SHBackup");
        Assert.Matches("(?m)^Id +Passed Level +Elapsed Detail", tested);
        Assert.Matches($@"(?m)^{made.Id} Yes +Full +\d+\.\d\d s +\d+ checks passed", tested);
        var sent = workspace.Session.Render($"Get-SHBackup | Send-SHBackup {There} -CreateContainer");
        var onOneLine = sent.Replace(Environment.NewLine, string.Empty, StringComparison.Ordinal);
        Assert.Contains($"Transfer: {workspace.Backups} -> file://", onOneLine, StringComparison.Ordinal);
        Assert.Matches($@"(?m)^{made.Id} +1 +[\d.]+ KiB +\d+\.\d\d s +app\.db", sent);
        var restored = workspace.Session.Render("Get-SHBackup | Restore-SHBackup -Destination ./app.db -Force");
        Assert.All(
            (string[])
            [
                @"RestoredTo +: /", @"RestoredBytes +: \d", @"RestoredRows +: \d", @"Elapsed +: \d", "Detail +: .*checks passed", "SafetyBackupId +: backup_",
            ],
            told => Assert.Matches("(?m)^" + told, restored));

        Assert.All((tested + sent + restored).Split(Environment.NewLine), line => Assert.True(line.Length <= width, line));
    }

    private static PropertyInfo[] Own(Type type) => type.GetProperties(BindingFlags.Public | BindingFlags.Instance | BindingFlags.DeclaredOnly);

    private static T One<T>(Workspace workspace, string script) => workspace.Run(script).WithoutErrors().As<T>().Single();
}
