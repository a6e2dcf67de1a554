namespace SignalHarvester.Backup.Bench.Machines;

/// <summary>This project's own contestant: pipelines in the built host, as users run them.</summary>
internal sealed class Module
{
    private readonly string host;

    public Module(Workspace workspace)
    {
        var folder = Path.Combine(workspace.Root, "src", "SignalHarvester.Backup.Host", "bin", "Release", "net10.0");
        host = Path.Combine(folder, "shbackup.dll");
        Manifest = Path.Combine(workspace.Root, "out", "SignalHarvester.Backup", "SignalHarvester.Backup.psd1");
    }

    /// <summary>The module as shipped.</summary>
    public string Manifest { get; }

    /// <summary>The reported size of the backup file alone, without the sidecar and the cache.</summary>
    public const string FileSize = "file MB";

    /// <summary>The reported number of pages in an increment.</summary>
    public const string Pages = "pages";

    /// <summary>The reported number of backups that retention keeps.</summary>
    public const string Keep = "kept";

    /// <summary>The reported number of backups that retention would remove.</summary>
    public const string Remove = "to go";

    /// <summary>The folder in a backup directory that may be deleted at any time.</summary>
    public const string Cache = ".shbackup";

    private const string CmdletTime = "cmdlet s";
    private const string UserTime = "user s";
    private const string KernelTime = "kernel s";

    /// <summary>The reported time that the check of the database took within a full verification.</summary>
    public const string IntegrityTime = "database check s";

    /// <summary>Why the host cannot run the cmdlets; null when it can.</summary>
    public string? Missing => File.Exists(host) ? MissingManifest : "not built: dotnet build -c Release";

    /// <summary>Why the module cannot be imported; null when it can.</summary>
    public string? MissingManifest => File.Exists(Manifest) ? null : "not built: dotnet build -c Release";

    /// <summary>Returns a text as a PowerShell literal.</summary>
    public static string Quote(string text) => $"'{text.Replace("'", "''", StringComparison.Ordinal)}'";

    /// <summary>
    /// Makes a backup. The time inside is the engine's own, <c>BackupMetadata.Duration</c>, without a verification; with one, it is the
    /// pipeline's.
    /// </summary>
    /// <param name="database">The database.</param>
    /// <param name="directory">Where the backup goes.</param>
    /// <param name="type">Full, Incremental or Wal. If the module makes another type instead, that is a failure here.</param>
    /// <param name="verify">Whether the backup is verified.</param>
    /// <param name="parameters">More parameters of New-SHBackup.</param>
    public Command Backup(string database, string directory, string type = "Full", bool verify = false, string parameters = "") =>
        Pipeline(
            $"{New(database, directory, type, verify)} {parameters}",
            $$"""
            ; {{RequireType(type)}}; $inside = {{(verify ? "$cmdlet" : "$made[0].Duration.TotalSeconds")}}
            "bench:inside=$inside"; "bench:{{CmdletTime}}=$cmdlet"; {{ReportSizes}}
            """);

    /// <summary>Makes a full backup whose file is as large as the database.</summary>
    public Command BackupUncompressed(string database, string directory) =>
        Pipeline($"{New(database, directory, "Full", verify: false)} -Compression None", string.Empty);

    /// <summary>Reads the directory's stored files again; the time inside is the pipeline's.</summary>
    public Command Scrub(string directory) =>
        Pipeline($"Invoke-SHBackupScrub -BackupDirectory {Quote(directory)}", """; "bench:inside=$cmdlet" """);

    /// <summary>Sends the directory's backups to an object store; the time inside is the pipeline's.</summary>
    /// <param name="directory">The backup directory.</param>
    /// <param name="place">The parameters that name the store.</param>
    public Command Send(string directory, string place) =>
        Pipeline(
            $"Get-SHBackup -BackupDirectory {Quote(directory)} | Send-SHBackup {place} -CreateContainer",
            """; "bench:inside=$cmdlet" """);

    /// <summary>Fetches the backups of an object store into a directory; the time inside is the pipeline's.</summary>
    /// <param name="place">The parameters that name the store.</param>
    /// <param name="directory">The backup directory.</param>
    public Command Receive(string place, string directory) =>
        Pipeline(
            $"Receive-SHBackup -Id * {place} -BackupDirectory {Quote(directory)}",
            """; "bench:inside=$cmdlet" """);

