using System.Management.Automation;
using System.Runtime.Loader;
using SignalHarvester.Backup.PowerShell.Tests.Support;

namespace SignalHarvester.Backup.PowerShell.Tests.ModuleTests;

/// <summary>The module imports wherever and however often a user imports it, and keeps its engine to itself.</summary>
public class ImportTests(FirstImport firstImport)
{
    private static readonly string[] Commands =
    [
        "Compare-SHBackup", "Export-SHBackupMetric", "Find-SHBackup", "Get-SHBackup", "Get-SHBackupConfiguration", "Get-SHBackupHealth", "Get-SHBackupHistory",
        "Get-SHBackupProtection", "Get-SHBackupSchedule", "Get-SHBackupStore", "Get-SHBackupTransaction",
        "Invoke-SHBackupQuery", "Invoke-SHBackupRetention", "Invoke-SHBackupSchedule", "Invoke-SHBackupScrub", "Invoke-SHRestoreDrill", "Merge-SHBackup",
        "New-SHBackup", "New-SHBackupConfiguration", "New-SHBackupKey", "New-SHBackupStore", "Protect-SHBackup", "Receive-SHBackup",
        "Register-SHBackupSchedule", "Remove-SHBackup", "Restore-SHBackup", "Send-SHBackup", "Start-SHBackupMetricServer",
        "Start-SHBackupProtection", "Stop-SHBackupProtection", "Test-SHBackup",
        "Test-SHBackupConfiguration", "Test-SHBackupStore", "Unregister-SHBackupSchedule", "Update-SHBackupSchedule",
    ];

    private static readonly string[] Libraries = Directory.GetFiles(BuiltModule.PathOf("lib"), "*.dll");

    private const string RunACommand = "$null = Get-SHBackup -BackupDirectory ([IO.Path]::GetTempPath()) -Id backup_1999*";

    [Fact]
    public void Exports_the_cmdlets_an_alias_and_nothing_else()
    {
        using var session = PowerShellSession.Start();
        var names = session.Invoke("(Get-Command -Module SignalHarvester.Backup -CommandType Cmdlet).Name").WithoutErrors().As<string>();
        Assert.Equal(Commands, names.Order(StringComparer.Ordinal));
        var others = session.Invoke("Get-Command -Module SignalHarvester.Backup -CommandType Alias, Function").WithoutErrors().As<AliasInfo>();
        Assert.Equal(("Invoke-SHBackupDrill", "Invoke-SHRestoreDrill"), (others.Single().Name, others.Single().ResolvedCommand.Name));
        Assert.Contains("Invoke-SHBackupDrill", session.Invoke("(Get-Command *SHBackup*).Name").WithoutErrors().As<string>());
    }

    [Fact]
    public void A_second_copy_in_one_session_is_one_clear_error_and_the_first_goes_on_working()
    {
        using var session = PowerShellSession.Start();
        using var copy = new ModuleCopy();
        var error = Assert.Single(session.Invoke("Import-Module $args[0]", [], copy.Manifest).Errors);
        Assert.Equal(BackupErrorId.ModuleLoadedTwice, error.FullyQualifiedErrorId.Split(',')[0]);
        Assert.Equal(ErrorCategory.ResourceExists, error.CategoryInfo.Category);
        Assert.Equal(Path.TrimEndingDirectorySeparator(BuiltModule.PathOf(string.Empty)), error.TargetObject);
        Assert.Contains("Remove-Module SignalHarvester.Backup", error.Exception.Message, StringComparison.Ordinal);
        session.Invoke(RunACommand).WithoutErrors();
        Assert.Single(session.Invoke("Get-Module SignalHarvester.Backup").WithoutErrors().Output);

        session.Invoke("Remove-Module SignalHarvester.Backup; Import-Module $args[0]", [], copy.Manifest).WithoutErrors();
        session.Invoke(RunACommand).WithoutErrors();
    }

    [Fact]
    public void Works_after_a_second_import_and_after_a_forced_one()
    {
        using var session = PowerShellSession.Start();
        session.Invoke(
            "Import-Module $args[0]; Import-Module $args[0] -Force; Remove-Module SignalHarvester.Backup; Import-Module $args[0]", [], BuiltModule.Manifest)
            .WithoutErrors();
        session.Invoke(RunACommand).WithoutErrors();
    }

    [Fact]
    public void Works_from_a_second_copy_of_the_module_in_the_same_process()
    {
        using var original = PowerShellSession.Start();
        original.Invoke(RunACommand).WithoutErrors();

        using var copy = new ModuleCopy();
        using var session = PowerShellSession.StartBare();
        session.Invoke("Import-Module $args[0] -ErrorAction Stop", [], copy.Manifest).WithoutErrors();
        session.Invoke(RunACommand).WithoutErrors();
    }

    [Fact]
    public void Works_in_runspaces_that_import_at_once()
    {
        Parallel.For(0, 8, _ =>
        {
            using var session = PowerShellSession.Start();
            session.Invoke(RunACommand).WithoutErrors();
        });
    }

    [Fact]
    public void Works_in_ForEach_Object_Parallel()
    {
        using var session = PowerShellSession.Start();
        session.Invoke(
            $"$manifest = $args[0]; 1..8 | ForEach-Object -ThrottleLimit 4 -Parallel {{ Import-Module $using:manifest; {RunACommand} }}",
            [],
            BuiltModule.Manifest).WithoutErrors();
    }

    [Fact]
    public void The_engine_and_its_packages_live_in_a_load_context_of_their_own()
    {
        using var session = PowerShellSession.Start();
        session.Invoke(RunACommand).WithoutErrors();

        var context = Assert.Single(AssemblyLoadContext.All, c => c.Assemblies.Any(a => a.GetName().Name == "SignalHarvester.Backup"));
        Assert.NotSame(AssemblyLoadContext.Default, context);
        Assert.False(context.IsCollectible);
        Assert.All(context.Assemblies, a => Assert.Equal(BuiltModule.PathOf("lib"), Path.GetDirectoryName(a.Location)));
    }

    [Fact]
    public void The_objects_that_come_out_are_of_the_types_that_other_code_in_the_process_sees()
    {
        using var session = PowerShellSession.Start();
        var type = session.Invoke("[SignalHarvester.Backup.BackupMetadata]").WithoutErrors().As<Type>().Single();
        Assert.Same(typeof(BackupMetadata), type);
        Assert.Same(AssemblyLoadContext.Default, AssemblyLoadContext.GetLoadContext(type.Assembly));
        Assert.Single(AppDomain.CurrentDomain.GetAssemblies(), a => a.GetName().Name == type.Assembly.GetName().Name);
    }

    [Fact]
    public void Importing_loads_nothing_of_the_engine()
    {
        Assert.Contains(BuiltModule.PathOf("SignalHarvester.Backup.PowerShell.dll"), firstImport.LoadedFiles);
        Assert.NotEmpty(Libraries);
        Assert.Empty(Libraries.Intersect(firstImport.LoadedFiles));
    }
}
