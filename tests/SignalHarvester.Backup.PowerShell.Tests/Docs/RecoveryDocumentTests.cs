using System.Globalization;
using System.Security.Cryptography;
using System.Text.RegularExpressions;
using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Docs;

/// <summary>
/// docs/BACKUP_RECOVERY.md is read at three in the morning: the commands of each section run unchanged, in their order, after that
/// section's disaster.
/// </summary>
public partial class RecoveryDocumentTests
{
    private const string DocumentedFull = "backup_20261122_020000_123456";
    private const string DocumentedIncrement = "backup_20261122_080000_654321";

    private static readonly MarkdownDocument Guide = MarkdownDocument.Load("docs/BACKUP_RECOVERY.md");

    private static readonly Dictionary<string, (Action<Workspace> Disaster, Action<Workspace> Recovered)> Disasters = new()
    {
        ["Which backup still has the rows?"] = (
            workspace =>
            {
                Execute(workspace, "DELETE FROM signals WHERE created_at >= '2026-11-10'");
                workspace.MakeBackup("-Type Auto");
            },
            workspace => Assert.Equal(900, Signals(workspace.Database))),
        ["The database is damaged"] = (
            workspace => Workspace.Damage(workspace.Database),
            workspace =>
            {
                Assert.Equal(900, Signals(workspace.Database));
                Assert.Single(workspace.Run("Get-SHBackup | Where-Object IsSafety").WithoutErrors().Output);
            }
        ),
        ["Rows were deleted by mistake"] = (
            workspace => Execute(workspace, "DELETE FROM signals WHERE created_at >= '2026-11-10'"),
            workspace => Assert.Equal(900, Signals(workspace.Database))),
        ["Back to a moment"] = (
            workspace => Execute(workspace, "DELETE FROM signals"),
            workspace =>
            {
                Assert.Equal(900, Signals(workspace["before.db"]));
                Assert.Equal(900, Signals(workspace.Database));
                Assert.Equal(0, Signals(workspace["undone.db"]));
            }
        ),
        ["The server is lost"] = (
            workspace =>
            {
                File.Delete(workspace.Database);
                Directory.Delete(workspace.Backups, recursive: true);
            },
            workspace =>
            {
                Assert.Equal(900, Signals(workspace.Database));
                Assert.Equal(
                    [BackupType.Incremental, BackupType.Incremental, BackupType.Full],
                    workspace.Run("Get-SHBackup | Where-Object -Not IsSafety").WithoutErrors().As<BackupMetadata>().Select(backup => backup.Type));
            }
        ),
        ["Ransomware"] = (
            workspace =>
            {
                foreach (var file in workspace.BackupFiles.Append(workspace.Database))
                {
                    File.WriteAllBytes(file, RandomNumberGenerator.GetBytes(5000));
                }
            },
            workspace => Assert.Equal(900, Signals(workspace["clean.db"]))),
        ["The key is lost"] = (
            workspace =>
            {
                workspace.Run("$null = New-SHBackup ./app.db -Recipient (New-SHBackupKey ./lost.key).Recipient, (New-SHBackupKey ./spare.key).Recipient")
                    .WithoutErrors();
                File.Delete(workspace["lost.key"]);
            },
            workspace => Assert.Equal(
                ["True", "True"],
                workspace.Run(
                    "Get-SHBackup | Where-Object IsEncrypted | Test-SHBackup -Level Full -IdentityFile ./second.key | ForEach-Object { \"$($_.Verified)\" }")
                    .WithoutErrors().As<string>())),
        ["The backup disk is full"] = (
            workspace => _ = workspace.AddBackup(TimeSpan.FromDays(100), sidecar => sidecar["db_path"] = workspace.Database),
            workspace => Assert.Empty(workspace.Run("Get-SHBackup | Where-Object Age -gt 90d").WithoutErrors().Output)),
        ["The schedule is wrong"] = (_ => FakeSchedulers.SkipWhereNone(), _ => { }
        ),
        ["Rehearse it"] = (_ => FakeSchedulers.SkipWhereNone(), _ => { }
        ),
        ["A chain is damaged"] = (
            workspace => Workspace.FlipByte(workspace.FileOf(workspace.Listed()[^1])),
            workspace =>
                Assert.All(workspace.Run("Get-SHBackup | Test-SHBackup").WithoutErrors().As<BackupMetadata>(), backup => Assert.True(backup.Verified))),
    };

    /// <summary>The headings above commands.</summary>
    public static TheoryData<string> Headings() => [.. Guide.Sections("powershell").Select(section => section.Heading)];

    [Theory]
    [MemberData(nameof(Headings))]
    public void The_commands_of_a_section_bring_back_what_it_promises(string heading)
    {
        using var workspace = MakeWorkspace();
        var (disaster, recovered) = Disasters.GetValueOrDefault(heading, (_ => { }, _ => { }));
        disaster(workspace);
        foreach (var (code, needs) in Guide.Sections("powershell").Single(section => section.Heading == heading).Blocks)
        {
            Assert.Empty(ScriptCheck.Problems(workspace.Session, code));
            if (needs is null)
            {
                // In the scope of the session, because a block uses the variables of the one before.
                workspace.Run($". {{ {code} }}").WithoutErrors();
            }
        }

        recovered(workspace);
    }

