using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Docs;

/// <summary>The commands of docs/SCHEDULING.md work unchanged.</summary>
// Documents register the schedules of a configuration, which have the same names in all of them.
[Collection("schedules of documents")]
public class SchedulingDocumentTests
{
    [Fact]
    public void The_commands_run_in_their_order()
    {
        FakeSchedulers.SkipWhereNone();
        using var workspace = new Workspace("Yes");
        workspace.Run("New-SHBackupConfiguration ./config/settings.yaml | Out-Null").WithoutErrors();
        Databases.Create(Directory.CreateDirectory(workspace["var"]).FullName + "/app.db", new DatabaseShape { Rows = 5 });
        var result = workspace.Run(MarkdownDocument.Load("docs/SCHEDULING.md").Blocks("powershell").Single()).WithoutErrors();
        Assert.Contains(result.Output, item => item.BaseObject is ScheduleRun { Result: ScheduleResult.Succeeded });
        workspace.Run("Unregister-SHBackupSchedule shbackup-* -Force").WithoutErrors();
    }
}
