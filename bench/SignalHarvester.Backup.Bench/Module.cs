namespace SignalHarvester.Backup.Bench;

/// <summary>This project's own contestant: pipelines run by the built host, as a user runs them.</summary>
internal sealed class Module
{
    private readonly string _host;

    public Module(Workspace workspace)
    {
        string folder = Path.Combine(workspace.Root, "src", "SignalHarvester.Backup.Host", "bin", "Release", "net10.0");
        _host = Path.Combine(folder, "shbackup.dll");
        Manifest = Path.Combine(workspace.Root, "out", "SignalHarvester.Backup", "SignalHarvester.Backup.psd1");
    }

    /// <summary>The module as shipped.</summary>
    public string Manifest { get; }

    /// <summary>The reported size of the backup file alone, without the sidecar and what is only a cache.</summary>
    public const string FileSize = "file MB";

    /// <summary>The reported time that integrity_check took within a full verification.</summary>
    public const string IntegrityTime = "integrity_check s";

    /// <summary>Why the host cannot run the cmdlets; null when it can.</summary>
    public string? Missing => File.Exists(_host) ? MissingManifest : "not built: dotnet build -c Release";

    /// <summary>Why the module cannot be imported; null when it can.</summary>
    public string? MissingManifest => File.Exists(Manifest) ? null : "not built: dotnet build -c Release";

    /// <summary>Text as a literal of the PowerShell language.</summary>
    public static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>Makes a full backup, unverified; the time inside is the engine's own, <c>BackupMetadata.Duration</c>.</summary>
    public Command Backup(string database, string directory) =>
        Pipeline(
            $"New-SHBackup {Quote(database)} -BackupDirectory {Quote(directory)} -NoVerify",
            $$"""
            ; if ($made[0].Duration) { "bench:inside=$($made[0].Duration.TotalSeconds)" }
            "bench:cmdlet s=$cmdlet"; "bench:{{FileSize}}=$($made[0].Size / 1e6)"
            """);

    /// <summary>Verifies every backup in the directory; the time inside is the pipeline's, loading of the engine included.</summary>
    public Command Test(string directory, string level) =>
        Pipeline(
            $"Get-SHBackup -BackupDirectory {Quote(directory)} | Test-SHBackup -Level {level}",
            $$"""
            ; "bench:inside=$cmdlet"
            foreach ($check in $made[0].Verification) {
                if ($check.Check -eq 'Integrity' -and $check.Detail -match ' in ([0-9.]+) s$') { "bench:{{IntegrityTime}}=$($Matches[1])" }
            }
            """);

    /// <summary>Restores the directory's only backup to a file; the time inside is the pipeline's.</summary>
    public Command Restore(string directory, string destination) =>
        Pipeline(
            $"Get-SHBackup -BackupDirectory {Quote(directory)} | Restore-SHBackup -Destination {Quote(destination)} -Force -NoVerify",
            """; "bench:inside=$cmdlet" """);

    /// <summary>Lists the directory; the time inside is the pipeline's, and the number of backups is reported.</summary>
    public Command List(string directory) =>
        Pipeline(
            $"Get-SHBackup -BackupDirectory {Quote(directory)}",
            """; "bench:inside=$cmdlet"; "bench:backups=$($made.Count)" """);

    private Command Pipeline(string pipeline, string report) =>
        new("dotnet",
        [
            _host,
            "-Command",
            "$ErrorActionPreference = 'Stop'; $from = [Diagnostics.Stopwatch]::GetTimestamp(); " +
            $"$made = @({pipeline}); $to = [Diagnostics.Stopwatch]::GetTimestamp(); " +
            "$cmdlet = [Diagnostics.Stopwatch]::GetElapsedTime($from, $to).TotalSeconds; " +
            "\"bench:from=$from\"; \"bench:to=$to\"; " +
            "if ($made.Count -eq 0) { throw 'The pipeline returned nothing.' }" + report.TrimEnd(),
        ]);
}