    /// <summary>
    /// Makes several backups in one process, each after the same amount of changes. It reports the
    /// medians of all but the first, during which .NET still compiles; <see cref="WarmPart"/> makes a sample of them.
    /// </summary>
    /// <param name="database">The database.</param>
    /// <param name="directory">Where the backups go.</param>
    /// <param name="type">Full, Incremental or Wal.</param>
    /// <param name="change">Run before each backup, with an additional last argument, a number from 1 upwards.</param>
    /// <param name="count">The number of backups.</param>
    public Command Series(string database, string directory, string type, Command change, int count) =>
        Script($$"""
            $times = [ordered]@{ 'inside' = @(); '{{CmdletTime}}' = @(); '{{UserTime}}' = @(); '{{KernelTime}}' = @() }
            foreach ($round in 1..{{count}}) {
                & {{string.Join(' ', change.Arguments.Prepend(change.Program).Select(Quote))}} $round
                if ($LASTEXITCODE -ne 0) { throw 'The change failed.' }
                $before = [Environment]::CpuUsage
                $from = [Diagnostics.Stopwatch]::GetTimestamp()
                $made = @({{New(database, directory, type, verify: false)}})
                $to = [Diagnostics.Stopwatch]::GetTimestamp()
                $after = [Environment]::CpuUsage
                {{RequireType(type)}}
                if ($round -eq 1 -and {{count}} -gt 1) { continue }
                $times['inside'] += $made[0].Duration.TotalSeconds
                $times['{{CmdletTime}}'] += [Diagnostics.Stopwatch]::GetElapsedTime($from, $to).TotalSeconds
                $times['{{UserTime}}'] += ($after.UserTime - $before.UserTime).TotalSeconds
                $times['{{KernelTime}}'] += ($after.PrivilegedTime - $before.PrivilegedTime).TotalSeconds
            }
            foreach ($name in $times.Keys) {
                $sorted = [double[]]$times[$name]
                [array]::Sort($sorted)
                "bench:$name=$($sorted[[Math]::Floor($sorted.Length / 2)])"
            }
            {{ReportSizes}}
            """);

    /// <summary>Returns the measurement of one backup of a <see cref="Series"/>; its wall time is the pipeline's.</summary>
    public static Sample WarmPart(Sample series) => new(series.Reported[CmdletTime])
    {
        Inside = series.Inside,
        User = series.Reported[UserTime],
        Kernel = series.Reported[KernelTime],
        PeakMemory = series.PeakMemory,
        Reported = new Dictionary<string, double>(series.Reported.Where(r => r.Key is FileSize or Pages)),
    };

    /// <summary>Verifies every backup in the directory; the time inside is the pipeline's, including the loading of the engine.</summary>
    public Command Test(string directory, string level) =>
        Pipeline(
            $"Get-SHBackup -BackupDirectory {Quote(directory)} | Test-SHBackup -Level {level}",
            $$"""
            ; "bench:inside=$cmdlet"
            foreach ($check in $made[0].Verification) {
                if ($check.Check -eq 'Integrity' -and $check.Detail -match ' in ([0-9.]+) s$') { "bench:{{IntegrityTime}}=$($Matches[1])" }
            }
            """);

    /// <summary>Restores one of the directory's backups to a file; the time inside is the pipeline's.</summary>
    /// <param name="directory">The backup directory.</param>
    /// <param name="destination">The file.</param>
    /// <param name="which">Arguments of Get-SHBackup that select one backup.</param>
    /// <param name="verify">Whether the content is checked.</param>
    public Command Restore(string directory, string destination, string which = Newest, bool verify = false) =>
        Pipeline(
            $"Get-SHBackup -BackupDirectory {Quote(directory)} {which} | Restore-SHBackup -Destination {Quote(destination)} -Force{(verify ? "" : " -NoVerify")}",
            """; "bench:inside=$cmdlet" """);

    /// <summary>Protects the databases of a place until it is stopped.</summary>
    /// <param name="place">Where they are.</param>
    /// <param name="more">More parameters.</param>
    public Command Protect(ProtectedPlace place, string more = "")
    {
        var places = $"{Quote(place["*.db"])} -BackupDirectory {Quote(place.Home)} {place.Store.ToParameters}";
        return Script($"Start-SHBackupProtection {places} -ThisProcess {more}") with { Variables = place.Store.Variables };
    }

    /// <summary>Restores a database as it was at a moment from the store of a protection; the time inside is the pipeline's.</summary>
    /// <param name="place">Where the store is.</param>
    /// <param name="database">The database.</param>
    /// <param name="moment">The moment.</param>
    /// <param name="destination">A free path.</param>
    /// <param name="verify">Whether the content is checked.</param>
    public Command RestoreMoment(ProtectedPlace place, string database, string moment, string destination, bool verify) =>
        RestoreOf(place, database, $"-PointInTime {Quote(moment)}", destination, verify);

    /// <summary>The same for anything that a stream leads to.</summary>
    /// <param name="place">Where the store is.</param>
    /// <param name="database">The database.</param>
    /// <param name="which">The parameter that says what is restored.</param>
    /// <param name="destination">A free path.</param>
    /// <param name="verify">Whether the content is checked.</param>
    public Command RestoreOf(ProtectedPlace place, string database, string which, string destination, bool verify) =>
        Pipeline(
            $"Restore-SHBackup {which} {place.Store.FromParameters} -Database {Quote(database)} -BackupDirectory {Quote(place.Home)} " +
            $"-Destination {Quote(destination)} -Force{(verify ? "" : " -NoVerify")}",
            """; "bench:inside=$cmdlet" """) with
        { Variables = place.Store.Variables };