    [Fact]
    public void No_scenario_lost_its_disaster() => Assert.Empty(Disasters.Keys.Except(Guide.Sections("powershell").Select(section => section.Heading)));

    [Theory]
    [InlineData(0, false)]
    [InlineData(1, false)]
    [InlineData(2, true)]
    public void The_commands_for_a_machine_without_the_module_bring_the_database_back(int block, bool encrypted)
    {
        var shell = Tool.Require("sh");
        _ = Tool.Require("zstd");
        _ = Tool.Require("sqlite3");
        _ = encrypted ? Tool.Require("age") : null;
        using var workspace = MakeWorkspace();
        var place = workspace["bare machine"];
        Directory.CreateDirectory(place);
        var wanted = workspace.Run("Get-SHBackup").WithoutErrors().As<BackupMetadata>();
        var (full, increment) = (wanted[1], wanted[0]);
        if (encrypted)
        {
            full = workspace.MakeBackup("-Recipient (New-SHBackupKey './bare machine/restore.key').Recipient");
        }

        File.Copy(full.BackupPath, Path.Combine(place, Path.GetFileName(full.BackupPath).Replace(full.Id, DocumentedFull, StringComparison.Ordinal)));
        File.Copy(
            increment.BackupPath,
            Path.Combine(place, Path.GetFileName(increment.BackupPath).Replace(increment.Id, DocumentedIncrement, StringComparison.Ordinal)));
        File.WriteAllText(Path.Combine(place, "app.db-wal"), "stale");
        var code = Guide.Sections("sh").Single(section => section.Heading == "Without this module").Blocks[block].Code;
        File.WriteAllText(workspace["script.sh"], $"set -e\ncd \"$1\"\n{code}");
        var result = shell.Run(workspace["script.sh"], place).EnsureSuccess();
        Assert.Contains(block == 1 ? increment.Checksum! : full.Checksum!, result.Output, StringComparison.Ordinal);
        Assert.Equal(900, Signals(Path.Combine(place, block == 0 ? "app.db" : "app.db.new")));
    }

    [Fact]
    public void Every_error_of_the_module_stands_in_it_once_and_no_other()
    {
        var text = File.ReadAllText(Path.Combine(MarkdownDocument.Root, "docs", "BACKUP_RECOVERY.md")).ReplaceLineEndings("\n");
        var section = text[text.IndexOf("\n## Every error\n", StringComparison.Ordinal)..];
        var named = ErrorRow().Matches(section).SelectMany(row => row.Groups["ids"].Value.Split(", "));
        Assert.Equal(typeof(BackupErrorId).GetFields().Select(field => field.Name).Order(), named.Order());
    }

    [Fact]
    public void What_it_points_to_within_itself_is_there()
    {
        var text = File.ReadAllText(Path.Combine(MarkdownDocument.Root, "docs", "BACKUP_RECOVERY.md")).ReplaceLineEndings("\n");
        var anchors = Heading().Matches(text).Select(heading => heading.Groups["text"].Value.ToLowerInvariant()
            .Replace(' ', '-')
            .Replace(",", string.Empty, StringComparison.Ordinal)
            .Replace("?", string.Empty, StringComparison.Ordinal));
        Assert.Empty(Link().Matches(text).Select(link => link.Groups["anchor"].Value).Except(anchors));
    }

    private static Workspace MakeWorkspace()
    {
        var workspace = new Workspace();
        File.Copy(Path.Combine(MarkdownDocument.Root, "samples", "app.db"), workspace.Database, overwrite: true);
        workspace.Change();
        workspace.MakeBackup();
        workspace.Change();
        workspace.MakeBackup("-Type Auto");
        workspace.Run("Get-SHBackup | Send-SHBackup -Provider Directory -Container ./offsite -CreateContainer | Out-Null").WithoutErrors();
        return workspace;
    }

    private static void Execute(Workspace workspace, string sql)
    {
        using var connection = Databases.Open(workspace.Database);
        Databases.Execute(connection, sql);
    }

    private static int Signals(string database)
    {
        using var connection = Databases.Open(database);
        return int.Parse(Databases.Scalar(connection, "SELECT count(*) FROM signals"), CultureInfo.InvariantCulture);
    }

    [GeneratedRegex("(?m)^[|] (?<ids>[A-Z][A-Za-z]+(, [A-Z][A-Za-z]+)*) [|]", RegexOptions.ExplicitCapture)]
    private static partial Regex ErrorRow();

    [GeneratedRegex(@"(?m)^\#\#+ (?<text>.*)$", RegexOptions.ExplicitCapture)]
    private static partial Regex Heading();

    [GeneratedRegex(@"\]\(\#(?<anchor>[^)]+)\)", RegexOptions.ExplicitCapture)]
    private static partial Regex Link();
}
