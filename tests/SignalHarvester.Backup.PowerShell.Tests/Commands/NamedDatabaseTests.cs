using SignalHarvester.Backup.PowerShell.Tests.Support;
using SignalHarvester.Backup.TestSupport;

namespace SignalHarvester.Backup.PowerShell.Tests.Commands;

/// <summary>-Database names a database in the session's usual ways: by its path from here, or by its name.</summary>
public sealed class NamedDatabaseTests
{
    private static readonly string[] Commands =
    [
        "Get-SHBackup -Database {0}",
        "Get-SHBackupHistory -Database {0}",
        "Get-SHBackupHealth -Database {0}",
        "Invoke-SHBackupRetention -Database {0} -WhatIf",
        "Invoke-SHRestoreDrill -Newest -Database {0}",
        "Restore-SHBackup -PointInTime '2099-01-01T00:00Z' -Database {0} -Destination ./restored.db -Force",
    ];

    public static TheoryData<string, string> Named => new(
        from command in Commands
        from name in (string[])["app.db", "./app.db", "../here/app.db", "'./a*.db'", "'./a[p]p.db'", "./link.db", "sub/../app.db", "$pwd/app.db",
            "'$pwd/app.db'"]
        select (command, name));

    [Theory]
    [MemberData(nameof(Named))]
    public void A_database_is_named_by_its_path_from_here_as_by_its_name(string command, string name)
    {
        using var workspace = new Workspace();
        var here = Directory.CreateDirectory(workspace["here"]).FullName;
        Directory.CreateDirectory(Path.Combine(here, "sub"));
        foreach (var place in (string[])[here, Path.Combine(here, "sub")])
        {
            Databases.Create(Path.Combine(place, "app.db"));
        }

        Databases.Create(Path.Combine(here, "crm.db"));
        File.CreateSymbolicLink(Path.Combine(here, "link.db"), Path.Combine(here, "app.db"));
        workspace.MoveTo(here);
        workspace.Run("New-SHBackup ./app.db, ./crm.db, ./sub/app.db").WithoutErrors();
        var isName = name == "app.db";
        if (name.StartsWith("'$pwd", StringComparison.Ordinal))
        {
            name = $"'{here.Replace("'", "''", StringComparison.Ordinal)}/app.db'";
        }

        var result = workspace.Run(string.Format(
            System.Globalization.CultureInfo.InvariantCulture, command
                + " | ForEach-Object {{ if ($_.DatabasePath) {{ $_.DatabasePath }} elseif ($_.Backup) {{ $_.Backup.DatabasePath }} else {{ $_.Database }} }}",
            name));

        if (isName && command.StartsWith("Restore-", StringComparison.Ordinal))
        {
            Assert.StartsWith("DatabaseAmbiguous", Assert.Single(result.Errors).FullyQualifiedErrorId, StringComparison.Ordinal);
            return;
        }

        string[] wanted = isName ? [Path.Combine(here, "app.db"), Path.Combine(here, "sub", "app.db")] : [Path.Combine(here, "app.db")];
        Assert.Equal(wanted, result.WithoutErrors().As<string>().Distinct().Order(StringComparer.Ordinal));
    }

    [Fact]
    public void A_path_of_another_system_is_compared_as_it_stands()
    {
        using var workspace = new Workspace();
        workspace.AddBackup(TimeSpan.FromHours(1), sidecar => sidecar["db_path"] = @"Q:\data\crm.db");

        Assert.Single(workspace.Run(@"Get-SHBackup -Database 'Q:\data\crm.db'").WithoutErrors().Output);
        Assert.Empty(workspace.Run(@"Get-SHBackup -Database 'Q:\other\crm.db', 'Env:/crm.db'").WithoutErrors().Output);
    }
}