    /// <summary>Starts the shell, and nothing else.</summary>
    public Command Nothing() => Script("1");

    /// <summary>Asks the directory's newest backup; the time inside is the pipeline's.</summary>
    public Command Query(string directory, string sql) =>
        Pipeline($"Invoke-SHBackupQuery {Quote(sql)} -BackupDirectory {Quote(directory)}", """; "bench:inside=$cmdlet" """);

    /// <summary>Brings rows of the newest backup in an object store back into a database; the time inside is the pipeline's.</summary>
    /// <param name="place">The parameters that name the store.</param>
    /// <param name="home">The backup directory of this machine.</param>
    /// <param name="database">The database.</param>
    /// <param name="table">The table.</param>
    /// <param name="where">The rows.</param>
    public Command BringBack(string place, string home, string database, string table, string where) =>
        Pipeline(
            $"Get-SHBackup -Remote {place} {Newest} | Restore-SHBackup -Remote {place} -BackupDirectory {Quote(home)} -Table {table} -Where {Quote(where)} -Into {Quote(database)} -AllowOtherDatabase -NoSafetyBackup -Force",
            """; if ($made[0].Inserted -ne 10) { throw "$($made[0].Inserted) rows came back." }; "bench:inside=$cmdlet" """);

    /// <summary>Lists the directory; the time inside is the pipeline's, and the number of backups is reported.</summary>
    public Command List(string directory) =>
        Pipeline(
            $"Get-SHBackup -BackupDirectory {Quote(directory)}",
            """; "bench:inside=$cmdlet"; "bench:backups=$($made.Count)" """);

    /// <summary>Judges the directory's backups, and removes none; the time inside is the pipeline's.</summary>
    /// <param name="directory">The backup directory.</param>
    /// <param name="rules">Arguments of Invoke-SHBackupRetention.</param>
    public Command Decide(string directory, string rules) =>
        Pipeline(
            $"Invoke-SHBackupRetention -BackupDirectory {Quote(directory)} {rules} -WhatIf",
            $$"""
            ; "bench:inside=$cmdlet"; $go = @($made.Where({ $_.Action -eq 'Remove' })).Count
            "bench:{{Keep}}=$($made.Count - $go)"; "bench:{{Remove}}=$go"
            """);

    /// <summary>Removes this many of the directory's oldest backups; the time inside is the pipeline's.</summary>
    public Command RemoveOldest(string directory, int count) =>
        Pipeline(
            $"@(Get-SHBackup -BackupDirectory {Quote(directory)})[-{count}..-1] | Remove-SHBackup -Force",
            $$"""; if ($made.Count -ne {{count}}) { throw "$($made.Count) of {{count}} backups were removed." }; "bench:inside=$cmdlet" """);

    /// <summary>Makes the directory's newest backup a full one; the time inside is the pipeline's.</summary>
    public Command MergeNewest(string directory) =>
        Pipeline(
            $"Get-SHBackup -BackupDirectory {Quote(directory)} {Newest} | Merge-SHBackup",
            $$"""; {{RequireType("Full")}}; "bench:inside=$cmdlet" """);

    private const string Newest = "-Newest 1";

    private static string ReportSizes =>
        $$"""
        "bench:{{FileSize}}=$($made[0].Size / 1e6)"
        if ($made[0].Type -ne 'Full') { "bench:{{Pages}}=$($made[0].Metadata['changed_pages'])" }
        """;

    private static string New(string database, string directory, string type, bool verify) =>
        $"New-SHBackup {Quote(database)} -BackupDirectory {Quote(directory)} -Type {type}{(verify ? "" : " -NoVerify")}";

    private static string RequireType(string type) =>
        $$"""
        if ($made[0].Type -ne '{{type}}') {
            throw "A backup of type $($made[0].Type) was made: $($made[0].Metadata['full_reason'])$($made[0].Metadata['wal_fallback'])"
        }
        """;

    private Command Pipeline(string pipeline, string report) =>
        Script(
            "$from = [Diagnostics.Stopwatch]::GetTimestamp(); " +
            $"$made = @({pipeline}); $to = [Diagnostics.Stopwatch]::GetTimestamp(); " +
            "$cmdlet = [Diagnostics.Stopwatch]::GetElapsedTime($from, $to).TotalSeconds; " +
            "\"bench:from=$from\"; \"bench:to=$to\"; " +
            "if ($made.Count -eq 0) { throw 'The pipeline returned nothing.' }" + report.TrimEnd());

    private Command Script(string script) => new("dotnet", [host, "-Command", "$ErrorActionPreference = 'Stop'; " + script]);
}
